//! A stall of the server is seen by a clock that starts when a question is due, and not by one that
//! starts when the question is written.
//!
//! While the server stalls, a connection waits for its answer and asks nothing. Of all the
//! questions that were due meanwhile, the second clock sees one. This is coordinated omission; the
//! term is Gil Tene's.

use std::io;
use std::time::{Duration, Instant};

use super::check::{Check, CheckStatus};
use super::lab::{Lab, disturbed, ms, open_loop};
use super::worker::{Service, Worker};
use crate::generator::LoadResult;
use crate::scenario::Spacing;

const STALL: Duration = Duration::from_millis(200);
const EVERY: Duration = Duration::from_secs(1);
/// Of 2000 questions a second on four connections, four a second see the stall: far less than one
/// in a hundred.
const RATE: u32 = 2_000;
const CONNECTIONS: usize = 4;
const WARMUP: Duration = Duration::from_millis(300);
/// Whole periods, so that every window has the same number of stalls.
const WINDOW: Duration = Duration::from_secs(3);
/// What the corrected 99th percentile must reach. A fifth of all questions wait, evenly distributed
/// up to 200 ms, so the percentile lies at 190 ms.
const AT_LEAST: Duration = Duration::from_millis(150);
/// What the uncorrected percentile must not exceed: far more than an answer takes on a busy
/// machine.
const AT_MOST: Duration = Duration::from_millis(50);

/// Stalls for the first fifth of each second.
struct Stalling {
    began: Instant,
}

impl Service for Stalling {
    fn leaves(&mut self, begin: Instant) -> Instant {
        let now = begin.max(Instant::now());
        let into = now.duration_since(self.began).as_nanos() % EVERY.as_nanos();
        // Fits: it is less than a second.
        let into = Duration::from_nanos(u64::try_from(into).unwrap_or(0));
        now + STALL.saturating_sub(into)
    }
}

pub(super) fn check(lab: &Lab) -> io::Result<Check> {
    let worker = lab.start_server(|| Worker::start(Stalling { began: Instant::now() }))?;
    let scenario = open_loop(CONNECTIONS, 1, RATE, Spacing::Uniform);
    let result = lab.load(worker.address, &scenario, [WARMUP, WINDOW], 1, &mut |_| {})?;
    Ok(judge(&result))
}

fn judge(result: &LoadResult) -> Check {
    let corrected = result.latency.value_at_quantile(0.99);
    let uncorrected = result.uncorrected.as_ref().map_or(0, |samples| samples.value_at_quantile(0.99));
    let seen = Duration::from_nanos(corrected) >= AT_LEAST;
    let unseen = Duration::from_nanos(uncorrected) <= AT_MOST && result.answers > 0;
    Check {
        name: "a stall of 200 ms each second",
        expected: format!(
            "99th percentile of at least {} ms counted from when questions are due, at most {} ms from their write",
            AT_LEAST.as_millis(),
            AT_MOST.as_millis()
        ),
        seen: format!("{:.1} ms and {:.1} ms", ms(corrected), ms(uncorrected)),
        status: CheckStatus::unless(disturbed(result), seen && unseen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_have_to_be_right() {
        let status = |due: u64, write: u64| {
            let mut result = LoadResult::open_loop(1.0);
            result.answers = 1;
            result.latency.record(due * 1_000_000).unwrap();
            result.uncorrected.as_mut().unwrap().record(write * 1_000_000).unwrap();
            judge(&result).status
        };
        assert_eq!(status(190, 1), CheckStatus::Passed);
        assert_eq!(status(1, 1), CheckStatus::Failed);
        assert_eq!(status(190, 190), CheckStatus::Failed);
        assert_eq!(judge(&LoadResult::open_loop(1.0)).status, CheckStatus::Failed);
    }

    #[test]
    fn the_server_stalls_when_it_should() {
        let began = Instant::now() + Duration::from_secs(3600);
        let mut server = Stalling { began };
        let leaves = |server: &mut Stalling, ms| {
            server.leaves(began + Duration::from_millis(ms)).duration_since(began).as_millis()
        };
        assert_eq!(leaves(&mut server, 0), 200);
        assert_eq!(leaves(&mut server, 150), 200);
        assert_eq!(leaves(&mut server, 200), 200);
        assert_eq!(leaves(&mut server, 999), 999);
        assert_eq!(leaves(&mut server, 5_010), 5_200);
    }
}
