//! One run as it is saved: what one contender did under one scenario, once.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::invalid::Invalid;
use super::thread_cpu::ThreadCpu;

/// From this many connections on, the memory that a server keeps for each of them shows. A
/// process's memory comes in pages, and what a server sets up once, for the first client, is up to
/// some 300 KiB. Shared among fewer connections, that would be most of what each seems to cost.
pub(crate) const ENOUGH_CONNECTIONS: usize = 64;

/// One contender under one scenario, once.
///
/// ```
/// use zen_compare::Run;
///
/// /// A line for each run.
/// fn line(run: &Run) -> String {
///     let Run { contender, scenario, answers, .. } = run;
///     let counts = match (run.is_valid(), run.is_left_out(), run.is_worth_rerunning()) {
///         (true, _, _) => "",
///         (_, true, _) => ", which does not apply",
///         (_, _, true) => ", to be made again",
///         _ => ", which does not count",
///     };
///     let latency = run.latency.filter(|latency| run.tells(latency, 0.99));
///     let p99 = latency.map(|latency| latency.p99_ns);
///     let memory = run.memory_per_connection_bytes();
///     let figures = format!("{answers} answers, p99 {p99:?} ns, {memory:?} bytes each");
///     format!("{contender} in {scenario}: {figures}{counts}")
/// }
///
/// assert!(line(&Run::default()).ends_with("each"));
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Run {
    /// Name of the contender.
    pub contender: String,
    /// Name of the scenario.
    pub scenario: String,
    /// Which repetition this was, from 0.
    pub repetition: u32,
    /// Actual length of the window; zero when it never opened.
    pub window_s: f64,
    /// Right answers in the window.
    pub answers: u64,
    /// Right answers per second.
    pub throughput: f64,
    /// Whether the generator was at its limit and the server was not, so that it could have
    /// answered more.
    pub throughput_is_lower_bound: bool,
    /// How long the answers took; null when there were none. In an open loop counted from when the
    /// question was due, so that a server does not look fast by keeping questions from being asked.
    /// A question that was open when the window closed counts with how long it had waited by then.
    pub latency: Option<Latency>,
    /// In an open loop, the same counted from when the question was actually written; else null.
    pub latency_uncorrected: Option<Latency>,
    /// The distribution behind `latency`: pairs of a quantile (0 to 1, rising) and its latency in
    /// nanoseconds, dense towards the end. Empty when there were no answers.
    pub latency_curve: Vec<[f64; 2]>,
    /// The distribution behind `latency_uncorrected`, in the same form.
    pub latency_curve_uncorrected: Vec<[f64; 2]>,
    /// In an open loop, the questions per second that were due; else null.
    pub offered_rate: Option<f64>,
    /// In an open loop, how well the generator kept its schedule; else null.
    pub schedule: Option<ScheduleStats>,
    /// User and system time of the server in the window, of all its processes and threads.
    pub server_cpu_s: f64,
    /// The part of `server_cpu_s` that was spent in the server's own code. The kernel counts the
    /// sum in nanoseconds and the parts in ticks of 10 ms, so the sum is divided in proportion to
    /// the ticks; null when there were too few ticks to divide by.
    pub server_user_s: Option<f64>,
    /// The part of `server_cpu_s` that the kernel spent on the server's behalf; see
    /// `server_user_s`.
    pub server_system_s: Option<f64>,
    /// Server CPU time per right answer.
    pub cpu_per_question_ns: Option<f64>,
    /// Server CPU seconds per second: 1 is one core full.
    pub occupancy: f64,
    /// Voluntary and involuntary context switches of all server threads, per right answer. When
    /// threads come or go in the window, theirs are not known separately; this is then the count of
    /// the server's whole life, from its start to its end, over all answers.
    pub context_switches_per_question: Option<f64>,
    /// System calls of the server per right answer, counted in a separate short run, as counting
    /// slows the server down; null when they were not counted.
    /// [`Settings::system_calls`](crate::results::report::Settings::system_calls) says how, or why
    /// not.
    pub system_calls_per_question: Option<f64>,
    /// Threads of the server when the window closed.
    pub threads: Option<usize>,
    /// How the server's threads shared its CPU time; null when the kernel does not report it, and
    /// in reports that did not record it.
    #[serde(default)]
    pub thread_cpu: Option<ThreadCpu>,
    /// Open descriptors of the server when the window closed.
    pub descriptors: Option<usize>,
    /// Resident memory of the server before the first connection.
    pub memory_empty_bytes: Option<u64>,
    /// Resident memory of the server when the window closed, with all clients connected.
    pub memory_loaded_bytes: Option<u64>,
    /// The same with each shared page counted by its share (PSS), before the first connection.
    pub pss_empty_bytes: Option<u64>,
    /// The same with each shared page counted by its share (PSS), when the window closed.
    pub pss_loaded_bytes: Option<u64>,
    /// Samples of the server, ten a second and more, from the first connection to the end of the
    /// window.
    pub series: Vec<SeriesSample>,
    /// Clients that asked.
    pub clients: usize,
    /// Clients with at least one answer in the window.
    pub clients_served: usize,
    /// Each kind of client, when clients differ in how they behave; else empty. `clients` and
    /// `clients_served` then count the measured clients only.
    pub groups: Vec<Group>,
    /// When the scenario has idle connections, how many of them were open when the window closed;
    /// else null.
    pub connections_held: Option<usize>,
    /// Jain's index over the clients' answers: 1 is equal shares; null without answers.
    pub fairness: Option<f64>,
    /// Conversations that ended as planned in the window.
    pub conversations: u64,
    /// Clients still waiting for an answer when the window closed.
    pub clients_waiting: usize,
    /// How long the client that waited longest had waited. Such waiting times are in the latencies,
    /// as they stood then.
    pub longest_wait_ns: u64,
    /// Seconds of load before the window opened.
    pub warmup_s: f64,
    /// Whether the answers came at a steady pace by then. A run that was never steady counts, and
    /// is marked.
    pub warmed_up: bool,
    /// How often the run was made before. The machine made those runs invalid, and they are not in
    /// the report.
    #[serde(rename = "attempt")]
    pub retries: u32,
    /// What the generator used to make the load.
    pub generator: GeneratorUse,
    /// Why the run does not count; empty when it does.
    pub invalid: Vec<Invalid>,
}

/// The server at one moment.
///
/// ```
/// use zen_compare::SeriesSample;
///
/// /// How many answers came while a server was watched, from its series.
/// fn answers(series: &[SeriesSample]) -> u64 {
///     series.last().map_or(0, |sample| sample.answers)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeriesSample {
    /// Seconds since the window opened; negative before.
    pub at_s: f64,
    /// Right answers since the load began.
    pub answers: u64,
    /// CPU time of the server since the load began.
    pub cpu_s: f64,
    /// Its resident memory, from counters that may lag a little behind.
    pub resident_bytes: Option<u64>,
    /// Its threads.
    pub threads: Option<usize>,
    /// Its open descriptors.
    pub descriptors: Option<usize>,
}

/// How well an open loop kept to its schedule.
///
/// ```
/// use zen_compare::ScheduleStats;
///
/// /// Which share of the questions the generator asked late.
/// fn late(schedule: &ScheduleStats) -> f64 {
///     schedule.late as f64 / schedule.due.max(1) as f64
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScheduleStats {
    /// Questions that were due in the window.
    pub due: u64,
    /// Those of them that the generator wrote late through its own fault: the generator was busy,
    /// not the connection.
    pub late: u64,
    /// How late the latest was.
    pub latest_ns: u64,
    /// Questions that were due and had not been written when the window closed.
    pub unsent: u64,
}

/// Clients that behave alike, among others that behave differently.
///
/// ```
/// use zen_compare::Group;
///
/// /// Whether every client of a kind was served.
/// fn is_served(group: &Group) -> bool {
///     group.served == group.clients
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Group {
    /// How they behave: `good`, `trickler`, `non-reader`, `quiet`…
    pub name: String,
    /// How many of them there are.
    pub clients: usize,
    /// Those of them with at least one answer in the window.
    pub served: usize,
    /// Right answers to them in the window.
    pub answers: u64,
    /// Connections of theirs that the server ended in the window or before.
    pub ended_by_server: u64,
    /// Connections of theirs that were open when the window closed.
    pub open: usize,
}

/// How long answers took, from the write of the question to the read that made its answer whole. A
/// percentile of too few samples to tell it from the longest ([`Run::tells`]) is the longest.
///
/// ```
/// use hdrhistogram::Histogram;
/// use zen_compare::Latency;
///
/// let mut samples = Histogram::<u64>::new(3)?;
/// for nanoseconds in 1..=1000 {
///     samples.record(nanoseconds * 1000)?;
/// }
/// let latency = Latency::from_histogram(&samples).expect("there are samples");
/// assert!(latency.p50_ns < latency.p99_ns && latency.samples == Some(1000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the measures")]
#[non_exhaustive]
pub struct Latency {
    /// How many samples these figures are made from; null in reports that did not record it, where
    /// there was one for each answer.
    #[serde(default)]
    pub samples: Option<u64>,
    pub mean_ns: f64,
    pub p50_ns: u64,
    pub p90_ns: u64,
    pub p99_ns: u64,
    pub p99_9_ns: u64,
    pub max_ns: u64,
}

/// What the generator itself used in the window.
///
/// ```
/// use zen_compare::GeneratorUse;
///
/// /// Whether the generator may have been the limit.
/// fn is_full(generator: &GeneratorUse) -> bool {
///     generator.occupancy > 0.9
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GeneratorUse {
    /// Its CPU time.
    pub cpu_s: f64,
    /// Its share of its core.
    pub occupancy: f64,
    /// Its CPU time per right answer.
    pub cpu_per_question_ns: Option<f64>,
    /// How long it waited for its core; null when the kernel does not report it.
    pub starved_s: Option<f64>,
    /// CPU time that monitoring the server took over the whole load, on the generator's cores.
    #[serde(default)]
    pub sampler_cpu_s: f64,
}

impl Latency {
    /// The figures of a run's samples, in nanoseconds; `None` when there are no samples.
    pub fn from_histogram(samples: &Histogram<u64>) -> Option<Self> {
        (!samples.is_empty()).then(|| Self {
            samples: Some(samples.len()),
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

    /// Whether a latency has enough samples for the percentile of this quantile, between 0 and 1:
    /// at least 1 / (1 − quantile), so 10 for p90, 100 for p99 and 1000 for p99.9. With fewer, no
    /// sample lies beyond the percentile, and it is the longest.
    pub fn tells(&self, latency: &Latency, quantile: f64) -> bool {
        #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        let samples = latency.samples.unwrap_or(self.answers) as f64;
        // 1 − 0.9 is a little less than 0.1.
        samples * (1.0 - quantile) >= 1.0 - 1e-9
    }

    /// Whether nothing was run because the scenario does not apply to the contender. The run is
    /// then neither valid nor a failure.
    pub fn is_left_out(&self) -> bool {
        self.invalid.iter().any(|reason| matches!(reason, Invalid::DoesNotApply { .. }))
    }

    /// Whether the contender is at fault that the run does not count.
    ///
    /// ```
    /// use zen_compare::{Report, Run};
    ///
    /// fn failed_runs(report: &Report) -> usize {
    ///     report.runs.iter().filter(|run: &&Run| run.is_contenders_fault()).count()
    /// }
    /// ```
    pub fn is_contenders_fault(&self) -> bool {
        self.invalid.iter().any(Invalid::is_contenders_fault)
    }

    /// Whether the machine alone made the run invalid, so that it may be valid when it is made
    /// again.
    pub fn is_worth_rerunning(&self) -> bool {
        !self.is_valid() && self.invalid.iter().all(Invalid::is_machines_fault)
    }

    /// Growth of the server's resident memory under load, divided by the number of connections,
    /// background connections included. `None` with fewer than 64 of them, as memory comes in pages
    /// and some of it is for the first client only.
    pub fn memory_per_connection_bytes(&self) -> Option<f64> {
        let grown = self.memory_loaded_bytes?.saturating_sub(self.memory_empty_bytes?);
        let groups: usize = self.groups.iter().map(|group| group.open).sum();
        let connections = if self.groups.is_empty() { self.clients } else { groups };
        #[allow(clippy::cast_precision_loss, reason = "memory and connections are far below 2^52")]
        (connections >= ENOUGH_CONNECTIONS).then(|| grown as f64 / connections as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarize;
    use crate::results::report::Summary;
    use crate::scenario::Scenario;
    use crate::testing::{run, settings};

    #[test]
    fn a_percentile_with_too_few_samples_is_not_reported() {
        let scenario = Scenario::saturate(64);
        let settings = settings(&["one"], scenario.clone());
        let told = |samples: [Option<u64>; 2], answers| {
            let of = |(repetition, samples)| {
                let latency = Latency {
                    samples,
                    mean_ns: 1.0,
                    p50_ns: 1,
                    p90_ns: 2,
                    p99_ns: 3,
                    p99_9_ns: 4,
                    max_ns: 5,
                };
                Run { answers, latency: Some(latency), ..run("one", &scenario, repetition, 100.0) }
            };
            let summary = summarize(&settings, &(0..).zip(samples).map(of).collect::<Vec<_>>()).remove(0);
            assert_eq!(summary.memory_per_connection_bytes.unwrap().median, 64.0);
            let Summary { p50_ns, p90_ns, p99_ns, p99_9_ns, max_ns, .. } = summary;
            [p50_ns, p90_ns, p99_ns, p99_9_ns, max_ns].map(|estimate| estimate.is_some())
        };
        assert_eq!(told([Some(9); 2], 5_000), [true, false, false, false, true]);
        assert_eq!(told([Some(10); 2], 0), [true, true, false, false, true]);
        assert_eq!(told([Some(100), Some(5_000)], 0), [true, true, true, false, true]);
        assert_eq!(told([Some(99), Some(5_000)], 0), [true, true, false, false, true]);
        assert_eq!(told([Some(1_000); 2], 0), [true; 5]);
        // An older report has one sample for each answer.
        assert_eq!(told([None; 2], 999), [true, true, true, false, true]);
        assert_eq!(told([None; 2], 1_000), [true; 5]);
    }
}
