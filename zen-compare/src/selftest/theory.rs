//! The M/D/1 queue of queueing theory, by formula and by recursion.
//!
//! Questions come at random (Poisson) to one worker that takes the same time for each. Their mean
//! response time is given by the formula of Pollaczek and Khinchine for a service time that does
//! not vary: see L. Kleinrock, *Queueing Systems*, volume 1 (1975), section 5.6.

use crate::generator::{Nanos, Schedule};
use crate::scenario::Spacing;

/// Mean response time of an M/D/1 queue in units of its service time, at `utilisation` (0 to 1):
/// one service, and the wait before it.
pub(super) fn mean_response(utilisation: f64) -> f64 {
    1.0 + utilisation / (2.0 * (1.0 - utilisation))
}

/// A finite load of the queue: its arrivals, and the part of it that is measured.
pub(super) struct Arriving {
    pub(super) seed: u64,
    pub(super) connections: usize,
    pub(super) rate: u32,
    /// When the measuring begins and ends, counted from the beginning of the load.
    pub(super) window: [Nanos; 2],
}

impl Arriving {
    /// Mean response time of exactly these arrivals, in nanoseconds, when each is served for
    /// `service` in the order in which they come (Lindley's recursion). It counts as the generator
    /// does: arrivals that leave within the window, and arrivals that are there when it closes,
    /// with how long they have waited by then. Zero when there are none.
    pub(super) fn mean_response(&self, service: Nanos) -> f64 {
        let [opens, closes] = self.window;
        let schedule = |which| {
            let (rate, spacing) = (f64::from(self.rate), Spacing::Poisson);
            Schedule::new(self.seed, which, self.connections, rate, spacing, 0)
        };
        let mut arrivals: Vec<Nanos> = (0..self.connections)
            .map(schedule)
            .flat_map(|mut schedule| {
                std::iter::from_fn(move || {
                    let due = schedule.due();
                    schedule.advance();
                    (due < closes).then_some(due)
                })
            })
            .collect();
        arrivals.sort_unstable();
        let (mut free_at, mut sum, mut count) = (0, 0.0, 0.0);
        for arrival in arrivals {
            free_at = free_at.max(arrival) + service;
            if free_at >= opens {
                #[allow(clippy::cast_precision_loss, reason = "nanoseconds below 2^52")]
                let response = (free_at.min(closes) - arrival) as f64;
                sum += response;
                count += 1.0;
            }
        }
        if count > 0.0 { sum / count } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formula_by_hand() {
        assert!((mean_response(0.5) - 1.5).abs() < 1e-12);
        assert!((mean_response(0.8) - 3.0).abs() < 1e-12);
        assert!((mean_response(0.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_generators_arrivals_make_a_queue_as_the_formula_says() {
        // A million services long, so that chance is within a few percent even at the higher
        // utilisation.
        let service = 1_000_000;
        for (percent, utilisation) in [(50, 0.5), (80, 0.8)] {
            let window = [0, 1_000_000 * service];
            let arriving = Arriving { seed: 5, connections: 16, rate: 10 * percent, window };
            let seen = arriving.mean_response(service) / 1e6;
            let known = mean_response(utilisation);
            assert!((seen / known - 1.0).abs() < 0.03, "{seen} and not {known} at {utilisation}");
        }
    }

    #[test]
    #[allow(clippy::cast_precision_loss)]
    fn two_arrivals_by_hand() {
        let mut schedule = Schedule::new(3, 0, 1, 1_000.0, Spacing::Poisson, 0);
        let first = schedule.due();
        schedule.advance();
        let gap = schedule.due() - first;
        // The first leaves after a service. The second has waited for it, but not since the first
        // came. A third comes later, and does not count.
        let service = gap + gap / 2;
        let third = {
            schedule.advance();
            schedule.due()
        };
        let closes = third.min(first + 2 * service + 1);
        let arriving = Arriving { seed: 3, connections: 1, rate: 1_000, window: [0, closes] };
        let left = [first + service, first + 2 * service].map(|left| left.min(closes));
        let expected = ((left[0] - first) + (left[1] - first - gap)) as f64 / 2.0;
        assert!((arriving.mean_response(service) - expected).abs() < 1.0);
        // Nothing has come before this window closes.
        let arriving = Arriving { window: [0, first], ..arriving };
        assert!(arriving.mean_response(service).abs() < 1e-9);
    }
}
