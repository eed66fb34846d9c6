//! A worker with a fixed service time and random arrivals shows the response time of an M/D/1
//! queue.
//!
//! A few seconds of random arrivals have a mean of their own, which in queues as full as these
//! strays from the formula's by a fifth and more. The mean of exactly given arrivals is known
//! without measuring (Lindley's recursion). So arrivals are drawn until they are typical: until
//! their mean is what the formula says of all arrivals. What is measured can then be compared with
//! the formula as it is.

use std::io;
use std::time::{Duration, Instant};

use super::check::{Check, CheckStatus};
use super::lab::{self, Lab, ms, open_loop};
use super::theory::{Arriving, mean_response};
use super::worker::{Service, Worker};
use crate::generator::LoadResult;
use crate::scenario::Spacing;

/// How long each service takes: far longer than anything else does.
const SERVICE: Duration = Duration::from_millis(10);
const WARMUP: Duration = Duration::from_secs(1);
const WINDOW: Duration = Duration::from_secs(5);
const CONNECTIONS: usize = 16;
/// Enough questions in flight on each connection that none ever waits outside the server.
const DEPTH: usize = 64;
/// How far from the formula a mean may be.
const WITHIN: f64 = 0.10;
/// How far from it the mean of typical arrivals may be.
const TYPICAL: f64 = 0.01;
/// The most arrivals that are drawn to find typical ones; one in some thirty is typical.
const DRAWS: u64 = 10_000;
/// When answers leave later than they should by more than this share of the service time, on
/// average, they say nothing about the lab.
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
    /// The mean of random arrivals in the long run.
    formula: f64,
    /// Why the attempt means nothing, if it does not.
    disturbed: Option<String>,
}

impl Attempt {
    fn agrees(&self) -> bool {
        (self.measured / self.formula - 1.0).abs() <= WITHIN
    }
}

/// Loads the worker to `percent` of its capacity.
pub(super) fn check(lab: &Lab, percent: u32) -> io::Result<Check> {
    let mut attempt = measure(lab, percent, 1)?;
    for seed in 2..=ATTEMPTS {
        // Repeats only what the machine disturbed: an attempt that nothing has disturbed counts as
        // it is.
        if attempt.agrees() || attempt.disturbed.is_none() {
            break;
        }
        attempt = measure(lab, percent, seed)?;
    }
    let service = SERVICE.as_secs_f64() * 1e3;
    // A disturbance only ever makes answers late, so an attempt that agrees in spite of it does
    // agree.
    let status = CheckStatus::unless(attempt.disturbed.clone(), attempt.agrees());
    Ok(Check {
        name: if percent == 50 {
            "M/D/1 mean response at utilisation 0.5"
        } else {
            "M/D/1 mean response at utilisation 0.8"
        },
        expected: format!("{:.2} ms ± 10 % for a service time of {service} ms", attempt.formula),
        seen: format!("{:.2} ms", attempt.measured),
        status,
    })
}

fn measure(lab: &Lab, percent: u32, which: u64) -> io::Result<Attempt> {
    // At 10 ms each, a hundred questions a second are a hundred percent.
    let rate = percent;
    let formula = mean_response(f64::from(percent) / 100.0) * SERVICE.as_secs_f64() * 1e3;
    let seed = typical_seed(rate, formula, which);
    let scenario = open_loop(CONNECTIONS, DEPTH, rate, Spacing::Poisson);
    let worker = lab.start_server(|| Worker::start(Fixed))?;
    let result = lab.load(worker.address, &scenario, [WARMUP, WINDOW], seed, &mut |_| {})?;
    let late = worker.stop()?.mean();
    Ok(Attempt { measured: result.latency.mean() / 1e6, formula, disturbed: disturbed(&result, late) })
}

/// The `which`-th seed, counted from one, whose arrivals at `rate` have a mean response time of
/// `formula` milliseconds.
fn typical_seed(rate: u32, formula: f64, which: u64) -> u64 {
    let window = [WARMUP, WARMUP + WINDOW].map(nanoseconds);
    let comes_to = |seed| {
        Arriving { seed, connections: CONNECTIONS, rate, window }.mean_response(nanoseconds(SERVICE)) / 1e6
    };
    let typical = (1..DRAWS).filter(|&seed| (comes_to(seed) / formula - 1.0).abs() <= TYPICAL);
    // This many draws do not fail. If they did, any arrivals would do, and the check would say that
    // they do not agree.
    typical.take(usize::try_from(which).unwrap_or(1)).last().unwrap_or(which)
}

/// Whether the machine disturbed the attempt so much that it means nothing, and how that shows.
fn disturbed(result: &LoadResult, late: Duration) -> Option<String> {
    if late > SERVICE.mul_f64(LATE) {
        return Some(format!(
            "the machine is busy: answers left {:.2} ms late on average",
            late.as_secs_f64() * 1e3
        ));
    }
    // No connection is ever full, so the two clocks of an open loop differ only by the generator's
    // own lateness.
    let asked_late =
        result.uncorrected.as_ref().map_or(0.0, |sent| result.latency.mean() - sent.mean()) / 1e6;
    if asked_late > ms(nanoseconds(SERVICE)) * LATE {
        return Some(format!("the machine is busy: questions were asked {asked_late:.2} ms late on average"));
    }
    lab::disturbed(result)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_that_is_off_does_not_agree() {
        let attempt = |measured| Attempt { measured, formula: 12.0, disturbed: None };
        assert!(attempt(12.1).agrees());
        assert!(attempt(11.0).agrees());
        // As from a generator that leaves out the time in the queue, or counts a service twice.
        assert!(!attempt(5.0).agrees());
        assert!(!attempt(16.0).agrees());
    }

    #[test]
    fn typical_arrivals_are_found_and_no_two_are_the_same() {
        for (rate, formula) in [(50, 15.0), (80, 30.0)] {
            let seeds = [1, 2, 3].map(|which| typical_seed(rate, formula, which));
            assert!(0 < seeds[0] && seeds[0] < seeds[1] && seeds[1] < seeds[2], "{seeds:?}");
            // About one in thirty is typical, so this is far from the end of the draws.
            assert!(seeds[2] < 1_000, "{seeds:?}");
        }
    }

    #[test]
    fn lateness_is_a_disturbance() {
        let mut result = LoadResult::open_loop(80.0);
        assert_eq!(disturbed(&result, Duration::from_micros(100)), None);
        assert!(disturbed(&result, Duration::from_micros(400)).unwrap().contains("0.40 ms late"));
        result.latency.record(12_000_000).unwrap();
        result.uncorrected.as_mut().unwrap().record(11_500_000).unwrap();
        assert!(disturbed(&result, Duration::ZERO).unwrap().contains("questions were asked 0.50 ms late"));
    }
}
