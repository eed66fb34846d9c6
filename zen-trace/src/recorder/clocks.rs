//! The clocks of a step: the system's monotonic one, and the calling thread's CPU clock.

use std::fs;

use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};

/// A moment, as the calling thread sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) wall_ns: u64,
    pub(super) cpu_ns: u64,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self { wall_ns: wall_ns(), cpu_ns: nanoseconds(clock_gettime(ClockId::ThreadCPUTime)) }
    }
}

pub(crate) fn wall_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
}

/// The resolution of the wall clock, as the system states it.
pub(crate) fn resolution_ns() -> u64 {
    nanoseconds(clock_getres(ClockId::Monotonic)).max(1)
}

fn nanoseconds(time: Timespec) -> u64 {
    // Neither clock is ever before its start.
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    part(time.tv_sec).saturating_mul(1_000_000_000).saturating_add(part(time.tv_nsec))
}

/// What the scheduler says of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Scheduled {
    /// How long the thread has run. Of a thread that runs just now, this is some milliseconds old.
    pub(crate) ran_ns: u64,
    /// How long it was ready to run and had no CPU.
    pub(crate) delayed_ns: u64,
}

impl Scheduled {
    /// Of the thread of this process that has this number. `None` where the system does not say,
    /// and for a thread that has ended.
    pub(super) fn of_thread(id: u32) -> Option<Self> {
        Self::read(&format!("/proc/self/task/{id}"))
    }

    /// Of the thread that has this folder in `/proc`.
    pub(crate) fn read(folder: &str) -> Option<Self> {
        let text = fs::read_to_string(format!("{folder}/schedstat")).ok()?;
        let mut numbers = text.split_ascii_whitespace().map_while(|number| number.parse().ok());
        Some(Self { ran_ns: numbers.next()?, delayed_ns: numbers.next()? })
    }
}

/// The system's number of the calling thread, or 0 where threads have none.
pub(super) fn thread_id() -> u32 {
    #[cfg(target_os = "linux")]
    let id = rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs();
    #[cfg(not(target_os = "linux"))]
    let id = 0;
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_clock_runs_while_the_thread_does() {
        let start = Moment::now();
        let mut now = start;
        while now.cpu_ns < start.cpu_ns + 1_000_000 {
            now = Moment::now();
        }
        assert!(now.wall_ns - start.wall_ns >= 900_000, "a thread has one CPU at a time: {start:?} {now:?}");
        let slept = Moment::now();
        std::thread::sleep(std::time::Duration::from_millis(20));
        let woken = Moment::now();
        assert!(woken.cpu_ns - slept.cpu_ns < woken.wall_ns - slept.wall_ns, "{slept:?} {woken:?}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_scheduler_knows_the_calling_thread_and_no_thread_zero() {
        // A kernel without `schedstat` says nothing of any.
        if std::path::Path::new("/proc/self/schedstat").exists() {
            assert!(Scheduled::of_thread(thread_id()).is_some());
        }
        assert_eq!(Scheduled::of_thread(0), None);
    }
}
