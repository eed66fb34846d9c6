//! The usual plan, the quick one and the full one, and the scenarios that they run.

use std::time::Duration;

use super::Plan;
use crate::scenario::{Scenario, WorkKind, Workload};
use crate::server::{Contender, StopFlag};

impl Plan {
    /// The usual plan: three repetitions of 0.6 s after 0.2 s of warm-up.
    pub fn new(contenders: Vec<Contender>, scenarios: Vec<Scenario>) -> Self {
        Self {
            contenders,
            scenarios,
            workload: Workload::aphorisms(),
            repetitions: 3,
            warmup: Duration::from_millis(200),
            extra_warmup: Duration::from_millis(400),
            window: Duration::from_millis(600),
            capacity: None,
            seed: 1,
            retries: 2,
            valid_at_least: 0,
            shorter: Vec::new(),
            count_system_calls: true,
            server_cores: None,
            stop: StopFlag::default(),
        }
    }

    /// The quick plan, just long enough for a first impression: three repetitions of 0.25 s after
    /// 0.15 s of warm-up, without counting system calls.
    pub fn quick(contenders: Vec<Contender>, scenarios: Vec<Scenario>) -> Self {
        let ms = Duration::from_millis;
        Self {
            warmup: ms(150),
            extra_warmup: ms(200),
            window: ms(250),
            retries: 1,
            count_system_calls: false,
            ..Self::new(contenders, scenarios)
        }
    }

    /// The full plan, for narrow intervals: five repetitions of 2 s after 0.5 s of warm-up.
    pub fn full(contenders: Vec<Contender>, scenarios: Vec<Scenario>) -> Self {
        let ms = Duration::from_millis;
        Self {
            warmup: ms(500),
            extra_warmup: ms(3_000),
            window: ms(2_000),
            repetitions: 5,
            ..Self::new(contenders, scenarios)
        }
    }

    /// The scenarios that show how architectures differ, for [`Plan::new`]. With seven contenders
    /// and a floor they take less than three minutes.
    pub fn usual_scenarios() -> Vec<Scenario> {
        vec![
            Scenario::book(),
            Scenario::think(),
            Scenario::saturate(64),
            Scenario::pipeline(16, 64),
            Scenario::slow(),
            Scenario::work(WorkKind::Sleep),
        ]
    }

    /// The three scenarios that show most, for [`Plan::quick`]. With seven contenders and a floor
    /// they take less than 45 seconds.
    pub fn quick_scenarios() -> Vec<Scenario> {
        vec![Scenario::think(), Scenario::saturate(16), Scenario::pipeline(16, 64)]
    }

    /// Every scenario that has a name, with whole sweeps, for [`Plan::full`].
    pub fn full_scenarios() -> Vec<Scenario> {
        let names = ["book", "think", "saturate", "pipeline", "churn", "open", "slow", "idle", "work"];
        names.iter().filter_map(|name| Scenario::named(name)).flatten().collect()
    }
}
