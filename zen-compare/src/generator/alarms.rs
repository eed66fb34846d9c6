//! When each client wakes, to the microsecond.
//!
//! An event loop's own timeout counts whole milliseconds. It would add one to every think time, and
//! turn the questions of an open loop into bursts. So the next alarm is set on a kernel timer,
//! which is one more descriptor in the loop.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use super::load::Nanos;

/// The timer's token among the loop's events.
pub(super) const TIMER: Token = Token(usize::MAX);

/// An alarm nearer than this is waited for awake: falling asleep and being woken takes as long.
const NEAR: Nanos = 20_000;

/// The clients' alarms. A client ignores an alarm that it no longer waits for.
#[derive(Debug)]
pub(super) struct Alarms {
    queue: BinaryHeap<Reverse<(Nanos, usize)>>,
    timer: TimerFd,
    /// What the timer was last set to.
    set_to: Option<Nanos>,
}

impl Alarms {
    pub(super) fn new(registry: &Registry, expected: usize) -> io::Result<Self> {
        let flags = TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        // Edge-triggered: the next expiry is a new event whether or not the last one was read.
        registry.register(&mut SourceFd(&timer.as_fd().as_raw_fd()), TIMER, Interest::READABLE)?;
        Ok(Self { queue: BinaryHeap::with_capacity(expected), timer, set_to: None })
    }

    pub(super) fn set(&mut self, at: Nanos, slot: usize) {
        self.queue.push(Reverse((at, slot)));
    }

    /// Takes the next alarm that is due: its time and its client's slot.
    pub(super) fn due(&mut self, now: Nanos) -> Option<(Nanos, usize)> {
        let &Reverse((at, slot)) = self.queue.peek()?;
        (at <= now).then(|| {
            self.queue.pop();
            (at, slot)
        })
    }

    /// Makes sure that the loop is woken for the next alarm. Returns whether that alarm is too near
    /// to sleep until then.
    pub(super) fn arm(&mut self, now: Nanos) -> io::Result<bool> {
        let Some(&Reverse((at, _))) = self.queue.peek() else { return Ok(false) };
        let left = at.saturating_sub(now);
        if left <= NEAR {
            return Ok(true);
        }
        if self.set_to != Some(at) {
            let left = TimeSpec::from_duration(Duration::from_nanos(left));
            self.timer.set(Expiration::OneShot(left), TimerSetTimeFlags::empty())?;
            self.set_to = Some(at);
        }
        Ok(false)
    }
}
