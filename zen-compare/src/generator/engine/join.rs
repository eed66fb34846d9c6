//! Connects the measured clients, in batches.
//!
//! The module [`ramp`](crate::generator::ramp) explains why they do not connect all at once.

use super::Generator;
use crate::generator::load::Nanos;
use crate::generator::ramp::PAUSE;
use crate::generator::schedule::{OpenLoop, Schedule};

impl Generator<'_> {
    /// Makes the schedules of an open loop, which begin now, and connects the first clients.
    pub(super) fn start_measured_clients(&mut self) {
        let now = self.now();
        let scenario = self.load.scenario;
        for which in 0..scenario.clients {
            if let (Some(arrivals), Some(rate)) = (scenario.arrivals, self.result.offered_rate) {
                let spacing = arrivals.spacing;
                let schedule = Schedule::new(self.load.seed, which, scenario.clients, rate, spacing, now);
                self.clients[self.first_measured + which].open_loop = Some(OpenLoop::new(schedule));
            }
        }
        self.arrival.last_connected = now;
        self.let_measured_clients_in(now);
    }

    /// Connects the next batch when it is time. Returns whether all clients have been started.
    pub(super) fn let_measured_clients_in(&mut self, now: Nanos) -> bool {
        let size = self.load.scenario.clients;
        for _ in 0..self.arrival.batch(size, now) {
            let slot = self.first_measured + self.arrival.started;
            self.arrival.started += 1;
            self.arrival.next_batch = now + PAUSE;
            self.connect(slot);
        }
        self.arrival.started == size
    }
}
