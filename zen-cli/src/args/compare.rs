//! The command line of `zen compare`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Command};
use zen_compare::{Contender, Scenario};

use super::exclusive;
use super::help::TEMPLATE;
use crate::flavor::Flavor;
use crate::units;
use crate::work::WorkKind;

/// Load every flavor with the same work, and say which one to pick
#[derive(Debug, Args)]
#[command(
    args_override_self = true,
    help_template = TEMPLATE,
    before_help = "\
Examples:
  zen compare                        every flavor, within three minutes
  zen compare --quick                a first impression, within 45 seconds
  zen compare --full --out results   everything, and a page with charts
  zen compare --resume results       goes on where Ctrl-C ended it
  zen compare --think 40ms --work 2ms --work-kind sleep --clients 200
  zen compare --against 'mine=python3 server.py {port}' --scenarios think
  zen compare --quick --json base.json     in CI, before the change; and after:
  zen compare --quick --baseline base.json --fail-on-regression 10%
  zen compare --self-test            can this machine's numbers be trusted?",
    after_help = "\
Scenarios, by their clients:
  book      1 client that thinks for 40 ms before each question
  think     50 such clients
  saturate  1, 16, 64 and 512 clients that never pause
  pipeline  16 clients with 64 questions in flight each
  churn     16 clients that connect, ask three questions and disconnect
  open      64 connections with questions on a schedule, at 10 to 90 % of capacity
  slow      16 measured clients among 16 slow background connections
  idle      8 busy clients among 10000 idle background connections
  work      16 clients of a server that computes or waits for 2 ms
  also saturate-N, pipeline-CxD, idle-N, open-N, uniform-N, open-N/s, work-spin, work-sleep
Default: book, think, saturate-64, pipeline, slow, work-sleep.
Quick: think, saturate-16, pipeline. Full: all of them.

A command without {port} must print `listening on HOST:PORT` as its first line.
Ctrl-C keeps what was measured; with --out, the same command resumes.
Exit status: 0 done, or passed the gate; 1 failed, interrupted, or nothing could be judged;
2 usage error; 3 regressed: something is worse, or has become invalid.
Every option has an environment variable: ZEN_SCENARIOS is --scenarios, ZEN_JSON_FILE is --json.",
)]
pub(crate) struct CompareArgs {
    /// Flavors, separated by commas [default: all]
    #[arg(long, value_name = "NAMES", env = "ZEN_FLAVORS", hide_env = true, value_delimiter = ',')]
    #[arg(value_enum, hide_possible_values = true, help_heading = "Contenders")]
    #[arg(
        default_value = "blocking,threaded,pool,mio,mio-multi,async,async-multi",
        hide_default_value = true
    )]
    pub(crate) flavors: Vec<Flavor>,

    /// Another server, whose command gets {port}; may be repeated
    #[arg(long, value_name = "NAME=CMD", env = "ZEN_AGAINST", hide_env = true, value_parser = contender)]
    #[arg(help_heading = "Contenders")]
    pub(crate) against: Vec<Contender>,

    /// Worker threads of each server [default: as in zen serve]
    #[arg(long, value_name = "N", env = "ZEN_WORKERS", hide_env = true, value_parser = units::count)]
    #[arg(help_heading = "Contenders")]
    pub(crate) workers: Option<usize>,

    /// Cores for the server [default: half of all]
    #[arg(long, value_name = "N", env = "ZEN_SERVER_CORES", hide_env = true, value_parser = units::count)]
    #[arg(help_heading = "Contenders")]
    pub(crate) server_cores: Option<usize>,

    /// Scenarios, separated by commas, from the list below
    #[arg(long, value_name = "NAMES", env = "ZEN_SCENARIOS", hide_env = true, value_delimiter = ',')]
    #[arg(value_parser = scenarios, help_heading = "Load")]
    pub(crate) scenarios: Option<Vec<Named>>,

    /// Think time before each question [default: none]
    #[arg(long, value_name = "TIME", env = "ZEN_THINK", hide_env = true, value_parser = units::duration)]
    #[arg(help_heading = "Or a load of your own, with advice")]
    pub(crate) think: Option<Duration>,

    /// Work of the server for each answer [default: none]
    #[arg(long, value_name = "TIME", env = "ZEN_WORK", hide_env = true, value_parser = units::duration)]
    #[arg(help_heading = "Or a load of your own, with advice")]
    pub(crate) work: Option<Duration>,

    /// spin burns CPU time, sleep waits
    #[arg(long, value_name = "KIND", env = "ZEN_WORK_KIND", hide_env = true, value_enum, default_value_t)]
    #[arg(hide_possible_values = true, help_heading = "Or a load of your own, with advice")]
    pub(crate) work_kind: WorkKind,

    /// Number of clients [default: 50]
    #[arg(long, value_name = "N", env = "ZEN_CLIENTS", hide_env = true, value_parser = units::count)]
    #[arg(help_heading = "Or a load of your own, with advice")]
    pub(crate) clients: Option<usize>,

    /// A first impression: short windows, three scenarios
    #[arg(long, env = "ZEN_QUICK", hide_env = true, value_parser = units::switch)]
    #[arg(help_heading = "Effort")]
    pub(crate) quick: bool,

    /// Narrow intervals: five windows of 2 s, every scenario
    #[arg(long, env = "ZEN_FULL", hide_env = true, value_parser = units::switch)]
    #[arg(help_heading = "Effort")]
    pub(crate) full: bool,

    /// Runs of each contender under each load [default: 3; full, or own load: 5]
    #[arg(long, value_name = "N", env = "ZEN_REPETITIONS", hide_env = true, value_parser = repetitions)]
    #[arg(help_heading = "Effort")]
    pub(crate) repetitions: Option<u32>,

    /// Length of a run's window [default: 600ms; quick: 250ms; full: 2s]
    #[arg(long, value_name = "TIME", env = "ZEN_WINDOW", hide_env = true, value_parser = units::duration)]
    #[arg(help_heading = "Effort")]
    pub(crate) window: Option<Duration>,

    /// Seed of all random choices [default: 1]
    #[arg(long, value_name = "N", env = "ZEN_SEED", hide_env = true, value_parser = seed)]
    #[arg(help_heading = "Effort")]
    pub(crate) seed: Option<u64>,

    /// Save page, JSON, Markdown and CSV here after each run
    #[arg(long, value_name = "DIR", env = "ZEN_OUT", hide_env = true)]
    #[arg(help_heading = "Results")]
    pub(crate) out: Option<PathBuf>,

    /// Resume the comparison that --out saved here
    #[arg(long, value_name = "DIR", env = "ZEN_RESUME", hide_env = true)]
    #[arg(help_heading = "Results")]
    pub(crate) resume: Option<PathBuf>,

    /// Save the JSON report after each run; - prints it
    // Not ZEN_JSON, which is a switch for the other commands.
    #[arg(long, value_name = "FILE", env = "ZEN_JSON_FILE", hide_env = true)]
    #[arg(help_heading = "Results")]
    pub(crate) json: Option<PathBuf>,

    /// Compare with this earlier --json file or --out directory
    #[arg(long, value_name = "FILE", env = "ZEN_BASELINE", hide_env = true)]
    #[arg(help_heading = "Results")]
    pub(crate) baseline: Option<PathBuf>,

    /// Exit with status 3 when worse by more than this, beyond chance
    #[arg(long, value_name = "PCT", env = "ZEN_FAIL_ON_REGRESSION", hide_env = true)]
    #[arg(value_parser = units::percent, help_heading = "Results")]
    pub(crate) fail_on_regression: Option<f64>,

    /// Check the lab on servers with known figures; takes 45 seconds
    #[arg(long, env = "ZEN_SELF_TEST", hide_env = true, value_parser = units::switch)]
    #[arg(help_heading = "Instead of comparing")]
    pub(crate) self_test: bool,

    /// Print the JSON Schema of the report
    #[arg(long, env = "ZEN_SCHEMA", hide_env = true, value_parser = units::switch)]
    #[arg(help_heading = "Instead of comparing")]
    pub(crate) schema: bool,
}

impl CompareArgs {
    /// Whether the options describe a load of the user's own.
    pub(crate) fn describes_a_load(&self) -> bool {
        self.think.is_some() || self.work.is_some() || self.clients.is_some()
    }

    /// Refuses options that contradict each other on the command line. A variable is set for any
    /// command that may run later, so it gives way to the command line and is no mistake.
    pub(crate) fn settle(&mut self, matches: &clap::ArgMatches) -> Result<(), clap::Error> {
        let typed = exclusive::Typed::new(matches);
        let alone =
            [("schema", self.schema), ("self_test", self.self_test), ("resume", self.resume.is_some())];
        typed.check(&alone, &Self::augment_args(Command::new("compare")))?;
        if typed.has("full") {
            self.quick = false;
        } else if typed.has("quick") {
            self.full = false;
        }
        if typed.has_any(exclusive::LOAD) {
            self.scenarios = None;
        } else if typed.has("scenarios") {
            (self.think, self.work, self.clients) = (None, None, None);
        }
        Ok(())
    }
}

/// The scenarios that one name stands for.
#[derive(Debug, Clone)]
pub(crate) struct Named(pub(crate) Vec<Scenario>);

fn scenarios(name: &str) -> Result<Named, String> {
    let known = || format!("no such scenario; choose from {}", Scenario::NAMES.join(", "));
    Scenario::named(name.trim()).map(Named).ok_or_else(known)
}

pub(super) fn contender(text: &str) -> Result<Contender, String> {
    let advice = "write NAME='COMMAND {port}'";
    match text.split_once('=') {
        // The name is printed wherever the results go, and must not control a terminal there.
        Some((name, _)) if name.trim().chars().any(char::is_control) => {
            Err(format!("the name has control characters in it; {advice}"))
        }
        Some((name, command)) if !name.trim().is_empty() => {
            Contender::from_command_line(name.trim(), command).map_err(|error| format!("{error}; {advice}"))
        }
        _ => Err(format!("the name is missing; {advice}")),
    }
}

fn repetitions(text: &str) -> Result<u32, String> {
    units::count(text)?.try_into().map_err(|_| "that would take years; write a smaller number".to_owned())
}

fn seed(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| "write a whole number, such as 1".to_owned())
}
