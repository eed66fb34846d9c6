//! The driver: one conversation's whole life, on a thread that waits with it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

use zen_proto::{CloseReason, Conversation, Framing, Service};
use zen_server::{Counters, StopHandle};

use crate::architecture::Shared;
use crate::timeouts::{Timeouts, is_timeout};
use crate::wake_pipe::WakePipe;

/// How much one read takes, in bytes. The buffer lies on the thread's stack, and is most of what an
/// idle thread has touched of it.
const SCRATCH: usize = 2 * 1024;

/// One connection: its socket, its conversation, and what the thread needs beside them.
pub(crate) struct Connection<'a, S, F: Framing> {
    stream: &'a TcpStream,
    conversation: Conversation<F>,
    service: S,
    stop: &'a StopHandle,
    counters: &'a Counters,
    /// The time after the last wait.
    now: Instant,
    /// How long a read or a write may wait.
    timeouts: Timeouts,
    /// The last read has timed out: the next wait is in `poll`, where the stop handle can end it.
    quiet: bool,
    wake_pipe: &'a WakePipe,
}

/// How a turn ended.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Nothing can be done until the peer sends, a deadline passes, or the server stops.
    Wait,
    /// There is more to answer already.
    Again,
    /// The conversation is over: drop the connection.
    Over(CloseReason),
}

impl<'a, S: Service<F>, F: Framing> Connection<'a, S, F> {
    pub(crate) fn new(
        stream: &'a TcpStream,
        (conversation, service): (Conversation<F>, S),
        shared: &'a Shared,
    ) -> Self {
        Self {
            stream,
            conversation,
            service,
            stop: &shared.stop,
            counters: &shared.counters,
            now: Instant::now(),
            timeouts: Timeouts::default(),
            quiet: false,
            wake_pipe: &shared.wake_pipe,
        }
    }

    /// Takes turns until the conversation is over.
    pub(crate) fn drive(mut self) -> CloseReason {
        let mut scratch = [0; SCRATCH];
        loop {
            match self.turn() {
                Turn::Wait => self.read(&mut scratch),
                Turn::Again => {}
                Turn::Over(reason) => return reason,
            }
        }
    }

    fn turn(&mut self) -> Turn {
        // Notice a stop and a broken deadline.
        self.notice();
        // Answer what is buffered.
        self.conversation.answer_with(&mut self.service, self.now);
        // Write what is ready.
        while !self.conversation.transmit().is_empty() {
            self.write();
        }
        self.counters.count(self.conversation.take_tally());
        if self.conversation.wants_answer() {
            return Turn::Again;
        }
        // FIN if due.
        if self.conversation.poll_shutdown() && self.stream.shutdown(Shutdown::Write).is_err() {
            self.conversation.handle_lost(self.now);
        }
        // Stop if closed.
        if let Some(reason) = self.conversation.poll_closed(&mut self.service) {
            return Turn::Over(reason);
        }
        // Wait for the first of readable, deadline, drain. (The write has waited for writable.)
        Turn::Wait
    }

    fn notice(&mut self) {
        if self.stop.is_stopped() {
            self.conversation.drain(self.now);
        }
        self.conversation.handle_timeout(self.now);
    }

    /// Waits until the peer has room, or the deadline. `write_all` would hide how far it got.
    fn write(&mut self) {
        self.timeouts.before_write(self.stream, self.conversation.poll_timeout(), self.now);
        let written = (&mut &*self.stream).write(self.conversation.transmit());
        self.now = Instant::now();
        match written {
            Ok(n) => self.conversation.handle_sent(n, self.now),
            Err(error) if is_timeout(&error) => self.timeouts.write_timed_out(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.conversation.handle_lost(self.now),
        }
        // A peer that takes a little at a time ends every wait before its timeout, so a stop or a
        // broken deadline has to be noticed after each of them.
        if !self.conversation.transmit().is_empty() {
            self.notice();
        }
    }

    /// Waits until the peer has sent, or the deadline, or the stop.
    fn read(&mut self, scratch: &mut [u8]) {
        let deadline = self.conversation.poll_timeout();
        let waited = if self.quiet {
            self.wake_pipe.wait(self.stream, deadline, self.now, self.conversation.is_draining())
        } else {
            self.timeouts.before_read(self.stream, deadline, self.now);
            Ok(())
        };
        let read = waited.and_then(|()| (&mut &*self.stream).read(scratch));
        self.now = Instant::now();
        self.quiet = read.as_ref().is_err_and(is_timeout);
        match read {
            Ok(0) => self.conversation.handle_eof(self.now),
            Ok(n) => self.conversation.handle_input(&scratch[..n], self.now),
            Err(error) if is_timeout(&error) => self.timeouts.read_timed_out(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.conversation.handle_lost(self.now),
        }
    }
}
