//! The numbers as comma-separated values (RFC 4180): for spreadsheets and statistics.

use super::escape;
use crate::results::{Latency, Report, Run, Standing, Summary};
use crate::stats::Estimate;

/// The text of a field without quotes around it: a number as it is, nothing for an unknown value,
/// text as `escape` leaves it.
trait Field {
    fn field(&self) -> String;
}

impl Field for str {
    fn field(&self) -> String {
        escape::csv(self)
    }
}

impl Field for String {
    fn field(&self) -> String {
        escape::csv(self)
    }
}

macro_rules! plain {
    ($($number:ty),*) => {$(
        impl Field for $number {
            fn field(&self) -> String {
                self.to_string()
            }
        }
    )*};
}
plain!(u32, u64, usize, f64, bool);

impl<F: Field> Field for Option<F> {
    fn field(&self) -> String {
        self.as_ref().map(Field::field).unwrap_or_default()
    }
}

/// A line under construction.
#[derive(Default)]
struct Line(Vec<(String, String)>);

impl Line {
    fn add(&mut self, name: &str, value: &(impl Field + ?Sized)) {
        self.0.push((name.to_owned(), value.field()));
    }

    fn estimate(&mut self, name: &str, estimate: Option<Estimate>) {
        self.add(name, &estimate.map(|estimate| estimate.median));
        self.add(&format!("{name}_low"), &estimate.map(|estimate| estimate.low));
        self.add(&format!("{name}_high"), &estimate.map(|estimate| estimate.high));
    }

    /// A percentile with too few samples is left empty.
    fn latency(&mut self, suffix: &str, run: &Run, latency: Option<Latency>) {
        let mut add = |name: &str, quantile: f64, of: fn(Latency) -> u64| {
            let told = latency.filter(|latency| run.tells(latency, quantile));
            self.add(&format!("{name}{suffix}_ns"), &told.map(of));
        };
        add("latency_p50", 0.5, |latency| latency.p50_ns);
        add("latency_p90", 0.9, |latency| latency.p90_ns);
        add("latency_p99", 0.99, |latency| latency.p99_ns);
        add("latency_p99_9", 0.999, |latency| latency.p99_9_ns);
        add("latency_max", 0.0, |latency| latency.max_ns);
        self.add(&format!("latency_mean{suffix}_ns"), &latency.map(|latency| latency.mean_ns));
    }
}

pub(super) fn runs(report: &Report) -> String {
    join_lines(report.runs.iter().map(run))
}

pub(super) fn summaries(report: &Report) -> String {
    join_lines(report.summaries.iter().map(summary))
}

/// The lines below their header, each ended by CR LF; empty when there are no lines.
fn join_lines(lines: impl Iterator<Item = Line>) -> String {
    let mut text = String::new();
    for line in lines {
        let (names, values): (Vec<String>, Vec<String>) = line.0.into_iter().unzip();
        if text.is_empty() {
            text = names.join(",") + "\r\n";
        }
        text += &(values.join(",") + "\r\n");
    }
    text
}

fn run(run: &Run) -> Line {
    let mut line = Line::default();
    line.add("scenario", &run.scenario);
    line.add("contender", &run.contender);
    line.add("repetition", &run.repetition);
    line.add("attempt", &run.retries);
    line.add("valid", &run.is_valid());
    line.add("warmup_s", &run.warmup_s);
    line.add("warmed_up", &run.warmed_up);
    line.add("window_s", &run.window_s);
    line.add("answers", &run.answers);
    line.add("throughput", &run.throughput);
    line.add("throughput_is_lower_bound", &run.throughput_is_lower_bound);
    line.add("offered_rate", &run.offered_rate);
    line.latency("", run, run.latency);
    line.latency("_uncorrected", run, run.latency_uncorrected);
    line.add("server_cpu_s", &run.server_cpu_s);
    line.add("server_user_s", &run.server_user_s);
    line.add("server_system_s", &run.server_system_s);
    line.add("cpu_per_question_ns", &run.cpu_per_question_ns);
    line.add("occupancy", &run.occupancy);
    line.add("context_switches_per_question", &run.context_switches_per_question);
    line.add("system_calls_per_question", &run.system_calls_per_question);
    line.add("threads", &run.threads);
    line.add("busiest_thread_share", &run.thread_cpu.as_ref().map(|cpu| cpu.shares().0.first().copied()));
    line.add("ended_threads_share", &run.thread_cpu.as_ref().map(|cpu| cpu.shares().1));
    line.add("descriptors", &run.descriptors);
    line.add("memory_empty_bytes", &run.memory_empty_bytes);
    line.add("memory_loaded_bytes", &run.memory_loaded_bytes);
    line.add("pss_empty_bytes", &run.pss_empty_bytes);
    line.add("pss_loaded_bytes", &run.pss_loaded_bytes);
    line.add("clients", &run.clients);
    line.add("clients_served", &run.clients_served);
    line.add("clients_waiting", &run.clients_waiting);
    line.add("longest_wait_ns", &run.longest_wait_ns);
    line.add("connections_held", &run.connections_held);
    line.add("fairness", &run.fairness);
    line.add("conversations", &run.conversations);
    line.add("schedule_due", &run.schedule.map(|schedule| schedule.due));
    line.add("schedule_late", &run.schedule.map(|schedule| schedule.late));
    line.add("schedule_latest_ns", &run.schedule.map(|schedule| schedule.latest_ns));
    line.add("schedule_unsent", &run.schedule.map(|schedule| schedule.unsent));
    line.add("generator_cpu_s", &run.generator.cpu_s);
    line.add("generator_occupancy", &run.generator.occupancy);
    line.add("generator_cpu_per_question_ns", &run.generator.cpu_per_question_ns);
    line.add("generator_starved_s", &run.generator.starved_s);
    let reasons: Vec<String> = run.invalid.iter().map(ToString::to_string).collect();
    line.add("invalid", &reasons.join("; "));
    line
}

fn summary(summary: &Summary) -> Line {
    let mut line = Line::default();
    line.add("scenario", &summary.scenario);
    line.add("contender", &summary.contender);
    line.add("standing", standing(summary.standing));
    line.add("rung", &summary.sweep_point.as_ref().map(|point| point.at));
    line.add("rung_by", &summary.sweep_point.as_ref().map(|point| point.by.clone()));
    line.add("runs", &summary.runs);
    line.add("valid_runs", &summary.valid_runs);
    line.add("unsteady_runs", &summary.unsteady_runs);
    line.estimate("throughput", summary.throughput);
    line.add("throughput_is_lower_bound", &summary.throughput_is_lower_bound);
    line.estimate("offered_rate", summary.offered_rate);
    line.estimate("latency_p50_ns", summary.p50_ns);
    line.estimate("latency_p90_ns", summary.p90_ns);
    line.estimate("latency_p99_ns", summary.p99_ns);
    line.estimate("latency_p99_9_ns", summary.p99_9_ns);
    line.estimate("latency_max_ns", summary.max_ns);
    line.estimate("latency_p99_uncorrected_ns", summary.p99_uncorrected_ns);
    line.estimate("cpu_per_question_ns", summary.cpu_per_question_ns);
    line.estimate("times_floor", summary.times_floor);
    line.estimate("occupancy", summary.occupancy);
    line.estimate("occupancy_user", summary.occupancy_user);
    line.estimate("occupancy_system", summary.occupancy_system);
    line.estimate("context_switches_per_question", summary.context_switches_per_question);
    line.estimate("system_calls_per_question", summary.system_calls_per_question);
    line.estimate("memory_per_connection_bytes", summary.memory_per_connection_bytes);
    line.estimate("threads", summary.threads);
    line.estimate("descriptors", summary.descriptors);
    line.add("clients", &summary.clients);
    line.add("clients_served", &summary.clients_served);
    line.add("connections_held", &summary.connections_held);
    line.estimate("fairness", summary.fairness);
    line.add("invalid", &summary.invalid.join("; "));
    line
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Floor => "floor",
        Standing::Best => "best",
        Standing::Tie => "tie",
        Standing::Undecided => "undecided",
        Standing::Behind => "behind",
        Standing::Starves => "starves",
        Standing::Faulty => "faulty",
        Standing::Invalid => "invalid",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarize;
    use crate::results::Invalid;
    use crate::scenario::Scenario;
    use crate::testing::{run as made, settings};

    /// The fields of a line that has no quotes in it.
    fn fields(line: &str) -> Vec<&str> {
        line.split(',').collect()
    }

    #[test]
    fn every_line_has_a_field_for_every_name() {
        let scenario = Scenario::saturate(4);
        let mut runs = [made("mio", &scenario, 0, 4000.0), made("mio", &scenario, 1, 5000.0)];
        runs[1].invalid.push(Invalid::GeneratorStarved { share: 0.5 });
        runs[1].latency = Some(Latency {
            samples: Some(100),
            mean_ns: 1.5,
            p50_ns: 1,
            p90_ns: 2,
            p99_ns: 3,
            p99_9_ns: 4,
            max_ns: 5,
        });
        let text = join_lines(runs.iter().map(run));
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), 3);
        let names = fields(lines[0]);
        for line in &lines[1..] {
            assert_eq!(fields(line).len(), names.len(), "{line}");
        }
        let at =
            |line: usize, name: &str| fields(lines[line])[names.iter().position(|n| *n == name).unwrap()];
        assert_eq!(
            (at(1, "cpu_per_question_ns"), at(1, "latency_p99_ns"), at(1, "valid")),
            ("4000", "", "true")
        );
        assert_eq!(
            (at(2, "latency_p99_ns"), at(2, "latency_mean_ns"), at(2, "valid")),
            ("3", "1.5", "false")
        );
        assert_eq!(at(2, "latency_p99_9_ns"), "", "a hundred samples do not tell it");
        assert!(at(2, "invalid").contains("waited for its core 50 %"));
        let mut unique = names.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), names.len());
    }

    #[test]
    fn a_name_cannot_break_out_of_its_field() {
        let scenario = Scenario::book();
        let name = "=cmd|' /C calc'!A0,\r\n\"x\"";
        let runs = [made(name, &scenario, 0, 4000.0)];
        let summaries = summarize(&settings(&[name], scenario), &runs);
        let text = join_lines(summaries.iter().map(summary));
        let quoted = "\r\nbook,\"'=cmd|' /C calc'!A0,\r\n\"\"x\"\"\",best,";
        assert!(text.contains(quoted), "{text}");
        assert_eq!(join_lines(std::iter::empty()), "");
    }
}
