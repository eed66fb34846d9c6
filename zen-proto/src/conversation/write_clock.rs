//! The write clock: the age of the oldest unsent byte.

use std::time::{Duration, Instant};

use crate::limits::advanced;
use crate::queue::Queue;

/// Remembers when the unsent bytes were written, so that a peer cannot keep a conversation alive by
/// reading a byte now and then.
#[derive(Debug)]
pub(crate) struct WriteClock {
    /// The position of the first unsent byte in the outbound stream.
    sent: u64,
    /// The position behind the last byte that was written.
    written: u64,
    /// When the first unsent byte was written, or later if much was sent before it. Not used while
    /// everything is sent.
    oldest: Instant,
    /// The position of the first byte that was written since everything was sent.
    began: u64,
    /// Where later batches begin, and when they were written. Empty on the hot path, where
    /// everything is sent before more is written.
    later: Queue<(u64, Instant)>,
}

impl WriteClock {
    pub(crate) fn new(now: Instant) -> Self {
        Self { sent: 0, written: 0, oldest: now, began: 0, later: Queue::new() }
    }

    /// `n` bytes were written. They join the last batch if it was written within 1/256 of
    /// `deadline`, which bounds the number of batches.
    #[inline]
    pub(crate) fn wrote(&mut self, n: usize, now: Instant, deadline: Duration) {
        if n == 0 {
            return;
        }
        if self.sent == self.written {
            (self.oldest, self.began) = (now, self.written);
        } else {
            self.wrote_behind(now, deadline);
        }
        self.written += n as u64;
    }

    #[cold]
    #[inline(never)]
    fn wrote_behind(&mut self, now: Instant, deadline: Duration) {
        let last = self.later.back().map_or(self.oldest, |(_, at)| *at);
        if now.saturating_duration_since(last) > deadline / 256 {
            self.later.push_back((self.written, now));
        }
    }

    /// `n` bytes were sent.
    #[inline]
    pub(crate) fn sent(&mut self, n: usize, now: Instant, least_rate: u32) {
        self.sent += n as u64;
        if self.sent < self.written {
            self.sent_in_part(n as u64, now, least_rate);
        } else {
            self.later.clear();
        }
    }

    #[cold]
    fn sent_in_part(&mut self, n: u64, now: Instant, least_rate: u32) {
        // While a peer keeps up with a large message, neither that is late nor what waits behind
        // it.
        self.oldest = advanced(self.oldest, n, self.sent - self.began, least_rate, now);
        while let Some((_, at)) = self.later.front().copied().filter(|(start, _)| *start <= self.sent) {
            self.oldest = self.oldest.max(at);
            self.later.pop_front();
        }
    }

    /// When the oldest unsent byte was written, if any is unsent; later if much was sent before it.
    #[inline]
    pub(crate) fn oldest(&self) -> Option<Instant> {
        (self.sent < self.written).then_some(self.oldest)
    }

    pub(crate) fn heap(&self) -> usize {
        self.later.heap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(30);
    const RATE: u32 = 16 * 1024;

    #[test]
    fn the_age_is_that_of_the_oldest_unsent_byte() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut clock = WriteClock::new(start);
        assert_eq!(clock.oldest(), None);
        clock.wrote(10, at(1), DEADLINE);
        clock.wrote(10, at(5), DEADLINE);
        assert_eq!(clock.oldest(), Some(at(1)));
        clock.sent(9, at(9), RATE);
        assert_eq!(clock.oldest(), Some(at(1)));
        clock.sent(1, at(9), RATE);
        assert_eq!(clock.oldest(), Some(at(5)));
        clock.sent(10, at(9), RATE);
        assert_eq!(clock.oldest(), None);
        clock.wrote(1, at(9), DEADLINE);
        assert_eq!(clock.oldest(), Some(at(9)));
    }

    #[test]
    fn a_slow_reader_of_many_small_answers_costs_bounded_memory() {
        let start = Instant::now();
        let mut clock = WriteClock::new(start);
        for millis in 0..30_000 {
            clock.wrote(1, start + Duration::from_millis(millis), DEADLINE);
        }
        assert!(clock.later.len() <= 257, "{}", clock.later.len());
        clock.sent(29_999, start + DEADLINE, RATE);
        let age = start + DEADLINE - clock.oldest().expect("a byte is unsent");
        assert!(age < DEADLINE / 128, "{age:?}");
    }
}
