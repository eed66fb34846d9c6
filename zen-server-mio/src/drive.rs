//! The driver: one conversation's turns, taken when its socket is ready. Never waits.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::Instant;

use mio::event::Event;
use zen_proto::{CloseReason, Framing, Peer, Service, Tally};
use zen_server::{Observer, Session, Setup, Step, StopHandle};

use crate::stream::Stream;
use crate::wake_ups::WakeUp;

/// How much one read takes, in bytes. One buffer serves the whole event loop.
pub(crate) const SCRATCH: usize = 16 * 1024;

/// One connection: its socket, its session, and what is known of the socket's readiness.
#[derive(Debug)]
pub(crate) struct Connection<S, F: Framing, O> {
    pub(crate) stream: Stream,
    pub(crate) session: Session<F>,
    service: S,
    stop: StopHandle,
    pub(crate) observer: O,
    /// The time after the loop's last wait, or after the last answer of any connection.
    pub(crate) now: Instant,
    /// How many reads it gets before it is the next connection's turn.
    budget: usize,
    /// mio announces readiness once, when it begins. What is not used at once must be remembered,
    /// or the rest is never asked for.
    readable: bool,
    writable: bool,
    peer_closed: bool,
    /// The peer has sent urgent data, which TCP leaves out of the stream. A read stops there, so it
    /// may be short although more has come.
    urgent: bool,
    /// Whether the connection waits for another turn because it has used up its last.
    pub(crate) queued: bool,
    /// When the loop's timer for it goes off.
    pub(crate) alarm: Option<Instant>,
    /// Wakes the loop for it.
    wake_up: WakeUp,
}

/// How a turn ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing can be done until the socket is ready, an answer is, a deadline passes, or the
    /// server stops.
    Wait,
    /// There is more to answer or to read already, but it is the next connection's turn.
    Again,
    /// The conversation is over: drop the connection.
    Over(CloseReason),
}

impl<S: Service<F>, F: Framing, O: Observer> Connection<S, F, O> {
    pub(crate) fn new(
        stream: Stream,
        (mut session, mut service): (Session<F>, S),
        peer: &Peer,
        setup: &Setup<S, F, O>,
        observer: O,
        wake_up: WakeUp,
    ) -> Self {
        let now = Instant::now();
        observer.step(Step::Opening);
        session.open(&mut service, peer, now);
        Self {
            stream,
            session,
            service,
            stop: setup.stop.clone(),
            observer,
            now,
            budget: setup.options.turn_budget,
            readable: false,
            writable: true,
            peer_closed: false,
            urgent: false,
            queued: false,
            alarm: None,
            wake_up,
        }
    }

    /// Remembers what the event says. An error shows in the next read or write.
    pub(crate) fn handle_event(&mut self, event: &Event) {
        self.peer_closed |= event.is_read_closed();
        self.urgent |= event.is_priority();
        self.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.writable |= event.is_writable() || event.is_error();
    }

    /// Takes turns until nothing can be done without waiting, or the budget is used up. Judges a
    /// stop and a broken deadline, once the socket has nothing more that was in time.
    ///
    /// `now` is the latest time that the loop knows, and the turn's time counts from there: what
    /// the others have taken for their turns must not end this one.
    pub(crate) fn drive(&mut self, scratch: &mut [u8], tally: &mut Tally, now: Instant) -> Turn {
        self.now = now;
        if !self.is_due() {
            return self.take_turns(scratch, tally);
        }
        let looked = self.now;
        // The socket may be ready although no event has said so yet, and a read may stop at urgent
        // data that no event has told of.
        (self.readable, self.writable, self.urgent) = (true, true, true);
        self.write_ready();
        let turn = if self.may_read() { self.take_turns(scratch, tally) } else { Turn::Again };
        // What has become due since is judged after another look: a handler may have run long.
        if matches!(turn, Turn::Over(_)) || !self.session.is_due(self.stop.is_stopped(), looked) {
            return turn;
        }
        self.session.judge(self.stop.is_stopped(), looked);
        Turn::Again
    }

    fn is_due(&self) -> bool {
        self.session.is_due(self.stop.is_stopped(), self.now)
    }

    fn take_turns(&mut self, scratch: &mut [u8], tally: &mut Tally) -> Turn {
        let (mut reads, mut turned) = (0, false);
        let until = self.session.turn_until(self.now);
        loop {
            let over = turned && until.is_some_and(|until| until <= self.now);
            if (over || reads == self.budget) && self.may_read() {
                return Turn::Again;
            }
            let came = self.may_read() && self.read(scratch);
            if turned && !came {
                return Turn::Wait;
            }
            reads += usize::from(came);
            match self.turn(tally) {
                Turn::Wait => turned = true,
                turn => return turn,
            }
        }
    }

    fn turn(&mut self, tally: &mut Tally) -> Turn {
        // Answer what is buffered, and what another thread has answered.
        self.observer.step(Step::Answering);
        self.now = self.session.answer_with(&mut self.service, self.now);
        self.observer.step_with(|| Step::Answered(self.session.tally().questions));
        // Write what is ready.
        self.write_ready();
        *tally += self.session.take_tally();
        if self.session.wants_answer() {
            return Turn::Again;
        }
        // FIN if due.
        if self.session.poll_shutdown() && self.stream.shutdown(Shutdown::Write).is_err() {
            self.session.handle_lost(self.now);
        }
        // Stop if closed.
        if let Some(reason) = self.session.poll_closed(&mut self.service) {
            return Turn::Over(reason);
        }
        // Wait for the first of readable, writable, deadline, a deferred answer, drain: each wakes
        // the event loop.
        if self.session.expects_wake() && self.session.register_waker(self.wake_up.waker()) {
            return Turn::Again;
        }
        self.observer.step_with(|| self.session.waits_for());
        Turn::Wait
    }

    fn write_ready(&mut self) {
        while self.writable && !self.session.transmit().is_empty() {
            self.write();
        }
    }

    fn write(&mut self) {
        let unsent = self.session.transmit();
        self.observer.step(Step::Writing);
        match self.stream.write(unsent) {
            Ok(n) => {
                // The socket took what it had room for; the next write would only say so.
                self.writable = n == unsent.len();
                self.observer.step(Step::Wrote(n));
                self.session.handle_sent(n, self.now);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable = false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.session.handle_lost(self.now),
        }
    }

    fn may_read(&self) -> bool {
        self.readable && self.session.wants_read()
    }

    /// Reads once. Returns false if nothing has come.
    fn read(&mut self, scratch: &mut [u8]) -> bool {
        self.observer.step(Step::Reading);
        // The rest of a large message goes to where it is wanted.
        let (asked, read) = match self.session.input_room() {
            Some(room) => (room.len(), self.stream.read(room)),
            None => (scratch.len(), self.stream.read(scratch)),
        };
        match read {
            Ok(0) => {
                self.readable = false;
                self.observer.step(Step::Read(0));
                self.session.handle_eof(self.now);
            }
            Ok(n) => {
                // A short read has emptied the socket. Another would only say so, unless the peer
                // has closed: then it finds the EOF.
                self.readable = n == asked || self.peer_closed || self.urgent;
                self.observer.step(Step::Read(n));
                self.session.handle_read(n, scratch, self.now);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                (self.readable, self.urgent) = (false, false);
                self.observer.step_with(|| self.session.waits_for());
                return false;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.session.handle_lost(self.now),
        }
        true
    }
}

#[cfg(test)]
mod tests;
