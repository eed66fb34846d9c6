//! What the options of `zen compare` ask the lab to do.

use std::path::Path;

use nix::sys::resource::{Resource, getrlimit};
use zen_compare::{Contender, Plan, Scenario, StopFlag, UserLoad, WorkKind};
use zen_server::defaults;

use crate::args::CompareArgs;
use crate::failure::Failure;
use crate::flavor::Flavor;
use crate::work;

/// Clients, where the user's own load is described and nothing is said of them: as many as `think` has.
const CLIENTS: usize = 50;

/// Connections that a server may not have let go of yet when others come in their place.
const LEAVING: usize = 100;

/// The load that the options describe, if they do.
pub(crate) fn user_load(args: &CompareArgs) -> Option<UserLoad> {
    args.describes_a_load().then(|| {
        let mut user_load = UserLoad::new(args.clients.unwrap_or(CLIENTS));
        user_load.think = args.think.unwrap_or_default();
        user_load.work = args.work.unwrap_or_default();
        user_load.work_kind = match args.work_kind {
            work::WorkKind::Spin => WorkKind::Spin,
            work::WorkKind::Sleep => WorkKind::Sleep,
        };
        user_load.server_cores = args.server_cores;
        user_load
    })
}

/// The plan that the options ask for.
pub(crate) fn plan(args: &CompareArgs, stop: StopFlag) -> Result<Plan, Failure> {
    for (option, number) in [("--workers", args.workers), ("--clients", args.clients)] {
        if number == Some(0) {
            return Err(Failure::Usage(format!("{option} is zero; give it a value of at least 1")));
        }
    }
    let everybody = contenders(args, None)?;
    let mut plan = match user_load(args) {
        Some(user_load) => user_load_plan(&user_load, args, everybody),
        None => named(args, everybody),
    };
    if let Some(room) = room_for(&plan.scenarios) {
        plan.contenders = contenders(args, Some(room))?;
    }
    plan.repetitions = args.repetitions.unwrap_or(plan.repetitions);
    plan.window = args.window.unwrap_or(plan.window);
    plan.seed = args.seed.unwrap_or(plan.seed);
    plan.server_cores = args.server_cores;
    plan.stop = stop;
    Ok(plan)
}

/// Named scenarios, or those that suit the effort.
fn named(args: &CompareArgs, contenders: Vec<Contender>) -> Plan {
    let chosen = args.scenarios.as_ref().map(|names| {
        let mut scenarios: Vec<Scenario> = Vec::new();
        for scenario in names.iter().flat_map(|named| &named.0) {
            // `saturate,saturate-16` names one of them twice, and means it once.
            if !scenarios.contains(scenario) {
                scenarios.push(scenario.clone());
            }
        }
        scenarios
    });
    match (args.quick, args.full) {
        (true, _) => Plan::quick(contenders, chosen.unwrap_or_else(Plan::quick_scenarios)),
        (_, true) => Plan::full(contenders, chosen.unwrap_or_else(Plan::full_scenarios)),
        _ => Plan::new(contenders, chosen.unwrap_or_else(Plan::usual_scenarios)),
    }
}

/// The user's own load.
fn user_load_plan(user_load: &UserLoad, args: &CompareArgs, contenders: Vec<Contender>) -> Plan {
    let mut plan = user_load.plan(contenders);
    if args.quick {
        plan.repetitions = 3;
        plan.count_system_calls = false;
    } else if args.full {
        plan.repetitions *= 2;
    }
    plan
}

/// How many connections a server has to be told to hold for these, where it would not hold as many by itself, and may.
fn room_for(scenarios: &[Scenario]) -> Option<usize> {
    let most = scenarios.iter().map(|scenario| scenario.clients + scenario.background.connections()).max()?;
    let room = most + LEAVING;
    // Servers have the hard limit, as the lab raises its own to that; one that asks for more does not start.
    let files = getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(_, hard)| hard);
    let fits = u64::try_from(room + defaults::RESERVED_FILES).is_ok_and(|needed| needed <= files);
    (most > defaults::CONNECTIONS - LEAVING && fits).then_some(room)
}

fn contenders(args: &CompareArgs, room: Option<usize>) -> Result<Vec<Contender>, Failure> {
    let program = std::env::current_exe().map_err(|error| {
        Failure::Failed(format!("cannot find this program, to start servers with: {error}"))
    })?;
    let mut contenders = vec![Contender::floor(&program, ["floor", "127.0.0.1:0"])];
    contenders.extend(args.flavors.iter().map(|flavor| server(&program, *flavor, args.workers, room)));
    contenders.extend(args.against.iter().cloned());
    Ok(contenders)
}

/// A server of the flavor. All that this command has a say in is said, so that a variable cannot say otherwise.
pub(crate) fn server(
    program: &Path,
    flavor: Flavor,
    workers: Option<usize>,
    room: Option<usize>,
) -> Contender {
    let mut words =
        ["serve", "127.0.0.1:0", "--flavor", flavor.name(), "--log", "warn"].map(str::to_owned).to_vec();
    if let Some(workers) = workers.filter(|_| flavor.has_workers()) {
        words.extend(["--workers".to_owned(), workers.to_string()]);
    }
    // A thread for each of so many connections is more than most machines let a process have; `threaded` has a limit of its own.
    if let Some(room) = room.filter(|_| flavor != Flavor::Threaded) {
        words.extend(["--connections".to_owned(), room.to_string()]);
    }
    // The lab says which handlers are to work, behind the other words.
    Contender::new(flavor.name(), program, words).with_variable("ZEN_WORK", "0s").taking_work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_given_room_for_idle_connections_and_clients() {
        assert_eq!(room_for(&[Scenario::book(), Scenario::saturate(512), Scenario::idle(100)]), None);
        let idle = Scenario::idle(10_000);
        let room = room_for(&[idle.clone(), Scenario::book()]);
        // A machine that does not let a server have so many leaves it as it is.
        assert!(room.is_none_or(|room| room >= idle.clients + 10_000), "{room:?}");
        let said = |flavor| format!("{:?}", server(Path::new("zen"), flavor, None, Some(10_108)));
        assert!(said(Flavor::Mio).contains(r#""--connections", "10108""#), "{}", said(Flavor::Mio));
        assert!(!said(Flavor::Threaded).contains("--connections"), "{}", said(Flavor::Threaded));
    }
}
