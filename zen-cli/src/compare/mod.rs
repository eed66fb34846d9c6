//! `zen compare`: lets the lab load every flavor, and prints the results.

mod gate;
mod plan;
mod progress;
mod resume;
mod saving;
mod selftest;

use std::collections::BTreeSet;
use std::io::{self, Write};

use zen_compare::output::JSON_SCHEMA;
use zen_compare::{CompareError, Invalid, Plan, Report, Run, compare, compare_in};

use self::gate::Gate;
use self::progress::{Progress, Working};
use self::saving::Saving;
use crate::args::CompareArgs;
use crate::failure::Failure;
use crate::files;
use crate::signals::stop_on_signal;
use crate::terminal::{self, wrapped};

/// The table's width when standard output is not a terminal.
const WIDTH: u16 = 100;

pub(crate) fn run(args: &CompareArgs) -> Result<(), Failure> {
    if args.schema {
        return Failure::from_output(io::stdout().write_all(JSON_SCHEMA.as_bytes()));
    }
    if args.self_test {
        return selftest::run();
    }
    match &args.resume {
        Some(directory) => compared(&resume::begun_in(directory)?),
        None => compared(args),
    }
}

fn compared(args: &CompareArgs) -> Result<(), Failure> {
    // Mistakes in the rest of the command line should be reported before anything is measured.
    let gate = Gate::new(args)?;
    let plan = plan::plan(args, stop_on_signal()?)?;
    let saving = Saving::new(args)?;
    let store = saving.store();
    let working = Working { flavors: args.flavors.clone(), workers: args.workers, stop: plan.stop.clone() };
    let mut progress = Progress::new(saving, working);
    let made = match &store {
        Some(store) => compare_in(store, &plan, &mut progress),
        None => compare(&plan, &mut progress),
    };
    let report = made.map_err(|error| explained(&error, args))?;
    if plan.stop.is_stopped() && report.runs.is_empty() {
        return Err(Failure::Failed(
            "interrupted before the end of the first run; nothing was measured".into(),
        ));
    }
    let saved = progress.end(&report);
    print(args, &report, gate.as_ref())?;
    if let Some(page) = saved? {
        // The files are saved even if this line cannot be written.
        let _ = writeln!(io::stderr(), "saved: {page}, and beside it as JSON, Markdown and CSV");
    }
    finished(args, &plan)?;
    if let Some(gate) = gate {
        gate.judge(&report)?;
    }
    counts(&report)
}

/// Whether the runs that count compare anything: under some load, two contenders, or the only one
/// that takes part. Runs of the floor alone compare nothing.
fn counts(report: &Report) -> Result<(), Failure> {
    let floor = |name: &str| {
        let mut floors = report.settings.contenders.iter().filter(|contender| contender.floor);
        floors.any(|floor| floor.name == name)
    };
    let competes = |run: &&Run| !floor(&run.contender) && !run.is_left_out();
    let compared = report.settings.scenarios.iter().any(|scenario| {
        let names = |pass: fn(&Run) -> bool| {
            let runs = report.runs.iter().filter(|run| run.scenario == scenario.name && pass(run));
            runs.filter(competes).map(|run| run.contender.as_str()).collect::<BTreeSet<_>>().len()
        };
        let (ran, counted) = (names(|_| true), names(Run::is_valid));
        counted > 0 && counted >= ran.min(2)
    });
    if compared {
        return Ok(());
    }
    let mut reasons = report.runs.iter().filter(competes).flat_map(|run| &run.invalid);
    let advice = if reasons.any(Invalid::is_contenders_fault) {
        "fix the servers first"
    } else {
        "try again when the machine is idle, or with a longer --window"
    };
    let what = if report.runs.iter().filter(competes).any(Run::is_valid) {
        "too few runs count to compare anything"
    } else {
        "no run counts, so nothing was found out"
    };
    Err(Failure::Failed(format!("{what}; the reasons are above; {advice}")))
}

/// Prints the tables and what follows from them, or the report itself.
fn print(args: &CompareArgs, report: &Report, gate: Option<&Gate>) -> Result<(), Failure> {
    let width = terminal::width();
    let mut below = String::new();
    if let Some(user_load) = plan::user_load(args) {
        // Separated from the tables and the warnings.
        below.extend(
            std::iter::once("\n".to_owned())
                .chain(user_load.advice(report).lines.into_iter().map(|line| line + "\n")),
        );
    }
    if let Some(gate) = gate {
        below += &gate.changes(report).to_text();
    }
    if files::is_stdout(args.json.as_deref()) {
        // With JSON on standard output, text for people goes to standard error.
        let _ = write!(io::stderr(), "{below}");
        return Failure::from_output(report.write_json(io::stdout()));
    }
    let table = report.to_table(width.unwrap_or(WIDTH), terminal::wants_color(&io::stdout()));
    Failure::from_output(write!(io::stdout(), "{}", wrapped(&format!("{table}{below}"), width)))
}

fn explained(error: &CompareError, args: &CompareArgs) -> Failure {
    match error {
        CompareError::Plan(_) => Failure::Usage(error.to_string()),
        CompareError::Cores(_) if args.server_cores.is_some() => {
            Failure::Usage(format!("--server-cores: {error}"))
        }
        CompareError::Contender { name, .. }
            if args.against.iter().any(|contender| contender.name() == name) =>
        {
            Failure::Failed(format!("--against {error}"))
        }
        _ => Failure::Failed(error.to_string()),
    }
}

/// An interrupted comparison is a failure, because it is not the whole comparison that was asked
/// for.
fn finished(args: &CompareArgs, plan: &Plan) -> Result<(), Failure> {
    if !plan.stop.is_stopped() {
        return Ok(());
    }
    let kept = match (&args.out, &args.json) {
        (Some(directory), _) => {
            format!("is saved; resume with: zen compare --resume {}", files::shown(directory))
        }
        (None, Some(_)) => "is in the report; with --out DIR it could be resumed".to_owned(),
        (None, None) => "is in the tables; with --out DIR it could be saved and resumed".to_owned(),
    };
    Err(Failure::Failed(format!("interrupted; what was measured until then {kept}")))
}
