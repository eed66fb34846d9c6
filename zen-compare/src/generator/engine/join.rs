//! How the measured clients come in: no faster than a server can take them.
//!
//! When thousands connect at the same moment, the server's backlog overflows, and who was turned away tries again after
//! a second or three. That would be the load's doing, and look like a server that starves its clients.

use super::Generator;
use crate::generator::load::Nanos;
use crate::generator::ramp::PAUSE;
use crate::generator::schedule::{OpenLoop, Schedule};

impl Generator<'_> {
    /// Draws up the schedules of an open loop, which begin now, and lets the first clients in.
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

    /// Lets the next ones in when it is time. Whether all have set out.
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
