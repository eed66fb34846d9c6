//! The generator's clock.

use rustix::time::{ClockId, clock_gettime};

use super::Nanos;

/// Counts nanoseconds from its start. It is read twice for each question, so it is the kernel's own count and one
/// subtraction: the difference of two `Instant`s is four times the instructions.
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

/// Nanoseconds since the machine was started, or near that.
fn monotonic() -> Nanos {
    let now = clock_gettime(ClockId::Monotonic);
    // Never negative, and 64 bits of nanoseconds are 584 years.
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn it_goes_as_fast_as_any_other() {
        let (clock, outer) = (Clock::start(), Instant::now());
        while clock.now() < 1_500_000_000 {
            std::thread::sleep(Duration::from_millis(100));
        }
        // It was started before the other and is read before it: it may be ahead by the moment between the starts, and
        // behind by the last sleep and whatever a busy machine takes.
        assert!(outer.elapsed() >= Duration::from_millis(1_400), "{:?}", outer.elapsed());
        let before = clock.now();
        assert!(clock.now() >= before);
    }
}
