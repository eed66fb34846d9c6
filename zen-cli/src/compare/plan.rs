//! Turns the options of `zen compare` into a plan for the lab.

use std::path::Path;

use nix::sys::resource::{Resource, getrlimit};
use zen_compare::{Contender, Plan, Scenario, StopFlag, UserLoad, WorkKind};
use zen_server::defaults;

use crate::args::CompareArgs;
use crate::failure::Failure;
use crate::flavor::Flavor;
use crate::work;

/// The number of clients of a user load when none is given: as many as `think` has.
const CLIENTS: usize = 50;

/// Connections that a server may not have closed yet when others replace them.
const LEAVING: usize = 100;

/// The user load, if the options describe one.
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

/// The plan for the options.
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
    if let Some(connections) = connections_for(&plan.scenarios) {
        plan.contenders = contenders(args, Some(connections))?;
    }
    plan.repetitions = args.repetitions.unwrap_or(plan.repetitions);
    plan.window = args.window.unwrap_or(plan.window);
    plan.seed = args.seed.unwrap_or(plan.seed);
    plan.server_cores = args.server_cores;
    plan.stop = stop;
    Ok(plan)
}

/// A plan of the named scenarios, or of the default ones for `--quick`, `--full` or neither.
fn named(args: &CompareArgs, contenders: Vec<Contender>) -> Plan {
    let chosen = args.scenarios.as_ref().map(|names| {
        let mut scenarios: Vec<Scenario> = Vec::new();
        for scenario in names.iter().flat_map(|named| &named.0) {
            // `saturate,saturate-16` names one scenario twice; it is run once.
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

/// The plan of a user load.
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

/// How many connections a server must be told to allow for these scenarios, if its default is lower
/// and the open-file limit permits more.
fn connections_for(scenarios: &[Scenario]) -> Option<usize> {
    let most = scenarios.iter().map(|scenario| scenario.clients + scenario.background.connections()).max()?;
    let connections = most + LEAVING;
    // Servers get the hard limit, because the lab raises its own limit to that. A server that asks
    // for more does not start.
    let files = getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(_, hard)| hard);
    let fits = u64::try_from(connections + defaults::RESERVED_FILES).is_ok_and(|needed| needed <= files);
    (most > defaults::CONNECTIONS - LEAVING && fits).then_some(connections)
}

fn contenders(args: &CompareArgs, connections: Option<usize>) -> Result<Vec<Contender>, Failure> {
    let program = std::env::current_exe().map_err(|error| {
        Failure::Failed(format!("cannot find this program, to start servers with: {error}"))
    })?;
    let mut contenders = vec![Contender::floor(&program, ["floor", "127.0.0.1:0"])];
    contenders.extend(args.flavors.iter().map(|flavor| server(&program, *flavor, args.workers, connections)));
    contenders.extend(args.against.iter().cloned());
    Ok(contenders)
}

/// A server of the flavor. Every option that this command decides is stated, so that a variable
/// cannot change it.
pub(crate) fn server(
    program: &Path,
    flavor: Flavor,
    workers: Option<usize>,
    connections: Option<usize>,
) -> Contender {
    let mut words =
        ["serve", "127.0.0.1:0", "--flavor", flavor.name(), "--log", "warn"].map(str::to_owned).to_vec();
    if let Some(workers) = workers.filter(|_| flavor.has_workers()) {
        words.extend(["--workers".to_owned(), workers.to_string()]);
    }
    // Most machines do not let a process have a thread for each of this many connections, so
    // `threaded` keeps its own limit.
    if let Some(connections) = connections.filter(|_| flavor != Flavor::Threaded) {
        words.extend(["--connections".to_owned(), connections.to_string()]);
    }
    // The lab appends the work that handlers are to do.
    Contender::new(flavor.name(), program, words).with_variable("ZEN_WORK", "0s").taking_work()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::time::Duration;

    use super::*;
    use crate::args::{Cli, Command};
    use crate::trace::short;

    #[test]
    fn what_the_help_promises_has_room_for_the_trace() {
        for (effort, seconds) in [(&["compare"][..], 180), (&["compare", "--quick"][..], 45)] {
            let words: Vec<OsString> = ["zen"].iter().chain(effort).map(Into::into).collect();
            let Ok(Cli { command: Command::Compare(args) }) = Cli::understood(&words) else { panic!() };
            let traced = short::expected_time(&args.flavors, args.workers);
            let time = plan(&args, StopFlag::default()).unwrap().expected_time() + traced;
            assert!(time < Duration::from_secs(seconds), "{effort:?}: {time:?}");
        }
    }

    #[test]
    fn servers_are_given_room_for_idle_connections_and_clients() {
        assert_eq!(connections_for(&[Scenario::book(), Scenario::saturate(512), Scenario::idle(100)]), None);
        let idle = Scenario::idle(10_000);
        let connections = connections_for(&[idle.clone(), Scenario::book()]);
        // A machine that does not allow this many leaves the default.
        assert!(
            connections.is_none_or(|connections| connections >= idle.clients + 10_000),
            "{connections:?}"
        );
        let said = |flavor| format!("{:?}", server(Path::new("zen"), flavor, None, Some(10_108)));
        assert!(said(Flavor::Mio).contains(r#""--connections", "10108""#), "{}", said(Flavor::Mio));
        assert!(!said(Flavor::Threaded).contains("--connections"), "{}", said(Flavor::Threaded));
    }
}
