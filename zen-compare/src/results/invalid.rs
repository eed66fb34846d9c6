//! Why a run does not count: for the report, and for people to read.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why a run is invalid. Its numbers are kept, but neither ranked nor averaged.
///
/// ```
/// use zen_compare::Invalid;
///
/// let disturbed = Invalid::ServerDisturbed { cores: 0.4 };
/// assert!(disturbed.is_machines_fault() && !disturbed.is_contenders_fault());
/// assert_eq!(disturbed.brief(), "other programs ran on the server's cores");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Invalid {
    /// The generator's core was full and the server's were not, so the generator's limit was
    /// measured.
    GeneratorWasBottleneck {
        /// Share of its core that the generator used.
        generator_occupancy: f64,
        /// How many cores' worth of time the server used.
        server_occupancy: f64,
        /// Cores that the server could have used.
        server_capacity: f64,
    },
    /// Something else ran on the generator's core.
    GeneratorStarved {
        /// Share of the window that the generator spent waiting for its core.
        share: f64,
    },
    /// Other programs ran on the server's cores.
    ServerDisturbed {
        /// How many cores' worth of time they took.
        cores: f64,
    },
    /// The machine is a guest, and its host took the server's cores away.
    CoresStolen {
        /// How many cores' worth of time was taken.
        cores: f64,
    },
    /// The server answered wrongly.
    WrongAnswers {
        /// Conversations given up because of it.
        conversations: u64,
        /// What the first of them should have received, escaped and cut short.
        expected: String,
        /// What it received instead.
        received: String,
    },
    /// The server ended conversations early.
    ClosedEarly {
        /// How many.
        conversations: u64,
    },
    /// The generator could not connect.
    CannotConnect {
        /// Failed attempts.
        attempts: u64,
        /// The error of the last attempt.
        error: String,
    },
    /// The server ended while it was loaded.
    ServerDied {
        /// How it ended.
        status: String,
        /// The end of what it wrote to standard error, escaped.
        last_words: String,
    },
    /// The process that was measured did not do the work, so another process must have.
    ServerNotMeasured {
        /// CPU time per answer that the process appears to have used.
        cpu_ns_per_question: f64,
    },
    /// The generator fell behind the schedule of an open loop. Late questions find a server that
    /// has rested.
    MissedSchedule {
        /// Questions that were due.
        due: u64,
        /// Questions that the generator asked late, or not at all, though their connections were
        /// free.
        late: u64,
        /// How late the latest was.
        latest_ns: u64,
    },
    /// There were fewer idle connections than there should have been, and the server was not the
    /// cause.
    #[serde(rename = "herd_too_small")]
    OpenFileLimitTooLow {
        /// How many there should have been.
        wanted: usize,
        /// How many this process can have.
        possible: usize,
    },
    /// The scenario needs what the contender cannot be told to do.
    DoesNotApply {
        /// What that is.
        what: String,
    },
    /// The server could not be started.
    NotStarted {
        /// Why.
        error: String,
    },
}

impl Invalid {
    /// Whether the machine is at fault, so that the same run may be valid when it is made again.
    pub fn is_machines_fault(&self) -> bool {
        matches!(
            self,
            Self::GeneratorStarved { .. }
                | Self::ServerDisturbed { .. }
                | Self::CoresStolen { .. }
                | Self::MissedSchedule { .. }
        )
    }

    /// Whether the contender is at fault: it answered wrongly, hung up, could not be connected to,
    /// died, did not start, or left its work to another process. The machine and the generator can
    /// make a run invalid as well, and some scenarios do not apply to every contender.
    pub fn is_contenders_fault(&self) -> bool {
        match self {
            Self::WrongAnswers { .. }
            | Self::ClosedEarly { .. }
            | Self::CannotConnect { .. }
            | Self::ServerDied { .. }
            | Self::ServerNotMeasured { .. }
            | Self::NotStarted { .. } => true,
            Self::GeneratorWasBottleneck { .. }
            | Self::GeneratorStarved { .. }
            | Self::ServerDisturbed { .. }
            | Self::CoresStolen { .. }
            | Self::MissedSchedule { .. }
            | Self::OpenFileLimitTooLow { .. }
            | Self::DoesNotApply { .. } => false,
        }
    }

    /// The kind of reason in a few words, without the figures of the run.
    pub fn brief(&self) -> &'static str {
        match self {
            Self::GeneratorWasBottleneck { .. } => "the generator was the bottleneck",
            Self::GeneratorStarved { .. } => "the generator waited for its core",
            Self::ServerDisturbed { .. } => "other programs ran on the server's cores",
            Self::CoresStolen { .. } => "the machine's host took cores away",
            Self::WrongAnswers { .. } => "wrong answers",
            Self::ClosedEarly { .. } => "the server hung up",
            Self::CannotConnect { .. } => "connecting failed",
            Self::ServerDied { .. } => "the server died",
            Self::ServerNotMeasured { .. } => "another process did the work",
            Self::MissedSchedule { .. } => "the generator missed its schedule",
            Self::OpenFileLimitTooLow { .. } => "the open-file limit is too low",
            Self::DoesNotApply { .. } => "it does not apply",
            Self::NotStarted { .. } => "the server could not be started",
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GeneratorWasBottleneck { generator_occupancy, server_occupancy, server_capacity } => {
                write!(
                    f,
                    "the generator was the bottleneck: it used {generator_occupancy:.2} of its core, the server \
                 {server_occupancy:.2} of the {server_capacity:.0} it could have used"
                )
            }
            Self::GeneratorStarved { share } => write!(
                f,
                "the generator waited for its core {:.0} % of the time: something else runs on this machine",
                share * 100.0
            ),
            Self::ServerDisturbed { cores } => {
                write!(
                    f,
                    "other programs took {cores:.2} of the server's cores: something else runs on this machine"
                )
            }
            Self::CoresStolen { cores } => {
                write!(f, "the host of this virtual machine took {cores:.2} of the server's cores away")
            }
            Self::WrongAnswers { conversations, expected, received } => {
                write!(
                    f,
                    "wrong answers in {conversations} conversations: `{received}` instead of `{expected}`"
                )
            }
            Self::ClosedEarly { conversations } => {
                write!(f, "the server ended {conversations} conversations before they were over")
            }
            Self::CannotConnect { attempts, error } => {
                write!(f, "{attempts} attempts to connect failed: {error}")
            }
            Self::ServerDied { status, last_words } if last_words.is_empty() => {
                write!(f, "the server died: {status}")
            }
            Self::ServerDied { status, last_words } => {
                write!(f, "the server died: {status}; it said: {last_words}")
            }
            Self::ServerNotMeasured { cpu_ns_per_question } => write!(
                f,
                "another process did the work: the one that was started used {cpu_ns_per_question:.1} ns per answer"
            ),
            Self::MissedSchedule { due, late, latest_ns } => write!(
                f,
                "the generator missed its schedule: {late} of {due} questions were late, by up to {:.1} ms",
                Duration::from_nanos(*latest_ns).as_secs_f64() * 1e3
            ),
            Self::OpenFileLimitTooLow { wanted, possible } => write!(
                f,
                "only {possible} of {wanted} idle connections fit below the open-file limit: raise it (ulimit -n)"
            ),
            Self::DoesNotApply { what } => write!(f, "it does not apply: {what}"),
            Self::NotStarted { error } => write!(f, "the server could not be started: {error}"),
        }
    }
}
