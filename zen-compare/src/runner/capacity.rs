//! How much the contenders can answer in a closed loop. The rates of an open loop's sweep are
//! shares of it.

use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::generator::{self, Load};
use crate::machine::pin::{Cores, Pinned};
use crate::plan::Plan;
use crate::scenario::{Rate, Scenario};
use crate::server::Contender;

/// How often each contender is loaded for this. Every contender is loaded once before any is loaded
/// again, so a moment in which the machine was busy with something else moves no median.
const ROUNDS: usize = 3;
/// How long a contender is loaded each time: before the window, and in it.
const WARMUP: Duration = Duration::from_millis(100);
const WINDOW: Duration = Duration::from_millis(200);

/// About how long all of this takes, when starting and ending a server takes `around`.
pub(crate) fn expected_time(plan: &Plan, around: Duration) -> Duration {
    if !is_needed(plan) {
        return Duration::ZERO;
    }
    let times = u32::try_from(contenders(plan).count() * ROUNDS).unwrap_or(u32::MAX);
    (around + WARMUP + WINDOW).saturating_mul(times)
}

/// Whether any of the plan's rates is a share of the capacity.
pub(crate) fn is_needed(plan: &Plan) -> bool {
    let share = |scenario: &Scenario| {
        scenario.arrivals.is_some_and(|arrivals| matches!(arrivals.rate, Rate::PercentOfCapacity(_)))
    };
    plan.scenarios.iter().any(share)
}

/// The contenders to load. The floor is left out unless it is alone, when it is its own measure.
fn contenders(plan: &Plan) -> impl Iterator<Item = &Contender> {
    let alone = plan.contenders.iter().all(Contender::is_floor);
    plan.contenders.iter().filter(move |contender| alone || !contender.is_floor())
}

/// What a contender did in one window: whether it served every client, and its answers per second.
/// Serving every client ranks above not doing so; otherwise the higher throughput ranks higher.
type Found = (bool, f64);

/// The answers per second of the fastest contender other than the floor, when as many clients ask
/// as the open loop has. For each contender, the median of its windows counts. All contenders are
/// then offered the same, so that the slower ones are seen to give way first. Contenders that leave
/// clients waiting count only when all do. `None` when no contender answers, or when the plan is
/// stopped.
///
/// # Errors
/// When the generator's own event loop fails, or the kernel does not let it keep to its cores.
pub(crate) fn measure(plan: &Plan, cores: Option<&Cores>) -> io::Result<Option<f64>> {
    let mut found: Vec<Vec<Found>> = contenders(plan).map(|_| Vec::with_capacity(ROUNDS)).collect();
    for _ in 0..ROUNDS {
        for (contender, found) in contenders(plan).zip(&mut found) {
            found.extend(load(plan, contender, cores)?);
            if plan.stop.is_stopped() {
                return Ok(None);
            }
        }
    }
    Ok(best(found))
}

fn best(found: Vec<Vec<Found>>) -> Option<f64> {
    let quicker = |one: &Found, other: &Found| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1));
    let middles = found.into_iter().filter_map(|mut windows| {
        windows.sort_by(quicker);
        windows.get(windows.len() / 2).copied()
    });
    middles.max_by(quicker).map(|(_, throughput)| throughput).filter(|throughput| *throughput > 0.0)
}

/// Loads a contender for one window. `None` when it does not start; its first run reports that.
fn load(plan: &Plan, contender: &Contender, cores: Option<&Cores>) -> io::Result<Option<Found>> {
    let server_cores = cores.map(|cores| cores.server.as_slice());
    let Ok(server) = contender.start_unless(&plan.stop, server_cores) else { return Ok(None) };
    let scenario = Scenario::saturate(Scenario::open(100).clients);
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
    let result = {
        let _pinned = cores.map(|cores| Pinned::pin_to(&cores.generator)).transpose()?;
        generator::generate(&load, &mut |_| {
            if plan.stop.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?
    };
    let _ = server.stop();
    Ok(Some((result.clients_served() == scenario.clients, result.throughput())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_window_does_not_change_the_result() {
        let all = |throughputs: [f64; 3]| throughputs.map(|throughput| (true, throughput)).to_vec();
        assert_eq!(best(vec![all([100.0, 3.0, 101.0]), all([90.0, 95.0, 400.0])]), Some(100.0));
        // A contender that leaves clients waiting counts only when all do; once may be chance.
        let starves = vec![(false, 900.0); 3];
        assert_eq!(best(vec![starves.clone(), all([10.0; 3])]), Some(10.0));
        assert_eq!(best(vec![starves, Vec::new()]), Some(900.0));
        assert_eq!(best(vec![vec![(false, 900.0), (true, 9.0), (true, 8.0)], all([7.0; 3])]), Some(8.0));
        assert_eq!(best(vec![vec![(false, 0.0); 3], Vec::new()]), None);
        assert_eq!(best(Vec::new()), None);
    }
}
