//! The command line: what can be written on it, and its help.

use std::ffi::OsString;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

use crate::compare::CompareArgs;
use crate::flavor::Flavor;
use crate::resolve::Address;
use crate::server_args::ServerArgs;
use crate::units;
use crate::work::WorkKind;

/// Where `serve` listens and `ask` connects when nothing else is said.
pub(crate) const DEFAULT_ADDRESS: &str = "127.0.0.1:1060";

/// Examples first: they answer most of what help is opened for.
pub(crate) const TEMPLATE: &str =
    "{about}\n\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}\n";

const VARIABLES: &str = "Every option has an environment variable: ZEN_IDLE_DEADLINE is --idle-deadline.";

/// One small protocol, seven server architectures, one table.
#[derive(Debug, Parser)]
#[command(
    name = "zen",
    version,
    arg_required_else_help = true,
    max_term_width = 100,
    help_template = TEMPLATE,
    before_help = "\
Examples:
  zen serve --flavor pool         a server on 127.0.0.1:1060 until Ctrl-C
  zen ask                         the three questions, in another terminal
  zen flavors                     which flavors there are, and when to choose each
  zen compare                     what each of them costs on this machine, and which to pick",
    after_help = VARIABLES,
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// What `arguments` say.
    pub(crate) fn understood(arguments: &[OsString]) -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches_from(arguments)?;
        let mut cli = Self::from_arg_matches(&matches)?;
        // A variable is set for every flavor that may come; those without workers have no use for it, and that is no mistake.
        if let Command::Serve(serve) = &mut cli.command
            && let Some((_, matches)) = matches.subcommand()
            && matches.value_source("workers") == Some(ValueSource::EnvVariable)
            && !serve.flavor.has_workers()
        {
            serve.server.workers = None;
        }
        if let Command::Compare(compare) = &mut cli.command
            && let Some((_, matches)) = matches.subcommand()
        {
            compare.settle(matches)?;
        }
        Ok(cli)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(ServeArgs),
    Ask(AskArgs),
    Flavors(FlavorsArgs),
    Compare(CompareArgs),
    #[command(hide = true)]
    Floor(FloorArgs),
    Completions(CompletionsArgs),
}

/// Answer questions with the architecture of your choice
#[derive(Debug, Args)]
#[command(
    args_override_self = true,
    help_template = TEMPLATE,
    before_help = "\
Examples:
  zen serve                                     flavor mio on 127.0.0.1:1060
  zen serve 0.0.0.0:1060 --flavor async-multi   every interface, several cores
  zen serve 127.0.0.1:0                         the system picks the port; the first line says which
  zen serve --flavor pool --workers 8 --work 2ms --work-kind sleep
  zen serve --idle-deadline 5s --question-length 64k --connections 500",
    after_help = "\
TIME is 250us, 2ms, 10s, 1m30s…, SIZE is 1024, 64k, 1MiB…; a deadline of none never passes.
The first SIGTERM or SIGINT finishes what is owed and exits 0; the second exits at once.
Every option has an environment variable: ZEN_IDLE_DEADLINE is --idle-deadline.",
)]
pub(crate) struct ServeArgs {
    /// Where to listen, HOST:PORT; port 0 picks a free one
    #[arg(value_name = "ADDR", env = "ZEN_ADDR", hide_env = true, default_value = DEFAULT_ADDRESS)]
    pub(crate) address: Address,

    /// The architecture: blocking, threaded, pool, mio, mio-multi, async or async-multi (see `zen flavors`)
    #[arg(
        long,
        short,
        value_name = "NAME",
        env = "ZEN_FLAVOR",
        hide_env = true,
        value_enum,
        default_value_t
    )]
    #[arg(hide_possible_values = true)]
    pub(crate) flavor: Flavor,

    /// What goes to standard error: error, warn, info, debug, trace or off
    #[arg(long, value_name = "LEVEL", env = "ZEN_LOG", hide_env = true, default_value = "info")]
    pub(crate) log: String,

    #[command(flatten)]
    pub(crate) server: ServerArgs,

    /// How much work each question is; left out: none
    #[arg(long, value_name = "TIME", env = "ZEN_WORK", hide_env = true, value_parser = units::duration)]
    #[arg(help_heading = "Work")]
    pub(crate) work: Option<Duration>,

    /// What the work does: spin burns CPU time, sleep waits (the async flavors await it)
    #[arg(long, value_name = "KIND", env = "ZEN_WORK_KIND", hide_env = true, value_enum, default_value_t)]
    #[arg(hide_possible_values = true, help_heading = "Work")]
    pub(crate) work_kind: WorkKind,
}

/// Ask a server, and print each question with its answer
#[derive(Debug, Args)]
#[command(
    args_override_self = true,
    help_template = TEMPLATE,
    before_help = "\
Examples:
  zen ask                                   the three questions, in random order
  zen ask 'Simple is better than?'          one question, to 127.0.0.1:1060
  zen ask localhost:4000                    the three questions, to another server
  zen ask localhost:4000 'Why?' 'What?'     two questions over one connection
  zen ask --json | jq -r .answer            one JSON object a line",
    after_help = "\
A word with a ? in it is a question; the first word may be an address instead. Quote questions:
the shell has uses of its own for blanks and for ?. What is not printable is shown as \\x1b is.
Every option has an environment variable: ZEN_TIMEOUT is --timeout; ZEN_ADDR is the address.",
)]
pub(crate) struct AskArgs {
    /// Where to connect [default: 127.0.0.1:1060], and what to ask [default: the three]
    #[arg(value_name = "ADDR|QUESTION")]
    pub(crate) words: Vec<String>,

    /// The address when `words` has none. An option because only options and positions have variables.
    #[arg(long = "addr", value_name = "ADDR", env = "ZEN_ADDR", hide = true, default_value = DEFAULT_ADDRESS)]
    pub(crate) address: Address,

    /// How long connecting may take, and each answer
    #[arg(long, short, value_name = "TIME", env = "ZEN_TIMEOUT", hide_env = true)]
    #[arg(value_parser = units::duration, default_value = "10s")]
    pub(crate) timeout: Duration,

    /// Print one JSON object a line
    #[arg(long, env = "ZEN_JSON", hide_env = true, value_parser = units::switch)]
    pub(crate) json: bool,
}

/// List the flavors, and when to choose each
#[derive(Debug, Args)]
#[command(
    args_override_self = true,
    help_template = TEMPLATE,
    before_help = "\
Examples:
  zen flavors
  zen flavors --json | jq -r '.[].flavor'",
    after_help = "Every option has an environment variable: ZEN_JSON=true is --json.",
)]
pub(crate) struct FlavorsArgs {
    /// Print a JSON array
    #[arg(long, env = "ZEN_JSON", hide_env = true, value_parser = units::switch)]
    pub(crate) json: bool,
}

/// Answer everything alike, with no protocol and no limits: the least that a server can cost
#[derive(Debug, Args)]
pub(crate) struct FloorArgs {
    /// Where to listen, HOST:PORT; port 0 picks a free one
    #[arg(value_name = "ADDR", env = "ZEN_ADDR", hide_env = true, default_value = DEFAULT_ADDRESS)]
    pub(crate) address: Address,
}

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(
    args_override_self = true,
    help_template = TEMPLATE,
    before_help = "\
Examples:
  source <(zen completions bash)                                    this bash only
  zen completions fish > ~/.config/fish/completions/zen.fish        every fish to come
  zen completions zsh > \"${fpath[1]}/_zen\"                          every zsh to come",
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: Shell,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands() -> Vec<clap::Command> {
        let mut cli = Cli::command();
        cli.build();
        let mut commands: Vec<_> =
            cli.get_subcommands().filter(|c| c.get_name() != "help" && !c.is_hide_set()).cloned().collect();
        commands.push(cli);
        commands
    }

    #[test]
    fn every_option_has_the_variable_that_its_name_promises() {
        for command in commands() {
            for option in command.get_arguments().filter_map(|arg| Some((arg, arg.get_long()?))) {
                let (arg, long) = option;
                if ["help", "version"].contains(&long) {
                    continue;
                }
                let promised = match (command.get_name(), long) {
                    // A file here, and a switch everywhere else.
                    ("compare", "json") => "ZEN_JSON_FILE".to_owned(),
                    _ => format!("ZEN_{}", long.to_uppercase().replace('-', "_")),
                };
                let name = arg.get_env().map(|name| name.to_string_lossy().into_owned());
                assert_eq!(name, Some(promised), "{} --{long}", command.get_name());
            }
        }
    }

    #[test]
    fn every_command_shows_examples_first() {
        for mut command in commands() {
            let help = command.render_long_help().to_string();
            let (examples, usage) = (help.find("Examples:"), help.find("Usage:"));
            assert!(examples.is_some() && examples < usage, "{}:\n{help}", command.get_name());
        }
    }

    /// The words of a line of shell, up to a comment, a pipe or a redirection. Quotes are single, and never escaped.
    fn words(line: &str) -> Vec<String> {
        let line = line.split("   ").next().unwrap_or_default();
        let line = line.split(['|', '>']).next().unwrap_or_default();
        let mut words = Vec::new();
        for (index, piece) in line.split('\'').enumerate() {
            if index % 2 == 1 {
                words.push(piece.to_owned());
            } else {
                words.extend(piece.split_whitespace().map(str::to_owned));
            }
        }
        words
    }

    #[test]
    fn every_example_can_be_typed() {
        for mut command in commands() {
            let help = command.render_help().to_string();
            let examples = help.lines().skip_while(|line| *line != "Examples:").skip(1);
            for example in examples.take_while(|line| !line.is_empty()) {
                let example = example.trim_start().trim_start_matches("source <(");
                assert!(example.starts_with("zen "), "{example}");
                let typed = words(&example.replace(')', " "));
                assert!(Cli::try_parse_from(&typed).is_ok(), "{typed:?}");
            }
        }
    }

    #[test]
    fn the_help_of_every_command_fits_a_page() {
        for mut command in commands() {
            let help = command.render_help().to_string();
            let grouped = command.get_arguments().any(|arg| arg.get_help_heading().is_some());
            let page = if grouped { 70 } else { 30 };
            assert!(help.lines().count() <= page, "{}:\n{help}", command.get_name());
        }
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }
}
