//! The driver: one conversation's whole life, on a thread that waits with it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::Instant;

use socket2::Socket;
use zen_proto::{CloseReason, Framing, Peer, Service};
use zen_server::{Counters, Observer, Session, Step, StopHandle};

use crate::architecture::Shared;
use crate::timeouts::{Timeouts, is_timeout};
use crate::wait::{StopPipe, Wait};
use crate::wake_up::WakeUp;

/// How much one read takes, in bytes. The buffer lies on the thread's stack, and is most of what an
/// idle thread has touched of it.
const SCRATCH: usize = 2 * 1024;

/// How many reads the socket is looked at for, once a deadline has passed or the server stops. A
/// peer that sends white space without end is late, although something has always come.
const LOOKS: usize = 128;

/// One connection: its socket, its session, and what the thread needs beside them.
pub(crate) struct Connection<'a, S, F: Framing, O> {
    stream: &'a Socket,
    session: Session<F>,
    service: S,
    stop: &'a StopHandle,
    counters: &'a Counters,
    observer: O,
    /// The time after the last wait, or after the last answer.
    now: Instant,
    /// How long a read or a write may wait.
    timeouts: Timeouts,
    /// The last read has timed out: the next wait is in `poll`, where the stop handle can end it.
    quiet: bool,
    stop_pipe: &'a StopPipe,
    /// Wakes the thread.
    wake_up: WakeUp,
}

/// How a turn ended.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Nothing can be done until the peer sends, an answer is ready, a deadline passes, or the
    /// server stops.
    Wait,
    /// There is more to answer or to write already.
    Again,
    /// The conversation is over: drop the connection.
    Over(CloseReason),
}

impl<'a, S: Service<F>, F: Framing, O: Observer> Connection<'a, S, F, O> {
    pub(crate) fn new(
        stream: &'a Socket,
        (mut session, mut service): (Session<F>, S),
        peer: &Peer,
        shared: &'a Shared,
        observer: O,
    ) -> Self {
        let now = Instant::now();
        observer.step(Step::Opening);
        session.open(&mut service, peer, now);
        Self {
            stream,
            session,
            service,
            stop: &shared.stop,
            counters: &shared.counters,
            observer,
            now,
            timeouts: Timeouts::default(),
            quiet: false,
            stop_pipe: &shared.stop_pipe,
            wake_up: WakeUp::default(),
        }
    }

    /// Takes turns until the conversation is over. Judges a stop and a broken deadline, once the
    /// socket has nothing more that was in time.
    pub(crate) fn drive(mut self) -> CloseReason {
        let (mut scratch, mut looks) = ([0; SCRATCH], 0);
        loop {
            match self.turn() {
                Turn::Over(reason) => return reason,
                _ if self.is_due() => {
                    let now = self.now;
                    if looks < LOOKS && self.look(&mut scratch) {
                        looks += 1;
                    } else if self.session.is_due(self.stop.is_stopped(), now) {
                        self.session.judge(self.stop.is_stopped(), now);
                    }
                }
                Turn::Again => looks = 0,
                Turn::Wait => {
                    looks = 0;
                    self.read(&mut scratch);
                }
            }
        }
    }

    fn is_due(&self) -> bool {
        self.session.is_due(self.stop.is_stopped(), self.now)
    }

    fn turn(&mut self) -> Turn {
        // Answer what is buffered, and what another thread has answered.
        self.observer.step(Step::Answering);
        self.now = self.session.answer_with(&mut self.service, self.now);
        self.observer.step_with(|| Step::Answered(self.session.tally().questions));
        // Write what is ready. A peer that takes a little at a time gets a turn for each piece, so
        // that a stop and a broken deadline are noticed.
        if !self.session.transmit().is_empty() {
            self.write();
        }
        self.counters.count(self.session.take_tally());
        if self.session.wants_answer() || !self.session.transmit().is_empty() {
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
        // Wait for the first of readable, deadline, a deferred answer, drain: each ends the read.
        // (The write has waited for writable.)
        if self.session.expects_wake() && self.session.register_waker(self.wake_up.waker()) {
            return Turn::Again;
        }
        Turn::Wait
    }

    /// Reads and writes what does not have to be waited for. Returns false if nothing has come.
    fn look(&mut self, scratch: &mut [u8]) -> bool {
        if !self.session.transmit().is_empty() && self.session.poll_timeout().is_some_and(|at| at <= self.now)
        {
            // The time is up already, so this waits for the shortest time there is.
            self.write();
        }
        if !self.session.wants_read() {
            return false;
        }
        let now = Some(self.now);
        let wait =
            Wait { stream: Some(self.stream), wake_up: None, stop: None, deadline: now, now: self.now };
        let came = wait.until_readable().is_ok();
        if came {
            let read = self.read_ready(scratch);
            self.handle_read(read, scratch);
        }
        came
    }

    /// Waits until the peer has room, or the deadline. Another thread's answer does not end this
    /// wait: it leaves after what is being written. `write_all` would hide how far the write got.
    fn write(&mut self) {
        self.timeouts.before_write(self.stream, self.session.poll_timeout(), self.now);
        self.observer.step(Step::Writing);
        let written = (&mut &*self.stream).write(self.session.transmit());
        self.now = Instant::now();
        match written {
            Ok(n) => {
                self.observer.step(Step::Wrote(n));
                self.session.handle_sent(n, self.now);
            }
            Err(error) if is_timeout(&error) => self.timeouts.write_timed_out(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.session.handle_lost(self.now),
        }
    }

    /// Waits until the peer has sent, another thread has answered, or the deadline, or the stop.
    fn read(&mut self, scratch: &mut [u8]) {
        self.observer.step_with(|| self.session.waits_for());
        let read = self.wait().and_then(|()| self.read_ready(scratch));
        self.handle_read(read, scratch);
    }

    fn read_ready(&mut self, scratch: &mut [u8]) -> io::Result<usize> {
        // The rest of a large message goes to where it is wanted.
        match self.session.input_room() {
            Some(room) => (&mut &*self.stream).read(room),
            None => (&mut &*self.stream).read(scratch),
        }
    }

    fn handle_read(&mut self, read: io::Result<usize>, scratch: &[u8]) {
        self.now = Instant::now();
        self.quiet = read.as_ref().is_err_and(is_timeout);
        match read {
            Ok(0) => {
                self.observer.step(Step::Read(0));
                self.session.handle_eof(self.now);
            }
            Ok(n) => {
                self.observer.step(Step::Read(n));
                self.session.handle_read(n, scratch, self.now);
            }
            Err(error) if is_timeout(&error) => self.timeouts.read_timed_out(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.session.handle_lost(self.now),
        }
    }

    /// Waits in `poll` if the read alone could wait too long.
    fn wait(&mut self) -> io::Result<()> {
        let deadline = self.session.poll_timeout();
        let expects_wake = self.session.expects_wake();
        if self.quiet || expects_wake {
            let wait = Wait {
                stream: self.session.wants_read().then_some(self.stream),
                wake_up: expects_wake.then_some(&self.wake_up),
                stop: (!self.session.is_draining()).then_some(self.stop_pipe),
                deadline,
                now: self.now,
            };
            wait.until_readable()
        } else {
            self.timeouts.before_read(self.stream, deadline, self.now);
            Ok(())
        }
    }
}
