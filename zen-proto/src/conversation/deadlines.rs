//! Deadlines: a pure function of the conversation's state, so that no timer can be left armed by
//! mistake.

use std::time::{Duration, Instant};

use super::{Conversation, Phase};
use crate::CloseReason;
use crate::framing::Framing;

impl<F: Framing> Conversation<F> {
    /// The next deadline, and the reason with which the conversation ends if it is broken.
    #[inline]
    pub(super) fn next_deadline(&self) -> Option<(Instant, CloseReason)> {
        let limits = &*self.in_flight.limits;
        let mut next = Earliest(None);
        match self.phase {
            Phase::Closed(_) => {}
            Phase::Lingering { reason, since, .. } => {
                next.consider(Some(since), limits.linger_deadline, reason);
                next.consider(self.drained_at, limits.drain_deadline, reason);
            }
            Phase::Talking | Phase::Switching { .. } | Phase::Finishing(_) => {
                if self.wants_read() {
                    if self.is_busy() {
                        let since = self.question_since;
                        next.consider(since, limits.question_deadline, CloseReason::QuestionDeadline);
                    } else {
                        next.consider(Some(self.idle_since), limits.idle_deadline, CloseReason::IdleDeadline);
                    }
                }
                next.consider(self.in_flight.oldest(), limits.answer_deadline, CloseReason::AnswerDeadline);
                next.consider(self.write_clock.oldest(), limits.write_deadline, CloseReason::WriteDeadline);
                next.consider(self.drained_at, limits.drain_deadline, CloseReason::DrainDeadline);
                if let (Phase::Finishing(reason), true) = (self.phase, self.cut_off) {
                    next.consider(Some(self.idle_since), limits.linger_deadline, reason);
                }
            }
        }
        next.0
    }

    /// When to give back the memory that a large message has left, if no other comes before.
    #[inline]
    pub(super) fn rest_at(&self) -> Option<Instant> {
        // What is small owns no heap, and must not pay for what is large.
        if self.inbound.heap() | self.outbound.heap() == 0 { None } else { self.kept_until() }
    }

    #[cold]
    #[inline(never)]
    fn kept_until(&self) -> Option<Instant> {
        if self.inbound.is_kept() || self.outbound.is_kept() {
            self.idle_since.checked_add(REST)
        } else {
            None
        }
    }
}

/// How long an idle conversation keeps the memory of a large message.
const REST: Duration = Duration::from_secs(1);

/// The earliest deadline of those considered.
struct Earliest(Option<(Instant, CloseReason)>);

impl Earliest {
    /// A deadline that is too far away to be an instant never comes.
    #[inline]
    fn consider(&mut self, since: Option<Instant>, deadline: Duration, reason: CloseReason) {
        if let Some(at) = since.and_then(|since| since.checked_add(deadline))
            && self.0.is_none_or(|(earliest, _)| at < earliest)
        {
            self.0 = Some((at, reason));
        }
    }
}
