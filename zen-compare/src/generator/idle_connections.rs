//! How the idle connections join, and how many connections the server ended.

use std::time::Duration;

use super::load::{Nanos, nanos};

/// When no idle connection has joined for this long, no more are waited for.
const NOBODY_JOINS: Duration = Duration::from_secs(1);
/// How long the idle connections may take to join. After that, the load is measured with the ones
/// that have joined.
const GATHERING: Duration = Duration::from_secs(20);

/// The idle connections while they join.
#[derive(Debug, Default)]
pub(super) struct IdleConnections {
    /// How many there are to be, and the slot of the first.
    pub(super) size: usize,
    pub(super) first: usize,
    /// How many were started, and how many of these have neither joined nor failed.
    pub(super) started: usize,
    pub(super) joining: usize,
    pub(super) last_joined: Nanos,
}

/// Connections that the server ended, by role.
#[derive(Debug, Default)]
pub(super) struct Ended {
    pub(super) tricklers: u64,
    pub(super) non_readers: u64,
    pub(super) idle: u64,
}

impl IdleConnections {
    pub(super) fn new(first: usize, size: usize) -> Self {
        Self { size, first, ..Self::default() }
    }

    /// How many there can be when there is no room for all that are wanted; else `None`.
    pub(super) fn cut(wanted: usize, room: usize) -> Option<usize> {
        (room < wanted).then_some(room)
    }

    /// Whether all that are expected to join have joined.
    pub(super) fn is_in(&self, now: Nanos) -> bool {
        let all = self.started == self.size && self.joining == 0;
        all || now >= self.last_joined + nanos(NOBODY_JOINS) || now >= nanos(GATHERING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_room_is_reported() {
        assert_eq!(IdleConnections::cut(10_000, 976), Some(976));
        assert_eq!(IdleConnections::cut(10_000, 10_000), None);
        assert_eq!(IdleConnections::cut(0, 0), None);
    }
}
