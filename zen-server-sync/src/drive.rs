//! The driver: one conversation's whole life, on a thread that waits with it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

use zen_proto::{CloseReason, Conversation, Counters, Framing, Service};

use crate::seats::Seat;
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
    /// Where the stop handle finds a thread that waits for a question.
    seat: &'a Seat,
    counters: &'a Counters,
    /// The time after the last wait.
    now: Instant,
}

impl<'a, S: Service, F: Framing> Connection<'a, S, F> {
    pub(crate) fn new(
        seat: &'a Seat,
        (conversation, service): (Conversation<F>, S),
        counters: &'a Counters,
    ) -> Self {
        Self {
            stream: seat.stream(),
            conversation,
            service,
            timeouts: Timeouts::default(),
            seat,
            counters,
            now: Instant::now(),
        }
    }

    /// Serves until the conversation is over.
    pub(crate) fn drive(mut self) -> CloseReason {
        let mut scratch = [0; SCRATCH];
        loop {
            if self.seat.is_stopped() {
                self.conversation.drain(self.now);
            }
            // A peer that trickles ends every wait before its timeout.
            self.conversation.handle_timeout(self.now);
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
            Err(error) if is_timeout(&error) => {
                if self.seat.is_stopped() {
                    self.conversation.drain(self.now);
                }
                self.conversation.handle_timeout(self.now);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.conversation.handle_lost(self.now),
        }
    }

    /// Waits until the peer has sent, or the deadline, or the drain.
    fn read(&mut self, scratch: &mut [u8]) {
        self.timeouts.before_read(self.stream, self.conversation.poll_timeout(), self.now);
        let read = self.seat.wait(self.conversation.is_draining(), || (&mut &*self.stream).read(scratch));
        self.now = Instant::now();
        match read {
            // The stop handle woke the thread: the next turn drains.
            None => {}
            Some(Ok(0)) => self.conversation.handle_eof(self.now),
            Some(Ok(n)) => self.conversation.handle_input(&scratch[..n], self.now),
            Some(Err(error)) if is_timeout(&error) => {
                self.timeouts.read_timed_out();
                self.conversation.handle_timeout(self.now);
            }
            Some(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
            Some(Err(_)) => self.conversation.handle_lost(self.now),
        }
    }
}
