//! The phases of a conversation. Only this file moves it from one to the next.

use std::time::Instant;

use super::Conversation;
use super::write_clock::WriteClock;
use crate::CloseReason;
use crate::framing::{Framing, Output, Refusal};

#[derive(Debug, Clone, Copy)]
pub(super) enum Phase {
    /// Questions are taken and answered.
    Talking,
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
        if let (Phase::Talking, true, Some(reason)) = (self.phase, self.starved, self.ended) {
            let truncated = reason == CloseReason::Finished && self.question_since.is_some();
            self.finish(if truncated { CloseReason::Truncated } else { reason }, None);
        }
    }

    /// Takes no more questions, sends what is owed and the words of the refusal, and then closes.
    pub(super) fn finish(&mut self, reason: CloseReason, refusal: Option<Refusal>) {
        if matches!(self.phase, Phase::Talking | Phase::Finishing(_)) {
            self.phase = Phase::Finishing(reason);
            self.refusal = refusal;
            self.inbound.clear();
            self.starved = true;
            self.question_since = None;
            self.settle();
        }
    }

    /// Goes on from finishing once no answer is owed and everything is sent. If the peer has closed
    /// too, the conversation is closed. Otherwise it lingers: closing with unread input would make
    /// the kernel send RST, and that destroys answers on their way.
    pub(super) fn settle(&mut self) {
        let Phase::Finishing(reason) = self.phase else { return };
        if !self.in_flight.is_empty() {
            return;
        }
        if let Some(refusal) = self.refusal.take() {
            let start = self.outbound.len();
            self.framing.refuse(refusal, &mut Output::new(&mut self.outbound));
            self.wrote(self.outbound.len() - start);
        }
        if self.outbound.is_empty() {
            if self.peer_closed {
                self.close(reason);
            } else {
                self.phase = Phase::Lingering { reason, since: self.clock, discarded: 0, fin_due: true };
            }
        }
    }

    pub(super) fn close(&mut self, reason: CloseReason) {
        if !matches!(self.phase, Phase::Closed(_)) {
            self.phase = Phase::Closed(reason);
            self.inbound.clear();
            self.outbound.clear();
            self.in_flight.clear();
            self.write_clock = WriteClock::new(self.clock);
            self.starved = true;
            self.question_since = None;
        }
    }
}
