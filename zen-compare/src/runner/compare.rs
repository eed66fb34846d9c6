//! Carries out a plan, run by run.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use thiserror::Error;

use super::capacity;
use super::expected_time::Pace;
use super::measure::{Lab, measure};
use super::reruns;
use crate::machine::environment::Environment;
use crate::machine::pin::Cores;
use crate::observe::system_calls::Tool;
use crate::plan::{Job, Plan, PlanError};
use crate::results::{Report, Run, SCHEMA, Settings};
use crate::results::{Store, StoreError};
use crate::server::StartError;

/// There may be one retry for this many runs, over a whole comparison, so that its time stays
/// predictable.
const RUNS_PER_RERUN: usize = 4;

/// Receives the progress of a comparison. Every method has an empty default.
///
/// Nothing is measured while a method runs, so it may take its time; the next run waits for it.
///
/// ```
/// use zen_compare::{Expected, Observer, Report, Run, Upcoming};
///
/// /// Says on standard error how far it is.
/// struct Progress;
///
/// impl Observer for Progress {
///     fn trying(&mut self, contender: &str) {
///         eprintln!("does {contender} start?");
///     }
///
///     fn planned(&mut self, expected: &Expected) {
///         eprintln!("{} runs, about {:?}", expected.runs, expected.time);
///     }
///
///     fn run_started(&mut self, run: &Upcoming<'_>) {
///         eprintln!("{}/{} {}: {}", run.done + 1, run.runs, run.scenario, run.contender);
///     }
///
///     fn rerunning(&mut self, reruns: &Expected) {
///         eprintln!("{} of them again", reruns.runs);
///     }
///
///     fn run_finished(&mut self, run: &Run, so_far: &Report) {
///         eprintln!("{} answers; {} runs so far", run.answers, so_far.runs.len());
///     }
/// }
/// ```
pub trait Observer {
    /// A contender is about to be started for the first time, to find out whether it starts. It may
    /// take ten seconds.
    fn trying(&mut self, contender: &str) {
        let _ = contender;
    }

    /// The comparison is about to begin.
    fn planned(&mut self, expected: &Expected) {
        let _ = expected;
    }

    /// A run is about to begin.
    fn run_started(&mut self, run: &Upcoming<'_>) {
        let _ = run;
    }

    /// All runs have been made. The machine made so many of them invalid that these are rerun; see
    /// [`Plan::valid_at_least`].
    fn rerunning(&mut self, reruns: &Expected) {
        let _ = reruns;
    }

    /// A run is over. `so_far` is the whole report up to here, ready to be saved.
    fn run_finished(&mut self, run: &Run, so_far: &Report) {
        let _ = (run, so_far);
    }
}

/// For callers that only want the report.
impl Observer for () {}

/// How much work a plan is.
///
/// ```
/// use zen_compare::Expected;
///
/// fn say(expected: &Expected) -> String {
///     format!("{} runs, about {} s", expected.runs, expected.time.as_secs().max(1))
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expected {
    /// How many runs there will be.
    pub runs: usize,
    /// About how long they will take together.
    pub time: Duration,
}

/// A run that is about to begin.
///
/// ```
/// use zen_compare::Upcoming;
///
/// fn say(run: &Upcoming<'_>) -> String {
///     let left = run.remaining.as_secs();
///     let number = run.done + 1;
///     format!("{number}/{} {}: {} ({left} s left)", run.runs, run.scenario, run.contender)
/// }
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Upcoming<'a> {
    /// How many runs are over.
    pub done: usize,
    /// How many runs there are.
    pub runs: usize,
    /// About how long this run and those after it will take.
    pub remaining: Duration,
    /// The name of the contender.
    pub contender: &'a str,
    /// The name of the scenario.
    pub scenario: &'a str,
    /// Which repetition this is, from 0.
    pub repetition: u32,
}

/// Why there is no comparison.
///
/// ```
/// use zen_compare::{CompareError, Contender, Plan, Scenario, compare};
///
/// let missing = Contender::new("missing", "/no/such/program", ["{port}"]);
/// let plan = Plan::quick(vec![missing], vec![Scenario::saturate(1)]);
/// let error = compare(&plan, &mut ()).unwrap_err();
/// assert!(matches!(error, CompareError::Contender { name, .. } if name == "missing"));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompareError {
    /// The plan makes no sense.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The cores cannot be divided as asked.
    #[error(transparent)]
    Cores(io::Error),
    /// A contender does not start. This is found out before the first run.
    #[error("{name}: {source}")]
    Contender {
        /// Its name.
        name: String,
        /// Why it does not start.
        source: StartError,
    },
    /// The comparison cannot be saved, or cannot be resumed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Open loops were to offer shares of a closed loop's throughput, and no contender answered
    /// anything.
    #[error(
        "no contender answers a closed loop, so there is no rate for an open one: name one, as in `open-500/s`"
    )]
    NoCapacity,
    /// The generator's event loop failed.
    #[error("the load generator failed: {0}")]
    Generator(io::Error),
}

/// Carries out a plan on the calling thread, which meanwhile generates the load.
///
/// Every contender is started once before the first run, so that one that cannot start is noticed
/// at once. When a contender fails later, its runs are invalid, and the others go on. When
/// [`Plan::stop`] is raised, the report holds the runs made until then, and says that it is not
/// complete.
///
/// ```no_run
/// use zen_compare::{Contender, Plan, Scenario, compare};
///
/// let mine = Contender::from_command_line("mine", "./server --port {port}")?;
/// let report = compare(&Plan::quick(vec![mine], vec![Scenario::saturate(16)]), &mut ())?;
/// print!("{}", report.to_table(100, false));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// See [`CompareError`].
pub fn compare(plan: &Plan, observer: &mut impl Observer) -> Result<Report, CompareError> {
    carry_out(plan, None, observer)
}

/// The same, saved in `store` after every run. When the store holds a part of this very comparison,
/// only the rest is made. A comparison that was planned or measured differently is refused, and
/// left as it is.
///
/// ```
/// use zen_compare::{CompareError, Plan, Report, Store, compare_in};
///
/// /// Goes on where an interrupted comparison has stopped.
/// fn resume(plan: &Plan) -> Result<Report, CompareError> {
///     compare_in(&Store::new("results/report.json"), plan, &mut ())
/// }
/// ```
///
/// # Errors
/// See [`CompareError`].
pub fn compare_in(store: &Store, plan: &Plan, observer: &mut impl Observer) -> Result<Report, CompareError> {
    carry_out(plan, Some(store), observer)
}

fn carry_out(
    plan: &Plan,
    store: Option<&Store>,
    observer: &mut impl Observer,
) -> Result<Report, CompareError> {
    plan.check()?;
    let cores = Cores::split(plan.server_cores).map_err(CompareError::Cores)?;
    let (tool, system_calls) = find_tool(plan);
    let fresh = Report {
        schema: SCHEMA.into(),
        environment: Environment::current(cores.as_ref()),
        settings: Settings { system_calls, ..plan.settings() },
        complete: false,
        summaries: Vec::new(),
        runs: Vec::new(),
    };
    let mut report = match store {
        Some(store) => store.resume(fresh)?,
        None => fresh,
    };
    let jobs: Vec<Job<'_>> = plan.jobs().filter(|job| !report.runs.iter().any(|run| job.made(run))).collect();
    if jobs.is_empty() {
        return Ok(report);
    }
    // A saved report may have been summarized differently. From here on, a run changes only the
    // summaries of its scenario.
    report.summarize();
    let server_cores = cores.as_ref().map(|cores| cores.server.as_slice());
    for contender in &plan.contenders {
        observer.trying(contender.name());
        match contender.start_unless(&plan.stop, server_cores) {
            Err(StartError::Interrupted) => return Ok(report),
            Err(source) => {
                return Err(CompareError::Contender { name: contender.name().to_owned(), source });
            }
            Ok(_) if plan.stop.is_stopped() => return Ok(report),
            Ok(_) => {}
        }
    }
    // Before the first run, so that a failure to save is noticed while it costs nothing.
    save(store, &report)?;
    let runs = plan.runs();
    let made = plan.jobs().filter(|job| report.runs.iter().any(|run| job.made(run)));
    let mut made: Duration = made.map(|job| plan.expected_time_of(job)).sum();
    if plan.capacity.is_none() && report.settings.capacity.is_some() {
        made += plan.calibration_time();
    }
    observer.planned(&Expected { runs: jobs.len(), time: plan.expected_time().saturating_sub(made) });
    let capacity = match plan.capacity.or(report.settings.capacity) {
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
    let lab = Lab { plan, cores: cores.as_ref(), tool, capacity };
    let mut retries_left = runs.div_ceil(RUNS_PER_RERUN);
    let mut pace = Pace::new(jobs.iter().map(|job| plan.expected_time_of(*job)).sum());
    let mut left = VecDeque::from(jobs);
    let mut rounds = reruns::ROUNDS;
    while let Some(job) = left.pop_front() {
        if plan.stop.is_stopped() {
            break;
        }
        let done = report.runs.len();
        observer.run_started(&Upcoming {
            done,
            runs,
            remaining: pace.remaining(),
            contender: job.contender.name(),
            scenario: &job.scenario.name,
            repetition: job.repetition,
        });
        let Some(run) = measure_with_retries(lab, job, &mut retries_left)? else { break };
        pace.passed(plan.expected_time_of(job));
        reruns::take(&mut report, job, run);
        report.summarize_scenario(&job.scenario.name);
        report.complete = report.runs.len() == runs;
        save(store, &report)?;
        if let Some(run) = report.runs.last() {
            observer.run_finished(run, &report);
        }
        if left.is_empty() && rounds > 0 {
            rounds -= 1;
            left.extend(reruns::lacking(plan, &report));
            let time: Duration = left.iter().map(|job| plan.expected_time_of(*job)).sum();
            pace.more(time);
            if !left.is_empty() {
                observer.rerunning(&Expected { runs: left.len(), time });
            }
        }
    }
    Ok(report)
}

fn save(store: Option<&Store>, report: &Report) -> Result<(), StoreError> {
    store.map_or(Ok(()), |store| store.save(report))
}

/// Makes a run, and retries it when the machine made it invalid, as long as the plan and the common
/// `budget` allow.
fn measure_with_retries(lab: Lab<'_>, job: Job<'_>, budget: &mut usize) -> Result<Option<Run>, CompareError> {
    let mut retries = 0;
    loop {
        let Some(mut run) = measure(lab, job).map_err(CompareError::Generator)? else { return Ok(None) };
        run.retries = retries;
        if !run.is_worth_rerunning() || retries == lab.plan.retries || *budget == 0 {
            return Ok(Some(run));
        }
        retries += 1;
        *budget -= 1;
    }
}

/// The tool that counts system calls, and how the report describes the count.
fn find_tool(plan: &Plan) -> (Option<Tool>, String) {
    if !plan.count_system_calls {
        return (None, "not counted: it was not asked for".into());
    }
    match Tool::find() {
        Ok(tool) => (Some(tool), tool.describe().into()),
        Err(reason) => (None, format!("not counted: {reason}")),
    }
}
