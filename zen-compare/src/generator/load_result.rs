//! What the generator has seen in one run.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::results::{Group, ScheduleStats};

/// The longest latency that is distinguished from longer ones, in nanoseconds: an hour.
const LONGEST: u64 = 3_600_000_000_000;
/// Significant decimal digits of a latency.
const DIGITS: u8 = 3;

/// Everything counted in one run. *In the window* means that the answer became whole while the
/// window was open.
///
/// ```
/// use zen_compare::generator::LoadResult;
///
/// /// A line for a table.
/// fn line(result: &LoadResult) -> String {
///     let p99 = result.latency.value_at_quantile(0.99);
///     let served = result.clients_served();
///     format!("{:.0} answers/s, p99 {p99} ns, {served} clients served", result.throughput())
/// }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LoadResult {
    /// The actual length of the window: shorter than asked for when the run was cut short, zero
    /// when the window never opened.
    pub window: Duration,
    /// Right answers in the window.
    pub answers: u64,
    /// Right answers between the moments [`Settling`](super::Moment::Settling) and
    /// [`Closes`](super::Moment::Closes).
    pub answers_since_settling: u64,
    /// One sample per answer in the window: nanoseconds from when the question was due to the read
    /// that made its answer whole. In a closed loop a question is due when it is asked. A question
    /// that is open when the window closes counts with how long it has waited until then: its
    /// latency is at least that.
    pub latency: Histogram<u64>,
    /// In an open loop, the same counted from the write of the question, without questions that
    /// were never written; else `None`.
    pub uncorrected: Option<Histogram<u64>>,
    /// In an open loop, the questions per second that are due; else `None`.
    pub offered_rate: Option<f64>,
    /// In an open loop, how well the generator kept to its schedule; else `None`.
    pub schedule: Option<ScheduleStats>,
    /// For each measured client, its answers in the window.
    pub served: Vec<u64>,
    /// When there are other clients than the measured ones, each kind of client; else empty.
    pub groups: Vec<Group>,
    /// When the scenario has idle connections, how many of them had been answered and were open
    /// when the window closed; else `None`.
    pub connections_held: Option<usize>,
    /// When the open-file limit of this process is too low for the idle connections wanted, how
    /// many there were instead; else `None`.
    pub idle_cut_to: Option<usize>,
    /// Conversations that ended as planned in the window.
    pub conversations: u64,
    /// Measured clients with a question open when the window closed. How long each had waited by
    /// then is in the latencies.
    pub waiting: usize,
    /// How long the longest of [`waiting`](Self::waiting) had waited.
    pub longest_wait: Duration,
    /// CPU time of the generator's thread in the window.
    pub generator_cpu: Duration,
    /// How long the generator's thread was ready to run in the window but had no core; `None` when
    /// the kernel does not report it.
    pub generator_starved: Option<Duration>,
    /// What went wrong, over the whole run.
    pub failures: Failures,
}

/// What went wrong between the generator and the server, warm-up included.
///
/// ```
/// use zen_compare::generator::Failures;
///
/// /// Whether the server is to blame for anything.
/// fn is_at_fault(failures: &Failures) -> bool {
///     failures.closed_early > 0 || failures.wrong_answers > 0
/// }
///
/// assert!(!is_at_fault(&Failures::default()));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failures {
    /// Conversations of measured clients that the server ended early.
    pub closed_early: u64,
    /// Attempts to connect that failed.
    pub connects: u64,
    /// The error of the last failed attempt.
    pub connect_error: Option<String>,
    /// Conversations given up because of a wrong answer.
    pub wrong_answers: u64,
    /// The first wrong answer: what was expected and what was received, both escaped and cut short.
    pub first_wrong: Option<(String, String)>,
}

impl LoadResult {
    pub(crate) fn new() -> Self {
        Self {
            window: Duration::ZERO,
            answers: 0,
            answers_since_settling: 0,
            latency: latencies(),
            uncorrected: None,
            offered_rate: None,
            schedule: None,
            served: Vec::new(),
            groups: Vec::new(),
            connections_held: None,
            idle_cut_to: None,
            conversations: 0,
            waiting: 0,
            longest_wait: Duration::ZERO,
            generator_cpu: Duration::ZERO,
            generator_starved: None,
            failures: Failures::default(),
        }
    }

    /// The result of an open loop at `rate` questions per second.
    pub(crate) fn open_loop(rate: f64) -> Self {
        Self {
            uncorrected: Some(latencies()),
            offered_rate: Some(rate),
            schedule: Some(ScheduleStats::default()),
            ..Self::new()
        }
    }

    /// Measured clients with at least one answer in the window.
    pub fn clients_served(&self) -> usize {
        self.served.iter().filter(|&&answers| answers > 0).count()
    }

    /// Answers per second in the window; zero when it never opened.
    pub fn throughput(&self) -> f64 {
        if self.window.is_zero() {
            return 0.0;
        }
        #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        let answers = self.answers as f64;
        answers / self.window.as_secs_f64()
    }
}

/// An empty histogram of latencies.
#[allow(clippy::expect_used, reason = "constants, and within the documented bounds")]
fn latencies() -> Histogram<u64> {
    // Cannot fail: 1 ≤ low, 2 × low ≤ high, and at most five digits.
    Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("the bounds are valid")
}
