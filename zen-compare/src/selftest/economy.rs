//! The generator costs less per question than the servers of many clients that it loads, and hardly
//! more than the cheapest server there can be.
//!
//! When each has a core of its own, a closed loop hides which of the two is the cheaper: the
//! cheaper one stays awake while it waits for the other, and pays for every check for new data. So
//! here they share one core, each scheduled in [batches](Batch): while one works, the other waits
//! at no cost, and handles all that has come when its turn comes.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

use super::batch::Batch;
use super::check::{Check, CheckStatus};
use super::lab::{ANSWER, Lab};
use crate::generator::{self, Load, Moment};
use crate::machine::pin::{Pinned, allowed};
use crate::observe::process::Probe;
use crate::scenario::Scenario;
use crate::scenario::Workload;
use crate::server::Contender;
use crate::server::floor::Floor;
use crate::stats::median;

const WARMUP: Duration = Duration::from_millis(100);
const WINDOW: Duration = Duration::from_millis(200);
const REPETITIONS: u64 = 5;
/// The most that the generator may cost, as a multiple of the floor's cost. Both make the same
/// system calls for a question; the generator also reads the clock, compares and records.
const OF_FLOOR: f64 = 1.1;
/// The most that it may cost, as a multiple of another server's cost.
const OF_SERVER: f64 = 1.0;
/// When the two used less than this share of their core together, other programs used it.
const OCCUPIED: f64 = 0.5;

/// The generator against the floor and against `servers`, each of which has to serve many clients
/// at a time.
pub(super) fn check(lab: &Lab, servers: &[Contender]) -> io::Result<Check> {
    let core = match &lab.cores {
        Some(cores) => cores.server[..1].to_vec(),
        None => allowed()?[..1].to_vec(),
    };
    let _pinned = Pinned::pin_to(&core)?;
    let check = |seen, status| Check {
        name: "the generator's own cost",
        expected: format!(
            "less CPU time for each question than a server of many clients, at most {OF_FLOOR:.1} × the floor's"
        ),
        seen,
        status,
    };
    let _batch = match Batch::begin() {
        Ok(batch) => batch,
        Err(error) => return Ok(check("nothing".into(), CheckStatus::Undecided(error.to_string()))),
    };
    let of_floor = against_floor()?;
    let of_servers: io::Result<Vec<[Cost; 2]>> = servers.iter().map(against).collect();
    let of_servers = of_servers?;
    let mut seen = format!("{} the floor's", multiples(&of_floor));
    let mut judged = of_floor.map(|cost| cost.judge(OF_FLOOR)).to_vec();
    for (server, costs) in servers.iter().zip(&of_servers) {
        seen = format!("{seen}, {} {}'s", multiples(costs), server.name());
        judged.extend(costs.iter().map(|cost| cost.judge(OF_SERVER)));
    }
    seen += ", with one question in flight and with 64";
    let worst = judged.into_iter().reduce(worse).unwrap_or(CheckStatus::Passed);
    Ok(check(seen, worst))
}

fn multiples([single, deep]: &[Cost; 2]) -> String {
    format!("{:.2} and {:.2} ×", single.median(), deep.median())
}

fn worse(one: CheckStatus, other: CheckStatus) -> CheckStatus {
    match (&one, &other) {
        (CheckStatus::Failed, _) | (CheckStatus::Undecided(_), CheckStatus::Passed) => one,
        _ => other,
    }
}

/// The generator's CPU time as a multiple of its server's, in each repetition.
#[derive(Debug, Clone, Default)]
struct Cost {
    multiples: Vec<f64>,
    /// The least share of their core that the two used together.
    occupied: f64,
}

impl Cost {
    fn median(&self) -> f64 {
        median(&self.multiples).unwrap_or(f64::INFINITY)
    }

    fn judge(&self, most: f64) -> CheckStatus {
        let least = self.multiples.iter().copied().fold(f64::INFINITY, f64::min);
        if self.median() <= most {
            CheckStatus::Passed
        } else if self.occupied < OCCUPIED {
            CheckStatus::Undecided("the machine is busy: other programs had the core".into())
        } else if least <= most {
            CheckStatus::Undecided(format!("the repetitions do not agree: one saw {least:.2} ×"))
        } else {
            CheckStatus::Failed
        }
    }
}

fn against_floor() -> io::Result<[Cost; 2]> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let floor = Floor::new(listener)?;
    let stop = floor.stopper()?;
    let serving = thread::Builder::new().name("floor".into()).spawn(|| floor.run())?;
    let workload = Workload::aphorisms().answered_by_constant(ANSWER);
    // In this process, only these two threads run meanwhile.
    let probe = Probe::new(std::process::id())?;
    let costs = costs(address, &workload, probe, true);
    stop.stop()?;
    serving.join().map_err(|_| io::Error::other("the floor panicked"))??;
    costs
}

fn against(server: &Contender) -> io::Result<[Cost; 2]> {
    let running = server.start(None).map_err(|error| {
        let name = server.name();
        io::Error::other(format!("{name}: {error}"))
    })?;
    let workload = server.workload(&Workload::aphorisms());
    costs(running.address(), &workload, Probe::new(running.pid())?, false)
}

fn costs(
    server: SocketAddr,
    workload: &Workload,
    probe: Probe,
    includes_generator: bool,
) -> io::Result<[Cost; 2]> {
    let mut costs = [Cost::default(), Cost::default()];
    for (cost, scenario) in costs.iter_mut().zip([Scenario::saturate(16), Scenario::pipeline(16, 64)]) {
        cost.occupied = f64::INFINITY;
        for seed in 1..=REPETITIONS {
            let load = Load {
                server,
                scenario: &scenario,
                workload,
                warmup: WARMUP,
                window: WINDOW,
                capacity: None,
                seed,
                progress: None,
            };
            // What the probe's process had used before the window, and what it had used at its end.
            let mut used = [Duration::ZERO; 2];
            let result = generator::generate(&load, &mut |moment| {
                match moment {
                    Moment::Opens => used[0] = probe.cpu().unwrap_or_default(),
                    Moment::Closes => used[1] = probe.cpu().unwrap_or_default(),
                    Moment::Settling | Moment::Passing => {}
                }
                ControlFlow::Continue(())
            })?;
            let generator = result.generator_cpu;
            let used = used[1].saturating_sub(used[0]);
            let server = if includes_generator { used.saturating_sub(generator) } else { used };
            // A server that used no processor time at all did not answer either.
            let multiple = if server.is_zero() { f64::INFINITY } else { generator.div_duration_f64(server) };
            cost.multiples.push(multiple);
            cost.occupied = cost.occupied.min((generator + server).div_duration_f64(result.window));
        }
    }
    Ok(costs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(multiples: [f64; 3], occupied: f64) -> CheckStatus {
        Cost { multiples: multiples.to_vec(), occupied }.judge(1.1)
    }

    #[test]
    fn a_cost_that_all_repetitions_see_fails() {
        assert_eq!(judged([1.2, 1.11, 1.3], 1.0), CheckStatus::Failed);
        assert_eq!(judged([1.2, 1.1, 1.0], 1.0), CheckStatus::Passed);
        assert!(matches!(judged([1.2, 1.2, 1.0], 1.0), CheckStatus::Undecided(_)));
        assert!(matches!(judged([1.2, 1.2, 1.2], 0.4), CheckStatus::Undecided(_)));
        // What passes in spite of a busy machine passes.
        assert_eq!(judged([1.0, 1.0, 1.0], 0.4), CheckStatus::Passed);
    }

    #[test]
    fn one_failure_fails_the_check() {
        let unclear = || CheckStatus::Undecided("unclear".into());
        assert_eq!(worse(CheckStatus::Passed, CheckStatus::Failed), CheckStatus::Failed);
        assert_eq!(worse(CheckStatus::Failed, unclear()), CheckStatus::Failed);
        assert_eq!(worse(unclear(), CheckStatus::Failed), CheckStatus::Failed);
        assert_eq!(worse(unclear(), CheckStatus::Passed), unclear());
        assert_eq!(worse(CheckStatus::Passed, unclear()), unclear());
    }
}
