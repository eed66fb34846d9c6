//! Deadlines: a pure function of the conversation's state, so that none can be left armed by mistake.

use std::time::{Duration, Instant};

use super::{Conversation, Phase};
use crate::CloseReason;
use crate::framing::Framing;

impl<F: Framing> Conversation<F> {
    /// The next deadline, and what the conversation ends with when it is broken.
    #[inline]
    pub(super) fn next_deadline(&self) -> Option<(Instant, CloseReason)> {
        let limits = &*self.limits;
        let mut next = Next(None);
        match self.phase {
            Phase::Closed(_) => {}
            Phase::Lingering { reason, since, .. } => {
                next.consider(Some(since), limits.linger_deadline, reason);
                next.consider(self.drained_at, limits.drain_deadline, reason);
            }
            Phase::Talking | Phase::Finishing(_) => {
                if self.wants_read() {
                    if self.is_busy() {
                        next.consider(
                            self.question_since,
                            limits.question_deadline,
                            CloseReason::QuestionDeadline,
                        );
                    } else {
                        next.consider(Some(self.idle_since), limits.idle_deadline, CloseReason::IdleDeadline);
                    }
                }
                next.consider(self.in_flight.oldest(), limits.answer_deadline, CloseReason::AnswerDeadline);
                next.consider(self.write_clock.oldest(), limits.write_deadline, CloseReason::WriteDeadline);
                next.consider(self.drained_at, limits.drain_deadline, CloseReason::DrainDeadline);
            }
        }
        next.0
    }
}

/// The earliest deadline of those considered.
struct Next(Option<(Instant, CloseReason)>);

impl Next {
    /// A deadline too far away to be an instant is none.
    #[inline]
    fn consider(&mut self, since: Option<Instant>, deadline: Duration, reason: CloseReason) {
        if let Some(at) = since.and_then(|since| since.checked_add(deadline))
            && self.0.is_none_or(|(earliest, _)| at < earliest)
        {
            self.0 = Some((at, reason));
        }
    }
}
