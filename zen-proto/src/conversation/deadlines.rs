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
        let limits = &*self.limits;
        let mut next = Earliest(None);
        match self.phase {
            Phase::Closed(_) => {}
            Phase::Lingering { reason, since, .. } => {
                next.consider(Some(since), limits.linger_deadline, reason);
                next.consider(self.drained_at, limits.drain_deadline, reason);
            }
            Phase::Talking | Phase::Finishing(_) => {
                if self.wants_read() {
                    if self.is_busy() {
                        let deadline = self.extended(limits.question_deadline, self.inbound.len() as u64);
                        next.consider(self.question_since, deadline, CloseReason::QuestionDeadline);
                    } else {
                        next.consider(Some(self.idle_since), limits.idle_deadline, CloseReason::IdleDeadline);
                    }
                }
                next.consider(self.in_flight.oldest(), limits.answer_deadline, CloseReason::AnswerDeadline);
                if let Some((since, sent)) = self.write_clock.oldest() {
                    let deadline = self.extended(limits.write_deadline, sent);
                    next.consider(Some(since), deadline, CloseReason::WriteDeadline);
                }
                next.consider(self.drained_at, limits.drain_deadline, CloseReason::DrainDeadline);
                if let (Phase::Finishing(reason), true) = (self.phase, self.cut_off) {
                    next.consider(Some(self.idle_since), limits.linger_deadline, reason);
                }
            }
        }
        next.0
    }

    /// The deadline of a message of which `moved` bytes have come or gone: what is beyond the first
    /// 64 KiB extends it by the time that it takes at the least rate.
    #[inline]
    fn extended(&self, deadline: Duration, moved: u64) -> Duration {
        if moved <= FREE { deadline } else { deadline.saturating_add(self.extension(moved - FREE)) }
    }

    #[cold]
    fn extension(&self, bytes: u64) -> Duration {
        // Nanoseconds overflow only beyond 18 GB, which counts as a time without end.
        let nanos =
            bytes.checked_mul(1_000_000_000).map(|nanos| nanos / u64::from(self.limits.least_rate.max(1)));
        nanos.map_or(Duration::MAX, Duration::from_nanos)
    }
}

/// How much of a message its deadline is meant for; what goes beyond extends it.
const FREE: u64 = 64 * 1024;

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
