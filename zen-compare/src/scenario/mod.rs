//! One kind of load: how many clients ask, how many questions they keep in flight, how long they
//! think, when they hang up, and which background connections there are.

mod metric;
mod named;
mod nanoseconds;
mod workload;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::metric::Metric;
pub use self::named::BOOK_THINK;
pub use self::workload::{Exchange, Workload, WorkloadError};

/// A load. The clients that ask are either a closed loop, in which each asks again when it has been
/// answered, or an open loop, in which each asks by a schedule of its own, whatever has been
/// answered.
///
/// To build a scenario from parts, start from a [named](Scenario::named) one and change its fields,
/// as fields may be added.
///
/// ```
/// use std::time::Duration;
/// use zen_compare::{Metric, Scenario, WorkKind};
///
/// let mut patient = Scenario::think();
/// (patient.name, patient.clients) = ("patient".into(), 500);
/// patient.think = Duration::from_secs(1);
/// assert_eq!(patient.ranked_by(), Metric::CpuPerQuestion);
/// println!("{}", patient.describe());
///
/// // The others that have a name.
/// let named = [
///     Scenario::book(),
///     Scenario::saturate(64),
///     Scenario::pipeline(16, 64),
///     Scenario::churn(),
///     Scenario::open(80),
///     Scenario::slow(),
///     Scenario::idle(10_000),
///     Scenario::work(WorkKind::Sleep),
/// ];
/// for scenario in named {
///     assert!(Scenario::named(&scenario.name).is_some_and(|found| found.contains(&scenario)));
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Scenario {
    /// What the scenario is called on the command line and in reports.
    pub name: String,
    /// How many clients ask at the same time, each over a connection of its own. At least 1.
    pub clients: usize,
    /// The most questions that a client keeps in flight. At least 1.
    pub depth: usize,
    /// How long a client pauses before each question, in nanoseconds in the report. Zero means no
    /// pause. An open loop has no such pause.
    #[serde(rename = "think_ns", with = "crate::scenario::nanoseconds")]
    pub think: Duration,
    /// After how many answers a client hangs up and connects anew; `None` means never.
    pub questions_per_conversation: Option<u32>,
    /// When the questions of an open loop are due; `None` for a closed loop.
    #[serde(default)]
    pub arrivals: Option<Arrivals>,
    /// Connections that are there besides the clients that ask.
    #[serde(default)]
    #[serde(rename = "company")]
    pub background: BackgroundConnections,
    /// What the server has to do for each answer; `None` means that it only answers.
    #[serde(default)]
    pub work: Option<Work>,
}

/// The schedule of an open loop: when questions are due.
///
/// ```
/// use zen_compare::{Arrivals, Rate, Scenario, Spacing};
///
/// let mut steady = Scenario::open(50);
/// steady.name = "steady".into();
/// steady.arrivals = Some(Arrivals { rate: Rate::PerSecond(2_000), spacing: Spacing::Uniform });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrivals {
    /// How many questions are due, over all clients together.
    pub rate: Rate,
    /// How they are spaced.
    pub spacing: Spacing,
}

/// How many questions an open loop asks, over all clients together.
///
/// ```
/// use zen_compare::Rate;
///
/// assert_eq!(Rate::PercentOfCapacity(80).per_second(Some(1_000.0)), Some(800.0));
/// assert_eq!(Rate::PercentOfCapacity(80).per_second(None), None, "of what?");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rate {
    /// This many per second.
    PerSecond(u32),
    /// This many percent of what was answered in a closed loop before; the same rate for all
    /// contenders.
    PercentOfCapacity(u32),
}

/// How the questions of an open loop are spaced on each connection.
///
/// ```
/// use zen_compare::{Scenario, Spacing};
///
/// let spacing = Scenario::open(80).arrivals.map(|arrivals| arrivals.spacing);
/// assert_eq!(spacing, Some(Spacing::Poisson));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Spacing {
    /// Each gap is drawn from an exponential distribution, as the gaps between the questions of
    /// many independent people are.
    Poisson,
    /// All gaps are equal, and the connections are out of step with one another.
    Uniform,
}

/// Connections that do not ask as clients should, or do not ask at all.
///
/// ```
/// use zen_compare::Scenario;
///
/// let slow = Scenario::slow();
/// assert_eq!((slow.clients, slow.background.connections()), (16, 16));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct BackgroundConnections {
    /// Clients that send their questions a byte at a time, ten bytes a second.
    pub tricklers: usize,
    /// Clients that send question after question and never read an answer.
    pub non_readers: usize,
    /// Clients that ask one question when they have connected, and then stay connected without
    /// asking.
    #[serde(rename = "quiet")]
    pub idle: usize,
}

/// What a server is told to do for each answer, besides answering.
///
/// ```
/// use std::time::Duration;
/// use zen_compare::{Work, WorkKind};
///
/// let work = Work { time: Duration::from_millis(2), kind: WorkKind::Sleep };
/// assert_eq!(work.arguments(), ["--work", "2ms", "--work-kind", "sleep"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// How long it works, in nanoseconds in the report.
    #[serde(rename = "time_ns", with = "crate::scenario::nanoseconds")]
    pub time: Duration,
    /// The kind of work.
    pub kind: WorkKind,
}

/// What a working handler does.
///
/// ```
/// use zen_compare::{Scenario, WorkKind};
///
/// assert_eq!(Scenario::work(WorkKind::Spin).name, "work-spin");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WorkKind {
    /// It computes.
    Spin,
    /// It waits for something else, such as a database.
    Sleep,
}

impl BackgroundConnections {
    /// How many connections this is.
    pub fn connections(&self) -> usize {
        self.tricklers + self.non_readers + self.idle
    }
}

impl Rate {
    /// Questions per second, given how many were answered per second in a closed loop. `None` when
    /// that number is needed and not known, or when the rate would be zero.
    pub fn per_second(self, capacity: Option<f64>) -> Option<f64> {
        let rate = match self {
            Self::PerSecond(rate) => f64::from(rate),
            Self::PercentOfCapacity(percent) => capacity? * f64::from(percent) / 100.0,
        };
        (rate > 0.0 && rate.is_finite()).then_some(rate)
    }
}

impl Work {
    /// The arguments that tell `zen serve`, and programs like it, to do this work.
    pub fn arguments(&self) -> [String; 4] {
        let micros = self.time.as_micros();
        let time =
            if micros.is_multiple_of(1000) { format!("{}ms", micros / 1000) } else { format!("{micros}us") };
        ["--work".into(), time, "--work-kind".into(), self.kind.to_string()]
    }
}

impl fmt::Display for WorkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Spin => "spin",
            Self::Sleep => "sleep",
        })
    }
}

impl Scenario {
    /// The metric that decides which contender comes first.
    pub fn ranked_by(&self) -> Metric {
        if self.arrivals.is_some() {
            return Metric::P99Latency;
        }
        let without_pause = self.think.is_zero() && self.questions_per_conversation.is_none();
        if without_pause { Metric::Throughput } else { Metric::CpuPerQuestion }
    }

    /// What the load does, in one line.
    pub fn describe(&self) -> String {
        let mut parts = vec![number(self.clients, "client")];
        match self.arrivals {
            Some(Arrivals { rate, spacing }) => {
                let rate = match rate {
                    Rate::PerSecond(rate) => format!("{rate} questions/s"),
                    Rate::PercentOfCapacity(percent) => {
                        format!("questions at {percent} % of the closed loop's rate")
                    }
                };
                parts.push(match spacing {
                    Spacing::Poisson => format!("{rate} at random, whatever is answered"),
                    Spacing::Uniform => format!("{rate} evenly spaced, whatever is answered"),
                });
            }
            None if !self.think.is_zero() => {
                parts.push(format!("{} ms of thought before each question", self.think.as_millis()));
            }
            None => {}
        }
        if self.depth > 1 && self.arrivals.is_some() {
            parts.push(format!("up to {} in flight on each", self.depth));
        } else if self.depth > 1 {
            parts.push(format!("{} questions in flight each", self.depth));
        }
        match self.questions_per_conversation {
            Some(1) => parts.push("hanging up after each answer".to_owned()),
            Some(n) => parts.push(format!("hanging up after {n} answers")),
            None => {}
        }
        let BackgroundConnections { tricklers, non_readers, idle } = self.background;
        let background = [(tricklers, "trickler"), (non_readers, "non-reader"), (idle, "idle connection")];
        let background = background.iter().filter(|(count, _)| *count > 0);
        let background: Vec<String> = background.map(|&(count, name)| number(count, name)).collect();
        if !background.is_empty() {
            parts.push(format!("among {}", background.join(" and ")));
        }
        if let Some(Work { time, kind }) = self.work {
            parts.push(format!("a handler that {kind}s for {time:?}"));
        }
        parts.join(", ")
    }
}

fn number(count: usize, name: &str) -> String {
    if count == 1 { format!("1 {name}") } else { format!("{count} {name}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_says_what_it_does() {
        assert_eq!(
            Scenario::book().describe(),
            "1 client, 40 ms of thought before each question, hanging up after 3 answers"
        );
        assert_eq!(Scenario::pipeline(16, 64).describe(), "16 clients, 64 questions in flight each");
        assert_eq!(
            Scenario::open(70).describe(),
            "64 clients, questions at 70 % of the closed loop's rate at random, whatever is answered, up \
             to 64 in flight on each"
        );
        assert_eq!(Scenario::slow().describe(), "16 clients, among 8 tricklers and 8 non-readers");
        assert_eq!(Scenario::idle(10_000).describe(), "8 clients, among 10000 idle connections");
        assert_eq!(Scenario::work(WorkKind::Sleep).describe(), "16 clients, a handler that sleeps for 2ms");
    }

    #[test]
    fn clients_that_set_the_pace_are_ranked_by_cost() {
        assert_eq!(Scenario::think().ranked_by(), Metric::CpuPerQuestion);
        assert_eq!(Scenario::churn().ranked_by(), Metric::CpuPerQuestion);
        assert_eq!(Scenario::pipeline(16, 64).ranked_by(), Metric::Throughput);
        assert_eq!(Scenario::open(50).ranked_by(), Metric::P99Latency);
    }

    #[test]
    fn a_share_of_an_unknown_capacity_is_no_rate() {
        assert_eq!(Rate::PercentOfCapacity(50).per_second(Some(3000.0)), Some(1500.0));
        assert_eq!(Rate::PercentOfCapacity(50).per_second(None), None);
        assert_eq!(Rate::PercentOfCapacity(50).per_second(Some(0.0)), None);
        assert_eq!(Rate::PerSecond(20).per_second(None), Some(20.0));
    }

    #[test]
    fn a_scenario_comes_back_as_it_was_saved() {
        for name in Scenario::NAMES.iter().filter(|name| !name.ends_with('N')) {
            for scenario in Scenario::named(name).unwrap() {
                let saved = serde_json::to_string(&scenario).unwrap();
                assert_eq!(serde_json::from_str::<Scenario>(&saved).unwrap(), scenario);
            }
        }
    }

    #[test]
    fn work_is_passed_in_arguments() {
        let work = Work { time: Duration::from_millis(2), kind: WorkKind::Spin };
        assert_eq!(work.arguments(), ["--work", "2ms", "--work-kind", "spin"]);
        let work = Work { time: Duration::from_micros(1500), ..work };
        assert_eq!(work.arguments()[1], "1500us");
    }
}
