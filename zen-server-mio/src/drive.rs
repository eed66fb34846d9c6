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
    /// The time after the loop's last wait, or after the last answer.
    now: Instant,
    /// What had come by that time is known, so that a deadline may be judged.
    may_judge: bool,
    /// How many reads it gets before it is the next connection's turn.
    budget: usize,
    /// mio announces readiness once, when it begins. What is not used at once must be remembered,
    /// or the rest is never asked for.
    readable: bool,
    writable: bool,
    peer_closed: bool,
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
            may_judge: true,
            budget: setup.options.turn_budget,
            readable: false,
            writable: true,
            peer_closed: false,
            queued: false,
            alarm: None,
            wake_up,
        }
    }

    /// Remembers what the event says. An error shows in the next read or write.
    pub(crate) fn handle_event(&mut self, event: &Event) {
        self.peer_closed |= event.is_read_closed();
        self.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.writable |= event.is_writable() || event.is_error();
    }

    /// Takes turns until nothing can be done without waiting, or the budget is used up.
    ///
    /// The loop has waited until `waited`. `began` is the latest time that it knows, and the turn's
    /// time counts from there: what the others have taken for their turns must not end this one.
    pub(crate) fn drive(
        &mut self,
        scratch: &mut [u8],
        tally: &mut Tally,
        (waited, began): (Instant, Instant),
    ) -> Turn {
        // Driven for the second time since the wait, it may have been sent what nobody has noticed.
        self.may_judge = self.now <= waited;
        self.now = self.now.max(waited);
        let (mut reads, mut turned) = (0, false);
        let until = self.session.turn_until(began);
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
            match self.turn(tally, began) {
                Turn::Wait => (turned, self.may_judge) = (true, true),
                turn => return turn,
            }
        }
    }

    fn turn(&mut self, tally: &mut Tally, began: Instant) -> Turn {
        // Notice a stop and a broken deadline.
        self.notice();
        // Answer what is buffered, and what another thread has answered.
        self.observer.step(Step::Answering);
        self.now = self.session.answer_with(&mut self.service, self.now.max(began));
        self.observer.step_with(|| Step::Answered(self.session.tally().questions));
        // Write what is ready.
        while self.writable && !self.session.transmit().is_empty() {
            self.write();
        }
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

    fn notice(&mut self) {
        if self.stop.is_stopped() {
            self.session.drain(self.now);
        }
        if self.may_judge {
            self.session.handle_timeout(self.now);
        }
    }

    /// The latest time that it knows.
    pub(crate) fn now(&self) -> Instant {
        self.now
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
                self.readable = n == asked || self.peer_closed;
                self.observer.step(Step::Read(n));
                self.session.handle_read(n, scratch, self.now);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.readable = false;
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
