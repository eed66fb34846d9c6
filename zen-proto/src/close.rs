//! Why a conversation ended.

use std::fmt;

macro_rules! close_reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why a conversation ended. Nothing that a peer does is an error of the server; it is one
        /// of these reasons.
        ///
        /// ```
        /// use zen_proto::CloseReason;
        ///
        /// assert_eq!(CloseReason::WriteDeadline.to_string(), "write_deadline");
        /// for (index, reason) in CloseReason::ALL.iter().enumerate() {
        ///     assert_eq!(*reason as usize, index, "so an array can count them");
        /// }
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum CloseReason {
            $($(#[$doc])* $variant,)*
        }

        impl CloseReason {
            /// Every reason, in the order of their declaration: `ALL[reason as usize] == reason`.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name used in logs and in JSON, in `snake_case`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

close_reasons! {
    /// The peer closed between questions, and every question was answered.
    Finished = "finished",
    /// The peer closed inside a question.
    Truncated = "truncated",
    /// A question was longer than [`Limits::question_length`](crate::Limits::question_length).
    QuestionTooLong = "question_too_long",
    /// The peer's bytes can never become a question, or came in plain text behind the question
    /// that starts TLS ([`Flow::StartTls`](crate::Flow::StartTls)).
    Malformed = "malformed",
    /// A question was not whole within
    /// [`Limits::question_deadline`](crate::Limits::question_deadline).
    QuestionDeadline = "question_deadline",
    /// Nothing was asked for [`Limits::idle_deadline`](crate::Limits::idle_deadline).
    IdleDeadline = "idle_deadline",
    /// The service owed an answer for [`Limits::answer_deadline`](crate::Limits::answer_deadline).
    AnswerDeadline = "answer_deadline",
    /// The oldest unsent byte was older than
    /// [`Limits::write_deadline`](crate::Limits::write_deadline).
    WriteDeadline = "write_deadline",
    /// The service panicked, gave a question up, or broke its contract: an answer that the framing
    /// cannot carry, an empty piece, a streamed message of another length than announced, an answer
    /// that comes later without a responder, TLS that is not offered, or a framing that decodes
    /// messages outside its input.
    ServiceFailed = "service_failed",
    /// The service ended the conversation, with an answer ([`Flow::Close`](crate::Flow::Close)) or
    /// through a [`Pusher`](crate::Pusher).
    ServiceClosed = "service_closed",
    /// The server drained, and every whole question that had come was answered.
    Drained = "drained",
    /// The server drained, and [`Limits::drain_deadline`](crate::Limits::drain_deadline) passed
    /// before everything was answered and sent.
    DrainDeadline = "drain_deadline",
    /// The connection broke: the peer reset it, or the network did.
    ConnectionLost = "connection_lost",
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What was done in a conversation that is over; the argument of
/// [`Service::closed`](crate::Service::closed).
///
/// ```
/// use zen_proto::{Answer, Closed, CloseReason, Flow, Service};
///
/// #[derive(Clone)]
/// struct Logged;
///
/// impl Service for Logged {
///     fn answer(&mut self, _: &[u8], answer: &mut Answer<'_>) -> Flow {
///         answer.put(b"Yes.");
///         Flow::Continue
///     }
///
///     fn closed(&mut self, closed: &Closed) {
///         if closed.reason != CloseReason::Finished {
///             eprintln!("{} after {} questions", closed.reason, closed.questions);
///         }
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// Why it ended.
    pub reason: CloseReason,
    /// Questions answered, or handed out to be answered.
    pub questions: u64,
    /// Bytes that came in.
    pub bytes_in: u64,
    /// Bytes that were sent.
    pub bytes_out: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_its_own_index() {
        for (index, reason) in CloseReason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, index);
        }
    }
}
