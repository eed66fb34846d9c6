//! The service: what to answer.

use std::time::Duration;

use crate::answer::Answer;
use crate::close::Closed;
use crate::delimiter::DelimiterFraming;
use crate::ending::Ending;
use crate::framing::Framing;
use crate::peer::Peer;

/// What becomes of a conversation after the service has been called.
///
/// ```
/// use zen_proto::{Answer, Flow};
///
/// fn service(question: &[u8], answer: &mut Answer<'_>) -> Flow {
///     match question {
///         b"quit?" => {
///             answer.put(b"Goodbye.");
///             Flow::Close
///         }
///         b"note?" => Flow::Silent,
///         _ => {
///             answer.put(b"Yes.");
///             Flow::Continue
///         }
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Flow {
    /// What was written is the answer, and the conversation goes on.
    #[default]
    Continue,
    /// What was written is a piece of the answer. The next piece is written by
    /// [`Service::resume`], once there is room for it. Each piece is a message of its own, unless
    /// [`Answer::stream`] has announced one message of all pieces. A piece must take at least a
    /// byte on the wire.
    More,
    /// There is no answer. What was written is taken back.
    Silent,
    /// What was written is the answer. No further question is taken, and the conversation ends once
    /// the answer is sent. If nothing was written there is no answer, not even the header of an
    /// empty one. (For that, announce one of no bytes with [`Answer::stream`].)
    Close,
    /// The answer comes later, through the [`Responder`](crate::Responder) of [`Answer::later`].
    /// What was written is taken back.
    Later,
    /// What was written is the answer, and the last in plain text: once it is sent, TLS starts.
    /// [`Service::tls_started`] is called when the handshake is done. Only a conversation whose
    /// peer has [`Tls::Offered`](crate::Tls::Offered) may do this.
    ///
    /// Nothing else is said in plain text, so pushed messages wait for TLS. A peer that has sent
    /// more in plain text behind the question ends the conversation with
    /// [`CloseReason::Malformed`](crate::CloseReason::Malformed): whoever can write into the
    /// connection could otherwise have it taken for what comes under TLS.
    StartTls,
}

impl From<()> for Flow {
    /// A closure that returns nothing has answered.
    #[inline]
    fn from((): ()) -> Self {
        Self::Continue
    }
}

/// Answers questions.
///
/// A server gives each conversation its own clone and calls it through `&mut self`, so a service
/// may keep the state of one conversation. Put what all conversations share behind an
/// [`Arc`](std::sync::Arc).
///
/// Any `FnMut(F::Message<'_>, &mut Answer<'_, F>)` that returns `()` or a [`Flow`] is a service.
///
/// A panic in any of these functions ends the conversation with
/// [`CloseReason::ServiceFailed`](crate::CloseReason::ServiceFailed), after the answers before it.
/// What was written of this one is not sent. What the peer is told instead is said by the framing
/// ([`Ending::Failed`]).
///
/// ```
/// use zen_proto::{Answer, Flow, Service};
///
/// /// Numbers the questions of its conversation, and ends it after the third.
/// #[derive(Clone, Default)]
/// struct Numbered { asked: u64 }
///
/// impl Service for Numbered {
///     fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) -> Flow {
///         use std::fmt::Write;
///         self.asked += 1;
///         let _ = write!(answer, "{}: {} bytes.", self.asked, question.len());
///         if self.asked < 3 { Flow::Continue } else { Flow::Close }
///     }
/// }
/// ```
///
/// The other functions have defaults, and a service has those that its protocol needs. This one
/// greets, answers in pieces, says good-bye, and keeps a record:
///
/// ```
/// use std::convert::Infallible;
/// use zen_proto::{Answer, Closed, DeferredAnswer, Ending, Flow, Peer, Service};
///
/// #[derive(Clone, Default)]
/// struct Countdown { left: usize, peer: Peer }
///
/// impl Service for Countdown {
///     fn open(&mut self, peer: &Peer, answer: &mut Answer<'_>) -> Flow {
///         self.peer = peer.clone();
///         answer.put(b"How far?");
///         Flow::Continue
///     }
///
///     fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) -> Flow {
///         self.left = question.len();
///         self.resume(answer)
///     }
///
///     fn resume(&mut self, answer: &mut Answer<'_>) -> Flow {
///         answer.put(format!("{}.", self.left).as_bytes());
///         self.left = self.left.saturating_sub(1);
///         if self.left > 0 { Flow::More } else { Flow::Continue }
///     }
///
///     fn tls_started(&mut self, _: &mut Answer<'_>) -> Flow {
///         self.left = 0;
///         Flow::Silent
///     }
///
///     fn last_words(&mut self, ending: Ending<'_, Infallible>, answer: &mut Answer<'_>) -> Flow {
///         match ending {
///             Ending::Drained => answer.put(b"The server stops."),
///             // The framing's words will do.
///             _ => return Flow::Silent,
///         }
///         Flow::Continue
///     }
///
///     fn deferred_answer_left(&mut self, left: &DeferredAnswer) {
///         eprintln!("an answer was owed for {:?}", left.owed);
///     }
///
///     fn closed(&mut self, closed: &Closed) {
///         let Closed { reason, questions, .. } = closed;
///         eprintln!("{}: {reason} after {questions} questions", self.peer.remote);
///     }
/// }
/// # use std::time::Instant;
/// # let now = Instant::now();
/// # let framing = zen_proto::aphorism::framing();
/// # use zen_proto::{Conversation, Limits};
/// # let mut conversation = Conversation::new(framing, Limits::default(), now);
/// # let mut service = Countdown::default();
/// # conversation.open(&mut service, &Peer::default(), now);
/// # conversation.handle_input(b"ab?", now);
/// # conversation.answer_with(&mut service, now);
/// # assert_eq!(conversation.transmit(), b"How far?3.2.1.");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not answer the messages of the framing `{F}`",
    label = "this is no `Service<{F}>`",
    note = "a server speaks zen's own framing until `with_framing` gives it that of your protocol",
    note = "a closure that is a service takes the framing's message and an `&mut Answer<'_, {F}>`"
)]
pub trait Service<F: Framing = DelimiterFraming> {
    /// The conversation begins. What is written is a greeting, which no question asked for. By
    /// default there is none.
    ///
    /// [`Flow::Close`] refuses the peer, with what was written as the reason.
    fn open(&mut self, peer: &Peer, answer: &mut Answer<'_, F>) -> Flow {
        let _ = (peer, answer);
        Flow::Silent
    }

    /// Writes the answer to `question`, and says how the conversation goes on.
    fn answer(&mut self, question: F::Message<'_>, answer: &mut Answer<'_, F>) -> Flow;

    /// Writes the next piece of an answer that is under way, after [`Flow::More`]. It is called
    /// when less than [`Limits::outbound_high_water`](crate::Limits::outbound_high_water) is
    /// unsent, so a reply of any length holds no more memory than that and one piece.
    ///
    /// By default the answer is complete.
    fn resume(&mut self, answer: &mut Answer<'_, F>) -> Flow {
        let _ = answer;
        Flow::Silent
    }

    /// TLS has started, after [`Flow::StartTls`]. What was written is a message that no question
    /// asked for. By default there is none.
    ///
    /// Whatever the peer has said in plain text may have been said by somebody else. Most
    /// protocols want it to be forgotten.
    fn tls_started(&mut self, answer: &mut Answer<'_, F>) -> Flow {
        let _ = answer;
        Flow::Silent
    }

    /// The conversation is about to end, for another reason than the peer's own wish. What is
    /// written is the last message. [`Flow::Silent`], the default, leaves the words to
    /// [`Framing::last_words`], and so does [`Flow::Later`]; every other flow sends what was
    /// written. To say nothing at all, write nothing and return [`Flow::Close`].
    fn last_words(&mut self, ending: Ending<'_, F::Error>, answer: &mut Answer<'_, F>) -> Flow {
        let _ = (ending, answer);
        Flow::Silent
    }

    /// An answer that came later has left, and the service has asked to be told of it
    /// ([`Answer::watch`]). It is called for the answers of one conversation in their order, and
    /// never for an answer that has not left before the conversation ends.
    fn deferred_answer_left(&mut self, left: &DeferredAnswer) {
        let _ = left;
    }

    /// The conversation is over: why, and what was done in it. Called once, and last.
    fn closed(&mut self, closed: &Closed) {
        let _ = closed;
    }
}

/// An answer that came later and has left: it is among the bytes to be sent, behind the answers to
/// the questions before. The argument of [`Service::deferred_answer_left`].
///
/// ```
/// use zen_proto::{DeferredAnswer, Flow};
///
/// /// A line for a log.
/// fn line(left: &DeferredAnswer) -> String {
///     let answer = if left.flow == Flow::Silent { "no answer" } else { "an answer" };
///     format!("{}: {answer} of {} bytes after {:?}", left.number, left.bytes, left.owed)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeferredAnswer {
    /// What [`Answer::watch`] has returned.
    pub number: u64,
    /// How long the answer was owed, from when the service put it off until it left. That includes
    /// the time that it waited for the answers before it.
    pub owed: Duration,
    /// How many bytes the answer has, without what the framing puts around them.
    pub bytes: usize,
    /// How the conversation goes on: [`Flow::Continue`], [`Flow::Close`], or [`Flow::Silent`] if
    /// there is no answer after all.
    pub flow: Flow,
}

impl<F, S, R> Service<F> for S
where
    F: Framing,
    S: FnMut(F::Message<'_>, &mut Answer<'_, F>) -> R,
    R: Into<Flow>,
{
    #[inline]
    fn answer(&mut self, question: F::Message<'_>, answer: &mut Answer<'_, F>) -> Flow {
        self(question, answer).into()
    }
}
