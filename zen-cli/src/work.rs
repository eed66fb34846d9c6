//! Work: what a question costs besides its answer, so that a server can be tried with handlers like one's own.

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

/// So much of it for each question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) kind: WorkKind,
    pub(crate) time: Duration,
}

/// Answers from the table after the work is done, on the thread that asks.
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

/// How often spinning looks at the thread's CPU clock. Each look is a system call, which the wall clock's is not.
const LOOK_AGAIN: Duration = Duration::from_micros(50);

/// Burns `time` of this thread's CPU time. Wall-clock time would let threads that share a core all count the same moment as
/// theirs, and so make more threads look like more cores.
fn spin(time: Duration) {
    let elapsed = cpu_clock();
    while let Some(left) = time.checked_sub(elapsed()).filter(|left| !left.is_zero()) {
        let look_again = Instant::now() + left.min(LOOK_AGAIN);
        while Instant::now() < look_again {
            hint::spin_loop();
        }
    }
}

/// Reads this thread's CPU time since now; the wall clock's where the system does not tell.
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
