//! Taking questions from the input, one at a time and no sooner than there is room for the answer.

use std::ops::Range;

use super::{Conversation, Phase};
use crate::CloseReason;
use crate::framing::{Cut, Framing, Refusal};

/// A whole question at the front of the input, not yet consumed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    from: usize,
    to: usize,
}

impl Found {
    /// Where in the unread input the question's text is.
    #[inline]
    pub(super) fn text(self) -> Range<usize> {
        self.from..self.to
    }
}

impl<F: Framing> Conversation<F> {
    /// The next whole question, left in the buffer with `self.whole` bytes to consume when it has been answered.
    #[inline]
    pub(super) fn next_question(&mut self) -> Option<Found> {
        if self.starved || !matches!(self.phase, Phase::Talking) || !self.has_room() {
            return None;
        }
        let limit = self.limits.question_length;
        match self.framing.cut(self.inbound.unread()) {
            Cut::Whole { skip, len, text } if len <= limit => {
                self.whole = skip + len;
                Some(Found { from: text.start, to: text.end })
            }
            Cut::Partial { skip, at_least } if at_least <= limit => {
                self.inbound.consume(skip);
                self.starved = true;
                if at_least > 0 {
                    self.question_since.get_or_insert(self.clock);
                }
                None
            }
            Cut::Whole { .. } | Cut::Partial { .. } => {
                self.refuse(Refusal::TooLong, CloseReason::QuestionTooLong)
            }
            Cut::Malformed => self.refuse(Refusal::Malformed, CloseReason::Malformed),
        }
    }

    /// The question that [`Self::next_question`] found has been answered or handed out.
    #[inline]
    pub(super) fn done_with_question(&mut self) {
        self.inbound.consume(self.whole);
        self.starved = self.inbound.is_empty();
        self.question_since = None;
        self.idle_since = self.clock;
    }

    /// Everything before this is answered; then the peer is told why, and no more is read. The words are the framing's.
    #[cold]
    fn refuse(&mut self, refusal: Refusal, reason: CloseReason) -> Option<Found> {
        self.finish(reason, Some(refusal));
        None
    }
}
