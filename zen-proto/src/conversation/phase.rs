//! The phases of a conversation. Only this file moves it from one to the next.

use std::time::Instant;

use super::Conversation;
use super::write_clock::WriteClock;
use crate::CloseReason;
use crate::ending::Pending;
use crate::framing::Framing;

#[derive(Debug, Clone, Copy)]
pub(super) enum Phase {
    /// Questions are taken and answered.
    Talking,
    /// The service has asked for TLS. What is owed in plain text is sent; then the layer below
    /// begins its handshake.
    Switching {
        begun: bool,
    },
    /// No more questions are taken; what is owed is answered and sent.
    Finishing(CloseReason),
    /// Everything was sent. FIN is due or sent, and what the peer still sends is discarded.
    Lingering {
        reason: CloseReason,
        since: Instant,
        discarded: usize,
        fin_due: bool,
    },
    Closed(CloseReason),
}

impl<F: Framing> Conversation<F> {
    /// Takes no more input, for this reason. Whole questions that are buffered are still answered.
    pub(super) fn end_input(&mut self, reason: CloseReason) {
        self.ended.get_or_insert(reason);
        self.end_if_starved();
    }

    /// Finishes once input has ended and nothing whole is left of it.
    #[inline]
    pub(super) fn end_if_starved(&mut self) {
        // Input has seldom ended, so this is asked first.
        if let Some(reason) = self.ended
            && self.starved
            && matches!(self.phase, Phase::Talking)
        {
            self.finish_starved(reason);
        }
    }

    #[cold]
    #[inline(never)]
    fn finish_starved(&mut self, reason: CloseReason) {
        match reason {
            CloseReason::Finished if self.question_since.is_some() => {
                self.finish(CloseReason::Truncated, None);
            }
            CloseReason::Drained => self.finish(reason, Some(Pending::Drained)),
            _ => self.finish(reason, None),
        }
    }

    /// Takes no more questions; sends what is owed and the last words, then closes.
    pub(super) fn finish(&mut self, reason: CloseReason, pending: Option<Pending<F::Error>>) {
        if matches!(self.phase, Phase::Talking | Phase::Switching { .. } | Phase::Finishing(_)) {
            let switching = matches!(self.phase, Phase::Switching { .. });
            self.phase = Phase::Finishing(reason);
            self.pending = pending;
            // What was pushed before is still sent, unless the service has ended the conversation
            // itself or has failed, or the peer was late, or plain text is no longer wanted.
            self.pushed = self.in_flight.refuse_pushes(!switching && !self.has_last_said());
            self.inbound.clear();
            self.inbound.release();
            self.starved = true;
            self.question_since = None;
            self.settle();
        }
    }

    /// Whether nothing but the last words may still be said.
    pub(super) fn has_last_said(&self) -> bool {
        use CloseReason::{ServiceClosed, ServiceFailed};
        self.cut_off || matches!(self.phase, Phase::Finishing(ServiceClosed | ServiceFailed))
    }

    /// The answer that starts TLS is given. From now on, nothing is taken or said in plain text.
    pub(super) fn prepare_tls(&mut self) {
        self.phase = Phase::Switching { begun: false };
        self.may_start_tls = false;
        self.question_since = None;
        if !self.inbound.is_empty() {
            // Whoever can write into the connection may have put this behind the question, to have
            // it taken for what the peer says under TLS.
            self.finish(CloseReason::Malformed, None);
        } else if let Some(reason) = self.ended {
            self.finish(reason, None);
        } else {
            self.inbound.release();
            self.starved = true;
        }
    }

    /// Begins the handshake once everything in plain text is sent. True if it begins now.
    pub(super) fn begin_tls(&mut self) -> bool {
        let due = matches!(self.phase, Phase::Switching { begun: false })
            && self.in_flight.is_empty()
            && self.outbound.is_empty();
        if due {
            self.phase = Phase::Switching { begun: true };
        }
        due
    }

    /// The handshake is done: questions are taken again.
    pub(super) fn end_handshake(&mut self) {
        if matches!(self.phase, Phase::Switching { begun: true }) {
            self.phase = Phase::Talking;
            self.idle_since = self.now();
            self.pending = self.attended.then_some(Pending::TlsStarted);
        }
    }

    /// Goes on from finishing once no answer is owed and all is sent: to closed if the peer has
    /// closed too, else to a lingering close. Closing with unread input would make the kernel send
    /// RST, and that destroys answers in flight.
    #[inline]
    pub(super) fn settle(&mut self) {
        if let Phase::Finishing(reason) = self.phase {
            self.settle_finishing(reason);
        }
    }

    #[cold]
    #[inline(never)]
    fn settle_finishing(&mut self, reason: CloseReason) {
        if self.resuming || self.pushed || !self.in_flight.is_empty() {
            return;
        }
        if let Some(pending) = &self.pending {
            if self.attended && !matches!(pending, Pending::Failed) {
                // The next `answer_with` asks the service for them. Until then `wants_answer` is
                // true.
                return;
            }
            if let Some(pending) = self.pending.take() {
                return self.say_last_words_alone(&pending);
            }
        }
        if self.outbound.is_empty() {
            if self.peer_closed {
                self.close(reason);
            } else {
                self.phase = Phase::Lingering { reason, since: self.now(), discarded: 0, fin_due: true };
            }
        }
    }

    /// Ends everything but the last words, since a deadline is broken: nothing more is taken or
    /// owed.
    pub(super) fn cut_off(&mut self, reason: CloseReason) {
        self.cut_off = true;
        self.idle_since = self.now();
        self.resuming = false;
        self.in_flight.clear();
        self.finish(reason, Some(Pending::Deadline(reason)));
    }

    /// Says and takes nothing more, but lets the peer read what it was told by the layer below.
    pub(super) fn linger(&mut self, reason: CloseReason) {
        if self.peer_closed {
            self.close(reason);
        } else if !matches!(self.phase, Phase::Lingering { .. } | Phase::Closed(_)) {
            self.phase = Phase::Lingering { reason, since: self.now(), discarded: 0, fin_due: true };
            self.give_everything_up();
        }
    }

    pub(super) fn close(&mut self, reason: CloseReason) {
        if !matches!(self.phase, Phase::Closed(_)) {
            self.phase = Phase::Closed(reason);
            self.give_everything_up();
        }
    }

    fn give_everything_up(&mut self) {
        self.inbound.clear();
        self.inbound.release();
        self.outbound.clear();
        self.outbound.release();
        self.in_flight.close();
        self.pending = None;
        self.resuming = false;
        self.pushed = false;
        self.write_clock = WriteClock::new(self.now());
        self.starved = true;
        self.question_since = None;
    }
}
