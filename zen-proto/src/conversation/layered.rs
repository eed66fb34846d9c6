//! What a layer between the socket and the conversation is asked for and says, TLS for instance.

use std::time::Instant;

use super::{Conversation, Phase};
use crate::CloseReason;
use crate::framing::Framing;

impl<F: Framing> Conversation<F> {
    /// The peer's bytes have ended, and the layer below knows that there should be more: somebody
    /// may have cut them off. Whole questions that came before are still answered, and the
    /// conversation ends with [`CloseReason::Truncated`].
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// # use zen_proto::CloseReason;
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// // TLS says that no `close_notify` came before the end of the peer's bytes.
    /// conversation.handle_input(b"Why?", now);
    /// conversation.handle_truncated(now);
    /// conversation.answer_with(&mut aphorism::Aphorisms, now);
    /// conversation.handle_sent(conversation.transmit().len(), now);
    /// assert_eq!(conversation.closed(), Some(CloseReason::Truncated));
    /// ```
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
    ///
    /// ```
    /// use std::time::Instant;
    /// use zen_proto::{Address, Answer, Conversation, Flow, Limits, Peer, Tls, aphorism};
    ///
    /// let now = Instant::now();
    /// let mut service = |question: &[u8], answer: &mut Answer<'_>| {
    ///     answer.put(b"Yes.");
    ///     if question == b"encrypt?" { Flow::StartTls } else { Flow::Continue }
    /// };
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// let peer = Peer::new(Address::Unknown, Address::Unknown, 1).with_tls(Tls::Offered);
    /// conversation.open(&mut service, &peer, now);
    /// conversation.handle_input(b"encrypt?", now);
    /// conversation.answer_with(&mut service, now);
    /// assert!(!conversation.poll_start_tls(), "the answer is not sent yet");
    /// conversation.handle_sent(4, now);
    /// assert!(conversation.poll_start_tls(), "begin the handshake");
    /// // The handshake is done, so what comes now is decrypted text.
    /// conversation.handle_tls_started(now);
    /// conversation.handle_input(b"May I?", now);
    /// conversation.answer_with(&mut service, now);
    /// assert_eq!(conversation.transmit(), b"Yes.");
    /// ```
    #[inline]
    pub fn poll_start_tls(&mut self) -> bool {
        matches!(self.phase, Phase::Switching { begun: false }) && self.begin_tls()
    }

    /// The handshake that [`poll_start_tls`](Self::poll_start_tls) has asked for is done, and
    /// questions are taken again. A conversation that was under TLS from the first byte needs no
    /// such call, and ignores it. `poll_start_tls` has an example.
    pub fn handle_tls_started(&mut self, now: Instant) {
        self.advance_clock(now);
        self.end_handshake();
    }

    /// The peer's bytes can never become anything to the layer below, which tells it so. What is
    /// owed is not sent; FIN and a lingering close follow.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// # use zen_proto::CloseReason;
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// // The first bytes are no TLS. The layer sends an alert of its own, and then the driver FIN.
    /// conversation.refuse(CloseReason::Malformed, now);
    /// assert!(conversation.poll_shutdown());
    /// conversation.handle_eof(now);
    /// assert_eq!(conversation.closed(), Some(CloseReason::Malformed));
    /// ```
    pub fn refuse(&mut self, reason: CloseReason, now: Instant) {
        self.advance_clock(now);
        self.linger(reason);
    }

    /// The layer below cannot go on, for this reason: a handshake was late, for instance. The
    /// conversation is over at once, and what is owed is not sent.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// # use zen_proto::CloseReason;
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// conversation.abort(CloseReason::QuestionDeadline, now);
    /// assert_eq!(conversation.closed(), Some(CloseReason::QuestionDeadline));
    /// ```
    pub fn abort(&mut self, reason: CloseReason, now: Instant) {
        self.advance_clock(now);
        match self.phase {
            Phase::Lingering { reason, .. } => self.close(reason),
            _ => self.close(reason),
        }
    }
}
