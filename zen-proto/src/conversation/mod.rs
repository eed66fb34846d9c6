//! The conversation: one connection's life, without the connection.

mod arrival;
mod deadlines;
mod deferred;
mod in_flight;
mod input;
mod layered;
mod phase;
mod saying;
mod turn;
mod write_clock;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

pub(crate) use in_flight::InFlight;
pub use in_flight::{ForeignTicket, Question, Ticket};

use crate::buffer::Buffer;
use crate::close::Closed;
use crate::ending::Pending;
use crate::framing::Framing;
use crate::peer::{Peer, Tls};
use crate::service::Service;
use crate::{CloseReason, Limits};
use phase::Phase;
use write_clock::WriteClock;

/// One connection's life, as a state machine without I/O, clock or threads.
///
/// `handle_*` tells it what has happened. `poll_*`, [`transmit`](Self::transmit) and
/// [`wants_read`](Self::wants_read) say what to do next. Time is an argument and never goes
/// backwards: an earlier `now` counts as the latest one seen. Each turn of a driver has the same
/// order:
///
/// 1. answer what is buffered: [`answer_in_turn`](Self::answer_in_turn) or
///    [`answer_with`](Self::answer_with), or [`poll_question`](Self::poll_question) until it is
///    `None`;
/// 2. write while [`transmit`](Self::transmit) is not empty, and report it to
///    [`handle_sent`](Self::handle_sent); go back to 1 if [`wants_answer`](Self::wants_answer) says
///    that this has made room, or that the turn was over before everything was answered;
/// 3. send FIN if [`poll_shutdown`](Self::poll_shutdown) says so;
/// 4. drop the socket if [`closed`](Self::closed) gives a reason, or
///    [`poll_closed`](Self::poll_closed) if there is a service that wants to know it;
/// 5. wait for the first of: readable if [`wants_read`](Self::wants_read), writable if `transmit`
///    is not empty, the instant of [`poll_timeout`](Self::poll_timeout), an answer of another
///    thread if [`expects_wake`](Self::expects_wake), drain. Before that, tell
///    [`register_waker`](Self::register_waker) how to wake the driver for the answer.
///
/// What has come in time is never late if [`handle_timeout`](Self::handle_timeout) and
/// [`drain`](Self::drain) are called only after a read that has found nothing more, with the time
/// before that read. But a driver must not read for ever before it calls them: white space that
/// never ends is late too.
///
/// Below a service that starts TLS during the conversation, also ask
/// [`poll_start_tls`](Self::poll_start_tls) after steps 1 and 2.
///
/// Nothing that a peer does is an error; it becomes a [`CloseReason`]. Once the conversation is
/// closed, every call does nothing.
///
/// ```
/// use std::time::Instant;
/// use zen_proto::{CloseReason, Conversation, Limits, aphorism};
///
/// let now = Instant::now();
/// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
///
/// // Two questions in one segment, and a half-close behind them.
/// conversation.handle_input(b"Simple is better than?Why?", now);
/// conversation.handle_eof(now);
///
/// conversation.answer_with(&mut aphorism::Aphorisms, now);
/// assert_eq!(conversation.transmit(), b"Complex.Error: unknown aphorism.");
///
/// let sent = conversation.transmit().len();
/// conversation.handle_sent(sent, now);
/// assert_eq!(conversation.closed(), Some(CloseReason::Finished));
/// ```
#[derive(Debug)]
pub struct Conversation<F: Framing> {
    framing: F,
    phase: Phase,
    inbound: Buffer,
    /// All buffered bytes were looked at, and they are not a whole question: only a read can help.
    starved: bool,
    /// When the first byte of the question that is not whole yet came.
    question_since: Option<Instant>,
    /// When the last question was answered or handed out, or else the conversation began. After a
    /// broken deadline: when that was.
    idle_since: Instant,
    /// Why no more input is taken, if it is not. Whole questions that are buffered are still
    /// answered.
    ended: Option<CloseReason>,
    peer_closed: bool,
    /// What the service is still to be told, after the answers that are owed: why the conversation
    /// ends, for instance.
    pending: Option<Pending<F::Error>>,
    /// A service has opened the conversation, so it is asked for the last words and told of the
    /// end.
    attended: bool,
    /// The service has been told.
    told: bool,
    /// TLS is offered, and has not started.
    may_start_tls: bool,
    /// The last answer is under way, piece by piece.
    resuming: bool,
    /// Pushed messages wait for room.
    pushed: bool,
    /// A broken deadline has ended everything but the last words.
    cut_off: bool,
    /// How many questions are answered before the clock is read.
    pace: u8,
    in_flight: InFlight,
    outbound: Buffer,
    /// The high water was reached, and the low water has not been reached since.
    congested: bool,
    write_clock: WriteClock,
    drained_at: Option<Instant>,
    tally: Tally,
    /// The part of it that was taken.
    taken: Tally,
}

/// What happened in a conversation since the last [`Conversation::take_tally`].
///
/// ```
/// # use std::time::Instant;
/// # use zen_proto::{Conversation, Limits, aphorism};
/// # let now = Instant::now();
/// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
/// conversation.handle_input(b"Why?", now);
/// conversation.answer_with(&mut aphorism::Aphorisms, now);
/// let tally = conversation.take_tally();
/// assert_eq!((tally.questions, tally.bytes_in, tally.bytes_out), (1, 4, 0));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Questions answered, or handed out to be answered.
    pub questions: u64,
    /// Bytes that came in.
    pub bytes_in: u64,
    /// Bytes that were sent.
    pub bytes_out: u64,
}

impl<F: Framing> Conversation<F> {
    /// A conversation that begins at `now`. Limits may be passed in an [`Arc`] that conversations
    /// share.
    ///
    /// Limits that do not [`validate`](Limits::validate) are obeyed too, and may end the
    /// conversation at once.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// use std::sync::Arc;
    ///
    /// // A server's conversations share one copy of its limits.
    /// let limits = Arc::new(Limits::default());
    /// let first = Conversation::new(aphorism::framing(), Arc::clone(&limits), now);
    /// let second = Conversation::new(aphorism::framing(), limits, now);
    /// assert!(first.wants_read() && second.wants_read());
    /// ```
    pub fn new(mut framing: F, limits: impl Into<Arc<Limits>>, now: Instant) -> Self {
        let limits = limits.into();
        let configured = catch_unwind(AssertUnwindSafe(|| framing.configure(limits.question_length)));
        let mut new = Self {
            framing,
            in_flight: InFlight::new(limits, now),
            phase: Phase::Talking,
            inbound: Buffer::default(),
            starved: true,
            question_since: None,
            idle_since: now,
            ended: None,
            peer_closed: false,
            pending: None,
            attended: false,
            told: false,
            may_start_tls: false,
            resuming: false,
            pushed: false,
            cut_off: false,
            pace: 1,
            outbound: Buffer::default(),
            congested: false,
            write_clock: WriteClock::new(now),
            drained_at: None,
            tally: Tally::default(),
            taken: Tally::default(),
        };
        if configured.is_err() {
            new.fail();
        }
        new
    }

    // What happened.

    /// The peer will send no more. Whole questions that came before are still answered.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// # use zen_proto::CloseReason;
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// conversation.handle_input(b"Simple is bet", now);
    /// conversation.handle_eof(now);
    /// conversation.answer_with(&mut aphorism::Aphorisms, now);
    /// assert_eq!(conversation.closed(), Some(CloseReason::Truncated));
    /// ```
    pub fn handle_eof(&mut self, now: Instant) {
        self.advance_clock(now);
        self.peer_closed = true;
        match self.phase {
            Phase::Talking => self.end_input(CloseReason::Finished),
            Phase::Switching { .. } => self.finish(CloseReason::Finished, None),
            Phase::Lingering { reason, .. } => self.close(reason),
            Phase::Finishing(_) | Phase::Closed(_) => {}
        }
    }

    /// The first `n` bytes of [`transmit`](Self::transmit) were sent.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// conversation.handle_input(b"Simple is better than?", now);
    /// conversation.answer_with(&mut aphorism::Aphorisms, now);
    /// conversation.handle_sent(4, now);
    /// assert_eq!(conversation.transmit(), b"lex.");
    /// ```
    ///
    /// # Panics
    /// If there were fewer.
    #[inline]
    pub fn handle_sent(&mut self, n: usize, now: Instant) {
        self.advance_clock(now);
        // The conversation may have closed while a write was under way. The write no longer matters
        // then.
        if n == 0 || self.closed().is_some() {
            return;
        }
        assert!(n <= self.outbound.len(), "{n} bytes sent, only {} were to be sent", self.outbound.len());
        self.tally.bytes_out += n as u64;
        self.outbound.consume(n);
        self.write_clock.sent(n, self.now(), self.in_flight.limits.least_rate);
        if self.congested && self.outbound.len() <= self.in_flight.limits.outbound_low_water {
            self.congested = false;
            // Nothing was read from the peer meanwhile, so the clock of its question starts again.
            self.question_since = self.question_since.map(|_| self.now());
        }
        if self.outbound.is_empty() {
            self.idle_since = self.now();
            self.settle();
        }
    }

    /// Time has passed. Ends the conversation if a deadline is broken, does nothing if none is; may
    /// be called at any time.
    ///
    /// The peer is told the last words of the service that has [opened](Self::open) the
    /// conversation, or else of the framing, unless it is the peer that does not read, or the drain
    /// that took too long. It has [`Limits::linger_deadline`] to take them.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// # use zen_proto::CloseReason;
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// conversation.handle_input(b"Simple is", now);
    /// conversation.answer_with(&mut aphorism::Aphorisms, now);
    /// let late = conversation.poll_timeout().expect("a question has begun");
    /// assert_eq!(late - now, Limits::default().question_deadline);
    /// conversation.handle_timeout(late);
    /// // zen's own protocol has no last words for this.
    /// assert_eq!(conversation.closed(), Some(CloseReason::QuestionDeadline));
    /// ```
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance_clock(now);
        // An answer that has come is not late, even if the driver was.
        if self.in_flight.has_mail() {
            self.take_mail();
        }
        if self.rest_at().is_some_and(|at| at <= self.now()) {
            self.inbound.release();
            self.outbound.release();
        }
        let Some((_, reason)) = self.next_deadline().filter(|(at, _)| *at <= self.now()) else { return };
        let tellable = matches!(
            reason,
            CloseReason::QuestionDeadline | CloseReason::IdleDeadline | CloseReason::AnswerDeadline
        );
        if tellable && !self.cut_off {
            self.cut_off(reason);
        } else {
            self.close(reason);
        }
    }

    /// The connection broke: nothing can be sent or received any more.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// # use zen_proto::CloseReason;
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// // A read or a write has failed, with `ECONNRESET` for instance.
    /// conversation.handle_lost(now);
    /// assert_eq!(conversation.closed(), Some(CloseReason::ConnectionLost));
    /// ```
    pub fn handle_lost(&mut self, now: Instant) {
        self.advance_clock(now);
        // Once everything was sent, a peer that resets instead of closing does no harm.
        match self.phase {
            Phase::Lingering { reason, .. } => self.close(reason),
            _ => self.close(CloseReason::ConnectionLost),
        }
    }

    // What the application says.

    /// Begins the conversation with the service: it is told who the peer is, and may greet it.
    /// Call this once, before anything is read; later calls do nothing. A conversation that is
    /// never opened has neither a greeting nor last words of its service.
    ///
    /// ```
    /// use std::time::Instant;
    /// use zen_proto::{Address, Answer, Conversation, Flow, Limits, Peer, Service, aphorism};
    ///
    /// /// Greets, with the number of the connection.
    /// struct Greeter;
    ///
    /// impl Service for Greeter {
    ///     fn open(&mut self, peer: &Peer, answer: &mut Answer<'_>) -> Flow {
    ///         answer.put(format!("Welcome, number {}.", peer.connection).as_bytes());
    ///         Flow::Continue
    ///     }
    ///
    ///     fn answer(&mut self, _: &[u8], answer: &mut Answer<'_>) -> Flow {
    ///         answer.put(b"Yes.");
    ///         Flow::Continue
    ///     }
    /// }
    ///
    /// let now = Instant::now();
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// conversation.open(&mut Greeter, &Peer::new(Address::Unknown, Address::Unknown, 7), now);
    /// assert_eq!(conversation.transmit(), b"Welcome, number 7.");
    /// ```
    pub fn open(&mut self, service: &mut impl Service<F>, peer: &Peer, now: Instant) {
        self.advance_clock(now);
        if self.attended || !matches!(self.phase, Phase::Talking) {
            return;
        }
        self.attended = true;
        self.may_start_tls = peer.tls == Tls::Offered;
        if let Some(flow) = self.say(|answer| service.open(peer, answer), &mut || now) {
            self.follow(flow);
        }
    }

    /// Does everything that there is room for: answers every whole question that is buffered, until
    /// the outbound high water; goes on with a reply that comes in pieces; takes the answers and
    /// the pushed messages of other threads; says last words.
    ///
    /// A driver that serves other conversations too, or whose service may be slow, calls
    /// [`answer_in_turn`](Self::answer_in_turn) instead.
    ///
    /// If the service panics, the answers before it are sent and the conversation ends with
    /// [`CloseReason::ServiceFailed`].
    pub fn answer_with(&mut self, service: &mut impl Service<F>, now: Instant) {
        self.advance_clock(now);
        if self.in_flight.has_news() {
            self.take_news(service);
        }
        while self.do_next(service, u64::MAX, &mut || now) {}
    }

    /// Takes no more questions. Whole questions that were received are answered, a partial one is
    /// not; then come FIN and a lingering close. All of this is done within
    /// [`Limits::drain_deadline`]. Further calls change nothing.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// # use zen_proto::CloseReason;
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// conversation.handle_input(b"Why?Simple is bet", now);
    /// conversation.drain(now);
    /// conversation.answer_with(&mut aphorism::Aphorisms, now);
    /// assert_eq!(conversation.transmit(), b"Error: unknown aphorism.");
    /// conversation.handle_sent(24, now);
    /// assert!(conversation.poll_shutdown(), "the half question is not waited for");
    /// conversation.handle_eof(now);
    /// assert_eq!(conversation.closed(), Some(CloseReason::Drained));
    /// ```
    pub fn drain(&mut self, now: Instant) {
        self.advance_clock(now);
        if self.drained_at.is_none() {
            self.drained_at = Some(self.now());
            match self.phase {
                Phase::Talking => self.end_input(CloseReason::Drained),
                // Last words would be neither plain text nor under TLS.
                Phase::Switching { .. } => self.finish(CloseReason::Drained, None),
                Phase::Finishing(_) | Phase::Lingering { .. } | Phase::Closed(_) => {}
            }
        }
    }

    // What the driver does next.

    /// The bytes to send. The driver should write while there are any.
    #[inline]
    pub fn transmit(&self) -> &[u8] {
        self.outbound.unread()
    }

    /// Whether [`answer_with`](Self::answer_with) or [`poll_question`](Self::poll_question) has
    /// something to do. A write that makes room can turn this true: go back to the first step then,
    /// before you wait for anything.
    #[inline]
    pub fn wants_answer(&self) -> bool {
        self.wants_question() || self.has_rare_work()
    }

    /// Whether to read. While this is false, reading would only fill memory, so the peer has to
    /// wait.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// let limits = Limits::default().with_outbound_high_water(20).with_outbound_low_water(0);
    /// let mut conversation = Conversation::new(aphorism::framing(), limits, now);
    /// conversation.handle_input(b"Why?", now);
    /// conversation.answer_with(&mut aphorism::Aphorisms, now);
    /// assert!(!conversation.wants_read(), "24 bytes wait to be sent");
    /// conversation.handle_sent(24, now);
    /// assert!(conversation.wants_read());
    /// ```
    #[inline]
    pub fn wants_read(&self) -> bool {
        if matches!(self.phase, Phase::Talking) {
            self.ended.is_none() && self.starved && self.has_room()
        } else {
            matches!(self.phase, Phase::Lingering { .. })
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) if nothing happens before.
    ///
    /// It moves later with every question. A driver need not move its timer each time, since an
    /// early call does nothing.
    #[inline]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let deadline = self.next_deadline().map(|(at, _)| at);
        match self.rest_at() {
            None => deadline,
            Some(rest) => Some(deadline.map_or(rest, |at| at.min(rest))),
        }
    }

    /// True once, when everything owed was sent and the peer has not closed. Send FIN then, and go
    /// on reading.
    #[inline]
    pub fn poll_shutdown(&mut self) -> bool {
        match &mut self.phase {
            Phase::Lingering { fin_due, .. } => std::mem::take(fin_due),
            _ => false,
        }
    }

    /// Why the conversation is over, once it is. Drop the socket then, which also sends FIN if that
    /// is still due.
    #[inline]
    pub fn closed(&self) -> Option<CloseReason> {
        match self.phase {
            Phase::Closed(reason) => Some(reason),
            _ => None,
        }
    }

    /// The same as [`closed`](Self::closed), for a driver that has [opened](Self::open) the
    /// conversation with a service: the first time that the conversation is found closed, the
    /// service is told.
    ///
    /// ```
    /// use std::time::Instant;
    /// use zen_proto::{Answer, Closed, CloseReason, Conversation, Flow, Limits, Peer, Service};
    /// use zen_proto::aphorism;
    ///
    /// /// Remembers how its conversation has ended.
    /// #[derive(Default)]
    /// struct Remembering { ended: Option<CloseReason> }
    ///
    /// impl Service for Remembering {
    ///     fn answer(&mut self, _: &[u8], answer: &mut Answer<'_>) -> Flow {
    ///         answer.put(b"Yes.");
    ///         Flow::Continue
    ///     }
    ///
    ///     fn closed(&mut self, closed: &Closed) {
    ///         self.ended = Some(closed.reason);
    ///     }
    /// }
    ///
    /// let (mut service, now) = (Remembering::default(), Instant::now());
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// conversation.open(&mut service, &Peer::default(), now);
    /// assert_eq!(conversation.poll_closed(&mut service), None);
    /// conversation.handle_eof(now);
    /// assert_eq!(conversation.poll_closed(&mut service), Some(CloseReason::Finished));
    /// assert_eq!(service.ended, Some(CloseReason::Finished));
    /// ```
    #[inline]
    pub fn poll_closed(&mut self, service: &mut impl Service<F>) -> Option<CloseReason> {
        let reason = self.closed()?;
        if !std::mem::replace(&mut self.told, true) {
            self.tell_left(service);
            let Tally { questions, bytes_in, bytes_out } = self.tally;
            let closed = Closed { reason, questions, bytes_in, bytes_out };
            // The conversation is over in any case, so a panic changes nothing.
            let _ = catch_unwind(AssertUnwindSafe(|| service.closed(&closed)));
        }
        Some(reason)
    }

    /// Whether another thread has something for this conversation, or may have: a
    /// [`Responder`](crate::Responder) or a [`Pusher`](crate::Pusher) is alive.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// # use zen_proto::{Answer, Flow};
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// let mut responder = None;
    /// let mut service = |_: &[u8], answer: &mut Answer<'_>| {
    ///     responder = Some(answer.later());
    ///     Flow::Later
    /// };
    /// conversation.handle_input(b"Why?", now);
    /// conversation.answer_with(&mut service, now);
    /// assert!(conversation.expects_wake(), "so register a waker before you wait");
    /// // Without an answer, a responder that is dropped says that there will be none.
    /// drop(responder);
    /// conversation.answer_with(&mut aphorism::Aphorisms, now);
    /// assert!(!conversation.expects_wake());
    /// ```
    pub fn expects_wake(&self) -> bool {
        self.in_flight.expects_mail()
    }

    /// Says what to wake when another thread has something for this conversation; then step 1 of a
    /// turn is due. True when something has come already, and nothing will be woken for it.
    ///
    /// A waker is used once: register it again before each wait, while
    /// [`expects_wake`](Self::expects_wake) holds.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::task::{Wake, Waker};
    /// use std::thread::{self, Thread};
    /// use std::time::Instant;
    /// use zen_proto::{Answer, Conversation, Flow, Limits, aphorism};
    ///
    /// /// Ends the wait of the thread that drives.
    /// struct Unpark(Thread);
    ///
    /// impl Wake for Unpark {
    ///     fn wake(self: Arc<Self>) {
    ///         self.0.unpark();
    ///     }
    /// }
    ///
    /// let mut slow = |_: &[u8], answer: &mut Answer<'_>| {
    ///     let responder = answer.later();
    ///     thread::spawn(|| responder.answer("Now."));
    ///     Flow::Later
    /// };
    /// let now = Instant::now();
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// conversation.handle_input(b"When?", now);
    /// conversation.answer_with(&mut slow, now);
    ///
    /// let waker = Waker::from(Arc::new(Unpark(thread::current())));
    /// while conversation.transmit().is_empty() {
    ///     // If an answer has come before, nothing will wake this thread for it.
    ///     if !conversation.register_waker(&waker) {
    ///         thread::park();
    ///     }
    ///     conversation.answer_with(&mut slow, now);
    /// }
    /// assert_eq!(conversation.transmit(), b"Now.");
    /// ```
    pub fn register_waker(&mut self, waker: &Waker) -> bool {
        // Pushed messages that wait for room are no reason to go again before there is some.
        self.in_flight.register(waker, !self.pushed)
    }

    /// Whether a question has begun, waits for its answer, or has an answer that is not completely
    /// sent.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// assert!(!conversation.is_busy());
    /// conversation.handle_input(b"Why?", now);
    /// let question = conversation.poll_question().expect("a whole question");
    /// assert!(conversation.is_busy() && conversation.owes_answer());
    /// conversation.answer(question.ticket, b"Because.", now)?;
    /// assert!(conversation.is_busy() && !conversation.owes_answer(), "the answer is not sent");
    /// conversation.handle_sent(8, now);
    /// assert!(!conversation.is_busy());
    /// # Ok::<(), zen_proto::ForeignTicket>(())
    /// ```
    pub fn is_busy(&self) -> bool {
        !self.starved
            || self.question_since.is_some()
            || self.resuming
            || !self.in_flight.is_empty()
            || !self.outbound.is_empty()
    }

    /// Whether [`drain`](Self::drain) was called.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// assert!(!conversation.is_draining() && !conversation.is_finishing());
    /// conversation.drain(now);
    /// assert!(conversation.is_draining() && conversation.is_finishing());
    /// ```
    #[inline]
    pub fn is_draining(&self) -> bool {
        self.drained_at.is_some()
    }

    /// Whether the service owes an answer that comes later. [`is_busy`](Self::is_busy) has an
    /// example.
    #[inline]
    pub fn owes_answer(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Whether no more questions are taken, so that the conversation ends once all that it owes is
    /// sent, and the peer has closed too. [`is_draining`](Self::is_draining) has an example.
    #[inline]
    pub fn is_finishing(&self) -> bool {
        !matches!(self.phase, Phase::Talking)
    }

    /// The counts since the last [`take_tally`](Self::take_tally).
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// conversation.handle_input(b"Why?", now);
    /// conversation.answer_with(&mut aphorism::Aphorisms, now);
    /// assert_eq!(conversation.tally().questions, 1);
    /// assert_eq!(conversation.take_tally().questions, 1);
    /// assert_eq!(conversation.tally().questions, 0, "they were taken");
    /// ```
    #[inline]
    pub fn tally(&self) -> Tally {
        let taken = &self.taken;
        Tally {
            questions: self.tally.questions - taken.questions,
            bytes_in: self.tally.bytes_in - taken.bytes_in,
            bytes_out: self.tally.bytes_out - taken.bytes_out,
        }
    }

    /// Takes the counts since the last call, for a server's counters. [`Tally`] has an example.
    #[inline]
    pub fn take_tally(&mut self) -> Tally {
        let tally = self.tally();
        self.taken = self.tally;
        tally
    }

    /// How many bytes of heap the conversation owns: 0 while it is idle, and never more than
    /// [`Limits::memory_bound`].
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// let (framing, limits) = (aphorism::framing(), Limits::default());
    /// let bound = limits.memory_bound(&framing, 16 * 1024, 24);
    /// let mut conversation = Conversation::new(framing, limits, now);
    /// assert_eq!(conversation.heap_size(), 0, "it is idle");
    /// conversation.handle_input(&[b'y'; 500], now);
    /// assert!((1..=bound).contains(&conversation.heap_size()));
    /// ```
    pub fn heap_size(&self) -> usize {
        self.inbound.heap() + self.outbound.heap() + self.in_flight.heap() + self.write_clock.heap()
    }

    #[inline]
    fn advance_clock(&mut self, now: Instant) {
        // All calls of a driver's turn have the same time.
        if now != self.in_flight.clock {
            self.set_clock(now);
        }
    }

    #[inline(never)]
    fn set_clock(&mut self, now: Instant) {
        if now > self.in_flight.clock {
            self.in_flight.clock = now;
        }
    }

    /// The latest time seen.
    #[inline]
    fn now(&self) -> Instant {
        self.in_flight.clock
    }

    /// Whether a question may be taken.
    #[inline]
    fn wants_question(&self) -> bool {
        matches!(self.phase, Phase::Talking) && !self.starved && self.has_room()
    }

    #[inline]
    fn has_room(&self) -> bool {
        !self.congested && !self.resuming && self.in_flight.len() < self.in_flight.limits.questions_in_flight
    }

    /// Whether there is something to do besides questions.
    #[inline]
    fn has_rare_work(&self) -> bool {
        (self.resuming || self.pushed || self.pending.is_some()) && self.can_do_rare_work()
    }

    #[cold]
    fn can_do_rare_work(&self) -> bool {
        if self.resuming {
            !self.congested && self.in_flight.is_empty()
        } else if self.pushed {
            !self.congested && !matches!(self.phase, Phase::Switching { .. })
        } else {
            self.in_flight.is_empty()
        }
    }

    #[cold]
    #[inline(never)]
    fn do_rare_work(&mut self, service: &mut impl Service<F>, clock: &mut impl FnMut() -> Instant) {
        if self.resuming {
            self.say_piece(service, clock);
        } else if self.pushed && !matches!(self.pending, Some(Pending::TlsStarted)) {
            self.say_pushed();
        } else {
            self.say_pending(service, clock);
        }
    }

    /// Starts the write clock of the `n` bytes that were written last.
    #[inline]
    fn wrote(&mut self, n: usize) {
        self.write_clock.wrote(n, self.now(), self.in_flight.limits.write_deadline);
    }
}

impl std::ops::AddAssign for Tally {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        self.questions += other.questions;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
    }
}
