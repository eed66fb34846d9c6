//! The report as Markdown, for a pull request, an issue or a README.

use std::fmt::Write;

use super::escape::{markdown as escape, markdown_code as code};
use super::number::{self, percent, time};
use super::provenance::{BLIND_SPOTS, provenance};
use crate::analysis::advice::Advice;
use crate::analysis::invalid_runs::InvalidRunNotes;
use crate::results::{Report, Standing, Summary};
use crate::scenario::{Metric, Scenario};
use crate::stats::Estimate;

const METHOD: &str = "Every server is a process of its own on cores of its own, loaded from other cores. Repetitions are \
interleaved over all servers. Numbers are medians; the metric that ranks has its 95 % bootstrap interval beside it, and servers *tie* when their intervals \
overlap, or when the lead is no larger than chance makes it among as many equal servers. CPU time comes from the scheduler’s nanosecond clock; × floor compares it with the cheapest server there can be, in the \
same repetition. A run that the generator, the machine or a wrong answer made invalid does not count.";

pub(super) fn markdown(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, report);
    text
}

fn write(text: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(text, "# Which server architecture?\n")?;
    writeln!(text, "Measured {} by zen compare.\n", number::date(report.environment.began_unix))?;
    for warning in report.warnings() {
        writeln!(text, "> **Warning:** {}\n>", escape(&warning))?;
    }
    if text.ends_with(">\n") {
        text.truncate(text.len() - 2);
        writeln!(text)?;
    }
    if let Some(advice) = Advice::from_report(report) {
        for (depth, line) in advice.outline() {
            writeln!(text, "{}- {}", "  ".repeat(depth), escape(line))?;
        }
        writeln!(text)?;
    }
    for (scenario, sentence) in report.verdicts().iter().filter(|(_, sentence)| !sentence.is_empty()) {
        writeln!(text, "- **{}** → {}", escape(scenario), escape(sentence))?;
    }
    for (scenario, summaries) in report.by_scenario() {
        let metric = scenario.ranked_by();
        writeln!(
            text,
            "\n## {}\n\n{}; ranked by {}.\n",
            escape(&scenario.name),
            escape(&scenario.describe()),
            metric.name()
        )?;
        table(text, scenario, &summaries)?;
        for line in InvalidRunNotes::collect(&scenario.name, &report.runs).left_out() {
            writeln!(text, "\n{}", escape(&line))?;
        }
        for summary in summaries.iter().filter(|summary| !summary.invalid.is_empty()) {
            let invalid = summary.runs - summary.valid_runs;
            let reasons = escape(&summary.invalid.join("; "));
            writeln!(
                text,
                "\n{}: {invalid} of {} runs do not count: {reasons}",
                escape(&summary.contender),
                summary.runs
            )?;
        }
    }
    writeln!(text, "\n## Method\n\n{METHOD}\n\n## Environment\n")?;
    writeln!(text, "| | |\n|---|---|")?;
    for (name, value) in provenance(report) {
        writeln!(text, "| {name} | {} |", escape(&value))?;
    }
    writeln!(text, "| command | {} |", code(&report.environment.command_line.join(" ")))?;
    for contender in &report.settings.contenders {
        writeln!(text, "| {} | {} |", escape(&contender.name), code(&contender.command))?;
    }
    writeln!(text, "\n## What the lab cannot see\n")?;
    for (what, why) in BLIND_SPOTS {
        writeln!(text, "- **{what}** {why}")?;
    }
    Ok(())
}

fn table(text: &mut String, scenario: &Scenario, summaries: &[&Summary]) -> std::fmt::Result {
    let by = scenario.ranked_by();
    // The interval stands beside its metric.
    let head = |own: Metric| if by == own { format!("{own} | 95 % CI") } else { own.to_string() };
    writeln!(
        text,
        "| flavor | {} | p50 | {} | {} | × floor | occupancy | memory/conn. | served | |",
        head(Metric::Throughput),
        head(Metric::P99Latency),
        head(Metric::CpuPerQuestion),
    )?;
    writeln!(text, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|")?;
    for summary in summaries {
        let shown = |estimate: Option<Estimate>, show: &dyn Fn(f64) -> String| {
            estimate.map_or_else(|| "–".to_owned(), |estimate| show(estimate.median))
        };
        let cell = |own: Metric| {
            let bound = own == Metric::Throughput && summary.throughput_is_lower_bound;
            let value = shown(own.estimate(summary), &|value| own.format(value));
            let value = if bound { format!("≥ {value}") } else { value };
            if by == own { format!("{value} | {}", number::ends(own, summary)) } else { value }
        };
        let winner = matches!(summary.standing, Standing::Best | Standing::Tie);
        let strong = if winner { "**" } else { "" };
        writeln!(
            text,
            "| {strong}{}{strong} | {} | {} | {} | {} | {} | {} | {} | {}/{} | {} |",
            escape(&summary.contender),
            cell(Metric::Throughput),
            shown(summary.p50_ns, &time),
            cell(Metric::P99Latency),
            cell(Metric::CpuPerQuestion),
            cell(Metric::TimesFloor),
            shown(summary.occupancy, &percent),
            cell(Metric::MemoryPerConnection),
            summary.clients_served,
            summary.clients,
            mark(summary.standing),
        )?;
    }
    Ok(())
}

fn mark(standing: Standing) -> &'static str {
    match standing {
        Standing::Floor => "floor",
        Standing::Best => "best",
        Standing::Tie => "tie",
        Standing::Undecided => "undecided",
        Standing::Behind => "",
        Standing::Starves => "starves",
        Standing::Faulty => "faulty",
        Standing::Invalid => "invalid",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarize;
    use crate::machine::environment::Environment;
    use crate::results::Invalid;
    use crate::results::SCHEMA;
    use crate::testing::{run, settings};

    fn report(name: &str) -> Report {
        let scenario = Scenario::saturate(16);
        let settings = settings(&["floor", "mio", name], scenario.clone());
        let mut runs = Vec::new();
        for repetition in 0..2 {
            runs.push(run("floor", &scenario, repetition, 4000.0));
            runs.push(run("mio", &scenario, repetition, 4200.0));
            let mut invalid = run(name, &scenario, repetition, 4100.0);
            invalid.invalid.push(Invalid::NotStarted { error: "no | such file".into() });
            runs.push(invalid);
        }
        let environment = Environment { debug_build: false, ..Environment::current(None) };
        let summaries = summarize(&settings, &runs);
        Report { schema: SCHEMA.into(), environment, settings, complete: true, summaries, runs }
    }

    #[test]
    fn verdict_table_and_reasons_are_there() {
        let text = markdown(&report("other"));
        assert!(text.contains("- **saturate-16** → mio"), "{text}");
        assert!(
            text.contains(
                "| **mio** | 238 k | 238–238 k | – | – | 4.20 µs | 1.05 | 100 % | – | 16/16 | best |"
            ),
            "{text}"
        );
        let reason = "other: 2 of 2 runs do not count: the server could not be started: no \\| such file";
        assert!(text.contains(reason), "{text}");
        assert!(text.contains("> **Warning:** server and generator shared the only core"), "{text}");
    }

    #[test]
    fn every_row_has_the_columns_of_its_table() {
        let text = markdown(&report("a|b\n| c `|` @all <script> [x](http://y)"));
        let bars = |line: &str| line.replace("\\|", "").matches('|').count();
        let mut columns = None;
        for line in text.lines() {
            columns = line.starts_with('|').then(|| columns.unwrap_or_else(|| bars(line)));
            assert!(columns.is_none_or(|columns| bars(line) == columns), "{line}");
        }
        assert!(!text.contains("| <script>") && !text.contains("\\[x](http"), "{text}");
    }
}
