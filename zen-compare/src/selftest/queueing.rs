//! A worker with a fixed service time and random arrivals shows the response time of an M/D/1 queue.
//!
//! A few seconds of random arrivals have a mean of their own, which for a queue as full as these strays from
//! the formula's by more than is to be shown. But what exactly these arrivals come to is known without measuring
//! (Lindley's recursion), and so is what that comes to in the long run: the formula. So the measured mean is
//! corrected by the difference of the two. This is the method of control variates; see A. Law, *Simulation Modeling
//! and Analysis* (2015), section 11.4.

use std::io;
use std::time::{Duration, Instant};

use super::theory::{Arriving, mean_response};
use super::worker::{Service, Worker};
use super::{Check, Lab, Outcome, ms, open_loop};
use crate::generator::Tally;
use crate::scenario::Spacing;

/// How long each service takes: far longer than anything else does.
const SERVICE: Duration = Duration::from_millis(10);
const WARMUP: Duration = Duration::from_secs(1);
const WINDOW: Duration = Duration::from_secs(5);
const CONNECTIONS: usize = 16;
/// So many questions in flight on each connection that none ever waits outside the server.
const DEPTH: usize = 64;
/// How far from the formula a mean may be.
const WITHIN: f64 = 0.10;
/// Answers that leave later than they should by more than this share of the service time, on average, say nothing
/// about the lab.
const LATE: f64 = 0.03;
/// How often to try on a machine that is busy with other things.
const ATTEMPTS: u64 = 3;

struct Fixed;

impl Service for Fixed {
    fn leaves(&mut self, begin: Instant) -> Instant {
        begin + SERVICE
    }
}

/// One attempt, in milliseconds.
struct Attempt {
    /// What was measured.
    measured: f64,
    /// What these arrivals come to.
    these_arrivals: f64,
    /// What random arrivals come to in the long run.
    formula: f64,
    /// Why the attempt says nothing.
    disturbed: Option<String>,
}

impl Attempt {
    fn corrected(&self) -> f64 {
        self.measured - self.these_arrivals + self.formula
    }

    fn agrees(&self) -> bool {
        (self.corrected() / self.formula - 1.0).abs() <= WITHIN
    }
}

/// Loads the worker to `percent` of what it can do.
pub(super) fn check(lab: &Lab, percent: u32) -> io::Result<Check> {
    let mut attempt = measure(lab, percent, 1)?;
    for seed in 2..=ATTEMPTS {
        // Only for the machine's sake: an attempt that nothing has disturbed counts as it is.
        if attempt.agrees() || attempt.disturbed.is_none() {
            break;
        }
        attempt = measure(lab, percent, seed)?;
    }
    let service = SERVICE.as_secs_f64() * 1e3;
    // A disturbance only ever makes answers late: what agrees in spite of it does agree.
    let outcome = Outcome::unless(attempt.disturbed.clone(), attempt.agrees());
    Ok(Check {
        name: if percent == 50 {
            "M/D/1 mean response at utilisation 0.5"
        } else {
            "M/D/1 mean response at utilisation 0.8"
        },
        expected: format!("{:.2} ms ± 10 % for a service time of {service} ms", attempt.formula),
        seen: format!(
            "{:.2} ms ({:.2} ms measured, where these arrivals come to {:.2} ms)",
            attempt.corrected(),
            attempt.measured,
            attempt.these_arrivals
        ),
        outcome,
    })
}

fn measure(lab: &Lab, percent: u32, seed: u64) -> io::Result<Attempt> {
    // Of 10 ms each, a hundred questions a second are a hundred percent.
    let rate = percent;
    let scenario = open_loop(CONNECTIONS, DEPTH, rate, Spacing::Poisson);
    let worker = lab.start_server(|| Worker::start(Fixed))?;
    let tally = lab.load(worker.address, &scenario, [WARMUP, WINDOW], seed, &mut |_| {})?;
    let late = worker.stop()?.mean();
    let window = [WARMUP, WARMUP + WINDOW].map(nanoseconds);
    let arriving = Arriving { seed, connections: CONNECTIONS, rate, window };
    Ok(Attempt {
        measured: tally.latency.mean() / 1e6,
        these_arrivals: arriving.mean_response(nanoseconds(SERVICE)) / 1e6,
        formula: mean_response(f64::from(percent) / 100.0) * SERVICE.as_secs_f64() * 1e3,
        disturbed: disturbed(&tally, late),
    })
}

/// Whether the machine kept the attempt from being one, and how that shows.
fn disturbed(tally: &Tally, late: Duration) -> Option<String> {
    if late > SERVICE.mul_f64(LATE) {
        return Some(format!(
            "the machine is busy: answers left {:.2} ms late on average",
            late.as_secs_f64() * 1e3
        ));
    }
    // No connection is ever full, so that the two clocks of an open loop differ only by the generator's own lateness.
    let asked_late = tally.uncorrected.as_ref().map_or(0.0, |sent| tally.latency.mean() - sent.mean()) / 1e6;
    if asked_late > ms(nanoseconds(SERVICE)) * LATE {
        return Some(format!("the machine is busy: questions were asked {asked_late:.2} ms late on average"));
    }
    super::disturbed(tally)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_that_is_off_does_not_agree() {
        let attempt = |measured| Attempt { measured, these_arrivals: 11.0, formula: 12.0, disturbed: None };
        assert!(attempt(11.1).agrees());
        assert!(attempt(10.0).agrees());
        // As from a generator that forgets the waiting of those who queue, or counts a service twice.
        assert!(!attempt(4.0).agrees());
        assert!(!attempt(15.0).agrees());
        assert!(!attempt(12.5).agrees());
    }

    #[test]
    fn lateness_is_a_disturbance() {
        let mut tally = Tally::open_loop(80.0);
        assert_eq!(disturbed(&tally, Duration::from_micros(100)), None);
        assert!(disturbed(&tally, Duration::from_micros(400)).unwrap().contains("0.40 ms late"));
        tally.latency.record(12_000_000).unwrap();
        tally.uncorrected.as_mut().unwrap().record(11_500_000).unwrap();
        assert!(disturbed(&tally, Duration::ZERO).unwrap().contains("questions were asked 0.50 ms late"));
    }
}
