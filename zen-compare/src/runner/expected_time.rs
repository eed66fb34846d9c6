//! How long a comparison takes: as expected beforehand, and as it turns out.

use std::time::{Duration, Instant};

use super::capacity;
use super::measure::COUNTED;
use crate::plan::{Job, Plan};

/// About how long it takes to start, find and end a server, for each run.
const AROUND_A_RUN: Duration = Duration::from_millis(60);
/// About how long it takes to make and end a connection beyond the ones that fit in the time around
/// a run.
const PER_CONNECTION: Duration = Duration::from_micros(150);
/// How many clients connect within the time around a run.
const MANY: usize = 512;
/// About how long it takes to attach the tool that counts system calls.
const AROUND_A_COUNT: Duration = Duration::from_millis(100);
/// The least time that it takes to see that answers come at a steady pace.
const STEADY_AT_THE_EARLIEST: Duration = Duration::from_millis(200);

impl Plan {
    /// About how long the whole plan will take on an otherwise idle machine.
    pub fn expected_time(&self) -> Duration {
        let runs: Duration = self.jobs().map(|job| self.expected_time_of(job)).sum();
        let contenders = u32::try_from(self.contenders.len()).unwrap_or(u32::MAX);
        let calibration = if self.capacity.is_none() { self.calibration_time() } else { Duration::ZERO };
        runs + calibration + AROUND_A_RUN.saturating_mul(contenders)
    }

    /// About how long it takes to find out what open loops are to offer; zero when no scenario
    /// needs it.
    pub(crate) fn calibration_time(&self) -> Duration {
        capacity::expected_time(self, AROUND_A_RUN)
    }

    /// About how long one run will take.
    pub(crate) fn expected_time_of(&self, job: Job<'_>) -> Duration {
        if job.contender.cannot(job.scenario).is_some() {
            return Duration::ZERO;
        }
        let many = job.scenario.clients.saturating_sub(MANY);
        let idle = u32::try_from(job.scenario.background.connections() + many).unwrap_or(u32::MAX);
        let around = AROUND_A_RUN + PER_CONNECTION.saturating_mul(idle);
        let counted = self.count_system_calls && job.repetition == 0;
        let count = if counted { around + AROUND_A_COUNT + COUNTED } else { Duration::ZERO };
        let length = self.length_of(job.scenario);
        length.warmup.max(STEADY_AT_THE_EARLIEST) + length.window + around + count
    }
}

/// How the time of a comparison relates to what was expected.
#[derive(Debug)]
pub(super) struct Pace {
    began: Instant,
    expected: Duration,
    passed: Duration,
}

impl Pace {
    pub(super) fn new(expected: Duration) -> Self {
        Self { began: Instant::now(), expected, passed: Duration::ZERO }
    }

    pub(super) fn more(&mut self, expected: Duration) {
        self.expected += expected;
    }

    pub(super) fn passed(&mut self, expected: Duration) {
        self.passed += expected;
    }

    /// How long the rest will take, if it differs from what was expected by the same factor as what
    /// has passed.
    pub(super) fn remaining(&self) -> Duration {
        let remaining = self.expected.saturating_sub(self.passed);
        // The first runs say little about the rest.
        if self.passed < self.expected / 10 {
            return remaining;
        }
        remaining.mul_f64(self.began.elapsed().as_secs_f64() / self.passed.as_secs_f64().max(f64::EPSILON))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Scenario, WorkKind};
    use crate::server::Contender;

    fn plan() -> Plan {
        let contender = |name| Contender::new(name, "true", [""; 0]);
        Plan::new(vec![contender("a"), contender("b")], vec![Scenario::book(), Scenario::churn()])
    }

    #[test]
    fn the_expected_time_adds_up() {
        let s = Duration::from_secs;
        let plan = Plan { repetitions: 2, warmup: s(1), window: s(2), count_system_calls: false, ..plan() };
        // Two contenders, two scenarios, twice; and each contender is started once before that.
        assert_eq!(plan.expected_time(), (s(3) + AROUND_A_RUN) * 8 + AROUND_A_RUN * 2);
        let counted = Plan { count_system_calls: true, ..plan.clone() };
        let per_count = AROUND_A_RUN + AROUND_A_COUNT + COUNTED;
        assert_eq!(counted.expected_time(), plan.expected_time() + per_count * 4);
        let idle = Plan { scenarios: vec![Scenario::idle(10_000)], ..plan.clone() };
        assert_eq!(
            idle.expected_time(),
            (s(3) + AROUND_A_RUN + PER_CONNECTION * 10_000) * 4 + AROUND_A_RUN * 2
        );
        let clients = Plan { scenarios: vec![Scenario::saturate(10_000 + MANY)], ..plan.clone() };
        assert_eq!(clients.expected_time(), idle.expected_time());
        // What an open loop offers is measured first: three times for every contender.
        let open = Plan { scenarios: vec![Scenario::open(50)], ..plan.clone() };
        let measured = (AROUND_A_RUN + Duration::from_millis(300)) * 6;
        assert_eq!(open.expected_time(), (s(3) + AROUND_A_RUN) * 4 + AROUND_A_RUN * 2 + measured);
        let known = Plan { capacity: Some(1e5), ..open.clone() };
        assert_eq!(known.expected_time() + measured, open.expected_time());
        // A contender that is left out takes no time.
        let work = Plan { scenarios: vec![Scenario::work(WorkKind::Spin)], ..plan };
        assert_eq!(work.expected_time(), AROUND_A_RUN * 2);
    }

    #[test]
    fn the_usual_plans_take_no_longer_than_promised() {
        let eight: Vec<_> =
            (0..8).map(|n| Contender::new(n.to_string(), "true", [""; 0]).taking_work()).collect();
        let usual = Plan::new(eight.clone(), Plan::usual_scenarios());
        assert!(usual.expected_time() < Duration::from_secs(180), "{:?}", usual.expected_time());
        let quick = Plan::quick(eight.clone(), Plan::quick_scenarios());
        assert!(quick.expected_time() < Duration::from_secs(45), "{:?}", quick.expected_time());
        let full = Plan::full(eight, Plan::full_scenarios());
        assert_eq!(full.check(), Ok(()));
        assert!(usual.scenarios.iter().all(|scenario| full.scenarios.contains(scenario)));
    }
}
