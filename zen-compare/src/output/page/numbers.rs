//! All metrics of a load in one table.

use super::figure::{Source, standing};
use super::table::{Cell, Table};
use crate::analysis::invalid_runs::InvalidRunNotes;
use crate::output::number;
use crate::output::number::{bytes, count, digits, percent, time};
use crate::results::ENOUGH_CONNECTIONS;
use crate::results::{Standing, Summary, ThreadCpu};
use crate::scenario::Scenario;
use crate::stats::Estimate;

/// A load's table, with notes and remarks.
pub(super) struct Numbers {
    pub(super) scenario: String,
    pub(super) about: String,
    pub(super) table: Table,
    /// Why the table has dashes.
    pub(super) notes: Vec<String>,
    pub(super) remarks: Vec<String>,
}

pub(super) fn numbers(source: Source<'_>) -> Vec<Numbers> {
    source.report.by_scenario().map(|(scenario, _)| load_numbers(source, scenario)).collect()
}

fn load_numbers(source: Source<'_>, scenario: &Scenario) -> Numbers {
    let metric = scenario.ranked_by();
    let mut head = vec![
        "flavor",
        "standing",
        "served",
        "answers/s",
        "p50",
        "p99",
        "p99.9",
        "CPU/question",
        "× floor",
        "occupancy",
        "switches/q",
        "calls/q",
        "memory/conn.",
        "threads",
        "CPU by thread",
        "fairness",
    ];
    // The interval stands beside the metric that ranks.
    let own = head.iter().position(|name| *name == metric.heading());
    let beside = own.map_or(head.len(), |own| own + 1);
    head.insert(beside, "95 % CI");
    let mut remarks = Vec::new();
    let mut rows = Vec::new();
    for (identity, summary) in source.summaries(&scenario.name) {
        let median = |estimate: Option<Estimate>| estimate.map(|estimate| estimate.median);
        #[allow(clippy::cast_precision_loss, reason = "a number of clients")]
        let served = summary.clients_served as f64;
        let mut throughput = Cell::shown(median(summary.throughput), count);
        if summary.throughput_is_lower_bound {
            throughput.text.insert_str(0, "≥ ");
        }
        let mut row = vec![
            Cell::name(&identity.name, identity.index),
            Cell { class: mark(summary), ..Cell::words(brief(summary)) },
            Cell::number(format!("{}/{}", summary.clients_served, summary.clients), served),
            throughput,
            Cell::shown(median(summary.p50_ns), time),
            Cell::shown(median(summary.p99_ns), time),
            Cell::shown(median(summary.p99_9_ns), time),
            Cell::shown(median(summary.cpu_per_question_ns), time),
            Cell::shown(median(summary.times_floor), |times| format!("{times:.2}")),
            Cell::shown(median(summary.occupancy), percent),
            Cell::shown(median(summary.context_switches_per_question), digits),
            Cell::shown(median(summary.system_calls_per_question), digits),
            Cell::shown(median(summary.memory_per_connection_bytes), bytes),
            Cell::shown(median(summary.threads), digits),
            by_thread(source, summary),
            Cell::shown(median(summary.fairness), |fairness| format!("{fairness:.3}")),
        ];
        // The interval is sorted by its width relative to the median.
        let wide = metric.estimate(summary).filter(|own| own.median > 0.0 && summary.counted() > 1);
        let wide = wide.map_or(f64::NEG_INFINITY, |own| (own.high - own.low) / own.median);
        row.insert(beside, Cell::number(number::ends(metric, summary), wide));
        rows.push(row);
        remarks.extend(remark(summary));
    }
    remarks.extend(InvalidRunNotes::collect(&scenario.name, &source.report.runs).left_out());
    let table = Table {
        caption: format!("{}: medians of the repetitions", scenario.name),
        head: head.into_iter().map(str::to_owned).collect(),
        rows,
    };
    Numbers {
        scenario: scenario.name.clone(),
        about: scenario.describe(),
        table,
        notes: notes(source, scenario),
        remarks,
    }
}

/// Why metrics are missing, where the reason is not obvious.
fn notes(source: Source<'_>, scenario: &Scenario) -> Vec<String> {
    let of_it = source.summaries(&scenario.name);
    let undecided = |told: fn(&Summary) -> bool| of_it.iter().any(|(_, summary)| !told(summary));
    let mut notes = Vec::new();
    // A contender that has a longest latency but lacks a percentile has answers, but too few for
    // it.
    let few = [
        ("p90", 10, undecided(|summary| summary.p90_ns.is_some() || summary.max_ns.is_none())),
        ("p99", 100, undecided(|summary| summary.p99_ns.is_some() || summary.max_ns.is_none())),
        ("p99.9", 1_000, undecided(|summary| summary.p99_9_ns.is_some() || summary.max_ns.is_none())),
    ];
    let few: Vec<String> =
        few.iter().filter(|(.., few)| *few).map(|(name, least, _)| format!("{name} takes {least}")).collect();
    if !few.is_empty() {
        notes.push(format!("– where a run has too few answers for the percentile: {}", few.join(", ")));
    }
    if scenario.clients + scenario.background.connections() < ENOUGH_CONNECTIONS {
        notes.push(format!("– for the memory of fewer than {ENOUGH_CONNECTIONS} connections, which would be that of the first"));
    }
    notes
}

/// A contender's standing, in a word: the number of clients served has a column of its own.
fn brief(summary: &Summary) -> String {
    if summary.standing == Standing::Starves { "starves".into() } else { standing(summary) }
}

/// How the threads share the work, in the run whose busiest thread has the median share.
fn by_thread(source: Source<'_>, summary: &Summary) -> Cell {
    let own = source.report.runs.iter().filter(|run| {
        run.contender == summary.contender
            && run.scenario == summary.scenario
            && (run.is_valid() || summary.valid_runs == 0)
    });
    let busiest = |cpu: &ThreadCpu| cpu.shares().0.first().copied().unwrap_or(0.0);
    let mut shared: Vec<_> =
        own.filter_map(|run| run.thread_cpu.as_ref()).map(|cpu| (busiest(cpu), cpu)).collect();
    shared.sort_by(|left, right| left.0.total_cmp(&right.0));
    match shared.get(shared.len() / 2) {
        Some((busiest, cpu)) => Cell { class: "wraps", ..Cell::number(cpu.brief(), *busiest) },
        None => Cell::shown(None, digits),
    }
}

fn remark(summary: &Summary) -> Vec<String> {
    let mut remarks = Vec::new();
    if !summary.invalid.is_empty() {
        let invalid = summary.runs - summary.valid_runs;
        let reasons = summary.invalid.join("; ");
        remarks.push(format!(
            "{}: {invalid} of {} runs do not count: {reasons}",
            summary.contender, summary.runs
        ));
    }
    if summary.unsteady_runs > 0 {
        remarks.push(format!(
            "{}: {} of {} runs were never steady before their window",
            summary.contender, summary.unsteady_runs, summary.runs
        ));
    }
    remarks
}

fn mark(summary: &Summary) -> &'static str {
    match summary.standing {
        Standing::Best | Standing::Tie => "good",
        Standing::Starves => "warn",
        Standing::Faulty | Standing::Invalid => "bad",
        Standing::Floor | Standing::Undecided | Standing::Behind => "",
    }
}
