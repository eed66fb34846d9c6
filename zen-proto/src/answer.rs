//! The answer: where a service writes, and what else it can ask of the conversation.

use std::{fmt, io};

use crate::conversation::InFlight;
use crate::delimiter::DelimiterFraming;
use crate::framing::{Framing, Unsendable};
use crate::mailbox::{Mailbox, Pusher, Responder};
use crate::output::Output;
use crate::service::Flow;

/// Where a service writes its answer. Also an [`io::Write`] and a [`fmt::Write`], neither of which
/// fails.
///
/// A test makes one with [`detached`](Self::detached).
///
/// ```
/// use std::io::Write;
/// use zen_proto::{Answer, Flow};
///
/// /// A service that is a function: it writes in whichever way is the shortest.
/// fn count(line: &[u8], answer: &mut Answer<'_>) -> Flow {
///     if line.is_empty() {
///         return Flow::Silent;
///     }
///     answer.put(b"length ");
///     let _ = write!(answer, "{}", line.len());
///     Flow::Continue
/// }
/// ```
#[derive(Debug)]
pub struct Answer<'a, F = DelimiterFraming> {
    output: Output<'a>,
    framing: &'a mut F,
    /// Where the message begins in the output, with what the framing has put before its text.
    start: usize,
    /// None in an answer that belongs to no conversation.
    in_flight: Option<&'a mut InFlight>,
    /// How long the question is.
    question_bytes: usize,
    /// [`LATER`] and [`STREAM`], if that was called.
    special: u8,
}

const LATER: u8 = 1;
const STREAM: u8 = 2;

impl<'a, F> Answer<'a, F> {
    #[inline]
    pub(crate) fn new(
        output: Output<'a>,
        framing: &'a mut F,
        start: usize,
        in_flight: &'a mut InFlight,
        question_bytes: usize,
    ) -> Self {
        Self { output, framing, start, in_flight: Some(in_flight), question_bytes, special: 0 }
    }

    /// Whether [`later`](Self::later) or [`stream`](Self::stream) was called.
    #[inline]
    pub(crate) fn is_special(&self) -> bool {
        self.special != 0
    }

    /// An answer that belongs to no conversation, for testing a service by itself: what it writes
    /// is appended to `bytes`. Whatever is answered later or pushed is lost.
    ///
    /// ```
    /// use zen_proto::{Answer, Flow, Service, aphorism};
    ///
    /// let (mut bytes, mut framing) = (Vec::new(), aphorism::framing());
    /// let mut answer = Answer::detached(&mut bytes, &mut framing);
    /// let flow = aphorism::Aphorisms.answer(&b"Simple is better than?"[..], &mut answer);
    /// assert_eq!((flow, &bytes[..]), (Flow::Continue, &b"Complex."[..]));
    /// ```
    pub fn detached(bytes: &'a mut Vec<u8>, framing: &'a mut F) -> Self {
        let start = bytes.len();
        Self { output: bytes.into(), framing, start, in_flight: None, question_bytes: 0, special: 0 }
    }

    /// Appends to the answer.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.output.put(bytes);
    }

    /// The output itself, for code that writes for framings and services alike.
    ///
    /// ```
    /// use zen_proto::{Answer, Output};
    ///
    /// /// A number of the protocol, which is written in headers and in answers.
    /// fn put_number(number: u32, output: &mut Output<'_>) {
    ///     output.put(&number.to_be_bytes());
    /// }
    ///
    /// fn count(question: &[u8], answer: &mut Answer<'_>) {
    ///     put_number(question.len() as u32, &mut answer.output());
    /// }
    /// ```
    #[inline]
    pub fn output(&mut self) -> Output<'_> {
        self.output.reborrow()
    }

    /// The conversation's framing, whose state the service may switch: the next message is decoded
    /// in the new state, also if its bytes are buffered already.
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use zen_proto::{Answer, Decoded, Flow, Framing, Service};
    ///
    /// /// Single bytes, until a service asks for blocks.
    /// struct Blocks { size: usize }
    ///
    /// impl Framing for Blocks {
    ///     type Message<'a> = &'a [u8];
    ///     type Error = Infallible;
    ///     fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<&'a [u8], Infallible> {
    ///         match input.get(..self.size) {
    ///             Some(block) => Decoded::whole(self.size, block),
    ///             None => Decoded::partial(self.size),
    ///         }
    ///     }
    /// }
    ///
    /// /// The first byte says how long the blocks behind it are.
    /// struct Sized;
    ///
    /// impl Service<Blocks> for Sized {
    ///     fn answer(&mut self, block: &[u8], answer: &mut Answer<'_, Blocks>) -> Flow {
    ///         match block {
    ///             [size] => answer.framing_mut().size = usize::from(*size).max(1),
    ///             block => answer.put(block),
    ///         }
    ///         Flow::Continue
    ///     }
    /// }
    ///
    /// let (mut bytes, mut framing) = (Vec::new(), Blocks { size: 1 });
    /// Sized.answer(&[4], &mut Answer::detached(&mut bytes, &mut framing));
    /// assert_eq!(framing.decode(b"sparse"), Decoded::whole(4, &b"spar"[..]));
    /// ```
    #[inline]
    pub fn framing_mut(&mut self) -> &mut F {
        self.framing
    }

    /// The right to answer this question later, from any thread. Call this once, and return
    /// [`Flow::Later`]. With another flow the question is answered already, and what the responder
    /// says is dropped.
    ///
    /// Answers leave in the order of the questions, so those behind this one wait for it. The
    /// service has [`Limits::answer_deadline`](crate::Limits::answer_deadline) to give the answer.
    ///
    /// ```
    /// use std::thread;
    /// use zen_proto::{Answer, Flow};
    ///
    /// /// The upper-case answer takes a while, so a thread of its own gives it.
    /// fn shout(question: &[u8], answer: &mut Answer<'_>) -> Flow {
    ///     let (question, responder) = (question.to_vec(), answer.later());
    ///     thread::spawn(move || {
    ///         // It fails only if the peer is gone, and then nobody waits for the answer.
    ///         let _ = responder.answer(question.to_ascii_uppercase());
    ///     });
    ///     Flow::Later
    /// }
    /// ```
    pub fn later(&mut self) -> Responder {
        self.special |= LATER;
        match &mut self.in_flight {
            Some(in_flight) => in_flight.responder(),
            None => Responder::new(Mailbox::new(usize::MAX), 0),
        }
    }

    /// Asks that the service be told when the answer that comes [`later`](Self::later) leaves:
    /// [`Service::deferred_answer_left`](crate::Service::deferred_answer_left). For what lies
    /// around a service, such as metrics. An answer that is not watched costs nothing more.
    ///
    /// Returns a number by which to know the answer again, unlike any other of the conversation.
    /// `None` if `later` was not called, or the answer belongs to no conversation.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use zen_proto::{Answer, Conversation, DeferredAnswer, Flow, Limits, Responder, Service};
    ///
    /// #[derive(Default)]
    /// struct Timed { responder: Option<Responder>, owed: Duration }
    ///
    /// impl Service for Timed {
    ///     fn answer(&mut self, _: &[u8], answer: &mut Answer<'_>) -> Flow {
    ///         self.responder = Some(answer.later());
    ///         answer.watch();
    ///         Flow::Later
    ///     }
    ///
    ///     fn deferred_answer_left(&mut self, left: &DeferredAnswer) {
    ///         self.owed = left.owed;
    ///     }
    /// }
    ///
    /// let (mut service, asked) = (Timed::default(), Instant::now());
    /// let framing = zen_proto::aphorism::framing();
    /// let mut conversation = Conversation::new(framing, Limits::default(), asked);
    /// conversation.handle_input(b"When?", asked);
    /// conversation.answer_with(&mut service, asked);
    /// service.responder.take().expect("it was asked").answer("Now.")?;
    /// conversation.answer_with(&mut service, asked + Duration::from_secs(3));
    /// assert_eq!(service.owed, Duration::from_secs(3));
    /// # Ok::<(), zen_proto::ConversationClosed>(())
    /// ```
    pub fn watch(&mut self) -> Option<u64> {
        if self.special & LATER == 0 {
            return None;
        }
        self.in_flight.as_mut()?.watch_last()
    }

    /// How many bytes of input the question took, in bytes on the wire: all that the framing has
    /// decoded for it, with what it has skipped before. 0 where no question is answered: in a
    /// greeting, a later piece, last words, and an answer that belongs to no conversation.
    ///
    /// ```
    /// use std::time::Instant;
    /// use zen_proto::{Answer, Conversation, Limits, aphorism};
    ///
    /// let now = Instant::now();
    /// let mut sizes = Vec::new();
    /// let mut service = |_: &[u8], answer: &mut Answer<'_>| sizes.push(answer.question_bytes());
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// conversation.handle_input(b"Why? Who?", now);
    /// conversation.answer_with(&mut service, now);
    /// assert_eq!(sizes, [4, 5]);
    /// ```
    #[inline]
    pub fn question_bytes(&self) -> usize {
        self.question_bytes
    }

    /// A way to send the peer messages that no question asked for, from any thread, for as long as
    /// the conversation lasts. What waits to be sent is bounded by
    /// [`Limits::pushed_bytes`](crate::Limits::pushed_bytes).
    ///
    /// ```
    /// use zen_proto::{Answer, Flow, Peer, Pusher, Service};
    ///
    /// /// Hands a pusher of every conversation to whoever has news.
    /// #[derive(Clone)]
    /// struct News { listeners: std::sync::mpsc::Sender<Pusher> }
    ///
    /// impl Service for News {
    ///     fn open(&mut self, _: &Peer, answer: &mut Answer<'_>) -> Flow {
    ///         match self.listeners.send(answer.pusher()) {
    ///             Ok(()) => Flow::Silent,
    ///             Err(_) => Flow::Close,
    ///         }
    ///     }
    ///
    ///     fn answer(&mut self, _: &[u8], answer: &mut Answer<'_>) -> Flow {
    ///         answer.put(b"Wait for the news.");
    ///         Flow::Continue
    ///     }
    /// }
    /// ```
    pub fn pusher(&mut self) -> Pusher {
        match &mut self.in_flight {
            Some(in_flight) => in_flight.pusher(),
            None => Pusher::new(Mailbox::new(usize::MAX)),
        }
    }
}

impl<F: Framing> Answer<'_, F> {
    /// The longest question that is taken now, in bytes on the wire: what the framing says, with
    /// the operator's [`Limits::question_length`](crate::Limits::question_length). For a service
    /// that tells its peer.
    ///
    /// ```
    /// use std::time::Instant;
    /// use zen_proto::{Answer, Conversation, Limits, aphorism};
    ///
    /// let now = Instant::now();
    /// let limits = Limits::default().with_question_length(4096);
    /// let mut conversation = Conversation::new(aphorism::framing(), limits, now);
    /// conversation.handle_input(b"How long may I ask?", now);
    /// let mut service = |_: &[u8], answer: &mut Answer<'_>| {
    ///     let limit = answer.message_limit();
    ///     answer.put(format!("{limit} bytes.").as_bytes());
    /// };
    /// conversation.answer_with(&mut service, now);
    /// assert_eq!(conversation.transmit(), b"4096 bytes.");
    /// ```
    pub fn message_limit(&self) -> usize {
        self.framing.message_limit(self.in_flight.as_ref().and_then(|in_flight| in_flight.question_length()))
    }

    /// Begins an answer of exactly `length` bytes that is one message and is written piece by
    /// piece. What was written before is taken back. Return [`Flow::More`] after each piece but the
    /// last: the first may be written at once, the others by
    /// [`Service::resume`](crate::Service::resume).
    ///
    /// A conversation whose pieces add up to another length ends with
    /// [`CloseReason::ServiceFailed`](crate::CloseReason::ServiceFailed).
    ///
    /// ```
    /// use zen_proto::{Answer, DelimiterFraming, Flow, Framing, Service};
    ///
    /// /// Answers with as many zeros as were asked for, a page at a time.
    /// struct Zeros { left: u64 }
    ///
    /// impl Service for Zeros {
    ///     fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) -> Flow {
    ///         let asked = question.len() as u64 * 1_000_000;
    ///         if let Err(unsendable) = answer.stream(asked) {
    ///             answer.put(unsendable.reason().as_bytes());
    ///             return Flow::Continue;
    ///         }
    ///         self.left = asked;
    ///         self.resume(answer)
    ///     }
    ///
    ///     fn resume(&mut self, answer: &mut Answer<'_>) -> Flow {
    ///         let piece = self.left.min(4096);
    ///         answer.put(&[b'0'; 4096][..piece as usize]);
    ///         self.left -= piece;
    ///         if self.left > 0 { Flow::More } else { Flow::Continue }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Unsendable`] when the framing cannot write a message of that length, or when one that is
    /// written piece by piece has begun already. Nothing has changed then.
    pub fn stream(&mut self, length: u64) -> Result<(), Unsendable> {
        if self.in_flight.as_ref().is_some_and(|in_flight| in_flight.is_streaming()) {
            return Err(Unsendable::new("a message that is sent piece by piece has begun already"));
        }
        let written = self.output.len();
        if let Err(error) = self.framing.begin_stream(length, &mut self.output) {
            self.output.truncate(written);
            return Err(error);
        }
        let header = self.output.len() - written;
        self.output.tail_mut(self.start).copy_within(written - self.start.., 0);
        self.output.truncate(self.start + header);
        self.special |= STREAM;
        if let Some(in_flight) = &mut self.in_flight {
            in_flight.begin_stream(length.saturating_add(header as u64));
        }
        Ok(())
    }
}

impl<F> io::Write for Answer<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<F> fmt::Write for Answer<'_, F> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}

/// How a deferred answer goes on; what a [`Responder`] sends back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) text: Vec<u8>,
    pub(crate) flow: Flow,
    /// Whether the text holds what the framing puts around it.
    pub(crate) framed: bool,
}
