//! Carrying out a plan, run by run.

use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::capacity;
use crate::contender::StartError;
use crate::environment::Environment;
use crate::measure::measure;
use crate::pin::Cores;
use crate::plan::{Plan, PlanError};
use crate::report::{Report, Run, SCHEMA};
use crate::summary::summarize;

/// Is told how a comparison goes. Every method has an empty default.
///
/// Nothing is being measured while a method runs, so it may take its time; the next run waits for it.
pub trait Observer {
    /// The comparison is about to begin.
    fn planned(&mut self, expected: &Expected) {
        let _ = expected;
    }

    /// A run is about to begin.
    fn run_started(&mut self, run: &Upcoming<'_>) {
        let _ = run;
    }

    /// A run is over. `so_far` is the whole report up to here, ready to be saved.
    fn run_finished(&mut self, run: &Run, so_far: &Report) {
        let _ = (run, so_far);
    }
}

/// For those who only want the report.
impl Observer for () {}

/// What a plan will take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// How many runs there will be.
    pub runs: usize,
    /// About how long they will take together.
    pub time: Duration,
}

/// A run that is about to begin.
#[derive(Debug, Clone, Copy)]
pub struct Upcoming<'a> {
    /// How many runs are over.
    pub done: usize,
    /// How many runs there are.
    pub runs: usize,
    /// About how long this run and those after it will take.
    pub remaining: Duration,
    /// Who is loaded.
    pub contender: &'a str,
    /// With what.
    pub scenario: &'a str,
    /// Which repetition this is, from 0.
    pub repetition: u32,
}

/// Why there is no comparison.
#[derive(Debug, Error)]
pub enum CompareError {
    /// The plan makes no sense.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The cores cannot be divided as asked.
    #[error(transparent)]
    Cores(io::Error),
    /// A contender does not start; found out before the first run.
    #[error("{name}: {source}")]
    Contender {
        /// Who.
        name: String,
        /// Why not.
        source: StartError,
    },
    /// Nobody answered, so the rates of an open loop, which are shares of what is answered, are unknown.
    #[error("no contender answered in a closed loop, of which the open loop's rates are shares")]
    NoCapacity,
    /// The generator's event loop failed.
    #[error("the load generator failed: {0}")]
    Generator(io::Error),
}

/// Carries out a plan on the calling thread, which is the load generator meanwhile.
///
/// Every contender is started once before the first run, so that one that cannot start is found out at once. A
/// contender that fails later makes invalid runs, and the others go on. When [`Plan::stop`] is raised,
/// the report is of the runs made until then, and says that it is not complete.
///
/// # Errors
/// See [`CompareError`].
pub fn compare(plan: &Plan, observer: &mut impl Observer) -> Result<Report, CompareError> {
    plan.check()?;
    let cores = Cores::split(plan.server_cores).map_err(CompareError::Cores)?;
    let server_cores = cores.as_ref().map(|cores| cores.server.as_slice());
    for contender in &plan.contenders {
        let started = contender.start(server_cores);
        started.map_err(|source| CompareError::Contender { name: contender.name().to_owned(), source })?;
    }
    let mut report = Report {
        schema: SCHEMA.into(),
        environment: Environment::current(cores.as_ref()),
        settings: plan.settings(),
        complete: false,
        summaries: Vec::new(),
        runs: Vec::new(),
    };
    let runs = plan.runs();
    observer.planned(&Expected { runs, time: plan.expected_time(runs) });
    let capacity = match plan.capacity {
        None if capacity::is_needed(plan) => {
            let measured = capacity::measure(plan, cores.as_ref()).map_err(CompareError::Generator)?;
            if measured.is_none() && !plan.stop.is_stopped() {
                return Err(CompareError::NoCapacity);
            }
            measured
        }
        known => known,
    };
    report.settings.capacity = capacity;
    for (done, job) in plan.jobs().enumerate() {
        if plan.stop.is_stopped() {
            break;
        }
        observer.run_started(&Upcoming {
            done,
            runs,
            remaining: plan.expected_time(runs - done),
            contender: job.contender.name(),
            scenario: &job.scenario.name,
            repetition: job.repetition,
        });
        let Some(run) = measure(plan, job, cores.as_ref(), capacity).map_err(CompareError::Generator)? else {
            break;
        };
        report.runs.push(run);
        report.summaries = summarize(&report.settings, &report.runs);
        report.complete = report.runs.len() == runs;
        if let Some(run) = report.runs.last() {
            observer.run_finished(run, &report);
        }
    }
    Ok(report)
}
