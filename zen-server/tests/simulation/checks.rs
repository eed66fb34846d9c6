//! What holds after each step of a conversation, and at its end.

use std::time::{Duration, Instant};

use zen_proto::CloseReason;

use crate::driver::{Connection, Look};
use crate::faults::Fault;
use crate::peer::{Ask, Plan, Tail};
use crate::service::text;
use crate::shape::Kind;
use crate::world::World;

impl Connection {
    /// After each call of the core.
    pub(crate) fn check(&self) {
        let (key, session) = (self.key, &self.session);
        self.world.assert_unbroken();
        let (heap, bound) = (session.heap_size(), self.bound);
        assert!(heap <= bound, "[{key}] {heap} bytes of heap, more than the bound of {bound}");
        if self.world.told.borrow()[key].over {
            let silent = session.transmit().is_empty() && session.poll_timeout().is_none() && heap == 0;
            assert!(
                silent && !session.wants_read() && !session.wants_answer(),
                "[{key}] closed is not closed"
            );
        }
    }

    /// Before the driver waits: something will end the wait.
    pub(crate) fn check_wait(&mut self) {
        let (key, session) = (self.key, &self.session);
        assert!(session.poll_timeout().is_some(), "[{key}] no deadline runs");
        if self.shape.kind != Kind::Thread && !self.socket.changed {
            let (socket, unsent) = (&self.socket, !session.transmit().is_empty());
            assert!(!(session.wants_read() && socket.is_readable()), "[{key}] readiness is forgotten");
            assert!(!(unsent && socket.is_writable()), "[{key}] room is forgotten");
        }
        if !session.wants_read() && self.socket.holds_text() && !session.is_draining() {
            let full = if session.transmit().is_empty() { Fault::FullWindow } else { Fault::FullOutput };
            self.world.count(full);
        }
    }

    /// Judges by the time before the last look.
    pub(crate) fn judge(&mut self, look: Look, looked: Instant) {
        let (key, stopped) = (self.key, self.world.stop.is_stopped());
        let (reads, holds) = (self.session.wants_read(), self.socket.holds_text());
        let drained = self.session.is_draining();
        self.session.judge(stopped, looked);
        self.world.show(|| format!("[{key}] judged, stopped: {stopped}, {look:?}"));
        let drains = !drained && self.session.is_draining();
        if drains {
            self.read_at_drain = Some(self.socket.taken);
        }
        // Without any time for a turn, a look is one read.
        let no_time = self.shape.limits.turn_time.is_zero() && look == Look::CutByTurn;
        self.was_full |= self.socket.was_full;
        self.was_cut |= look == Look::CutByReads || no_time;
        if look != Look::Whole {
            self.world.count(Fault::CutLook);
        } else if reads && holds {
            assert!(self.session.wants_read(), "[{key}] what had come in time is not read");
        } else if holds && drains {
            self.world.count(Fault::UnreadAtDrain);
        }
        self.check();
    }

    /// The conversation is over.
    pub(crate) fn check_end(&self, reason: CloseReason) {
        let (key, world, socket) = (self.key, &*self.world, &self.socket);
        assert_eq!(world.told.borrow()[key].closed, 1, "[{key}] the service is told of the end once");
        let received = Received::parse(key, socket.plan.answered(usize::MAX), &socket.received);
        assert!(received.pushed <= world.told.borrow()[key].pushed, "[{key}] a message is made up");
        world.counts().answers += received.answers as u64;
        let owed = match reason {
            // Everything was written, as far as the question that ended it.
            CloseReason::Finished
            | CloseReason::Truncated
            | CloseReason::QuestionTooLong
            | CloseReason::Malformed
            | CloseReason::ServiceClosed => socket.plan.answerable(),
            CloseReason::Drained => {
                let read = self.read_at_drain.unwrap_or_default();
                let asked = socket.plan.questions.iter().take_while(|asked| asked.end <= read).count();
                asked.min(socket.plan.answerable())
            }
            _ => 0,
        };
        let owed = socket.plan.answered(owed).count();
        assert!(received.answers >= owed, "[{key}] {reason}: {} of {owed} answers", received.answers);
        self.check_reason(reason);
    }

    /// The reason is one that the peer, the service or the operator has given.
    fn check_reason(&self, reason: CloseReason) {
        let (key, plan, stop) = (self.key, &self.socket.plan, self.world.stopped_at.get());
        let limits = &self.shape.limits;
        let given = match reason {
            CloseReason::Finished => self.socket.fin || self.socket.shut,
            CloseReason::Truncated => self.socket.fin && plan.tail != Tail::Nothing,
            CloseReason::QuestionTooLong => plan.tail == Tail::TooLong,
            CloseReason::Malformed => plan.tail == Tail::Malformed,
            CloseReason::ServiceClosed => plan.asks(Ask::ThenClose),
            CloseReason::ServiceFailed => plan.asks(Ask::Panic) || plan.asks(Ask::DropResponder),
            CloseReason::ConnectionLost => self.socket.reset,
            CloseReason::WriteDeadline => !plan.reads || self.was_full,
            CloseReason::AnswerDeadline => !plan.flawless,
            CloseReason::Drained => stop.is_some(),
            CloseReason::DrainDeadline => {
                // The clock of the driver may be that of before the stop.
                let taken = stop.map(|at| self.now.saturating_duration_since(at) + Duration::from_millis(1));
                taken.is_some_and(|taken| taken >= limits.drain_deadline)
            }
            // A look takes only so much: a server that was stopped may see too little of it.
            CloseReason::QuestionDeadline | CloseReason::IdleDeadline => !plan.flawless || self.was_cut,
            _ => false,
        };
        assert!(given, "[{key}] the conversation has ended for no reason: {reason}");
    }
}

/// What a peer has received, taken apart.
struct Received {
    answers: usize,
    pushed: usize,
}

impl Received {
    /// Answers come in the order of their questions, each once; so do pushed messages; the last
    /// words come last.
    fn parse(key: usize, mut owed: impl Iterator<Item = usize>, bytes: &[u8]) -> Self {
        let (mut answers, mut pushed, mut over) = (0, 0, false);
        let whole = bytes.split_inclusive(|byte| *byte == b'.').filter(|part| part.ends_with(b"."));
        for message in whole {
            let message = std::str::from_utf8(&message[..message.len() - 1]).unwrap_or("?");
            assert!(!over, "[{key}] {message:?} after the last words");
            match message.as_bytes() {
                [b'a', ..] => {
                    let number = owed.next();
                    let expected = number.map(text).unwrap_or_default();
                    let rest = message.strip_prefix(expected.as_str());
                    let is_it = rest.is_some_and(|rest| rest.bytes().all(|byte| byte == b'z'));
                    assert!(number.is_some() && is_it, "[{key}] {message:?} answers not {number:?}");
                    answers += 1;
                }
                [b'p', ..] => {
                    assert_eq!(message, format!("p{pushed}"), "[{key}] pushed messages keep their order");
                    pushed += 1;
                }
                _ => over = true,
            }
        }
        Self { answers, pushed }
    }
}

/// When the world's next event is, if there is any.
pub(crate) fn earliest(times: impl IntoIterator<Item = Option<Instant>>) -> Option<Instant> {
    times.into_iter().flatten().min()
}

/// Whether each plan is without a flaw.
pub(crate) fn flawless(plans: &[Plan]) -> std::rc::Rc<[bool]> {
    plans.iter().map(|plan| plan.flawless).collect()
}

/// What must hold at the end of everything.
pub(crate) fn check_world(world: &World, open: usize) {
    world.assert_unbroken();
    assert_eq!(open, 0, "connections are still counted as open");
}
