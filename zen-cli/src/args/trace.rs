//! The command lines of `zen trace`, and of the two processes that it starts.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use zen_compare::Contender;

use super::compare::contender;
use super::help::TEMPLATE;
use super::serve::ServeArgs;
use crate::flavor::Flavor;
use crate::units;
use crate::work::WorkKind;

/// A flavor, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    One(Flavor),
    All,
}

impl ValueEnum for Choice {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::One(Flavor::Blocking),
            Self::One(Flavor::Threaded),
            Self::One(Flavor::Pool),
            Self::One(Flavor::Mio),
            Self::One(Flavor::MioMulti),
            Self::One(Flavor::Async),
            Self::One(Flavor::AsyncMulti),
            Self::All,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::One(flavor) => flavor.to_possible_value(),
            Self::All => Some(PossibleValue::new("all").help("Every flavor, one after the other")),
        }
    }
}

/// See where a server's time goes: what it computes, and what it waits for
#[derive(Debug, Args)]
#[command(
    args_override_self = true,
    help_template = TEMPLATE,
    before_help = "\
Examples:
  zen trace                                  one client, and a server that waits for it
  zen trace --flavor all --clients 8         all architectures on one time axis
  zen trace --flavor mio --out trace         and the files: a page, a Perfetto trace, the steps
  zen trace --against 'mine=python3 server.py {port}'
  zen trace --sweep --flavor mio,async       measured occupancy beside what theory predicts
  zen trace --sweep --out sweep              and a page with its charts",
    after_help = "\
Each client is of the book's kind: it connects, thinks before each of three questions, and waits
for each answer. The clients are a process of their own.
trace.pftrace opens in https://ui.perfetto.dev, and everything can be drawn again from steps.json.
Exit status: 0 done; 1 failed or interrupted; 2 bad usage. An interrupted trace shows and writes
what there is until then.
TIME is 250us, 2ms, 10s, 1m30s…",
)]
pub(crate) struct TraceArgs {
    /// The flavors to trace, separated by commas, or all; with --against none but those named
    /// [default: blocking]
    #[arg(long, short, value_name = "NAME", env = "ZEN_FLAVOR", hide_env = true, value_enum)]
    #[arg(hide_possible_values = true, value_delimiter = ',')]
    pub(crate) flavor: Vec<Choice>,

    /// Another server, whose command gets {port}, seen from outside; may be repeated
    #[arg(long, value_name = "NAME=CMD", env = "ZEN_AGAINST", hide_env = true, value_parser = contender)]
    pub(crate) against: Vec<Contender>,

    /// Clients at the same time
    #[arg(long, value_name = "N", env = "ZEN_CLIENTS", hide_env = true, value_parser = units::count)]
    #[arg(default_value = "1", help_heading = "Load")]
    pub(crate) clients: usize,

    /// Conversations of each client, one after the other
    #[arg(long, value_name = "N", env = "ZEN_CONVERSATIONS", hide_env = true, value_parser = units::count)]
    #[arg(default_value = "1", help_heading = "Load")]
    pub(crate) conversations: usize,

    /// How long a client thinks before each question
    #[arg(long, value_name = "TIME", env = "ZEN_THINK", hide_env = true, value_parser = units::duration)]
    #[arg(default_value = "40ms", help_heading = "Load")]
    pub(crate) think: Duration,

    /// Work for each answer [default: none]
    #[arg(long, value_name = "TIME", env = "ZEN_WORK", hide_env = true, value_parser = units::duration)]
    #[arg(help_heading = "Load")]
    pub(crate) work: Option<Duration>,

    /// What the work does: spin burns CPU time, sleep waits (the async flavors await it)
    #[arg(long, value_name = "KIND", env = "ZEN_WORK_KIND", hide_env = true, value_enum, default_value_t)]
    #[arg(hide_possible_values = true, help_heading = "Load")]
    pub(crate) work_kind: WorkKind,

    /// Try think times of 0 to 100 ms with 1, 8 and 64 clients, and compare with theory
    #[arg(long, env = "ZEN_SWEEP", hide_env = true, conflicts_with = "against")]
    #[arg(help_heading = "Load")]
    pub(crate) sweep: bool,

    /// Write timeline.html, trace.pftrace and steps.json into this folder; with --sweep, sweep.html
    /// and sweep.json
    #[arg(long, value_name = "DIR", env = "ZEN_OUT", hide_env = true, help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,

    /// Write the sums as JSON to this file; - prints them instead of the pictures
    #[arg(long, value_name = "FILE", env = "ZEN_JSON_FILE", hide_env = true, help_heading = "Output")]
    pub(crate) json: Option<PathBuf>,
}

impl TraceArgs {
    /// The flavors to trace, each once.
    pub(crate) fn flavors(&self) -> Vec<Flavor> {
        if self.flavor.contains(&Choice::All) {
            return Flavor::value_variants().to_vec();
        }
        let mut flavors: Vec<Flavor> = Vec::new();
        for choice in &self.flavor {
            if let Choice::One(flavor) = choice
                && !flavors.contains(flavor)
            {
                flavors.push(*flavor);
            }
        }
        if flavors.is_empty() && self.against.is_empty() {
            flavors.push(Flavor::Blocking);
        }
        flavors
    }
}

/// Serve, and write a recording of the steps when the server ends
#[derive(Debug, Args)]
pub(crate) struct TracedArgs {
    #[command(flatten)]
    pub(crate) serve: ServeArgs,

    /// Where the recording goes
    #[arg(long, value_name = "FILE")]
    pub(crate) recording: PathBuf,

    /// Room for so many steps
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) steps: usize,
}

/// Be clients of the book's kind, and print what each of them did as JSON
///
/// Prints a line when it has started, reads the server's address from a line of standard input, and
/// begins.
#[derive(Debug, Args)]
pub(crate) struct ClientsArgs {
    /// Clients at the same time
    #[arg(long, value_name = "N", value_parser = units::count)]
    pub(crate) clients: usize,

    /// Conversations of each client
    #[arg(long, value_name = "N", value_parser = units::count)]
    pub(crate) conversations: usize,

    /// Questions of each conversation
    #[arg(long, value_name = "N", value_parser = units::count)]
    pub(crate) questions: usize,

    /// How long a client thinks before each question
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub(crate) think: Duration,

    /// When to stop, whatever is left to do [default: never]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub(crate) stop_after: Option<Duration>,
}
