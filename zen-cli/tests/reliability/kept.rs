//! What a server keeps: its descriptors, threads and memory, and what it has counted.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::running::{Serving, until};

/// What a process has of what can run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
    /// Resident memory, in KiB.
    pub(crate) memory: usize,
}

impl Kept {
    /// What the server has once it is at rest: a pool announces itself before its last worker has
    /// started.
    pub(crate) fn at_rest(server: &Serving) -> Self {
        let mut last = Self::by(server);
        let mut since = Instant::now();
        until("the server is at rest", || {
            let now = Self::by(server);
            if (now.descriptors, now.threads) != (last.descriptors, last.threads) {
                since = Instant::now();
            }
            last = now;
            (since.elapsed() >= Duration::from_millis(500)).then_some(now)
        })
    }

    pub(crate) fn by(server: &Serving) -> Self {
        let process = format!("/proc/{}", server.running.id());
        let status = fs::read_to_string(format!("{process}/status")).unwrap();
        let number = |name: &str| -> usize {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        Self {
            descriptors: fs::read_dir(format!("{process}/fd")).unwrap().count(),
            threads: number("Threads:"),
            memory: number("VmRSS:"),
        }
    }

    /// Waits until the server has no more descriptors and threads than this, and no more than
    /// `slack` KiB of memory more.
    pub(crate) fn is_all_that_is_left(&self, server: &Serving, slack: usize) {
        until(&format!("the server has no more left than {self:?}"), || {
            let now = Self::by(server);
            let back = now.descriptors <= self.descriptors
                && now.threads <= self.threads
                && now.memory <= self.memory + slack;
            back.then_some(())
        });
    }
}

/// What a server says at its end that it has done.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) log: String,
}

impl Served {
    /// Stops the server, which must drain and exit with 0.
    pub(crate) fn by(server: Serving) -> Self {
        let (status, log) = server.stop();
        assert_eq!(status.code(), Some(0), "{log}");
        Self { log }
    }

    /// The same for a server that was told to stop already.
    pub(crate) fn by_stopped(mut server: Serving) -> Self {
        let status = server.running.wait();
        let log = server.running.stderr.end();
        assert_eq!(status.code(), Some(0), "{log}");
        Self { log }
    }

    /// A count of the last line, such as `questions` or `open`; or how many conversations ended for
    /// a reason, such as `idle_deadline`.
    pub(crate) fn count(&self, what: &str) -> u64 {
        let line = self.log.lines().last().unwrap_or_default();
        assert!(line.contains(" served "), "{}", self.log);
        let words = line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '='));
        let found = words.filter_map(|word| word.split_once('=')).find(|(name, _)| *name == what);
        found.map_or(0, |(_, count)| count.parse().unwrap())
    }
}

/// Tells a server to stop.
pub(crate) fn stop(server: &Serving) {
    server.running.signal(Signal::SIGTERM);
}
