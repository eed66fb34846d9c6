//! What the options of `zen compare` ask the lab to do.

use std::path::Path;

use zen_compare::{Contender, Plan, Scenario, Stop, Wish, WorkKind};

use super::args::CompareArgs;
use crate::failure::Failure;
use crate::flavor::Flavor;
use crate::work;

/// Clients, where the user's own load is described and nothing is said of them: as many as `think` has.
const CLIENTS: usize = 50;

/// The load that the options describe, if they do.
pub(crate) fn wish(args: &CompareArgs) -> Option<Wish> {
    args.describes_a_load().then(|| Wish {
        think: args.think.unwrap_or_default(),
        work: args.work.unwrap_or_default(),
        work_kind: match args.work_kind {
            work::WorkKind::Spin => WorkKind::Spin,
            work::WorkKind::Sleep => WorkKind::Sleep,
        },
        clients: args.clients.unwrap_or(CLIENTS),
        server_cores: args.server_cores,
    })
}

/// The plan that the options ask for.
pub(crate) fn plan(args: &CompareArgs, stop: Stop) -> Result<Plan, Failure> {
    for (option, number) in [("--workers", args.workers), ("--clients", args.clients)] {
        if number == Some(0) {
            return Err(Failure::Usage(format!("{option} is zero; give it a value of at least 1")));
        }
    }
    let contenders = contenders(args)?;
    let plan = match wish(args) {
        Some(wish) => yours(&wish, args, contenders),
        None => named(args, contenders),
    };
    Ok(Plan {
        repetitions: args.repetitions.unwrap_or(plan.repetitions),
        window: args.window.unwrap_or(plan.window),
        seed: args.seed.unwrap_or(plan.seed),
        server_cores: args.server_cores,
        stop,
        ..plan
    })
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
fn yours(wish: &Wish, args: &CompareArgs, contenders: Vec<Contender>) -> Plan {
    let plan = wish.plan(contenders);
    match (args.quick, args.full) {
        (true, _) => Plan { repetitions: 3, count_system_calls: false, ..plan },
        (_, true) => Plan { repetitions: plan.repetitions * 2, ..plan },
        _ => plan,
    }
}

fn contenders(args: &CompareArgs) -> Result<Vec<Contender>, Failure> {
    let program = std::env::current_exe().map_err(|error| {
        Failure::Failed(format!("cannot find this program, to start servers with: {error}"))
    })?;
    let mut contenders = vec![Contender::floor(&program, ["floor", "127.0.0.1:0"])];
    contenders.extend(args.flavors.iter().map(|flavor| server(&program, *flavor, args.workers)));
    contenders.extend(args.against.iter().cloned());
    Ok(contenders)
}

/// A server of the flavor. All that this command has a say in is said, so that a variable cannot say otherwise.
pub(crate) fn server(program: &Path, flavor: Flavor, workers: Option<usize>) -> Contender {
    let mut words =
        ["serve", "127.0.0.1:0", "--flavor", flavor.name(), "--log", "warn"].map(str::to_owned).to_vec();
    if let Some(workers) = workers.filter(|_| flavor.has_workers()) {
        words.extend(["--workers".to_owned(), workers.to_string()]);
    }
    // The lab says which handlers are to work, behind the other words.
    Contender::new(flavor.name(), program, words).with_variable("ZEN_WORK", "0s").taking_work()
}
