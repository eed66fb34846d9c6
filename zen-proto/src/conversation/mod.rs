//! The conversation: one connection's life, without the connection.

mod deadlines;
mod in_flight;
mod input;
mod phase;
mod write_clock;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

pub use in_flight::{ForeignTicket, Question, Ticket};

use crate::buffer::Buffer;
use crate::framing::{Framing, Output, Refusal};
use crate::service::Service;
use crate::{CloseReason, Limits};
use in_flight::InFlight;
use input::{NoQuestion, Progress};
use phase::Phase;
use write_clock::WriteClock;

/// One connection's life, as a state machine without I/O, clock or threads.
///
/// `handle_*` tells it what has happened. `poll_*`, [`transmit`](Self::transmit) and
/// [`wants_read`](Self::wants_read) say what to do next. Time is an argument and never goes
/// backwards: an earlier `now` counts as the latest one seen. Each turn of a driver has the same
/// order:
///
/// 1. answer what is buffered: [`answer_with`](Self::answer_with), or
///    [`poll_question`](Self::poll_question) until it is `None`;
/// 2. write while [`transmit`](Self::transmit) is not empty, and report it to
///    [`handle_sent`](Self::handle_sent); go back to 1 if [`wants_answer`](Self::wants_answer) says
///    that this has made room;
/// 3. send FIN if [`poll_shutdown`](Self::poll_shutdown) says so;
/// 4. drop the socket if [`closed`](Self::closed) gives a reason;
/// 5. wait for the first of: readable if [`wants_read`](Self::wants_read), writable if `transmit`
///    is not empty, the instant of [`poll_timeout`](Self::poll_timeout), a deferred answer, drain.
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
pub struct Conversation<F> {
    framing: F,
    limits: Arc<Limits>,
    phase: Phase,
    /// The latest time seen.
    clock: Instant,
    inbound: Buffer,
    /// All buffered bytes were looked at, and they are not a whole question: only a read can help.
    starved: bool,
    /// When the first byte of the question that is not whole yet came.
    question_since: Option<Instant>,
    /// When the last question was answered or handed out, or the conversation began.
    idle_since: Instant,
    /// Why no more input is taken, if it is not. Whole questions that are buffered are still
    /// answered.
    ended: Option<CloseReason>,
    peer_closed: bool,
    /// The refusal that the peer is told after the answers that are owed.
    refusal: Option<Refusal>,
    in_flight: InFlight,
    outbound: Buffer,
    /// The high water was reached, and the low water has not been reached since.
    congested: bool,
    write_clock: WriteClock,
    drained_at: Option<Instant>,
    tally: Tally,
}

/// What happened in a conversation since the last [`Conversation::take_tally`].
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
    pub fn new(framing: F, limits: impl Into<Arc<Limits>>, now: Instant) -> Self {
        Self {
            framing,
            limits: limits.into(),
            phase: Phase::Talking,
            clock: now,
            inbound: Buffer::default(),
            starved: true,
            question_since: None,
            idle_since: now,
            ended: None,
            peer_closed: false,
            refusal: None,
            in_flight: InFlight::new(),
            outbound: Buffer::default(),
            congested: false,
            write_clock: WriteClock::new(now),
            drained_at: None,
            tally: Tally::default(),
        }
    }

    // What happened.

    /// The peer sent `data`.
    ///
    /// All of it is taken. Memory is bounded because a driver reads only while
    /// [`wants_read`](Self::wants_read) is true.
    #[inline]
    pub fn handle_input(&mut self, data: &[u8], now: Instant) {
        if self.closed().is_some() {
            return;
        }
        self.advance_clock(now);
        self.tally.bytes_in += data.len() as u64;
        match &mut self.phase {
            Phase::Talking if self.ended.is_none() && !data.is_empty() => {
                self.inbound.append(data);
                self.starved = false;
            }
            Phase::Lingering { reason, discarded, .. } => {
                *discarded += data.len();
                if *discarded > self.limits.linger_bytes {
                    let reason = *reason;
                    self.close(reason);
                }
            }
            _ => {}
        }
    }

    /// The peer will send no more. Whole questions that came before are still answered.
    pub fn handle_eof(&mut self, now: Instant) {
        self.advance_clock(now);
        self.peer_closed = true;
        match self.phase {
            Phase::Talking => self.end_input(CloseReason::Finished),
            Phase::Lingering { reason, .. } => self.close(reason),
            Phase::Finishing(_) | Phase::Closed(_) => {}
        }
    }

    /// The first `n` bytes of [`transmit`](Self::transmit) were sent.
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
        self.write_clock.sent(n);
        if self.congested && self.outbound.len() <= self.limits.outbound_low_water {
            self.congested = false;
            // Nothing was read from the peer meanwhile, so the clock of its question starts again.
            self.question_since = self.question_since.map(|_| self.clock);
        }
        if self.outbound.is_empty() {
            self.idle_since = self.clock;
            self.settle();
        }
    }

    /// Time has passed. Closes the conversation if a deadline is broken, and does nothing
    /// otherwise. May be called at any time.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance_clock(now);
        if let Some((_, reason)) = self.next_deadline().filter(|(at, _)| *at <= self.clock) {
            self.close(reason);
        }
    }

    /// The connection broke: nothing can be sent or received any more.
    pub fn handle_lost(&mut self, now: Instant) {
        self.advance_clock(now);
        // Once everything was sent, a peer that resets instead of closing does no harm.
        match self.phase {
            Phase::Lingering { reason, .. } => self.close(reason),
            _ => self.close(CloseReason::ConnectionLost),
        }
    }

    // What the application says.

    /// Answers, at once, every whole question that is buffered, until the outbound high water.
    ///
    /// Does nothing while a question of [`poll_question`](Self::poll_question) is in flight:
    /// answers leave in question order. If the service panics, the answers before it are sent and
    /// the conversation ends with [`CloseReason::ServiceFailed`].
    pub fn answer_with(&mut self, service: &mut impl Service, now: Instant) {
        self.advance_clock(now);
        if self.starved
            || self.congested
            || !self.in_flight.is_empty()
            || !matches!(self.phase, Phase::Talking)
        {
            return;
        }
        let (buffered, before, asked) = (self.inbound.len(), self.outbound.len(), self.tally.questions);
        let mut progress = Progress { left: buffered, end: before };
        // A panic leaves behind at most a part of an answer, from `progress.end` on. It is removed
        // below.
        let stopped = catch_unwind(AssertUnwindSafe(|| self.answer_all(service, &mut progress)));
        self.inbound.consume(buffered - progress.left);
        if self.tally.questions > asked {
            self.write_clock.wrote(progress.end - before, self.clock, self.limits.write_deadline);
            self.done_with_question();
        }
        let why = stopped.unwrap_or(NoQuestion::Failed);
        if why == NoQuestion::Failed {
            self.outbound.truncate(progress.end);
        }
        self.handle_no_question(why);
    }

    /// Hands out the next question, to be answered later. `None` when no whole question is
    /// buffered, or when [`Limits::questions_in_flight`] or the outbound high water is reached.
    pub fn poll_question(&mut self) -> Option<Question> {
        if !self.wants_answer() {
            return None;
        }
        match input::next_question(&mut self.framing, self.inbound.unread(), self.limits.question_length) {
            Ok(found) => {
                let text = bytes::Bytes::copy_from_slice(&self.inbound.unread()[found.text]);
                let question = Question { text, ticket: self.in_flight.issue(self.clock) };
                self.tally.questions += 1;
                self.inbound.consume(found.whole);
                self.done_with_question();
                Some(question)
            }
            Err((skip, why)) => {
                self.inbound.consume(skip);
                self.handle_no_question(why);
                None
            }
        }
    }

    /// Answers the question of `ticket`. Answers may be given in any order, and are sent in the
    /// order of the questions. An answer that is given after the conversation has closed is
    /// dropped.
    ///
    /// # Errors
    /// [`ForeignTicket`] when the ticket belongs to another conversation; nothing has happened
    /// then.
    pub fn answer(&mut self, ticket: Ticket, answer: &[u8], now: Instant) -> Result<(), ForeignTicket> {
        self.advance_clock(now);
        if self.in_flight.answer(ticket, answer)? {
            self.send_answer(answer);
            while let Some(answer) = self.in_flight.next_ready() {
                self.send_answer(&answer);
            }
            self.settle();
        }
        Ok(())
    }

    /// Says that the question of `ticket` will have no answer, because the service failed. The
    /// questions before it are answered, those after it are not, and the conversation ends with
    /// [`CloseReason::ServiceFailed`].
    ///
    /// # Errors
    /// [`ForeignTicket`] when the ticket belongs to another conversation; nothing has happened
    /// then.
    pub fn give_up(&mut self, ticket: Ticket, now: Instant) -> Result<(), ForeignTicket> {
        self.advance_clock(now);
        if self.in_flight.give_up(ticket)? {
            self.finish(CloseReason::ServiceFailed, None);
        }
        Ok(())
    }

    /// Takes no more questions. Whole questions that were received are answered, a partial one is
    /// not; then come FIN and a lingering close. All of this is done within
    /// [`Limits::drain_deadline`]. Further calls change nothing.
    pub fn drain(&mut self, now: Instant) {
        self.advance_clock(now);
        if self.drained_at.is_none() {
            self.drained_at = Some(self.clock);
            if matches!(self.phase, Phase::Talking) {
                self.end_input(CloseReason::Drained);
            }
        }
    }

    // What the driver does next.

    /// The bytes to send. The driver should write while there are any.
    #[inline]
    pub fn transmit(&self) -> &[u8] {
        self.outbound.unread()
    }

    /// Whether [`answer_with`](Self::answer_with) or [`poll_question`](Self::poll_question) may
    /// find a question. A write that makes room can turn this true: go back to the first step then,
    /// before you wait for anything.
    #[inline]
    pub fn wants_answer(&self) -> bool {
        matches!(self.phase, Phase::Talking) && !self.starved && self.has_room()
    }

    /// Whether to read. While this is false, reading would only fill memory, so the peer has to
    /// wait.
    #[inline]
    pub fn wants_read(&self) -> bool {
        match self.phase {
            Phase::Talking => self.ended.is_none() && self.starved && self.has_room(),
            Phase::Lingering { .. } => true,
            Phase::Finishing(_) | Phase::Closed(_) => false,
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) if nothing happens before.
    ///
    /// It moves later with every question. A driver need not move its timer each time, since an
    /// early call does nothing.
    #[inline]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.next_deadline().map(|(at, _)| at)
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

    /// Whether a question has begun, waits for its answer, or has an answer that is not completely
    /// sent.
    pub fn is_busy(&self) -> bool {
        !self.starved
            || self.question_since.is_some()
            || !self.in_flight.is_empty()
            || !self.outbound.is_empty()
    }

    /// Whether [`drain`](Self::drain) was called.
    #[inline]
    pub fn is_draining(&self) -> bool {
        self.drained_at.is_some()
    }

    /// Takes the counts since the last call, for a server's counters.
    #[inline]
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// How many bytes of heap the conversation owns: 0 while it is idle, and never more than
    /// [`Limits::memory_bound`].
    pub fn heap_size(&self) -> usize {
        self.inbound.heap() + self.outbound.heap() + self.in_flight.heap() + self.write_clock.heap()
    }

    #[inline]
    fn advance_clock(&mut self, now: Instant) {
        if now > self.clock {
            self.clock = now;
        }
    }

    #[inline]
    fn has_room(&self) -> bool {
        !self.congested && self.in_flight.len() < self.limits.questions_in_flight
    }

    /// Puts one deferred answer behind those that wait to be sent.
    fn send_answer(&mut self, answer: &[u8]) {
        if matches!(self.phase, Phase::Closed(_)) {
            return;
        }
        let start = self.outbound.len();
        self.framing.open(&mut Output::new(&mut self.outbound));
        self.outbound.append(answer);
        if self.framing.seal(&mut Output::new(&mut self.outbound), start).is_err() {
            self.outbound.truncate(start);
            self.in_flight.clear();
            self.finish(CloseReason::ServiceFailed, None);
            return;
        }
        self.idle_since = self.clock;
        self.congested |= self.outbound.len() >= self.limits.outbound_high_water;
        self.wrote(self.outbound.len() - start);
    }

    /// Starts the write clock of the `n` bytes that were written last.
    #[inline]
    fn wrote(&mut self, n: usize) {
        self.write_clock.wrote(n, self.clock, self.limits.write_deadline);
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
