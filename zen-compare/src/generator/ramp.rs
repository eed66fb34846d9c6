//! How many measured clients connect at a time: no more than a server can take.
//!
//! When thousands connect at the same moment, the server's backlog overflows, and a client that was
//! turned away tries again after a second or three. The load would be the cause, but it would look
//! like a server that starves its clients.

use std::time::Duration;

use super::load::{Nanos, nanos};

/// How many connect at once: as many as the smallest backlogs in use hold.
const BATCH: usize = 128;
/// The least time between two batches, in nanoseconds: some 25 000 clients a second at most.
pub(super) const PAUSE: Nanos = 5_000_000;
/// When no client has got a connection for this long, the others do not wait any longer.
const NOBODY_COMES: Duration = Duration::from_secs(1);

/// The measured clients while they connect.
#[derive(Debug, Default)]
pub(super) struct Arrival {
    /// How many were started, and how many of them have had a connection.
    pub(super) started: usize,
    pub(super) connected: usize,
    pub(super) last_connected: Nanos,
    pub(super) next_batch: Nanos,
}

impl Arrival {
    /// Counts a client that has got its first connection.
    pub(super) fn connected(&mut self, now: Nanos) {
        self.connected += 1;
        self.last_connected = now;
    }

    /// How many of `size` clients start now.
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
    fn a_batch_waits_for_the_last_one_and_for_the_pause() {
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
    fn a_client_that_cannot_connect_does_not_hold_up_the_others_for_ever() {
        let arrival = Arrival { started: 1, connected: 0, last_connected: 7, next_batch: 0 };
        assert_eq!(arrival.batch(300, nanos(NOBODY_COMES)), 0);
        assert_eq!(arrival.batch(300, 7 + nanos(NOBODY_COMES)), 299);
    }
}
