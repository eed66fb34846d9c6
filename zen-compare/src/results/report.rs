//! What a comparison has found, as it is saved: its runs, their summaries, and where they come
//! from.
//!
//! Durations are in nanoseconds (`_ns`) or seconds (`_s`), memory in bytes; what could not be
//! measured is null. Readers must check [`Report::schema`] and refuse a version that they do not
//! know.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::run::{Group, Run};
use crate::machine::environment::Environment;
use crate::scenario::Scenario;
use crate::stats::Estimate;

/// The version of the format. It changes whenever a field changes its meaning or is removed. A new
/// field does not change it: where an older report lacks the field, it is null.
pub const SCHEMA: &str = "zen-compare/2";

/// A whole comparison, or as much of it as has been made.
///
/// ```
/// use std::fs::File;
/// use zen_compare::Report;
///
/// /// What a saved comparison has found, as text.
/// fn show(path: &str) -> Result<String, Box<dyn std::error::Error>> {
///     let mut report = Report::read_json(File::open(path)?)?;
///     // Without the runs of one contender:
///     report.runs.retain(|run| run.contender != "blocking");
///     report.summarize();
///     for (scenario, summaries) in report.by_scenario() {
///         println!("{}: {} contenders", scenario.name, summaries.len());
///     }
///     for (title, sentence) in report.verdicts() {
///         println!("{title}: {sentence}");
///     }
///     for warning in report.warnings() {
///         eprintln!("{warning}");
///     }
///     report.write_json(File::create("without-blocking.json")?)?;
///     Ok(report.to_table(100, false))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Where and how it was measured.
    pub environment: Environment,
    /// What was to be measured.
    pub settings: Settings,
    /// Whether every planned run has been made.
    pub complete: bool,
    /// For each scenario and contender, what its runs say together, the best first within a
    /// scenario. A contender that a scenario does not apply to has none.
    pub summaries: Vec<Summary>,
    /// Every run, in the order in which they were made.
    pub runs: Vec<Run>,
}

/// What was to be measured.
///
/// ```
/// use zen_compare::Settings;
///
/// /// Whether two comparisons have asked the same questions in the same order.
/// fn are_alike(one: &Settings, other: &Settings) -> bool {
///     (one.seed, &one.questions) == (other.seed, &other.questions)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Settings {
    /// The contenders in their order.
    pub contenders: Vec<ContenderSettings>,
    /// The scenarios in their order.
    pub scenarios: Vec<Scenario>,
    /// How often each contender meets each scenario.
    pub repetitions: u32,
    /// Least seconds of load before each window.
    pub warmup_s: f64,
    /// The length of each window, in seconds. A run of a scenario that needs less states its own.
    pub window_s: f64,
    /// Answers per second of a closed loop, of which the open loop's rates are shares; null when
    /// they were not needed.
    #[serde(default)]
    pub capacity: Option<f64>,
    /// The origin of all random choices.
    pub seed: u64,
    /// How system calls were counted, or why they were not.
    pub system_calls: String,
    /// How many runs were planned.
    pub runs: usize,
    /// How many questions there are, and a checksum of them and their answers.
    pub questions: String,
}

/// A contender, as far as a reader has to know it.
///
/// ```
/// use zen_compare::{ContenderSettings, Report};
///
/// fn floor(report: &Report) -> Option<&ContenderSettings> {
///     report.settings.contenders.iter().find(|contender| contender.floor)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ContenderSettings {
    /// Its name.
    pub name: String,
    /// The command that starts it.
    pub command: String,
    /// Whether it is the floor.
    pub floor: bool,
    /// When its program last changed, in milliseconds since 1970; null when the program was given
    /// by name alone.
    pub changed_unix_ms: Option<u64>,
}

/// What the runs of one contender under one scenario say together: medians with 95 % bootstrap
/// intervals.
///
/// ```
/// use zen_compare::{Report, Summary};
///
/// /// The contender that costs least per question, with that cost in nanoseconds.
/// fn cheapest(report: &Report) -> Option<(&str, f64)> {
///     let cost = |summary: &Summary| summary.cpu_per_question_ns.map(|cost| cost.median);
///     let costs = report.summaries.iter().filter_map(|s| Some((s.contender.as_str(), cost(s)?)));
///     costs.min_by(|(_, one), (_, other)| one.total_cmp(other))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// Name of the scenario.
    pub scenario: String,
    /// Name of the contender.
    pub contender: String,
    /// When the scenario is a point of a sweep, its place there.
    #[serde(rename = "rung")]
    pub sweep_point: Option<SweepPoint>,
    /// How it stands among the others.
    pub standing: Standing,
    /// Runs that were made.
    pub runs: usize,
    /// Runs that count. When none does, the estimates are made from the runs that do not.
    pub valid_runs: usize,
    /// Runs that do not count by the contender's own fault.
    #[serde(default)]
    pub failed_runs: usize,
    /// Answers per second.
    pub throughput: Option<Estimate>,
    /// Whether the server could have answered more in any of the runs.
    pub throughput_is_lower_bound: bool,
    /// Median latency.
    pub p50_ns: Option<Estimate>,
    /// 90th percentile of the latency; null also when a run has fewer than 10 samples.
    pub p90_ns: Option<Estimate>,
    /// 99th percentile of the latency; null also when a run has fewer than 100 samples.
    pub p99_ns: Option<Estimate>,
    /// 99.9th percentile of the latency; null also when a run has fewer than 1000 samples.
    pub p99_9_ns: Option<Estimate>,
    /// Longest latency.
    pub max_ns: Option<Estimate>,
    /// In an open loop, the 99th percentile of the latency counted from the write of the question.
    pub p99_uncorrected_ns: Option<Estimate>,
    /// Pairs of a quantile and its latency in nanoseconds, as in [`Run::latency_curve`]; at each
    /// quantile, the median of the runs.
    pub latency_curve: Vec<[f64; 2]>,
    /// The same for [`Run::latency_curve_uncorrected`].
    pub latency_curve_uncorrected: Vec<[f64; 2]>,
    /// In an open loop, the questions per second that were due.
    pub offered_rate: Option<Estimate>,
    /// Server CPU time per answer.
    pub cpu_per_question_ns: Option<Estimate>,
    /// CPU time per answer as a multiple of the floor's in the same scenario and repetition.
    pub times_floor: Option<Estimate>,
    /// Server CPU seconds per second.
    pub occupancy: Option<Estimate>,
    /// The part of the occupancy in the server's own code.
    pub occupancy_user: Option<Estimate>,
    /// The part of the occupancy in the kernel.
    pub occupancy_system: Option<Estimate>,
    /// Context switches per answer.
    pub context_switches_per_question: Option<Estimate>,
    /// System calls per answer.
    pub system_calls_per_question: Option<Estimate>,
    /// Growth of the server's memory under load, divided by the number of connections; null for
    /// fewer than 64 of them, as it would then be mostly what the first one costs.
    pub memory_per_connection_bytes: Option<Estimate>,
    /// Threads when the window closed.
    pub threads: Option<Estimate>,
    /// Open descriptors when the window closed.
    pub descriptors: Option<Estimate>,
    /// Clients that asked.
    pub clients: usize,
    /// Clients served in the run that served the fewest.
    pub clients_served: usize,
    /// Each kind of client, in the run that served the fewest.
    pub groups: Vec<Group>,
    /// Idle connections held in the run that held the fewest.
    pub connections_held: Option<usize>,
    /// Jain's index over the clients.
    pub fairness: Option<Estimate>,
    /// Runs whose answers never came at a steady pace before the window opened.
    pub unsteady_runs: usize,
    /// Why runs do not count: the first reason of each kind.
    pub invalid: Vec<String>,
}

impl Summary {
    /// How many runs its estimates are made from.
    pub(crate) fn counted(&self) -> usize {
        if self.valid_runs == 0 { self.runs } else { self.valid_runs }
    }
}

/// A scenario's place in a sweep of scenarios that differ in one number.
///
/// ```
/// use zen_compare::{Report, Summary};
///
/// /// How a contender's throughput grows along a sweep.
/// fn curve(report: &Report, contender: &str) -> Vec<(f64, f64)> {
///     let points = report.summaries.iter().filter(|summary| summary.contender == contender);
///     let point =
///         |summary: &Summary| Some((summary.sweep_point.as_ref()?.at, summary.throughput?.median));
///     points.filter_map(point).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SweepPoint {
    /// What the scenarios have in common: `saturate`, `open`…
    #[serde(rename = "family")]
    pub sweep: String,
    /// What the number is: `clients`, or `questions/s` for an open loop.
    pub by: String,
    /// The number.
    pub at: f64,
}

/// How a contender stands in a scenario.
///
/// ```
/// use zen_compare::{Standing, Summary};
///
/// /// Whether a contender may be called the best.
/// fn leads(summary: &Summary) -> bool {
///     matches!(summary.standing, Standing::Best | Standing::Tie)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// The floor, which does not compete.
    Floor,
    /// The best of the contenders that serve every client and never fail.
    Best,
    /// Not distinguishable from the best: their intervals overlap, or its lead is not larger than
    /// chance makes it.
    Tie,
    /// Not decided: it may be the best, or one with too few runs that count may be.
    Undecided,
    /// Worse than the best.
    Behind,
    /// It leaves clients without any answer, so its other numbers do not compare.
    Starves,
    /// In some of its runs it failed: it died, hung up, answered wrongly or could not be connected
    /// to. So it ranks below those that never do, whatever its other runs show.
    Faulty,
    /// None of its runs counts.
    Invalid,
}

/// Why a saved report cannot be used.
///
/// ```
/// use zen_compare::{ReadError, Report};
///
/// let error = Report::read_json(&br#"{"schema": "zen-compare/99"}"#[..]).unwrap_err();
/// assert!(matches!(error, ReadError::UnknownSchema(schema) if schema == "zen-compare/99"));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file is not a report, or it could not be read.
    #[error("not a report of this program: {0}")]
    NotAReport(#[from] serde_json::Error),
    /// The report has a version that this program does not know.
    #[error("the report's format is `{0}`, and this program knows only `{SCHEMA}`")]
    UnknownSchema(String),
}

impl Report {
    /// The scenarios with their summaries, in the order of the settings, without scenarios that
    /// have no run yet.
    pub fn by_scenario(&self) -> impl Iterator<Item = (&Scenario, Vec<&Summary>)> {
        self.settings.scenarios.iter().filter_map(|scenario| {
            let of_it: Vec<_> =
                self.summaries.iter().filter(|summary| summary.scenario == scenario.name).collect();
            (!of_it.is_empty()).then_some((scenario, of_it))
        })
    }
}
