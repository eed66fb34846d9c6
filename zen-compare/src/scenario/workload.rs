//! The questions of a load, with their expected answers.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One question and its only right answer, both as bytes on the wire.
///
/// ```
/// use zen_compare::{Exchange, Workload};
///
/// let workload = Workload::aphorisms();
/// let Exchange { question, answer } = &workload.exchanges()[0];
/// assert_eq!((&question[..], &answer[..]), (&b"Beautiful is better than?"[..], &b"Ugly."[..]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The whole question, with what ends it.
    pub question: Vec<u8>,
    /// The whole answer, with what ends it.
    pub answer: Vec<u8>,
}

/// The questions of a load. Every contender is asked the same ones, in the same seeded random
/// order.
///
/// The lab is not bound to zen's protocol: it can load any protocol in which one message is
/// answered by one message, in order. Answers are compared byte for byte.
///
/// ```
/// use zen_compare::Workload;
///
/// let ping = Workload::new([("PING\r\n", "PONG\r\n")])?;
/// assert_eq!(ping.exchanges().len(), 1);
///
/// // A server that speaks first, and one that says the same to everything.
/// let greeted = ping.clone().with_greeting("HELLO\r\n");
/// assert_eq!(greeted.greeting(), b"HELLO\r\n");
/// let constant = Workload::aphorisms().answered_by_constant(b"Ugly.");
/// assert!(constant.exchanges().iter().all(|exchange| exchange.answer == b"Ugly."));
/// # Ok::<(), zen_compare::WorkloadError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    #[serde(default)]
    greeting: Vec<u8>,
    exchanges: Vec<Exchange>,
}

/// Why a workload cannot be used.
///
/// ```
/// use zen_compare::{Workload, WorkloadError};
///
/// assert_eq!(Workload::new([("a?", "b."), ("", "c.")]), Err(WorkloadError::EmptyMessage(1)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WorkloadError {
    /// There is nothing to ask.
    #[error("a workload needs at least one question")]
    Empty,
    /// A question or an answer has no bytes, so it could not be distinguished from silence.
    #[error("exchange {0} has an empty question or an empty answer")]
    EmptyMessage(usize),
}

impl Workload {
    /// A workload of these (question, answer) pairs.
    ///
    /// # Errors
    /// When there are no pairs, or when a message is empty.
    pub fn new<Q, A>(exchanges: impl IntoIterator<Item = (Q, A)>) -> Result<Self, WorkloadError>
    where
        Q: Into<Vec<u8>>,
        A: Into<Vec<u8>>,
    {
        let exchanges: Vec<Exchange> = exchanges
            .into_iter()
            .map(|(question, answer)| Exchange { question: question.into(), answer: answer.into() })
            .collect();
        if exchanges.is_empty() {
            return Err(WorkloadError::Empty);
        }
        match exchanges.iter().position(|e| e.question.is_empty() || e.answer.is_empty()) {
            Some(at) => Err(WorkloadError::EmptyMessage(at)),
            None => Ok(Self { greeting: Vec::new(), exchanges }),
        }
    }

    /// The three aphorisms of the book.
    pub fn aphorisms() -> Self {
        let exchange =
            |question: &str, answer: &str| Exchange { question: question.into(), answer: answer.into() };
        Self {
            greeting: Vec::new(),
            exchanges: vec![
                exchange("Beautiful is better than?", "Ugly."),
                exchange("Explicit is better than?", "Implicit."),
                exchange("Simple is better than?", "Complex."),
            ],
        }
    }

    /// The same questions, for a server that gives the same answer to each of them. The
    /// [floor](crate::server::floor) is such a server: it is asked what every contender is asked,
    /// and only the right answer differs.
    #[must_use]
    pub fn answered_by_constant(&self, answer: &[u8]) -> Self {
        let exchanges = self.exchanges.iter();
        Self {
            greeting: self.greeting.clone(),
            exchanges: exchanges
                .map(|e| Exchange { question: e.question.clone(), answer: answer.into() })
                .collect(),
        }
    }

    /// The same questions, for a protocol in which the server speaks first: every connection begins
    /// with this greeting, and nothing is asked before it has come.
    #[must_use]
    pub fn with_greeting(self, greeting: impl Into<Vec<u8>>) -> Self {
        Self { greeting: greeting.into(), ..self }
    }

    /// What the server says first, or nothing.
    pub fn greeting(&self) -> &[u8] {
        &self.greeting
    }

    /// How many exchanges of the mean size fit into this many bytes; at least one.
    pub(crate) fn count_that_fits(&self, bytes: usize) -> usize {
        let sizes = self.exchanges.iter().map(|e| e.question.len() + e.answer.len());
        // No exchange is empty, and neither is the workload.
        let mean = sizes.sum::<usize>() / self.exchanges.len();
        (bytes / mean).max(1)
    }

    /// The exchanges, in the order in which they were given.
    pub fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_without_messages_is_refused() {
        assert_eq!(Workload::new::<&str, &str>([]), Err(WorkloadError::Empty));
        assert_eq!(Workload::new([("a?", "b."), ("", "c.")]), Err(WorkloadError::EmptyMessage(1)));
        assert_eq!(Workload::new([("a?", "")]), Err(WorkloadError::EmptyMessage(0)));
    }

    #[test]
    fn a_constant_answer_changes_no_question() {
        let constant = Workload::aphorisms().answered_by_constant(b"Ugly.");
        for (theirs, ours) in constant.exchanges().iter().zip(Workload::aphorisms().exchanges()) {
            assert_eq!(theirs.question, ours.question);
            assert_eq!(theirs.answer, b"Ugly.");
        }
    }
}
