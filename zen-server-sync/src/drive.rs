//! The driver: one conversation's whole life, on a thread that waits with it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

use zen_proto::{CloseReason, Conversation, Framing, Service};
use zen_server::Counters;

use crate::bell::Bell;
use crate::timeouts::{Timeouts, is_timeout};

/// How much one read takes, in bytes. It lies on the thread's stack, and is most of what an idle thread has touched of it.
const SCRATCH: usize = 2 * 1024;

/// One connection: its socket, and the thread's seat beside it.
pub(crate) struct Connection<'a, S, F> {
    stream: &'a TcpStream,
    conversation: Conversation<F>,
    service: S,
    /// How long a read or a write may wait.
    timeouts: Timeouts,
    /// The peer was waited for in vain: the next wait is where the stop handle can end it.
    quiet: bool,
    bell: &'a Bell,
    counters: &'a Counters,
    /// The time after the last wait.
    now: Instant,
}

impl<'a, S: Service, F: Framing> Connection<'a, S, F> {
    pub(crate) fn new(
        stream: &'a TcpStream,
        (conversation, service): (Conversation<F>, S),
        bell: &'a Bell,
        counters: &'a Counters,
    ) -> Self {
        Self {
            stream,
            conversation,
            service,
            timeouts: Timeouts::default(),
            quiet: false,
            bell,
            counters,
            now: Instant::now(),
        }
    }

    /// Serves until the conversation is over.
    pub(crate) fn drive(mut self) -> CloseReason {
        let mut scratch = [0; SCRATCH];
        loop {
            self.look_up();
            // Answer what is buffered.
            self.conversation.answer_with(&mut self.service, self.now);
            // Write what is ready.
            while !self.conversation.transmit().is_empty() {
                self.write();
            }
            self.counters.count(self.conversation.take_tally());
            if self.conversation.wants_answer() {
                continue;
            }
            // FIN if due.
            if self.conversation.poll_shutdown() && self.stream.shutdown(Shutdown::Write).is_err() {
                self.conversation.handle_lost(self.now);
            }
            // Stop if closed.
            if let Some(reason) = self.conversation.closed() {
                return reason;
            }
            // Wait for the first of readable, deadline, drain. (Writable was waited for above.)
            self.read(&mut scratch);
        }
    }

    /// Waits until the peer has room, or the deadline: not with `write_all`, which would hide how far it got.
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
        if !self.conversation.transmit().is_empty() {
            self.look_up();
        }
    }

    /// Waits until the peer has sent, or the deadline, or the drain.
    fn read(&mut self, scratch: &mut [u8]) {
        let deadline = self.conversation.poll_timeout();
        let waited = if self.quiet {
            self.bell.wait(self.stream, deadline, self.now, self.conversation.is_draining())
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

    /// Notices what a wait may have kept from it. A peer that trickles or sips ends every wait before its timeout, so that the
    /// thread looks up after each, and not only after those that were in vain.
    fn look_up(&mut self) {
        if self.bell.is_stopped() {
            self.conversation.drain(self.now);
        }
        self.conversation.handle_timeout(self.now);
    }
}
