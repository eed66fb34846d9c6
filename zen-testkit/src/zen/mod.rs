//! The suite of zen's own protocol: a question ends in `?`, its answer in `.`.

mod bytes;
mod closing;
mod cuts;
mod deadlines;
mod floods;
mod lengths;
mod questions;
mod spaces;

use std::time::Duration;

use crate::suite::Suite;
use crate::transcript::Transcript;

/// The settings of the server under test, as far as the suite must know them.
///
/// ```
/// use zen_testkit::{Expectations, zen_suite};
///
/// let suite = zen_suite(&Expectations::default().with_question_limit(256));
/// assert!(suite.len() >= 250);
///
/// // A server whose deadlines are short enough to be tested.
/// use std::time::Duration;
/// let deadlines = Expectations::default()
///     .with_question_deadline(Duration::from_millis(400))
///     .with_idle_deadline(Duration::from_millis(600))
///     .with_write_deadline(Duration::from_millis(800))
///     .with_linger_bytes(64 * 1024);
/// assert!(zen_suite(&deadlines).len() > zen_suite(&Expectations::default()).len());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expectations {
    /// The longest question that the server answers, in bytes, including its `?`. At least 64.
    /// Default 1024.
    pub question_limit: usize,
    /// How many bytes a lingering close discards before it may give up. Default 262 144.
    pub linger_bytes: usize,
    /// How long a question may take from its first byte. Default `None`: not tested.
    pub question_deadline: Option<Duration>,
    /// How long a conversation may go without a question. Default `None`: not tested.
    pub idle_deadline: Option<Duration>,
    /// How old the oldest byte that the client has not read may become. Default `None`: not tested.
    pub write_deadline: Option<Duration>,
}

impl Default for Expectations {
    fn default() -> Self {
        Self {
            question_limit: 1024,
            linger_bytes: 256 * 1024,
            question_deadline: None,
            idle_deadline: None,
            write_deadline: None,
        }
    }
}

impl Expectations {
    /// Sets [`question_limit`](Self::question_limit).
    #[must_use]
    pub fn with_question_limit(mut self, question_limit: usize) -> Self {
        self.question_limit = question_limit;
        self
    }

    /// Sets [`linger_bytes`](Self::linger_bytes).
    #[must_use]
    pub fn with_linger_bytes(mut self, linger_bytes: usize) -> Self {
        self.linger_bytes = linger_bytes;
        self
    }

    /// Sets [`question_deadline`](Self::question_deadline).
    #[must_use]
    pub fn with_question_deadline(mut self, question_deadline: impl Into<Option<Duration>>) -> Self {
        self.question_deadline = question_deadline.into();
        self
    }

    /// Sets [`idle_deadline`](Self::idle_deadline).
    #[must_use]
    pub fn with_idle_deadline(mut self, idle_deadline: impl Into<Option<Duration>>) -> Self {
        self.idle_deadline = idle_deadline.into();
        self
    }

    /// Sets [`write_deadline`](Self::write_deadline).
    #[must_use]
    pub fn with_write_deadline(mut self, write_deadline: impl Into<Option<Duration>>) -> Self {
        self.write_deadline = write_deadline.into();
        self
    }
}

/// The conformance suite of zen's protocol: about 400 transcripts, and a few more for each given
/// deadline.
///
/// ```
/// use zen_proto::{Limits, aphorism};
/// use zen_testkit::{Expectations, zen_suite};
///
/// let suite = zen_suite(&Expectations::default());
/// let protocol = || (aphorism::framing(), aphorism::Aphorisms);
/// suite.only("half-close").run_in_memory(&Limits::default(), protocol).assert_passed();
/// ```
///
/// # Panics
/// If the question limit is less than 64 bytes, because the aphorisms would not fit.
pub fn zen_suite(expectations: &Expectations) -> Suite {
    assert!(expectations.question_limit >= 64, "the suite needs a question limit of at least 64 bytes");
    let mut suite = Suite::new(questions::transcripts());
    suite.extend(cuts::transcripts());
    suite.extend(spaces::transcripts());
    suite.extend(bytes::transcripts());
    suite.extend(lengths::transcripts(expectations));
    suite.extend(closing::transcripts());
    suite.extend(floods::transcripts(expectations));
    suite.extend(deadlines::transcripts(expectations));
    suite
}

/// Only the transcripts of the given deadlines.
///
/// Run these alone against a server with short deadlines (a few hundred milliseconds). On a busy
/// machine, the clients of the other transcripts can be held up for as long as that.
///
/// ```
/// use std::time::Duration;
/// use zen_proto::{Limits, aphorism};
/// use zen_testkit::{Expectations, zen_deadlines};
///
/// let deadline = Duration::from_millis(400);
/// let suite = zen_deadlines(&Expectations::default().with_question_deadline(deadline));
/// let limits = Limits::default().with_question_deadline(deadline);
/// // In memory the clock is the suite's own, so nothing waits.
/// suite.run_in_memory(&limits, || (aphorism::framing(), aphorism::Aphorisms)).assert_passed();
/// ```
pub fn zen_deadlines(expectations: &Expectations) -> Suite {
    Suite::new(deadlines::transcripts(expectations))
}

const BEAUTIFUL: &[u8] = b"Beautiful is better than?";
const EXPLICIT: &[u8] = b"Explicit is better than?";
const SIMPLE: &[u8] = b"Simple is better than?";
const UGLY: &[u8] = b"Ugly.";
const IMPLICIT: &[u8] = b"Implicit.";
const COMPLEX: &[u8] = b"Complex.";
const UNKNOWN: &[u8] = b"Error: unknown aphorism.";
const TOO_LONG: &[u8] = b"Error: question too long.";

/// The three aphorisms with their answers, and a question that is not an aphorism.
const TABLE: [(&[u8], &[u8]); 4] =
    [(BEAUTIFUL, UGLY), (EXPLICIT, IMPLICIT), (SIMPLE, COMPLEX), (b"Now is better than?", UNKNOWN)];

impl Transcript {
    /// The connection still serves, according to zen's protocol.
    ///
    /// Asks two questions with different answers, each after the previous answer. A surplus answer
    /// could pass for the first of these, but not for both.
    fn still_serves(self) -> Self {
        self.stays_open(SIMPLE, COMPLEX).stays_open(EXPLICIT, IMPLICIT)
    }
}

/// Concatenates the parts.
fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// `number` questions in an order without a short period, and their answers.
fn mixed(number: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut questions, mut answers) = (Vec::new(), Vec::new());
    let mut state: u32 = 2025;
    for _ in 0..number {
        // A linear congruential generator, whose high bits are the most random.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (question, answer) = TABLE[(state >> 30) as usize];
        questions.extend_from_slice(question);
        answers.extend_from_slice(answer);
    }
    (questions, answers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn suite_with_all_deadlines() -> Suite {
        let soon = Some(Duration::from_millis(200));
        let expectations = Expectations::default()
            .with_question_deadline(soon)
            .with_idle_deadline(soon)
            .with_write_deadline(soon);
        zen_suite(&expectations)
    }

    #[test]
    fn two_questions_in_one_segment_come_first() {
        assert_eq!(suite_with_all_deadlines().transcripts()[0].name(), "two questions in one segment");
    }

    #[test]
    fn names_are_unique_and_fit_one_line() {
        let suite = suite_with_all_deadlines();
        let mut names = HashSet::new();
        for name in suite.transcripts().iter().map(Transcript::name) {
            assert!(names.insert(name), "{name} is used twice");
            assert!(name.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{name:?} is not plain text");
        }
    }

    #[test]
    fn every_transcript_ends_in_an_expectation() {
        use crate::transcript::Step;
        for transcript in suite_with_all_deadlines().transcripts() {
            let last = transcript.steps().last();
            assert!(
                matches!(
                    last,
                    Some(
                        Step::Expect(_)
                            | Step::ExpectEnd
                            | Step::ExpectDrop { .. }
                            | Step::ExpectDropOfNonReader { .. }
                    )
                ),
                "{} ends in {last:?}",
                transcript.name()
            );
        }
    }

    #[test]
    fn deadlines_are_tested_only_when_given() {
        assert!(zen_deadlines(&Expectations::default()).is_empty());
        assert!(zen_suite(&Expectations::default()).len() >= 250);
        assert!(suite_with_all_deadlines().len() > zen_suite(&Expectations::default()).len());
    }
}
