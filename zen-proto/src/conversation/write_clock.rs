//! The write clock: the age of the oldest unsent byte.

use std::time::{Duration, Instant};

use crate::queue::Queue;

/// Remembers when the unsent bytes were written, so that a peer cannot keep a conversation alive by
/// reading a byte now and then.
#[derive(Debug)]
pub(crate) struct WriteClock {
    /// The position of the first unsent byte in the outbound stream.
    sent: u64,
    /// The position behind the last byte that was written.
    written: u64,
    /// When the first unsent byte was written. Not used while everything is sent.
    oldest: Instant,
    /// Position of the first byte that was written then.
    batch: u64,
    /// Where later batches begin, and when they were written. Empty on the hot path, where
    /// everything is sent before more is written.
    later: Queue<(u64, Instant)>,
}

impl WriteClock {
    pub(crate) fn new(now: Instant) -> Self {
        Self { sent: 0, written: 0, oldest: now, batch: 0, later: Queue::new() }
    }

    /// `n` bytes were written. They join the last batch if it was written within 1/256 of
    /// `deadline`, which bounds the number of batches.
    #[inline]
    pub(crate) fn wrote(&mut self, n: usize, now: Instant, deadline: Duration) {
        if n == 0 {
            return;
        }
        if self.sent == self.written {
            (self.oldest, self.batch) = (now, self.written);
        } else {
            let last = self.later.back().map_or(self.oldest, |(_, at)| *at);
            if now.saturating_duration_since(last) > deadline / 256 {
                self.later.push_back((self.written, now));
            }
        }
        self.written += n as u64;
    }

    /// `n` bytes were sent.
    #[inline]
    pub(crate) fn sent(&mut self, n: usize) {
        self.sent += n as u64;
        while let Some((start, at)) = self.later.front().copied().filter(|(start, _)| *start <= self.sent) {
            debug_assert!(start <= self.written);
            (self.oldest, self.batch) = (at, start);
            self.later.pop_front();
        }
    }

    /// When the oldest unsent byte was written, if any is unsent, and how many bytes that were
    /// written together with it have been sent.
    #[inline]
    pub(crate) fn oldest(&self) -> Option<(Instant, u64)> {
        (self.sent < self.written).then(|| (self.oldest, self.sent - self.batch))
    }

    pub(crate) fn heap(&self) -> usize {
        self.later.heap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(30);

    #[test]
    fn the_age_is_that_of_the_oldest_unsent_byte() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut clock = WriteClock::new(start);
        assert_eq!(clock.oldest(), None);
        clock.wrote(10, at(1), DEADLINE);
        clock.wrote(10, at(5), DEADLINE);
        assert_eq!(clock.oldest(), Some((at(1), 0)));
        clock.sent(9);
        assert_eq!(clock.oldest(), Some((at(1), 9)));
        clock.sent(1);
        assert_eq!(clock.oldest(), Some((at(5), 0)));
        clock.sent(10);
        assert_eq!(clock.oldest(), None);
        clock.wrote(1, at(9), DEADLINE);
        assert_eq!(clock.oldest(), Some((at(9), 0)));
    }

    #[test]
    fn a_slow_reader_of_many_small_answers_costs_bounded_memory() {
        let start = Instant::now();
        let mut clock = WriteClock::new(start);
        for millis in 0..30_000 {
            clock.wrote(1, start + Duration::from_millis(millis), DEADLINE);
        }
        assert!(clock.later.len() <= 257, "{}", clock.later.len());
        clock.sent(29_999);
        let age = start + DEADLINE - clock.oldest().expect("a byte is unsent").0;
        assert!(age < DEADLINE / 128, "{age:?}");
    }
}
