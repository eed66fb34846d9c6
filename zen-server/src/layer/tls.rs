//! TLS between a socket and a conversation, by rustls, which does no I/O of its own.
//!
//! None of this is inlined into the drivers, where it would be in the way of plain bytes.

use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use rustls::ServerConnection;
use zen_proto::{CloseReason, Conversation, Framing, Limits};

/// How much of an answer one record holds, in bytes: the most that TLS allows.
const RECORD: usize = 16 * 1024;

/// Nothing is read while more than this waits to be written, in bytes. Reading can make TLS answer.
const HIGH_WATER: usize = 32 * 1024;

/// The TLS of one session.
#[derive(Debug)]
pub(crate) struct Tls {
    connection: ServerConnection,
    /// Ciphertext. What was written of it stays until all is.
    out: Vec<u8>,
    written: usize,
    /// How much of the conversation's text is in `out`.
    text: usize,
    /// Until when the handshake has to be done.
    handshake_until: Option<Instant>,
    /// The peer has said that it sends no more.
    peer_closed: bool,
    /// What the peer has sent is no TLS. The rest of it is read and discarded.
    refused: bool,
    fin_due: bool,
    /// The conversation is over, and so is the session once its last bytes are written.
    closed: bool,
    /// Until when they may be.
    closing_until: Option<Instant>,
    /// Nothing more can be sent.
    lost: bool,
    linger: Duration,
}

impl Tls {
    pub(crate) fn new(connection: ServerConnection, limits: &Limits, now: Instant) -> Self {
        Self {
            connection,
            out: Vec::new(),
            written: 0,
            text: 0,
            handshake_until: now.checked_add(limits.question_deadline),
            peer_closed: false,
            refused: false,
            fin_due: false,
            closed: false,
            closing_until: None,
            lost: false,
            linger: limits.linger_deadline,
        }
    }

    #[inline(never)]
    pub(crate) fn handle_input<F: Framing>(
        &mut self,
        conversation: &mut Conversation<F>,
        mut data: &[u8],
        now: Instant,
    ) {
        if self.refused {
            conversation.handle_input(data, now);
            return self.write_records(conversation, now);
        }
        while !data.is_empty() && conversation.closed().is_none() {
            // No more is taken of what comes after the peer's end, or more than rustls holds.
            if !self.connection.read_tls(&mut data).is_ok_and(|n| n > 0) {
                break;
            }
            let Ok(state) = self.connection.process_new_packets() else {
                // rustls has an alert ready, which says why. The peer can read it only if nothing
                // that it has sent is left unread when the socket is closed.
                self.refused = true;
                self.handshake_until = None;
                conversation.refuse(CloseReason::Malformed, now);
                conversation.handle_input(data, now);
                break;
            };
            if !self.connection.is_handshaking() && self.handshake_until.take().is_some() {
                conversation.handle_tls_started(now);
            }
            let mut text = self.connection.reader();
            while let Ok(read) = text.fill_buf()
                && !read.is_empty()
            {
                conversation.handle_input(read, now);
                let read = read.len();
                text.consume(read);
            }
            if state.peer_has_closed() && !self.peer_closed {
                self.peer_closed = true;
                conversation.handle_eof(now);
            }
        }
        self.write_records(conversation, now);
    }

    #[inline(never)]
    pub(crate) fn handle_eof<F: Framing>(&mut self, conversation: &mut Conversation<F>, now: Instant) {
        if self.peer_closed {
            conversation.handle_eof(now);
        } else {
            conversation.handle_truncated(now);
        }
        self.write_records(conversation, now);
    }

    /// The text of a record is sent once the whole record is.
    #[inline(never)]
    pub(crate) fn handle_sent<F: Framing>(
        &mut self,
        conversation: &mut Conversation<F>,
        n: usize,
        now: Instant,
    ) {
        assert!(n <= self.transmit().len(), "{n} bytes sent, only {} were to be sent", self.transmit().len());
        self.written += n;
        if self.transmit().is_empty() {
            (self.out, self.written) = (Vec::new(), 0);
            conversation.handle_sent(std::mem::take(&mut self.text), now);
            self.write_records(conversation, now);
        }
    }

    #[inline(never)]
    pub(crate) fn handle_timeout<F: Framing>(&mut self, conversation: &mut Conversation<F>, now: Instant) {
        let is_over = |until: Option<Instant>| until.is_some_and(|until| until <= now);
        if is_over(self.handshake_until) {
            conversation.abort(CloseReason::QuestionDeadline, now);
        }
        if is_over(self.closing_until) {
            self.handle_lost();
        }
        self.write_records(conversation, now);
    }

    /// Nothing more is sent.
    #[inline(never)]
    pub(crate) fn handle_lost(&mut self) {
        (self.out, self.written, self.text) = (Vec::new(), 0, 0);
        self.lost = true;
        self.closing_until = None;
        self.fin_due = false;
    }

    pub(crate) fn transmit(&self) -> &[u8] {
        &self.out[self.written..]
    }

    #[inline(never)]
    pub(crate) fn wants_read<F: Framing>(&self, conversation: &Conversation<F>) -> bool {
        let has_room = self.transmit().len() < HIGH_WATER;
        let wanted = conversation.wants_read() || (self.connection.is_handshaking() && !self.refused);
        has_room && wanted && conversation.closed().is_none()
    }

    #[inline(never)]
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.handshake_until.into_iter().chain(self.closing_until).min()
    }

    /// FIN follows `close_notify`.
    #[inline(never)]
    pub(crate) fn poll_shutdown(&mut self) -> bool {
        self.transmit().is_empty() && std::mem::take(&mut self.fin_due)
    }

    /// Makes records of what the conversation has to send, once those before are written.
    #[inline(never)]
    pub(crate) fn write_records<F: Framing>(&mut self, conversation: &mut Conversation<F>, now: Instant) {
        if conversation.poll_shutdown() {
            self.fin_due = true;
            self.connection.send_close_notify();
        }
        if let Some(reason) = conversation.closed() {
            self.close(reason, now);
        } else if self.transmit().is_empty() && !self.connection.is_handshaking() {
            let unsent = conversation.transmit();
            // rustls takes at least one record, since it has handed out all that it had before.
            self.text = self.connection.writer().write(&unsent[..unsent.len().min(RECORD)]).unwrap_or(0);
        }
        self.take_records();
    }

    /// The conversation is over: says so to a peer that may still listen.
    fn close(&mut self, reason: CloseReason, now: Instant) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        self.handshake_until = None;
        self.text = 0;
        match reason {
            CloseReason::ConnectionLost | CloseReason::WriteDeadline | CloseReason::DrainDeadline => {
                self.handle_lost();
            }
            _ => {
                self.connection.send_close_notify();
                self.closing_until = now.checked_add(self.linger);
            }
        }
    }

    fn take_records(&mut self) {
        while self.connection.wants_write() && !self.lost {
            // Writing to memory does not fail.
            if self.connection.write_tls(&mut self.out).is_err() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests;
