//! The command line: its options and arguments, and its help.

mod ask;
mod compare;
mod completions;
mod exclusive;
mod flavors;
mod floor;
mod help;
mod serve;
mod server;
mod trace;

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub(crate) use self::ask::AskArgs;
pub(crate) use self::compare::CompareArgs;
pub(crate) use self::completions::CompletionsArgs;
pub(crate) use self::flavors::FlavorsArgs;
pub(crate) use self::floor::FloorArgs;
use self::help::{TEMPLATE, VARIABLES};
pub(crate) use self::serve::ServeArgs;
pub(crate) use self::trace::{ClientsArgs, TraceArgs, TracedArgs};

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
  zen flavors                     a table of the flavors, and when to choose each
  zen compare                     what each of them costs on this machine, and which to pick
  zen trace                       where a server's time goes, step by step",
    after_help = VARIABLES,
)]
pub(crate) struct Cli {
    /// The command to run.
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Parses `arguments`.
    pub(crate) fn understood(arguments: &[OsString]) -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches_from(arguments)?;
        let mut cli = Self::from_arg_matches(&matches)?;
        // A variable is set for any flavor that may run later. Flavors without workers ignore it;
        // that is no mistake.
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
    Trace(TraceArgs),
    #[command(hide = true)]
    Traced(TracedArgs),
    #[command(hide = true)]
    Clients(ClientsArgs),
    #[command(hide = true)]
    Floor(FloorArgs),
    Completions(CompletionsArgs),
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
    fn every_option_has_the_variable_that_its_name_implies() {
        for command in commands() {
            for option in command.get_arguments().filter_map(|arg| Some((arg, arg.get_long()?))) {
                let (arg, long) = option;
                if ["help", "version"].contains(&long) {
                    continue;
                }
                let promised = match (command.get_name(), long) {
                    // A file here, and a switch everywhere else.
                    ("compare" | "trace", "json") => "ZEN_JSON_FILE".to_owned(),
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

    /// The words of a line of shell, up to a comment, a pipe or a redirection. Quotes are single
    /// quotes, and are never escaped.
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
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}
