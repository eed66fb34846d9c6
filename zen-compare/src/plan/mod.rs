//! What to measure: which contenders, under which loads, how often, how long.

mod presets;
mod user_load;

use std::time::Duration;

use thiserror::Error;

use crate::results::{ContenderSettings, Run, Settings};
use crate::scenario::Workload;
use crate::scenario::{Rate, Scenario};
use crate::server::Contender;
use crate::server::StopFlag;

pub use self::user_load::UserLoad;
pub(crate) use self::user_load::{ENOUGH, NAME};

/// A comparison to be made. [`Plan::new`] makes one; then set the fields that are to differ.
///
/// ```
/// use std::time::Duration;
/// use zen_compare::{Contender, Plan, Scenario};
///
/// let contenders = || vec![Contender::new("mine", "./server", ["127.0.0.1:0"])];
/// let mut plan = Plan::new(contenders(), vec![Scenario::saturate(64)]);
/// plan.repetitions = 7;
/// plan.window = Duration::from_secs(1);
/// assert_eq!(plan.runs(), 7);
/// println!("about {:?}", plan.expected_time());
///
/// // For a first impression, and for narrow intervals.
/// let quick = Plan::quick(contenders(), Plan::quick_scenarios());
/// let full = Plan::full(contenders(), Plan::full_scenarios());
/// assert!(quick.expected_time() < full.expected_time());
/// assert!(Plan::usual_scenarios().contains(&Scenario::book()));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Plan {
    /// The contenders, the floor included. Names must differ.
    pub contenders: Vec<Contender>,
    /// The loads. Names must differ.
    pub scenarios: Vec<Scenario>,
    /// What is asked.
    pub workload: Workload,
    /// How often each contender meets each scenario; at least 1. An interval needs 3.
    pub repetitions: u32,
    /// The least time of load before each window.
    pub warmup: Duration,
    /// How much longer the warm-up may take until answers come at a steady pace. A run that never
    /// becomes steady is made all the same, and marked.
    pub extra_warmup: Duration,
    /// The measured time of each run; not zero.
    pub window: Duration,
    /// Answers per second of which the open loop's rates are shares. `None` means that they are
    /// measured in a closed loop beforehand.
    pub capacity: Option<f64>,
    /// The origin of all random choices: the same seed asks the same questions in the same order.
    pub seed: u64,
    /// How often a run is retried when the machine made it invalid, for example by giving a core to
    /// another program. The last attempt stays in the report. Over a whole comparison, there is at
    /// most one retry for every four runs.
    pub retries: u32,
    /// How many valid runs of each contender and scenario are wanted, at most
    /// [`repetitions`](Self::repetitions). When everything has been run, what the machine made
    /// invalid is rerun, in up to three rounds, until there are as many. Zero means that whatever
    /// is left after `retries` will do.
    pub valid_at_least: u32,
    /// Scenarios that need less time than the others: their names, and the most that their runs
    /// take.
    pub shorter: Vec<(String, Length)>,
    /// Whether system calls are counted, in a separate short run for each contender and scenario.
    pub count_system_calls: bool,
    /// Number of cores for the servers. `None` means half of the cores that this process may use.
    pub server_cores: Option<usize>,
    /// Ends the comparison early.
    pub stop: StopFlag,
}

/// How long a run takes.
///
/// ```
/// use std::time::Duration;
/// use zen_compare::{Contender, Length, Plan, Scenario};
///
/// let mine = Contender::new("mine", "./server", ["127.0.0.1:0"]);
/// let mut plan = Plan::full(vec![mine], vec![Scenario::think(), Scenario::saturate(64)]);
/// // A server that is never without work needs less time to be measured.
/// let (warmup, window) = (Duration::from_millis(200), Duration::from_millis(500));
/// plan.shorter = vec![("saturate-64".into(), Length { warmup, window })];
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// The least time of load before the window.
    pub warmup: Duration,
    /// The measured time; not zero.
    pub window: Duration,
}

/// Why a plan cannot be carried out.
///
/// ```
/// use zen_compare::{CompareError, Plan, PlanError, Scenario, compare};
///
/// let nobody = Plan::quick(Vec::new(), vec![Scenario::book()]);
/// let error = compare(&nobody, &mut ()).unwrap_err();
/// assert!(matches!(error, CompareError::Plan(PlanError::NoContenders)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// There are no contenders.
    #[error("there is no contender to compare: name at least one")]
    NoContenders,
    /// There are no scenarios.
    #[error("there is no scenario to compare them by: name at least one")]
    NoScenarios,
    /// Two contenders or two scenarios have the same name.
    #[error("two things are called `{0}`: names must differ")]
    SameName(String),
    /// A scenario has no clients, or asks no questions.
    #[error(
        "scenario `{0}` asks nothing: it needs a client, a depth, a rate, and a question per \
             conversation of 1 at least"
    )]
    IdleScenario(String),
    /// There are no repetitions, or the window is empty.
    #[error("nothing would be measured: repetitions and window must not be zero")]
    NoTime,
}

/// One run to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) repetition: u32,
    pub(crate) scenario: &'a Scenario,
    pub(crate) contender: &'a Contender,
}

impl Job<'_> {
    /// Whether the two are repetitions of the same contender under the same scenario.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.scenario.name == other.scenario.name && self.contender.name() == other.contender.name()
    }

    /// Whether `run` is the run that this job asks for.
    pub(crate) fn made(&self, run: &Run) -> bool {
        run.repetition == self.repetition
            && run.scenario == self.scenario.name
            && run.contender == self.contender.name()
    }
}

impl Plan {
    /// How many runs the plan has.
    pub fn runs(&self) -> usize {
        self.jobs().count()
    }

    /// How long the runs of a scenario take.
    pub(crate) fn length_of(&self, scenario: &Scenario) -> Length {
        let Self { warmup, window, .. } = *self;
        let shorter = self.shorter.iter().find(|(name, _)| *name == scenario.name);
        shorter.map_or(Length { warmup, window }, |(_, most)| Length {
            warmup: warmup.min(most.warmup),
            window: window.min(most.window),
        })
    }

    /// # Errors
    /// See [`PlanError`].
    pub(crate) fn check(&self) -> Result<(), PlanError> {
        if self.contenders.is_empty() {
            return Err(PlanError::NoContenders);
        }
        if self.scenarios.is_empty() {
            return Err(PlanError::NoScenarios);
        }
        if self.repetitions == 0
            || self.scenarios.iter().any(|scenario| self.length_of(scenario).window.is_zero())
        {
            return Err(PlanError::NoTime);
        }
        let never = |s: &Scenario| {
            s.arrivals.is_some_and(|a| matches!(a.rate, Rate::PerSecond(0) | Rate::PercentOfCapacity(0)))
        };
        let idle = |s: &&Scenario| {
            s.clients == 0 || s.depth == 0 || s.questions_per_conversation == Some(0) || never(s)
        };
        if let Some(scenario) = self.scenarios.iter().find(idle) {
            return Err(PlanError::IdleScenario(scenario.name.clone()));
        }
        all_differ(self.contenders.iter().map(Contender::name))?;
        all_differ(self.scenarios.iter().map(|scenario| scenario.name.as_str()))
    }

    /// The runs in their order. Every contender has a turn before any has a second one, so that a
    /// machine that changes its pace changes it for all.
    pub(crate) fn jobs(&self) -> impl Iterator<Item = Job<'_>> {
        (0..self.repetitions).flat_map(move |repetition| {
            self.scenarios.iter().flat_map(move |scenario| {
                self.contenders.iter().map(move |contender| Job { repetition, scenario, contender })
            })
        })
    }

    pub(crate) fn settings(&self) -> Settings {
        let contenders = self.contenders.iter().map(|contender| ContenderSettings {
            name: contender.name().to_owned(),
            command: contender.command_line(),
            floor: contender.is_floor(),
            changed_unix_ms: contender.changed_unix_ms(),
        });
        Settings {
            contenders: contenders.collect(),
            scenarios: self.scenarios.clone(),
            repetitions: self.repetitions,
            warmup_s: self.warmup.as_secs_f64(),
            window_s: self.window.as_secs_f64(),
            capacity: self.capacity,
            seed: self.seed,
            system_calls: "not counted: it was not asked for".into(),
            runs: self.runs(),
            questions: checksum(&self.workload),
        }
    }
}

/// A checksum that tells lists of questions apart (FNV-1a). It does not withstand deliberate
/// collisions.
fn checksum(workload: &Workload) -> String {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    let exchanges = workload.exchanges().iter();
    let messages = exchanges.flat_map(|exchange| [&exchange.question[..], &exchange.answer]);
    let greeting = Some(workload.greeting()).filter(|greeting| !greeting.is_empty());
    for message in greeting.into_iter().chain(messages) {
        // The length counts as well, so that bytes cannot move from one message to the next
        // unnoticed.
        for byte in message.iter().copied().chain(message.len().to_le_bytes()) {
            sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{} questions, {sum:016x}", workload.exchanges().len())
}

fn all_differ<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), PlanError> {
    let mut seen = Vec::new();
    for name in names {
        if seen.contains(&name) {
            return Err(PlanError::SameName(name.to_owned()));
        }
        seen.push(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let contender = |name| Contender::new(name, "true", [""; 0]);
        Plan::new(vec![contender("a"), contender("b")], vec![Scenario::book(), Scenario::churn()])
    }

    #[test]
    fn repetitions_are_interleaved() {
        let plan = Plan { repetitions: 2, ..plan() };
        let order: Vec<_> = plan
            .jobs()
            .map(|job| (job.repetition, job.scenario.name.as_str(), job.contender.name()))
            .collect();
        let round = [("book", "a"), ("book", "b"), ("churn", "a"), ("churn", "b")];
        let expected: Vec<_> =
            (0..2).flat_map(|rep| round.map(|(scenario, name)| (rep, scenario, name))).collect();
        assert_eq!(order, expected);
        assert_eq!(order.len(), plan.runs());
    }

    #[test]
    fn other_questions_have_another_checksum() {
        let sum = |pairs: [(&str, &str); 1]| checksum(&Workload::new(pairs).unwrap());
        assert_eq!(sum([("a?", "b.")]), sum([("a?", "b.")]));
        assert_ne!(sum([("a?", "b.")]), sum([("a?b", ".")]));
        assert_ne!(sum([("a?", "b.")]), sum([("a?", "c.")]));
        let greeted = Workload::new([("a?", "b.")]).unwrap().with_greeting("hello");
        assert_ne!(checksum(&greeted), sum([("a?", "b.")]));
    }

    #[test]
    fn invalid_plans_are_refused() {
        assert_eq!(plan().check(), Ok(()));
        let refused = |change: fn(&mut Plan)| {
            let mut plan = plan();
            change(&mut plan);
            plan.check().unwrap_err()
        };
        assert_eq!(refused(|p| p.contenders.clear()), PlanError::NoContenders);
        assert_eq!(refused(|p| p.scenarios.clear()), PlanError::NoScenarios);
        assert_eq!(refused(|p| p.repetitions = 0), PlanError::NoTime);
        assert_eq!(refused(|p| p.window = Duration::ZERO), PlanError::NoTime);
        assert_eq!(refused(|p| p.scenarios[0].clients = 0), PlanError::IdleScenario("book".into()));
        assert_eq!(refused(|p| p.scenarios[0] = Scenario::open(0)), PlanError::IdleScenario("open-0".into()));
        assert_eq!(refused(|p| p.scenarios[1] = Scenario::book()), PlanError::SameName("book".into()));
        assert_eq!(refused(|p| p.contenders[1] = p.contenders[0].clone()), PlanError::SameName("a".into()));
    }
}
