//! How the measured clients come in: no faster than a server can take them.
//!
//! When thousands connect at the same moment, the server's backlog overflows, and who was turned away tries again after
//! a second or three. That would be the load's doing, and look like a server that starves its clients.

use std::time::Duration;

use super::load::{Nanos, nanos};

/// How many come at once: as many as the smallest backlogs in use hold.
const BATCH: usize = 128;
/// The least time between two batches, in nanoseconds: at the most 25 000 clients a second.
pub(super) const PAUSE: Nanos = 5_000_000;
/// When nobody has got a connection for so long, the others do not wait any longer.
const NOBODY_COMES: Duration = Duration::from_secs(1);

/// The measured clients, as they come in.
#[derive(Debug, Default)]
pub(super) struct Arrival {
    /// How many have set out, and how many of them have had a connection.
    pub(super) started: usize,
    pub(super) connected: usize,
    pub(super) last_connected: Nanos,
    pub(super) next_batch: Nanos,
}

impl Arrival {
    /// A client has got its first connection.
    pub(super) fn connected(&mut self, now: Nanos) {
        self.connected += 1;
        self.last_connected = now;
    }

    /// How many of `size` set out now.
    pub(super) fn batch(&self, size: usize, now: Nanos) -> usize {
        let left = size - self.started;
        if now >= self.last_connected + nanos(NOBODY_COMES) {
            left
        } else if now >= self.next_batch && self.connected == self.started {
            left.min(BATCH)
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_wait_for_the_last_and_for_a_moment() {
        let mut arrival = Arrival::default();
        assert_eq!(arrival.batch(300, 0), BATCH);
        arrival.started = BATCH;
        arrival.next_batch = PAUSE;
        assert_eq!(arrival.batch(300, PAUSE), 0);
        for _ in 0..BATCH {
            arrival.connected(1_000);
        }
        assert_eq!(arrival.batch(300, PAUSE - 1), 0);
        assert_eq!(arrival.batch(300, PAUSE), BATCH);
        assert_eq!(arrival.batch(BATCH + 1, PAUSE), 1);
    }

    #[test]
    fn who_cannot_connect_does_not_hold_the_others_up_for_ever() {
        let arrival = Arrival { started: 1, connected: 0, last_connected: 7, next_batch: 0 };
        assert_eq!(arrival.batch(300, nanos(NOBODY_COMES)), 0);
        assert_eq!(arrival.batch(300, 7 + nanos(NOBODY_COMES)), 299);
    }
}
