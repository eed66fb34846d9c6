//! The timers of an event loop: one alarm for each connection, in the order of time.

use std::collections::BTreeSet;
use std::time::Instant;

/// Alarms in the order in which they go off.
///
/// A deadline moves later with every question, and an alarm that goes off early does no harm. So an
/// alarm is moved only when a deadline comes before it, which is seldom. Questions cost the timers
/// nothing.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    alarms: BTreeSet<(Instant, usize)>,
}

impl Timers {
    /// Gives `key` an alarm no later than `deadline`. `alarm` is where the owner of the key keeps
    /// the one it has.
    #[inline]
    pub(crate) fn arm(&mut self, key: usize, alarm: &mut Option<Instant>, deadline: Option<Instant>) {
        let Some(deadline) = deadline else { return };
        if alarm.is_none_or(|set| deadline < set) {
            self.disarm(key, alarm.replace(deadline));
            self.alarms.insert((deadline, key));
        }
    }

    /// Takes a key's alarm away.
    pub(crate) fn disarm(&mut self, key: usize, alarm: Option<Instant>) {
        if let Some(at) = alarm {
            self.alarms.remove(&(at, key));
        }
    }

    /// When the next alarm goes off.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.alarms.first().map(|(at, _)| *at)
    }

    /// The next key whose alarm has gone off.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<usize> {
        self.next().filter(|at| *at <= now)?;
        self.alarms.pop_first().map(|(_, key)| key)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_alarm_moves_only_to_an_earlier_time() {
        let start = Instant::now();
        let at = |seconds| Some(start + Duration::from_secs(seconds));
        let mut timers = Timers::default();
        let mut alarm = None;
        timers.arm(7, &mut alarm, at(60));
        timers.arm(7, &mut alarm, at(61));
        timers.arm(7, &mut alarm, None);
        assert_eq!((alarm, timers.next()), (at(60), at(60)));
        timers.arm(7, &mut alarm, at(10));
        assert_eq!((alarm, timers.next()), (at(10), at(10)));
        assert_eq!(timers.pop(start + Duration::from_secs(9)), None);
        assert_eq!(timers.pop(start + Duration::from_secs(10)), Some(7));
        assert_eq!(timers.next(), None, "the first alarm was replaced, not added to");
    }
}
