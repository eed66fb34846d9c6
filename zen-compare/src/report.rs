//! What a comparison has found, as it is saved: runs, their summaries, and where they come from.
//!
//! Durations are in nanoseconds (`_ns`) or seconds (`_s`), memory in bytes; a measure that could not be taken is
//! null. Readers must check [`Report::schema`] and refuse a version they do not know.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::environment::Environment;
use crate::generator::Tally;
use crate::scenario::Scenario;
use crate::stats::Estimate;
use crate::validity::Invalid;

/// The version of the format; it changes whenever a field changes its meaning or goes.
pub const SCHEMA: &str = "zen-compare/1";

/// A whole comparison, or as much of it as there is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Where and how it was measured.
    pub environment: Environment,
    /// What was to be measured.
    pub settings: Settings,
    /// Whether every planned run has been made.
    pub complete: bool,
    /// For each scenario and contender, what its runs say together. Best first within a scenario.
    pub summaries: Vec<Summary>,
    /// Every run, in the order in which they were made.
    pub runs: Vec<Run>,
}

/// What was to be measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The contenders in their order.
    pub contenders: Vec<ContenderSettings>,
    /// The scenarios in their order.
    pub scenarios: Vec<Scenario>,
    /// How often each contender meets each scenario.
    pub repetitions: u32,
    /// Seconds of load before each window.
    pub warmup_s: f64,
    /// Seconds of each window.
    pub window_s: f64,
    /// What all random choices derive from.
    pub seed: u64,
}

/// A contender, as far as a reader must know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContenderSettings {
    /// Its name.
    pub name: String,
    /// The command that starts it.
    pub command: String,
    /// Whether it is the floor.
    pub floor: bool,
}

/// One contender under one scenario, once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Name of the contender.
    pub contender: String,
    /// Name of the scenario.
    pub scenario: String,
    /// Which repetition this was, from 0.
    pub repetition: u32,
    /// Length of the window as it was. Zero when it never opened.
    pub window_s: f64,
    /// Right answers in the window.
    pub answers: u64,
    /// Right answers per second.
    pub throughput: f64,
    /// Whether the generator was at its limit and the server was not: it could have answered more.
    pub throughput_is_lower_bound: bool,
    /// How long the answers took; null when there were none.
    pub latency: Option<Latency>,
    /// User and system time of the server in the window.
    pub server_cpu_s: f64,
    /// Server CPU time per right answer.
    pub cpu_per_question_ns: Option<f64>,
    /// Server CPU seconds per second: 1 is one core full.
    pub occupancy: f64,
    /// Voluntary and involuntary context switches of all server threads, per right answer.
    pub context_switches_per_question: Option<f64>,
    /// Threads of the server when the window closed.
    pub threads: Option<usize>,
    /// Memory of the server before the first connection.
    pub memory_empty_bytes: Option<u64>,
    /// Memory of the server when the window closed, with all clients connected.
    pub memory_loaded_bytes: Option<u64>,
    /// Clients that asked.
    pub clients: usize,
    /// Clients with at least one answer in the window.
    pub clients_served: usize,
    /// Jain's index over the clients' answers: 1 is equal shares; null without answers.
    pub fairness: Option<f64>,
    /// Conversations that came to their planned end in the window.
    pub conversations: u64,
    /// Clients still waiting for an answer when the window closed.
    pub clients_waiting: usize,
    /// How long the longest of them had waited. These waits are in no latency sample.
    pub longest_wait_ns: u64,
    /// What it took to make the load.
    pub generator: GeneratorUse,
    /// Why the run does not count; empty when it does.
    pub invalid: Vec<Invalid>,
}

/// How long answers took: from the write of the question to the read that made its answer whole.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the measures")]
pub struct Latency {
    pub mean_ns: f64,
    pub p50_ns: u64,
    pub p90_ns: u64,
    pub p99_ns: u64,
    pub p99_9_ns: u64,
    pub max_ns: u64,
}

/// What the generator itself used in the window.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct GeneratorUse {
    /// Its CPU time.
    pub cpu_s: f64,
    /// Its share of its core.
    pub occupancy: f64,
    /// Its CPU time per right answer.
    pub cpu_per_question_ns: Option<f64>,
    /// How long it waited for its core; null when the kernel does not tell.
    pub starved_s: Option<f64>,
}

/// What the runs of one contender under one scenario say together: medians with 95 % bootstrap intervals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the scenario.
    pub scenario: String,
    /// Name of the contender.
    pub contender: String,
    /// How it stands among the others.
    pub standing: Standing,
    /// Runs that were made.
    pub runs: usize,
    /// Runs that count. When none does, the estimates are made of those that do not.
    pub valid_runs: usize,
    /// Answers per second.
    pub throughput: Option<Estimate>,
    /// Whether the server could have answered more in any of the runs.
    pub throughput_is_lower_bound: bool,
    /// Median latency.
    pub p50_ns: Option<Estimate>,
    /// 90th percentile of the latency.
    pub p90_ns: Option<Estimate>,
    /// 99th percentile of the latency.
    pub p99_ns: Option<Estimate>,
    /// 99.9th percentile of the latency.
    pub p99_9_ns: Option<Estimate>,
    /// Longest latency.
    pub max_ns: Option<Estimate>,
    /// Server CPU time per answer.
    pub cpu_per_question_ns: Option<Estimate>,
    /// That as a multiple of the floor's in the same scenario and repetition.
    pub times_floor: Option<Estimate>,
    /// Server CPU seconds per second.
    pub occupancy: Option<Estimate>,
    /// Context switches per answer.
    pub context_switches_per_question: Option<Estimate>,
    /// Growth of the server's memory under load, divided by the number of clients.
    pub memory_per_connection_bytes: Option<Estimate>,
    /// Clients that asked.
    pub clients: usize,
    /// Clients served in the run that served the fewest.
    pub clients_served: usize,
    /// Jain's index over the clients.
    pub fairness: Option<Estimate>,
    /// Why runs do not count: the first reason of each kind.
    pub invalid: Vec<String>,
}

/// How a contender stands in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The yardstick, which does not compete.
    Floor,
    /// The best of those that serve everybody.
    Best,
    /// Not told apart from the best: their intervals overlap, or one of them has a single run.
    Tie,
    /// Worse than the best.
    Behind,
    /// It leaves clients without any answer, so its other numbers do not compare.
    Starves,
    /// None of its runs counts.
    Invalid,
}

impl Latency {
    /// The figures of a run's samples; `None` when there are none.
    pub fn of(tally: &Tally) -> Option<Self> {
        let samples = &tally.latency;
        (!samples.is_empty()).then(|| Self {
            mean_ns: samples.mean(),
            p50_ns: samples.value_at_quantile(0.5),
            p90_ns: samples.value_at_quantile(0.9),
            p99_ns: samples.value_at_quantile(0.99),
            p99_9_ns: samples.value_at_quantile(0.999),
            max_ns: samples.max(),
        })
    }
}

impl Run {
    /// Whether the run counts.
    pub fn is_valid(&self) -> bool {
        self.invalid.is_empty()
    }

    /// Growth of the server's memory under load, divided by the number of clients.
    pub fn memory_per_connection_bytes(&self) -> Option<f64> {
        let grown = self.memory_loaded_bytes?.saturating_sub(self.memory_empty_bytes?);
        #[allow(clippy::cast_precision_loss, reason = "memory and clients are far below 2^52")]
        Some(grown as f64 / self.clients as f64)
    }
}

/// Why a saved report cannot be used.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It is not a report, or it could not be read.
    #[error("not a report of this program: {0}")]
    NotAReport(#[from] serde_json::Error),
    /// It is of a version that this program does not know.
    #[error("the report's format is `{0}`, and this program knows only `{SCHEMA}`")]
    UnknownSchema(String),
}

impl Report {
    /// Writes the report as JSON, indented, with a line end.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write_json(&self, mut writer: impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut writer, self)?;
        writer.write_all(b"\n")?;
        writer.flush()
    }

    /// Reads what [`Report::write_json`] wrote.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read_json(reader: impl Read) -> Result<Self, ReadError> {
        // The version first: a report of another version may lack any of the fields.
        let value: serde_json::Value = serde_json::from_reader(reader)?;
        match value.get("schema").and_then(serde_json::Value::as_str) {
            Some(SCHEMA) | None => Ok(serde_json::from_value(value)?),
            Some(other) => Err(ReadError::UnknownSchema(other.to_owned())),
        }
    }

    /// The scenarios with their summaries, in the order of the settings; without those that have no run yet.
    pub fn by_scenario(&self) -> impl Iterator<Item = (&Scenario, Vec<&Summary>)> {
        self.settings.scenarios.iter().filter_map(|scenario| {
            let of_it: Vec<_> =
                self.summaries.iter().filter(|summary| summary.scenario == scenario.name).collect();
            (!of_it.is_empty()).then_some((scenario, of_it))
        })
    }
}

/// Durations as whole nanoseconds, for serde's `with`.
pub(crate) mod nanoseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_nanos)
    }
}
