//! The generator costs no more per question than the cheapest server there can be.

use std::io;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use super::{Check, Lab, Outcome, disturbed};
use crate::floor::Floor;
use crate::generator::{Moment, Tally};
use crate::sample::Probe;
use crate::scenario::Scenario;
use crate::stats::median;

const TIMES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(300)];
const REPETITIONS: u64 = 5;
/// How many times the floor's cost the generator's may be. On loopback both make the same two system calls for a
/// question, and each is charged with what the other receives, so that neither can be much cheaper.
const MOST: f64 = 1.1;

/// The generator and the floor, while the one loads the other.
pub(super) fn check(lab: &Lab) -> io::Result<Check> {
    let [single, deep] = [Scenario::saturate(16), Scenario::pipeline()].map(|scenario| costs(lab, &scenario));
    let ((single, first), (deep, second)) = (single?, deep?);
    Ok(Check {
        name: "the generator against the floor",
        expected: format!("at most {MOST:.1} × its CPU time for each question"),
        seen: format!("{single:.2} × with one question in flight, {deep:.2} × with 64"),
        outcome: Outcome::unless(first.or(second), single <= MOST && deep <= MOST),
    })
}

/// The median of how many times the floor's CPU time the generator needs, and what disturbed it.
fn costs(lab: &Lab, scenario: &Scenario) -> io::Result<(f64, Option<String>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let floor = Floor::new(listener)?;
    let stop = floor.stopper()?;
    let serving = lab.start_server(|| thread::Builder::new().name("floor".into()).spawn(|| floor.run()))?;
    let own = Probe::new(std::process::id())?;
    let loads = (1..=REPETITIONS).map(|seed| {
        // What this process has used before the window, and when it was over. Nothing but the two threads runs in it.
        let mut used = [Duration::ZERO; 2];
        let tally = lab.load(address, scenario, TIMES, seed, &mut |moment| {
            let at = match moment {
                Moment::Opens => 0,
                Moment::Closes => 1,
                Moment::Settling | Moment::Passing => return,
            };
            used[at] = own.cpu().unwrap_or_default();
        })?;
        let both = used[1].saturating_sub(used[0]);
        let floors = both.saturating_sub(tally.generator_cpu);
        // A floor that was not on a processor at all did not answer either.
        let ratio =
            if floors.is_zero() { f64::INFINITY } else { tally.generator_cpu.div_duration_f64(floors) };
        Ok((ratio, tally))
    });
    let loads: io::Result<Vec<(f64, Tally)>> = loads.collect();
    stop.stop()?;
    serving.join().map_err(|_| io::Error::other("the floor panicked"))??;
    let loads = loads?;
    let ratios: Vec<f64> = loads.iter().map(|(ratio, _)| *ratio).collect();
    Ok((median(&ratios).unwrap_or(f64::INFINITY), loads.iter().find_map(|(_, tally)| disturbed(tally))))
}
