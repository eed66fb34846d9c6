//! The report: the outcome of each transcript.

use std::fmt;
use std::time::Duration;

use crate::mismatch::Mismatch;

/// The outcome of one transcript.
///
/// ```
/// use std::time::Duration;
/// use zen_testkit::{Outcome, Report};
///
/// /// The names of the transcripts that passed, but slowly.
/// fn slow(report: &Report) -> Vec<&str> {
///     let limit = Duration::from_secs(1);
///     let slow = |outcome: &&Outcome| outcome.result.is_ok() && outcome.took > limit;
///     report.outcomes.iter().filter(slow).map(|outcome| outcome.name.as_str()).collect()
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The transcript's name.
    pub name: String,
    /// `Ok`, or how the server's behaviour differed.
    pub result: Result<(), Mismatch>,
    /// How long it took.
    pub took: Duration,
}

/// The outcome of a suite. Displayed, it lists every mismatch and ends with a one-line summary.
///
/// ```
/// use zen_proto::{Limits, aphorism};
/// use zen_testkit::{Suite, Transcript};
///
/// let suite = Suite::new([
///     Transcript::new("right").ask(b"Explicit is better than?", b"Implicit."),
///     Transcript::new("wrong").ask(b"Explicit is better than?", b"Hidden."),
/// ]);
/// let protocol = || (aphorism::framing(), aphorism::Aphorisms);
/// let report = suite.run_in_memory(&Limits::default(), protocol);
/// // Each is played twice: with room for all answers, and through a narrow network.
/// assert_eq!((report.passed(), report.mismatches().count()), (2, 2));
/// assert!(report.to_string().contains("expected  \"Hidden.\""));
/// assert!(!report.is_pass(), "so `report.assert_passed()` would panic, with all of this text");
/// ```
#[derive(Debug)]
#[must_use = "a report may hold failures"]
#[non_exhaustive]
pub struct Report {
    /// One outcome for each transcript that was run, in the suite's order.
    pub outcomes: Vec<Outcome>,
    /// How many transcripts were not run, because [too many](crate::Suite::give_up_after) had
    /// already failed.
    pub not_run: usize,
    /// How long the whole suite took.
    pub took: Duration,
}

impl Report {
    /// The mismatches, in the suite's order.
    pub fn mismatches(&self) -> impl Iterator<Item = &Mismatch> {
        self.outcomes.iter().filter_map(|outcome| outcome.result.as_ref().err())
    }

    /// How many transcripts passed.
    pub fn passed(&self) -> usize {
        self.outcomes.len() - self.mismatches().count()
    }

    /// Whether the suite had transcripts and all of them were run and passed.
    pub fn is_pass(&self) -> bool {
        !self.outcomes.is_empty() && self.not_run == 0 && self.mismatches().next().is_none()
    }

    /// For tests: panics with the whole report unless every transcript passed.
    ///
    /// # Panics
    /// Unless [`is_pass`](Self::is_pass). An empty suite fails too, because it proves nothing.
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(self.is_pass(), "the server does not conform\n{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mismatch in self.mismatches() {
            writeln!(f, "{mismatch}\n")?;
        }
        let failed = self.mismatches().count();
        write!(f, "{} passed, {failed} failed", self.passed())?;
        if self.not_run > 0 {
            write!(f, ", {} not run after too many failures", self.not_run)?;
        }
        write!(f, ", in {:.1} s", self.took.as_secs_f64())
    }
}
