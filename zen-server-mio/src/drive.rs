//! The driver: one turn of one conversation, taken when its socket is ready. Never waits.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::Instant;

use mio::event::Event;
use mio::net::TcpStream;
use zen_proto::{CloseReason, Conversation, Framing, Service};

/// One connection of an event loop: its socket, and what is known of the socket's readiness.
#[derive(Debug)]
pub(crate) struct Connection<S, F> {
    stream: TcpStream,
    pub(crate) conversation: Conversation<F>,
    service: S,
    /// mio tells of readiness once, when it begins: what is not used must be remembered, or the rest is never asked for.
    readable: bool,
    writable: bool,
    peer_closed: bool,
    /// Whether the connection waits for another turn because it has used up its last.
    pub(crate) queued: bool,
    /// When the loop's timer for it goes off.
    pub(crate) alarm: Option<Instant>,
}

/// How a turn ended.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Nothing can be done until the socket is ready, or a deadline passes.
    Wait,
    /// There is more to read, but it is the next connection's turn.
    Again,
    /// The conversation is over: drop the connection.
    Over(CloseReason),
}

impl<S: Service, F: Framing> Connection<S, F> {
    pub(crate) fn new(stream: TcpStream, (conversation, service): (Conversation<F>, S)) -> Self {
        Self {
            stream,
            conversation,
            service,
            readable: false,
            writable: true,
            peer_closed: false,
            queued: false,
            alarm: None,
        }
    }

    pub(crate) fn stream_mut(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Notes what the event says. An error shows in the next read or write.
    pub(crate) fn note(&mut self, event: &Event) {
        self.peer_closed |= event.is_read_closed();
        self.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.writable |= event.is_writable() || event.is_error();
    }

    /// Does what can be done without waiting, reading `budget` times at the most.
    pub(crate) fn turn(&mut self, scratch: &mut [u8], budget: usize, now: Instant) -> Turn {
        for _ in 0..budget {
            // Answer what is buffered.
            self.conversation.answer_with(&mut self.service, now);
            // Write what is ready.
            while self.writable && !self.conversation.transmit().is_empty() {
                self.write(now);
            }
            if self.conversation.wants_answer() {
                continue;
            }
            // FIN if due.
            if self.conversation.poll_shutdown() && self.stream.shutdown(Shutdown::Write).is_err() {
                self.conversation.handle_lost(now);
            }
            // Stop if closed.
            if let Some(reason) = self.conversation.closed() {
                return Turn::Over(reason);
            }
            // Wait for the first of readable, writable, deadline, drain: the loop does.
            if !self.readable || !self.conversation.wants_read() {
                return Turn::Wait;
            }
            self.read(scratch, now);
        }
        Turn::Again
    }

    fn write(&mut self, now: Instant) {
        let unsent = self.conversation.transmit();
        match self.stream.write(unsent) {
            Ok(n) => {
                // The socket took what it had room for; the next write would only say so.
                self.writable = n == unsent.len();
                self.conversation.handle_sent(n, now);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable = false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.conversation.handle_lost(now),
        }
    }

    fn read(&mut self, scratch: &mut [u8], now: Instant) {
        match self.stream.read(scratch) {
            Ok(0) => {
                self.readable = false;
                self.conversation.handle_eof(now);
            }
            Ok(n) => {
                // A short read has emptied the socket; the next would only say so, unless there is an EOF still to be read.
                self.readable = n == scratch.len() || self.peer_closed;
                self.conversation.handle_input(&scratch[..n], now);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.conversation.handle_lost(now),
        }
    }
}
