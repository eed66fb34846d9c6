//! What the calling thread has had of its processor.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// What the calling thread has had of its processor.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ThreadUsage {
    /// Time on a processor.
    pub(crate) cpu: Duration,
    /// Time spent ready to run while something else ran; `None` when the kernel does not tell.
    starved: Option<Duration>,
}

impl ThreadUsage {
    pub(crate) fn now() -> Self {
        // The clock of the calling thread always exists; were it missing, the generator would look free of charge
        // and its run be called invalid for a server that was not what was measured.
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
