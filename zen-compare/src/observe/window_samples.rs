//! What a server used and held at the moments of a load: before it, when the window opened, and
//! when it closed.

use std::time::{Duration, Instant};

use super::interference::CoreTimes;
use super::process::{Holdings, Usage};
use super::process::{Threads, ThreadsDelta};
use super::process_tree::ProcessTree;
use crate::generator::Moment;
use crate::results::Interference;

/// Takes samples of a server's processes. What cannot be read is left out: the end of a process is
/// detected elsewhere.
#[derive(Debug)]
pub(crate) struct WindowSamples<'a> {
    tree: ProcessTree,
    /// The server's cores, when it has cores of its own.
    cores: Option<&'a [usize]>,
    pub(crate) memory_empty: Option<(u64, u64)>,
    pub(crate) memory_loaded: Option<(u64, u64)>,
    pub(crate) holdings: Option<Holdings>,
    usage: [Option<Usage>; 2],
    /// What was used when the first sample of the threads was taken.
    usage_settling: Option<Usage>,
    cores_used: [Option<(Instant, CoreTimes)>; 2],
    threads: [Option<(Instant, Threads)>; 2],
    /// When the window opened.
    pub(crate) opened: Option<Instant>,
}

impl<'a> WindowSamples<'a> {
    /// Samples a server before any client has connected.
    pub(crate) fn new(tree: ProcessTree, cores: Option<&'a [usize]>) -> Self {
        Self {
            memory_empty: tree.memory().ok(),
            tree,
            cores,
            memory_loaded: None,
            holdings: None,
            usage: [None; 2],
            usage_settling: None,
            cores_used: [None, None],
            threads: [None, None],
            opened: None,
        }
    }

    pub(crate) fn see(&mut self, moment: Moment) {
        match moment {
            Moment::Settling => {
                self.tree.find_descendants();
                self.threads[0] = self.threads_now();
                self.usage_settling = self.tree.usage().ok();
            }
            Moment::Opens => {
                self.cores_used[0] = self.cores_now();
                self.usage[0] = self.tree.usage().ok();
                self.opened = Some(Instant::now());
            }
            Moment::Passing => {}
            Moment::Closes => {
                self.usage[1] = self.tree.usage().ok();
                self.cores_used[1] = self.cores_now();
                self.take_in_newcomers();
                self.threads[1] = self.threads_now();
                self.memory_loaded = self.tree.memory().ok();
                self.holdings = self.tree.holdings().ok();
            }
        }
    }

    /// Counts processes that were started in the window: all that they have used belongs to it.
    fn take_in_newcomers(&mut self) {
        let known = self.tree.pids().count();
        self.tree.find_descendants();
        if self.tree.pids().count() > known {
            self.usage[1] = self.tree.usage().ok();
        }
    }

    /// What the server used in the window.
    pub(crate) fn used(&self) -> Usage {
        let [before, after] = &self.usage;
        after.as_ref().zip(before.as_ref()).map_or_else(Usage::default, |(after, before)| after.since(before))
    }

    /// How much others used the server's cores in the window.
    pub(crate) fn interference(&self) -> Option<Interference> {
        let [Some((began, before)), Some((ended, after))] = &self.cores_used else { return None };
        after.interference_since(before, ended.duration_since(*began), self.used().cpu)
    }

    /// What the server's threads did from shortly before the window to its end.
    pub(crate) fn threads(&self) -> Option<ThreadsDelta> {
        let [Some((began, before)), Some((ended, after))] = &self.threads else { return None };
        Some(after.since(before, ended.duration_since(*began)))
    }

    /// What the server used in the time that [`threads`](Self::threads) covers.
    pub(crate) fn used_since_settling(&self) -> Option<Usage> {
        Some(self.usage[1]?.since(&self.usage_settling?))
    }

    fn threads_now(&self) -> Option<(Instant, Threads)> {
        Some((Instant::now(), self.tree.threads().ok()?))
    }

    fn cores_now(&self) -> Option<(Instant, CoreTimes)> {
        Some((Instant::now(), CoreTimes::read(self.cores?)?))
    }
}

/// Context switches of all child processes that this process has waited for.
pub(crate) fn switches_of_ended_children() -> Option<u64> {
    use nix::sys::resource::{UsageWho, getrusage};
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?;
    u64::try_from(usage.voluntary_context_switches() + usage.involuntary_context_switches()).ok()
}

/// A duration in seconds as a share of the window; zero when there was none.
pub(crate) fn share_of(window: Duration, time: Duration) -> f64 {
    if window.is_zero() { 0.0 } else { time.as_secs_f64() / window.as_secs_f64() }
}
