//! How much processor time the calling thread has had, and how long it waited for more.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// How much processor time the calling thread has had, and how long it waited for more.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ThreadUsage {
    /// Time on a processor.
    pub(crate) cpu: Duration,
    /// Time spent ready to run while something else ran; `None` when the kernel does not report it.
    starved: Option<Duration>,
}

impl ThreadUsage {
    pub(crate) fn now() -> Self {
        // The clock of the calling thread always exists. If it were missing, the generator would
        // seem to use no CPU time.
        let cpu = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default();
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
        let starved =
            stat.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).map(Duration::from_nanos);
        Self { cpu, starved }
    }

    pub(crate) fn starved_since(&self, earlier: &Self) -> Option<Duration> {
        Some(self.starved?.saturating_sub(earlier.starved?))
    }
}
