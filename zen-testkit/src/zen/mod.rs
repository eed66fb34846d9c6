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

/// What the server under test was started with.
///
/// ```
/// use zen_testkit::{Expectations, zen_suite};
///
/// let suite = zen_suite(&Expectations { question_limit: 256, ..Expectations::default() });
/// assert!(suite.len() >= 250);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectations {
    /// The longest question that is answered, in bytes, its `?` included. 64 or more. Default 1024.
    pub question_limit: usize,
    /// How many bytes a lingering close discards before it may give up. Default 262 144.
    pub linger_bytes: usize,
    /// How long a question may take from its first byte. Default `None`: not tested.
    pub question_deadline: Option<Duration>,
    /// How long a conversation may go without a question. Default `None`: not tested.
    pub idle_deadline: Option<Duration>,
    /// The greatest age of the oldest byte that the client does not take. Default `None`: not tested.
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

/// The conformance suite of zen's protocol: about 400 transcripts, and a few more for each deadline that is given.
///
/// # Panics
/// If the question limit is less than 64 bytes: the aphorisms would not fit.
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

/// Only the transcripts of the deadlines that are given.
///
/// Start a server with short deadlines (a few hundred milliseconds) for these alone: a busy machine can hold up a client of
/// the other transcripts for as long.
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

/// The three aphorisms with their answers, and a question that is none.
const TABLE: [(&[u8], &[u8]); 4] =
    [(BEAUTIFUL, UGLY), (EXPLICIT, IMPLICIT), (SIMPLE, COMPLEX), (b"Now is better than?", UNKNOWN)];

impl Transcript {
    /// The connection still serves, as seen from zen's protocol.
    ///
    /// Two questions with answers of their own, each after the answer before it: one answer too many before them can
    /// pass for the first of these, but not for both.
    fn still_serves(self) -> Self {
        self.stays_open(SIMPLE, COMPLEX).stays_open(EXPLICIT, IMPLICIT)
    }
}

/// The parts after each other.
fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// `number` questions in an order without a short period, and their answers.
fn mixed(number: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut questions, mut answers) = (Vec::new(), Vec::new());
    let mut state: u32 = 2025;
    for _ in 0..number {
        // A linear congruential step; its high bits are the good ones.
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

    fn told_everything() -> Suite {
        let soon = Some(Duration::from_millis(200));
        zen_suite(&Expectations {
            question_deadline: soon,
            idle_deadline: soon,
            write_deadline: soon,
            ..Expectations::default()
        })
    }

    #[test]
    fn two_questions_in_one_segment_come_first() {
        assert_eq!(told_everything().transcripts()[0].name(), "two questions in one segment");
    }

    #[test]
    fn names_are_unique_and_of_one_line() {
        let suite = told_everything();
        let mut names = HashSet::new();
        for name in suite.transcripts().iter().map(Transcript::name) {
            assert!(names.insert(name), "{name} is used twice");
            assert!(name.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{name:?} is not plain text");
        }
    }

    #[test]
    fn every_transcript_could_fail() {
        use crate::transcript::Step;
        for transcript in told_everything().transcripts() {
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
    fn deadlines_are_tested_only_when_told() {
        assert!(zen_deadlines(&Expectations::default()).is_empty());
        assert!(zen_suite(&Expectations::default()).len() >= 250);
        assert!(told_everything().len() > zen_suite(&Expectations::default()).len());
    }
}
