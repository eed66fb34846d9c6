//! What a layer between the socket and the conversation is asked for and says, TLS for instance.

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
            Phase::Switching { .. } => self.finish(CloseReason::Truncated, None),
            Phase::Lingering { reason, .. } => self.close(reason),
            Phase::Finishing(_) | Phase::Closed(_) => {}
        }
    }

    /// True once, when the service has asked for TLS ([`Flow::StartTls`](crate::Flow::StartTls))
    /// and everything in plain text is sent: the bytes from now on are those of a handshake.
    #[inline]
    pub fn poll_start_tls(&mut self) -> bool {
        matches!(self.phase, Phase::Switching { begun: false }) && self.begin_tls()
    }

    /// The handshake that [`poll_start_tls`](Self::poll_start_tls) has asked for is done, and
    /// questions are taken again. A conversation that was under TLS from the first byte needs no
    /// such call, and ignores it.
    pub fn handle_tls_started(&mut self, now: Instant) {
        self.advance_clock(now);
        self.end_handshake();
    }

    /// The peer's bytes can never become anything to the layer below, which tells it so. What is
    /// owed is not sent; FIN and a lingering close follow.
    pub fn refuse(&mut self, reason: CloseReason, now: Instant) {
        self.advance_clock(now);
        self.linger(reason);
    }

    /// The layer below cannot go on, for this reason: a handshake was late, for instance. The
    /// conversation is over at once, and what is owed is not sent.
    pub fn abort(&mut self, reason: CloseReason, now: Instant) {
        self.advance_clock(now);
        match self.phase {
            Phase::Lingering { reason, .. } => self.close(reason),
            _ => self.close(reason),
        }
    }
}
