//! How much the contenders can answer in a closed loop: what the open loop's ladder is a share of.

use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::contender::Contender;
use crate::generator::{self, Load};
use crate::pin::{Cores, Pinned};
use crate::plan::Plan;
use crate::scenario::{Rate, Scenario};

/// How long each contender is loaded for it: before it counts, and while it does.
const WARMUP: Duration = Duration::from_millis(200);
const WINDOW: Duration = Duration::from_millis(400);

/// About how long that takes for each.
pub(crate) const TIME: Duration = Duration::from_millis(660);

/// Whether any of the plan's rates is a share of the capacity.
pub(crate) fn is_needed(plan: &Plan) -> bool {
    let share = |scenario: &Scenario| {
        scenario.arrivals.is_some_and(|arrivals| matches!(arrivals.rate, Rate::PercentOfCapacity(_)))
    };
    plan.scenarios.iter().any(share)
}

/// The answers per second of the quickest contender, the floor aside, when it is asked by as many clients as the open
/// loop has. Everybody is then offered the same, so that whoever is slower is seen to give way first. Contenders
/// that leave clients waiting count only when all do. `None` when nobody answers, or when the plan is stopped.
///
/// # Errors
/// When the generator's own event loop fails, or the kernel does not let it keep to its cores.
pub(crate) fn measure(plan: &Plan, cores: Option<&Cores>) -> io::Result<Option<f64>> {
    let scenario = Scenario::saturate(Scenario::open(100).clients);
    let mut best = (false, 0.0);
    // A floor that is alone is its own measure.
    let alone = plan.contenders.iter().all(Contender::is_floor);
    for contender in plan.contenders.iter().filter(|contender| alone || !contender.is_floor()) {
        // Who does not start is reported with its first run.
        let Ok(server) = contender.start(cores.map(|cores| cores.server.as_slice())) else { continue };
        let workload = contender.workload(&plan.workload);
        let load = Load {
            server: server.address(),
            scenario: &scenario,
            workload: &workload,
            warmup: WARMUP,
            window: WINDOW,
            capacity: None,
            seed: plan.seed,
            progress: None,
        };
        let tally = {
            let _pinned = cores.map(|cores| Pinned::to(&cores.generator)).transpose()?;
            generator::generate(&load, &mut |_| {
                if plan.stop.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?
        };
        let _ = server.stop();
        if plan.stop.is_stopped() {
            return Ok(None);
        }
        let found = (tally.clients_served() == scenario.clients, tally.throughput());
        if found > best {
            best = found;
        }
    }
    Ok((best.1 > 0.0).then_some(best.1))
}
