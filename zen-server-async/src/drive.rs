//! The driver: one conversation's turns, taken when its task is woken. Never waits.

use std::cell::RefCell;
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use zen_proto::{CloseReason, Framing, Peer, Service};
use zen_server::{Counters, Observer, Session, Setup, Step, StopHandle};

use crate::stream::Stream;

/// How much one read takes, in bytes.
const SCRATCH_SIZE: usize = 16 * 1024;

thread_local! {
    /// What a read reads into. One buffer serves all tasks of a thread, so that a waiting task owns
    /// none.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_SIZE].into());
}

/// One connection: its socket, its session, and what the task needs beside them.
pub(crate) struct Connection<S, F: Framing, O> {
    stream: Stream,
    pub(crate) session: Session<F>,
    service: S,
    pub(crate) stop: StopHandle,
    counters: Arc<Counters>,
    pub(crate) observer: O,
    /// The time when the task was woken, or after the last answer.
    now: Instant,
    /// How many reads it gets before it is the next task's turn.
    budget: usize,
    /// Whether the socket has not said "not now" since the task was woken. Once it has, it wakes
    /// the task when it is ready.
    readable: bool,
    writable: bool,
    /// Something is due to be judged, so the socket itself is asked: the runtime may not have heard
    /// yet that it is ready.
    looks: bool,
}

/// How a turn ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing can be done until the socket is ready, an answer is, a deadline passes, or the
    /// server stops.
    Wait,
    /// There is more to answer or to read already, but it is the next task's turn.
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
    ) -> Self {
        let now = Instant::now();
        observer.step(Step::Opening);
        session.open(&mut service, peer, now);
        Self {
            stream,
            session,
            service,
            stop: setup.stop.clone(),
            counters: Arc::clone(&setup.counters),
            observer,
            now,
            budget: setup.options.turn_budget,
            readable: true,
            writable: true,
            looks: false,
        }
    }

    /// Takes turns until nothing can be done without waiting, or the budget is used up. Judges a
    /// stop and a broken deadline, once the socket has nothing more that was in time.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) -> Turn {
        self.now = Instant::now();
        (self.readable, self.writable) = (true, true);
        self.looks = self.is_due();
        if !self.looks {
            return self.take_turns(cx);
        }
        let looked = self.now;
        self.write_ready(cx);
        let turn = if self.may_read() { self.take_turns(cx) } else { Turn::Again };
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

    fn take_turns(&mut self, cx: &mut Context<'_>) -> Turn {
        let (mut reads, mut turned) = (0, false);
        let until = self.session.turn_until(self.now);
        loop {
            let over = turned && until.is_some_and(|until| until <= self.now);
            if (over || reads == self.budget) && self.may_read() {
                return Turn::Again;
            }
            let came = self.may_read() && self.read(cx);
            if turned && !came {
                return Turn::Wait;
            }
            reads += usize::from(came);
            match self.turn(cx) {
                Turn::Wait => turned = true,
                turn => return turn,
            }
        }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Turn {
        // Answer what is buffered, and what another thread has answered.
        self.observer.step(Step::Answering);
        self.now = self.session.answer_with(&mut self.service, self.now);
        self.observer.step_with(|| Step::Answered(self.session.tally().questions));
        // Write what is ready.
        self.write_ready(cx);
        self.counters.count(self.session.take_tally());
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
        // the task.
        if self.session.expects_wake() && self.session.register_waker(cx.waker()) {
            return Turn::Again;
        }
        self.observer.step_with(|| self.session.waits_for());
        Turn::Wait
    }

    fn write_ready(&mut self, cx: &mut Context<'_>) {
        while self.writable && !self.session.transmit().is_empty() {
            self.write(cx);
        }
    }

    fn write(&mut self, cx: &mut Context<'_>) {
        let unsent = self.session.transmit();
        self.observer.step(Step::Writing);
        match self.stream.poll_write(cx, unsent, self.looks) {
            Poll::Ready(Ok(n)) => {
                self.observer.step(Step::Wrote(n));
                self.session.handle_sent(n, self.now);
            }
            Poll::Pending => self.writable = false,
            Poll::Ready(Err(_)) => self.session.handle_lost(self.now),
        }
    }

    fn may_read(&self) -> bool {
        self.readable && self.session.wants_read()
    }

    /// Reads once. Returns false if nothing has come.
    fn read(&mut self, cx: &mut Context<'_>) -> bool {
        SCRATCH.with_borrow_mut(|scratch| self.read_into(scratch, cx))
    }

    fn read_into(&mut self, scratch: &mut [u8], cx: &mut Context<'_>) -> bool {
        self.observer.step(Step::Reading);
        // The rest of a large message goes to where it is wanted.
        let read = match self.session.input_room() {
            Some(room) => self.stream.poll_read(cx, room, self.looks),
            None => self.stream.poll_read(cx, scratch, self.looks),
        };
        match read {
            Poll::Ready(Ok(0)) => {
                self.observer.step(Step::Read(0));
                self.session.handle_eof(self.now);
            }
            Poll::Ready(Ok(n)) => {
                self.observer.step(Step::Read(n));
                self.session.handle_read(n, scratch, self.now);
            }
            Poll::Pending => {
                self.readable = false;
                self.observer.step_with(|| self.session.waits_for());
                return false;
            }
            Poll::Ready(Err(_)) => self.session.handle_lost(self.now),
        }
        true
    }
}

#[cfg(test)]
mod tests;
