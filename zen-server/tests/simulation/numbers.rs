//! Numbers that a seed decides, the same on every machine (`SplitMix64`).

use std::cell::Cell;
use std::ops::Range;
use std::time::Duration;

/// Draws without `&mut`, since everything in a simulated world draws from the same numbers.
#[derive(Debug)]
pub(crate) struct Numbers(Cell<u64>);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    fn draw(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in the range, which must not be empty.
    pub(crate) fn within(&self, range: Range<usize>) -> usize {
        let n = self.draw() % (range.end - range.start) as u64;
        range.start + usize::try_from(n).unwrap_or_default()
    }

    pub(crate) fn one_in(&self, n: usize) -> bool {
        self.within(0..n) == 0
    }

    pub(crate) fn choose<T: Copy>(&self, from: &[T]) -> T {
        from[self.within(0..from.len())]
    }

    /// Up to `most`, in steps of a microsecond. It is never zero.
    pub(crate) fn time(&self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(1 + self.draw() % most.max(1))
    }
}
