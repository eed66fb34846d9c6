//! The generator's clock.

use nix::time::{ClockId, clock_gettime};

use super::load::Nanos;

/// Counts nanoseconds from its start. It is read twice per question, so it takes the kernel's own
/// count and one subtraction. The difference of two `Instant`s costs more, as it is calculated from
/// seconds.
#[derive(Debug)]
pub(super) struct Clock {
    started: Nanos,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { started: monotonic() }
    }

    pub(super) fn now(&self) -> Nanos {
        monotonic() - self.started
    }
}

/// Nanoseconds since the machine was started, or about then.
fn monotonic() -> Nanos {
    // Cannot fail: every kernel has this clock. It is never negative, and 64 bits of nanoseconds
    // are 584 years.
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |now| now.tv_sec().cast_unsigned() * 1_000_000_000 + now.tv_nsec().cast_unsigned())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::generator::load::nanos;

    #[test]
    fn it_agrees_with_the_standard_clock() {
        let before = Instant::now();
        let clock = Clock::start();
        let after = Instant::now();
        // Long enough to pass the end of a second.
        for _ in 0..12 {
            std::thread::sleep(Duration::from_millis(100));
            let at_least = nanos(after.elapsed());
            let now = clock.now();
            let at_most = nanos(before.elapsed());
            assert!((at_least..=at_most).contains(&now), "{at_least} <= {now} <= {at_most}");
        }
    }
}
