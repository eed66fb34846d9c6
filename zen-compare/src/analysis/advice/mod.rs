//! Advice from the report on a user load, in sentences.

mod choice;
mod prediction;
mod saturation;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::choice::{Choice, SAME, choose, throughput};
use self::prediction::{Prospect, change_of_mind};
use super::rivals::MORE;
use crate::plan::{NAME, UserLoad};
use crate::results::{Invalid, Report, Summary};
use crate::scenario::{Work, WorkKind};
use crate::stats::Estimate;
use crate::units::{count, list, percent, time};

/// Which contender a user should choose, and why.
///
/// ```
/// use zen_compare::Advice;
///
/// /// The contender to choose, or why there is none.
/// fn choice(advice: &Advice) -> Result<&str, &str> {
///     match &advice.choice[..] {
///         [cheapest, ..] => Ok(cheapest),
///         [] => Err(advice.declined.as_deref().unwrap_or("nothing was measured")),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Advice {
    /// Names of the recommended contenders: one, or several that tie, the cheapest first. Empty
    /// when none is recommended.
    pub choice: Vec<String>,
    /// Why none is recommended, as a sentence without a full stop; `None` when one is.
    pub declined: Option<String>,
    /// The recommendation, its reasons, the differences, and what would change it: a sentence or
    /// two per line. Lines that explain the line above them begin with two spaces.
    pub lines: Vec<String>,
}

impl Advice {
    /// The advice of a report that was made for a user load; `None` for a report on the lab's own
    /// scenarios.
    pub(crate) fn from_report(report: &Report) -> Option<Self> {
        let user_load = report.settings.scenarios.iter().find_map(|scenario| {
            let work = scenario.work.unwrap_or(Work { time: Duration::ZERO, kind: WorkKind::Spin });
            let user_load = UserLoad {
                think: scenario.think,
                work: work.time,
                work_kind: work.kind,
                clients: scenario.clients,
                server_cores: None,
            };
            (user_load.scenario() == *scenario).then_some(user_load)
        })?;
        let measured = report.summaries.iter().any(|summary| summary.scenario == user_load.scenario().name);
        measured.then(|| user_load.advice(report))
    }

    /// The lines as a nested list: the depth of each, from 0, and its text.
    pub(crate) fn outline(&self) -> impl Iterator<Item = (usize, &str)> {
        let explains = |line: &str| line.starts_with("  ");
        // The first line describes the load; all others are below it.
        self.lines.iter().enumerate().map(move |(place, line)| {
            (usize::from(place > 0) + usize::from(explains(line)), line.trim_start())
        })
    }
}

impl UserLoad {
    /// The advice from a report on this user load. Of the contenders that serve every client, it
    /// recommends those that answer most, and of these the one that needs the least CPU time; it
    /// also says which load would change that. A contender with fewer than three valid runs (two
    /// where fewer than three were requested) is never recommended. When such a contender seems
    /// better than all others, none is recommended.
    pub fn advice(&self, report: &Report) -> Advice {
        let pinned = report.environment.pinning.as_ref().map_or(1, |cores| cores.server.len());
        #[allow(clippy::cast_precision_loss, reason = "a number of cores")]
        let cores = pinned as f64;
        let found = choose(report, cores, self.computes(cores));
        let full = self.saturating().name;
        let full: Vec<&Summary> =
            report.summaries.iter().filter(|summary| summary.scenario == full).collect();
        let mut lines = vec![self.describe(pinned)];
        let choice: Vec<String> = found.equals.iter().map(|summary| summary.contender.clone()).collect();
        let mut declined = None;
        if let Some(best) = found.equals.first() {
            lines.push(recommendation(best, &found));
            lines.extend(if found.idle { other_grounds(&found.equals, &full) } else { Vec::new() });
            lines.extend(reasons(best, &found));
        } else {
            let why = refusal(report, &found);
            lines.push(format!("→ no recommendation: {why}"));
            declined = Some(why);
        }
        lines.extend(starvation(&found.starving));
        lines.extend(undecided(report, &found.undecided));
        if !found.invalid.is_empty() {
            let names: Vec<&str> = found.invalid.iter().map(|summary| summary.contender.as_str()).collect();
            let why = why(report, &names);
            lines.push(format!("  not considered, as none of their runs counts: {}{why}", list(&names)));
        }
        let prospect = |summary: &Summary| Prospect::predict(self, report, summary, cores);
        if let Some((best, name)) =
            found.equals.first().and_then(|best| Some((prospect(best)?, &best.contender)))
        {
            let rest = found.fit.iter().chain(&found.starving).filter(|summary| summary.contender != *name);
            let rest: Vec<Prospect> = rest.filter_map(|summary| prospect(summary)).collect();
            lines.extend(change_of_mind(self, cores, &best, &rest, &choice));
        }
        Advice { choice, declined, lines }
    }

    fn describe(&self, cores: usize) -> String {
        let clients = if self.clients == 1 { "1 client".into() } else { format!("{} clients", self.clients) };
        let think = match (self.think.is_zero(), self.clients) {
            (true, 1) => "that asks again at once".to_owned(),
            (true, _) => "that ask again at once".to_owned(),
            (false, 1) => format!("that thinks for {:?}", self.think),
            (false, _) => format!("that think for {:?}", self.think),
        };
        let work = match (self.work.is_zero(), self.work_kind) {
            (true, _) => "a handler that answers at once".to_owned(),
            (false, WorkKind::Spin) => format!("a handler that computes for {:?}", self.work),
            (false, WorkKind::Sleep) => format!("a handler that waits for {:?}", self.work),
        };
        let cores = if cores == 1 { "1 core".into() } else { format!("{cores} cores") };
        format!("{clients} {think}, {work}, {cores} for the server:")
    }
}

fn median_text(estimate: Option<Estimate>, show: fn(f64) -> String) -> String {
    estimate.map_or_else(|| "–".to_owned(), |estimate| show(estimate.median))
}

/// Answers per second, marked `≥` where the server could have answered more.
fn rate(summary: &Summary) -> String {
    let at_least = if summary.throughput_is_lower_bound { "≥ " } else { "" };
    format!("{at_least}{} answers/s", median_text(summary.throughput, count))
}

fn recommendation(best: &Summary, found: &Choice<'_>) -> String {
    let names: Vec<&str> = found.equals.iter().map(|summary| summary.contender.as_str()).collect();
    let tie = if names.len() > 1 { " (a tie)" } else { "" };
    // Clients that think may ask too few questions in a short window for a p99.
    let p99 = best.p99_ns.map(|p99| format!(", 99 % within {}", time(p99.median))).unwrap_or_default();
    format!(
        "→ {}{tie}: {}{p99}, {} of CPU per question, busy {}, {}/{} clients served",
        list(&names),
        rate(best),
        median_text(best.cpu_per_question_ns, time),
        median_text(best.occupancy, percent),
        best.clients_served,
        best.clients,
    )
}

/// What decides between contenders that are all idle. Memory is known for those that were
/// measured with `full` connections.
fn other_grounds(equals: &[&Summary], full: &[&Summary]) -> Vec<String> {
    let cost = |summary: &&Summary| {
        format!("{} {}", summary.contender, median_text(summary.cpu_per_question_ns, time))
    };
    let memory = |summary: &&Summary| {
        let loaded = full.iter().find(|full| full.contender == summary.contender && full.valid_runs > 0);
        let memory = summary.memory_per_connection_bytes.or(loaded?.memory_per_connection_bytes)?;
        Some(format!("{} {}", summary.contender, bytes(memory.median)))
    };
    let costs: Vec<String> = equals.iter().map(cost).collect();
    let memory: Vec<String> = equals.iter().filter_map(memory).collect();
    let busiest = equals.iter().filter_map(|summary| summary.occupancy).map(|busy| busy.median);
    let mut lines = vec![format!(
        "  they answer all that is asked and are busy {} of the time at the most, so their CPU time hardly matters: {}",
        percent(busiest.fold(0.0, f64::max)),
        costs.join(", ")
    )];
    if !memory.is_empty() {
        lines.push(format!("  choose by memory per connection: {}", memory.join(", ")));
    }
    lines.push(
        "  choose the one that is simplest for you to write and to run, or that serves best among slow clients (--scenarios slow)".into(),
    );
    lines
}

fn bytes(bytes: f64) -> String {
    if bytes < 1024.0 { format!("{bytes:.0} B") } else { format!("{:.1} KiB", bytes / 1024.0) }
}

/// Why the best is preferred to each of the others that serve every client.
fn reasons(best: &Summary, found: &Choice<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let [mut slower, mut dearer] = [Vec::new(), Vec::new()];
    let chosen = |other: &&&Summary| found.equals.iter().any(|equal| equal.contender == other.contender);
    for other in found.fit.iter().filter(|other| !chosen(other)) {
        let medians = |measure: fn(&Summary) -> Option<Estimate>| {
            let (other, best) = (measure(other)?.median, measure(best)?.median);
            (best > 0.0).then(|| other / best - 1.0)
        };
        match medians(|summary| summary.throughput) {
            Some(more) if more < -SAME && !other.throughput_is_lower_bound => {
                slower.push(format!("{} {}", other.contender, percent(-more)));
            }
            _ => {
                let more = medians(|summary| summary.cpu_per_question_ns);
                dearer.extend(more.map(|more| format!("{} {}", other.contender, percent(more))));
            }
        }
    }
    if !slower.is_empty() {
        lines.push(format!("  answers fewer: {}", slower.join(", ")));
    }
    if !dearer.is_empty() {
        lines.push(format!("  answers as many and takes more CPU time: {}", dearer.join(", ")));
    }
    lines
}

/// Why no contender is recommended.
fn refusal(report: &Report, found: &Choice<'_>) -> String {
    let names = |summaries: &[&Summary]| {
        let names: Vec<String> =
            summaries.iter().map(|summary| format!("{} ({})", summary.contender, rate(summary))).collect();
        list(&names.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let best = found.fit.iter().copied().max_by(|a, b| throughput(a).total_cmp(&throughput(b)));
    match best {
        Some(best) => format!(
            "{} looks better than {}, and too few of its runs count to tell",
            names(&found.ahead),
            names(&[best])
        ),
        None if found.undecided.is_empty() && found.starving.is_empty() => "no run counts".into(),
        None if found.undecided.is_empty() => "no contender served every client".into(),
        None if report.settings.repetitions < 2 => format!("one run of each is too few to tell ({MORE})"),
        None => "too few runs count to tell".into(),
    }
}

fn undecided(report: &Report, undecided: &[&Summary]) -> Vec<String> {
    let has = |runs: usize, what: &str| {
        let those = undecided.iter().filter(|summary| summary.valid_runs == runs);
        let those: Vec<&str> = those.map(|summary| summary.contender.as_str()).collect();
        (!those.is_empty()).then(|| format!("  undecided: {what}: {}{}", list(&those), why(report, &those)))
    };
    // Three are enough, so no contender here has more than two.
    [(2, "two valid runs are too few"), (1, "one valid run is too few"), (0, "no run counts")]
        .into_iter()
        .filter_map(|(runs, what)| has(runs, what))
        .collect()
}

/// How the machine made the runs invalid.
fn why(report: &Report, names: &[&str]) -> String {
    let runs =
        report.runs.iter().filter(|run| run.scenario == NAME && names.contains(&run.contender.as_str()));
    let mut reasons: Vec<&str> = runs.flat_map(|run| &run.invalid).map(Invalid::brief).collect();
    reasons.sort_unstable();
    reasons.dedup();
    if reasons.is_empty() { String::new() } else { format!(" ({})", list(&reasons)) }
}

fn starvation(starving: &[&Summary]) -> Option<String> {
    let names: Vec<String> = starving
        .iter()
        .map(|summary| {
            format!("{} served {} of {}", summary.contender, summary.clients_served, summary.clients)
        })
        .collect();
    (!names.is_empty()).then(|| format!("  leaves clients without any answer: {}", names.join(", ")))
}
