//! Which client wakes when, to the microsecond.
//!
//! An event loop's own timeout counts whole milliseconds, which would add one to every thought and make
//! bursts of an open loop. So the next alarm is set on a timer of the kernel's, which is one more descriptor in the loop.

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

/// The timer's name among the loop's events.
pub(super) const TIMER: Token = Token(usize::MAX);

/// An alarm nearer than this is waited for awake: falling asleep and being woken takes as long.
const NEAR: Nanos = 20_000;

/// Alarms of clients; an alarm that its client has forgotten is for the client to ignore.
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
        // Edge-triggered: the next expiry is a new event whether or not this one was read.
        registry.register(&mut SourceFd(&timer.as_fd().as_raw_fd()), TIMER, Interest::READABLE)?;
        Ok(Self { queue: BinaryHeap::with_capacity(expected), timer, set_to: None })
    }

    pub(super) fn set(&mut self, at: Nanos, slot: usize) {
        self.queue.push(Reverse((at, slot)));
    }

    /// The next alarm that is due: when it was to ring and for whom.
    pub(super) fn due(&mut self, now: Nanos) -> Option<(Nanos, usize)> {
        let &Reverse((at, slot)) = self.queue.peek()?;
        (at <= now).then(|| {
            self.queue.pop();
            (at, slot)
        })
    }

    /// Makes sure that the loop is woken for the next alarm. Whether there is no time to sleep until then.
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
