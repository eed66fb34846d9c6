//! The idle connections as they come in, and those that the server ended.

use std::time::Duration;

use super::load::{Nanos, nanos};

/// How many questions a non-reader sends at once.
pub(super) const FLOOD_QUESTIONS: usize = 64;
/// When nobody has joined the idle connections for so long, it is as large as it gets.
const NOBODY_JOINS: Duration = Duration::from_secs(1);
/// How long the idle connections may take to gather. One that still grows then is measured as it is.
const GATHERING: Duration = Duration::from_secs(20);

/// The idle connections, as they come in.
#[derive(Debug, Default)]
pub(super) struct IdleConnections {
    /// How many there shall be, and the slot of the first.
    pub(super) size: usize,
    pub(super) first: usize,
    /// How many have set out, and how many of them have neither arrived nor failed.
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

    /// How many there can be where there is no room for all that are wanted.
    pub(super) fn cut(wanted: usize, room: usize) -> Option<usize> {
        (room < wanted).then_some(room)
    }

    /// Whether all have joined that will.
    pub(super) fn is_in(&self, now: Nanos) -> bool {
        let all = self.started == self.size && self.joining == 0;
        all || now >= self.last_joined + nanos(NOBODY_JOINS) || now >= nanos(GATHERING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_room_is_said() {
        assert_eq!(IdleConnections::cut(10_000, 976), Some(976));
        assert_eq!(IdleConnections::cut(10_000, 10_000), None);
        assert_eq!(IdleConnections::cut(0, 0), None);
    }
}
