//! Why asking fails.

use std::time::Duration;

use crate::framing::Unsendable;

/// Why a client's conversation failed. `awaited` counts the questions that have no answer.
///
/// ```
/// use std::time::Instant;
/// use zen_proto::{Asker, AskerError, ClientLimits, aphorism};
///
/// let now = Instant::now();
/// let mut asker = Asker::new(aphorism::client_framing(), ClientLimits::default());
/// asker.ask(b"Why?", now)?;
/// asker.handle_input(b"Beca", now);
/// asker.handle_eof(now);
/// assert_eq!(asker.poll_answer(), None);
/// let failed = AskerError::ClosedEarly { awaited: 1, partial: true };
/// assert_eq!(asker.failed(), Some(&failed));
/// # Ok::<(), zen_proto::AskError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskerError {
    /// An answer did not end within
    /// [`ClientLimits::answer_length`](crate::ClientLimits::answer_length).
    #[error("the server's answer is longer than {limit} bytes")]
    AnswerTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The server closed although it owed answers.
    #[error("the server closed the connection with {awaited} answer(s) outstanding{}", if *.partial { ", one of them begun" } else { "" })]
    ClosedEarly {
        /// Questions without an answer.
        awaited: usize,
        /// Whether the server closed in the middle of an answer.
        partial: bool,
    },
    /// An answer did not come within
    /// [`ClientLimits::answer_deadline`](crate::ClientLimits::answer_deadline). If `awaited` is 0,
    /// it was the server's FIN that did not come after [`Asker::finish`](crate::Asker::finish).
    #[error("no answer within {:?} ({awaited} outstanding)", .deadline)]
    TimedOut {
        /// Questions without an answer.
        awaited: usize,
        /// The deadline.
        deadline: Duration,
    },
    /// The server's bytes can never become an answer in this framing.
    #[error("the server sent bytes that are no answer: {reason}")]
    Malformed {
        /// The framing's error, in its own words.
        reason: String,
    },
    /// The server sent what was not asked for.
    #[error("the server sent bytes that answer no question")]
    Unasked,
    /// The connection broke.
    #[error("the connection was lost with {awaited} answer(s) outstanding")]
    Lost {
        /// Questions without an answer.
        awaited: usize,
    },
}

/// Why a question cannot be asked.
///
/// ```
/// use std::time::Instant;
/// use zen_proto::{AskError, Asker, ClientLimits, aphorism};
///
/// let mut asker = Asker::new(aphorism::client_framing(), ClientLimits::default());
/// match asker.ask(b"Why? And how?", Instant::now()) {
///     Err(AskError::Unsendable(error)) => println!("say it otherwise: {error}"),
///     Err(AskError::Failed(error)) => println!("connect again: {error}"),
///     Err(error) => println!("{error}"),
///     Ok(()) => unreachable!("there are two questions in it"),
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The framing cannot send it.
    #[error("this question cannot be sent: {0}")]
    Unsendable(#[from] Unsendable),
    /// The conversation has failed already.
    #[error(transparent)]
    Failed(#[from] AskerError),
}
