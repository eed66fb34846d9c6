//! What arrives: bytes that the peer sent, from the driver's memory or read into the conversation's
//! own.

use std::time::Instant;

use super::Conversation;
use super::phase::Phase;
use crate::CloseReason;
use crate::framing::Framing;
use crate::limits::{FREE, advanced};

impl<F: Framing> Conversation<F> {
    /// The peer sent `data`.
    ///
    /// All of it is taken. Memory is bounded because a driver reads only while
    /// [`wants_read`](Self::wants_read) is true.
    #[inline]
    pub fn handle_input(&mut self, data: &[u8], now: Instant) {
        if self.takes_input() && !data.is_empty() {
            self.inbound.append(data);
            self.took(data.len(), now);
        } else {
            self.discard(data.len(), now);
        }
    }

    /// Where the driver may read into, so that the bytes need not be copied: the conversation owns
    /// room for at least 16 KiB already, for the rest of a large message in most cases. `None`
    /// means that the driver reads into memory of its own. It reports what it has read with
    /// [`handle_read`](Self::handle_read), before anything else.
    #[inline]
    pub fn input_room(&mut self) -> Option<&mut [u8]> {
        if self.takes_input() { self.inbound.room() } else { None }
    }

    /// The peer sent `n` bytes, and they were read into [`input_room`](Self::input_room), if it
    /// gave some, or else into the beginning of `scratch`. The rest is as in
    /// [`handle_input`](Self::handle_input).
    ///
    /// ```
    /// use std::io::Read;
    /// use std::time::Instant;
    /// use zen_proto::{Conversation, Limits, aphorism};
    ///
    /// let now = Instant::now();
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// let (mut socket, mut scratch) = (&b"Simple is better than?"[..], [0; 1024]);
    ///
    /// let n = match conversation.input_room() {
    ///     Some(room) => socket.read(room)?,
    ///     None => socket.read(&mut scratch)?,
    /// };
    /// conversation.handle_read(n, &scratch, now);
    /// conversation.answer_with(&mut aphorism::Aphorisms, now);
    /// assert_eq!(conversation.transmit(), b"Complex.");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Panics
    /// If there was less room.
    #[inline]
    pub fn handle_read(&mut self, n: usize, scratch: &[u8], now: Instant) {
        if self.inbound.has_room() && self.takes_input() {
            self.inbound.fill(n);
            self.took(n, now);
        } else {
            self.handle_input(&scratch[..n], now);
        }
    }

    /// Whether bytes that come in are kept, to take questions from them.
    #[inline]
    fn takes_input(&self) -> bool {
        matches!(self.phase, Phase::Talking) && self.ended.is_none()
    }

    /// `n` more bytes are buffered.
    #[inline]
    fn took(&mut self, n: usize, now: Instant) {
        self.advance_clock(now);
        self.tally.bytes_in += n as u64;
        self.starved = false;
        if self.inbound.len() as u64 > FREE {
            self.advance_question_clock(n as u64);
        }
    }

    /// Counts `n` bytes that no question will be taken from.
    #[cold]
    #[inline(never)]
    fn discard(&mut self, n: usize, now: Instant) {
        if self.closed().is_some() {
            return;
        }
        self.advance_clock(now);
        self.tally.bytes_in += n as u64;
        if let Phase::Lingering { reason, discarded, .. } = &mut self.phase {
            *discarded += n;
            if *discarded > self.in_flight.limits.linger_bytes {
                let reason = *reason;
                self.close(reason);
            }
        } else if matches!(self.phase, Phase::Switching { .. }) && n > 0 {
            self.finish(CloseReason::Malformed, None);
        }
    }

    /// `n` more bytes of a large question have come.
    #[cold]
    fn advance_question_clock(&mut self, n: u64) {
        let (moved, rate, now) = (self.inbound.len() as u64, self.in_flight.limits.least_rate, self.now());
        self.question_since = self.question_since.map(|since| advanced(since, n, moved, rate, now));
    }
}
