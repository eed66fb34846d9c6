//! What the generator has seen in one run.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest latency that is told apart from longer ones: an hour.
const LONGEST: u64 = 3_600_000_000_000;
/// Significant decimal digits of a latency.
const DIGITS: u8 = 3;

/// Everything counted in one run. *In the window* means: the answer was whole between the window's two ends.
#[derive(Debug, Clone)]
pub struct Tally {
    /// How long the window was in truth; shorter than asked for when the run was cut short, zero when it
    /// never opened.
    pub window: Duration,
    /// Right answers in the window.
    pub answers: u64,
    /// Right answers between the moments [`Settling`](super::Moment::Settling) and
    /// [`Closes`](super::Moment::Closes).
    pub answers_since_settling: u64,
    /// One sample per answer in the window: nanoseconds from the write of the question to the read that made
    /// its answer whole.
    pub latency: Histogram<u64>,
    /// For each client, its answers in the window.
    pub served: Vec<u64>,
    /// Conversations that came to their planned end in the window.
    pub conversations: u64,
    /// Clients with a question open when the window closed, and how long the longest of them had waited.
    /// These waits are in no latency sample.
    pub waiting: usize,
    /// See [`Tally::waiting`].
    pub longest_wait: Duration,
    /// CPU time of the generator's thread in the window.
    pub generator_cpu: Duration,
    /// How long the generator's thread was ready to run in the window and had no core, if the kernel says.
    pub generator_starved: Option<Duration>,
    /// What went wrong, over the whole run.
    pub failures: Failures,
}

/// What went wrong between the generator and the server, warm-up included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failures {
    /// Conversations ended by the server before their time.
    pub closed_early: u64,
    /// Attempts to connect that failed.
    pub connects: u64,
    /// What the last failed attempt failed with.
    pub connect_error: Option<String>,
    /// Conversations given up for a wrong answer.
    pub wrong_answers: u64,
    /// The first wrong answer: what was expected, what came, both escaped and cut short.
    pub first_wrong: Option<(String, String)>,
}

impl Tally {
    pub(super) fn new() -> Self {
        // Cannot fail: 1 ≤ low, 2 × low ≤ high, and at most five digits.
        #[allow(clippy::expect_used, reason = "constants, and within the documented bounds")]
        let latency = Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("the bounds are valid");
        Self {
            window: Duration::ZERO,
            answers: 0,
            answers_since_settling: 0,
            latency,
            served: Vec::new(),
            conversations: 0,
            waiting: 0,
            longest_wait: Duration::ZERO,
            generator_cpu: Duration::ZERO,
            generator_starved: None,
            failures: Failures::default(),
        }
    }

    /// Clients with at least one answer in the window.
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
