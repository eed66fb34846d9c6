//! What a layer between the socket and the conversation says, TLS for instance.

use std::time::Instant;

use super::{Conversation, Phase};
use crate::CloseReason;
use crate::framing::Framing;

impl<F: Framing> Conversation<F> {
    /// The peer's bytes have ended, and the layer below knows that there should be more: somebody
    /// may have cut them off. Whole questions that came before are still answered, and the
    /// conversation ends with [`CloseReason::Truncated`].
    pub fn handle_truncated(&mut self, now: Instant) {
        self.advance_clock(now);
        self.peer_closed = true;
        match self.phase {
            Phase::Talking => self.end_input(CloseReason::Truncated),
            Phase::Lingering { reason, .. } => self.close(reason),
            Phase::Finishing(_) | Phase::Closed(_) => {}
        }
    }

    /// The layer below cannot go on, for this reason: a handshake was late, or the peer's bytes can
    /// never become anything. The conversation is over at once, and what is owed is not sent.
    pub fn abort(&mut self, reason: CloseReason, now: Instant) {
        self.advance_clock(now);
        match self.phase {
            Phase::Lingering { reason, .. } => self.close(reason),
            _ => self.close(reason),
        }
    }
}
