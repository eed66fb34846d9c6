//! The command line of `zen compare`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use zen_compare::{Contender, Scenario};

use crate::args::TEMPLATE;
use crate::flavor::Flavor;
use crate::units;
use crate::work::WorkKind;

/// Load every flavor with the same work, and print what each one costs
#[derive(Debug, Args)]
#[command(
    args_override_self = true,
    help_template = TEMPLATE,
    before_help = "\
Examples:
  zen compare                                       all flavors, three scenarios
  zen compare --quick --flavors mio,async           a first impression of two
  zen compare --full --json report.json             narrow intervals, and all runs to keep
  zen compare --work 2ms --work-kind sleep          with handlers like yours
  zen compare --against 'mine=python3 server.py {port}'",
    after_help = "\
Scenarios: book (one client that thinks for 40 ms), think (50 of those), saturate (1, 16, 64 and 512
clients that do not), saturate-N, pipeline (16 clients, 64 questions deep), churn (connect, ask
three, hang up). Ctrl-C ends early and keeps what was measured. A debug build measures nothing.
Every option has an environment variable: ZEN_SCENARIOS=book,churn is --scenarios;
ZEN_JSON_FILE is --json.",
)]
pub(crate) struct CompareArgs {
    /// Who takes part, separated by commas
    #[arg(long, value_name = "NAMES", env = "ZEN_FLAVORS", hide_env = true, value_delimiter = ',')]
    #[arg(value_enum, hide_possible_values = true)]
    #[arg(
        default_value = "blocking,threaded,pool,mio,mio-multi,async,async-multi",
        hide_default_value = true
    )]
    pub(crate) flavors: Vec<Flavor>,

    /// The loads, separated by commas
    #[arg(long, value_name = "NAMES", env = "ZEN_SCENARIOS", hide_env = true, value_delimiter = ',')]
    #[arg(value_parser = scenarios, default_value = "book,saturate-16,pipeline")]
    pub(crate) scenarios: Vec<Named>,

    /// Another server of the protocol; its command gets a port for {port}, or prints `listening on HOST:PORT`
    #[arg(long, value_name = "NAME=COMMAND", env = "ZEN_AGAINST", hide_env = true, value_parser = rival)]
    pub(crate) against: Vec<Contender>,

    /// A first impression: three windows of 0.4 s each
    #[arg(long, env = "ZEN_QUICK", hide_env = true, value_parser = units::switch)]
    #[arg(help_heading = "Effort")]
    pub(crate) quick: bool,

    /// Check the lab itself against what is known beforehand, and compare nothing; about half a minute
    #[arg(long, env = "ZEN_SELF_TEST", hide_env = true, value_parser = units::switch)]
    #[arg(help_heading = "Effort")]
    pub(crate) self_test: bool,

    /// Narrow intervals: seven windows of 3 s each
    #[arg(long, env = "ZEN_FULL", hide_env = true, value_parser = units::switch, conflicts_with = "quick")]
    #[arg(help_heading = "Effort")]
    pub(crate) full: bool,

    /// Windows for each flavor and scenario [default: 3]
    #[arg(long, value_name = "N", env = "ZEN_REPETITIONS", hide_env = true, value_parser = repetitions)]
    #[arg(help_heading = "Effort")]
    pub(crate) repetitions: Option<u32>,

    /// The measured time of each [default: 1s]
    #[arg(long, value_name = "TIME", env = "ZEN_WINDOW", hide_env = true, value_parser = units::duration)]
    #[arg(help_heading = "Effort")]
    pub(crate) window: Option<Duration>,

    /// Threads of the flavors that have several [default: 4 for pool, else one a core]
    #[arg(long, value_name = "N", env = "ZEN_WORKERS", hide_env = true, value_parser = units::count)]
    #[arg(help_heading = "Servers")]
    pub(crate) workers: Option<usize>,

    /// Cores for the server; the load comes from the others [default: half of them]
    #[arg(long, value_name = "N", env = "ZEN_SERVER_CORES", hide_env = true, value_parser = units::count)]
    #[arg(help_heading = "Servers")]
    pub(crate) server_cores: Option<usize>,

    /// How much work each question is; left out: none
    #[arg(long, value_name = "TIME", env = "ZEN_WORK", hide_env = true, value_parser = units::duration)]
    #[arg(help_heading = "Servers")]
    pub(crate) work: Option<Duration>,

    /// What the work does: spin burns CPU time, sleep waits (the async flavors await it)
    #[arg(long, value_name = "KIND", env = "ZEN_WORK_KIND", hide_env = true, value_enum, default_value_t)]
    #[arg(hide_possible_values = true, help_heading = "Servers")]
    pub(crate) work_kind: WorkKind,

    /// Save every run as JSON, after each of them; - prints the JSON instead of the table
    // Not ZEN_JSON, which says yes or no to the other commands.
    #[arg(long, value_name = "FILE", env = "ZEN_JSON_FILE", hide_env = true)]
    pub(crate) json: Option<PathBuf>,
}

/// The scenarios that one name stands for.
#[derive(Debug, Clone)]
pub(crate) struct Named(pub(crate) Vec<Scenario>);

fn scenarios(name: &str) -> Result<Named, String> {
    let known = || format!("no such scenario; choose from {}", Scenario::NAMES.join(", "));
    Scenario::named(name.trim()).map(Named).ok_or_else(known)
}

fn rival(text: &str) -> Result<Contender, String> {
    let advice = "write NAME='COMMAND {port}'";
    match text.split_once('=') {
        Some((name, command)) if !name.trim().is_empty() => {
            Contender::from_command_line(name.trim(), command).map_err(|error| format!("{error}; {advice}"))
        }
        _ => Err(format!("the name is missing; {advice}")),
    }
}

fn repetitions(text: &str) -> Result<u32, String> {
    units::count(text)?.try_into().map_err(|_| "that would take years; write a smaller number".to_owned())
}
