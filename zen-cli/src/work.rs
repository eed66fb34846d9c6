//! Work: what an answer costs besides the protocol, so that servers can be tried with handlers like
//! the user's own.

use std::hint;
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use nix::time::{ClockId, clock_gettime};
use zen_proto::aphorism::Aphorisms;
use zen_proto::{Answer, Flow, Service};

/// What the work does with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum WorkKind {
    /// Burns CPU time, as a computation does
    #[default]
    Spin,
    /// Waits, as for a disk or another server; the async flavors await it
    Sleep,
}

/// The kind and the amount of work for each question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) kind: WorkKind,
    pub(crate) time: Duration,
}

/// Answers from the table after the work is done, on the thread that calls it.
#[derive(Debug, Clone)]
pub(crate) struct Working {
    pub(crate) work: Work,
    pub(crate) service: Aphorisms,
}

impl Service for Working {
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) -> Flow {
        match self.work.kind {
            WorkKind::Spin => spin(self.work.time),
            WorkKind::Sleep => thread::sleep(self.work.time),
        }
        self.service.answer(question, answer)
    }
}

/// How often spinning reads the thread's CPU clock. Each reading is a system call; reading the wall
/// clock is not.
const CLOCK_INTERVAL: Duration = Duration::from_micros(50);

/// Burns `time` of this thread's CPU time. With wall-clock time, threads that share a core would
/// all count the same moments, and more threads would look like more cores.
fn spin(time: Duration) {
    let elapsed = cpu_clock();
    while let Some(left) = time.checked_sub(elapsed()).filter(|left| !left.is_zero()) {
        let next_reading = Instant::now() + left.min(CLOCK_INTERVAL);
        while Instant::now() < next_reading {
            hint::spin_loop();
        }
    }
}

/// Reads this thread's CPU time since now, or the wall clock where the system does not report CPU
/// time.
fn cpu_clock() -> impl Fn() -> Duration {
    let read = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).ok().map(Duration::from);
    let (start, wall) = (read(), Instant::now());
    move || match (start, read()) {
        (Some(start), Some(now)) => now.saturating_sub(start),
        _ => wall.elapsed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spinning_takes_cpu_time() {
        let elapsed = cpu_clock();
        spin(Duration::from_millis(5));
        assert!(elapsed() >= Duration::from_millis(5));
    }

    #[test]
    fn sleeping_takes_none() {
        let (cpu, wall) = (cpu_clock(), Instant::now());
        thread::sleep(Duration::from_millis(200));
        assert!(wall.elapsed() >= Duration::from_millis(200));
        assert!(cpu() < Duration::from_millis(100), "the clock counts waiting");
    }
}
