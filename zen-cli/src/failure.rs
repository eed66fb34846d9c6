//! Failures: one clear line that says what failed and what to do, and the exit status.

use std::error::Error as _;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::escape::escaped;

/// Why the command ends without having done what it was asked to do.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The request cannot be fulfilled by any program: exit status 2.
    Usage(String),
    /// It could not be done here and now: exit status 1.
    Failed(String),
    /// It could not be done, and a line has said so already: exit status 1.
    Told,
    /// It was done, and the result is worse than allowed: exit status 3.
    Regressed(String),
}

impl Failure {
    /// Prints the line on standard error, and returns the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        let status = match self {
            Self::Usage(_) => 2,
            Self::Failed(_) | Self::Told => 1,
            Self::Regressed(_) => 3,
        };
        if !matches!(self, Self::Told) {
            // When standard error is closed, the status still reports the failure.
            let _ = writeln!(io::stderr(), "zen: {}", self.line());
        }
        ExitCode::from(status)
    }

    /// What failed and what to do.
    pub(crate) fn line(&self) -> &str {
        match self {
            Self::Usage(line) | Self::Failed(line) | Self::Regressed(line) => line,
            Self::Told => "",
        }
    }

    /// Turns an error of writing to standard output into a failure. A closed pipe is not a failure:
    /// the reader (`zen flavors | head -1`) has seen enough.
    pub(crate) fn from_output(result: io::Result<()>) -> Result<(), Self> {
        match result {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Self::Failed(format!("cannot write to standard output: {error}")))
            }
            _ => Ok(()),
        }
    }
}

/// Reports what clap returned: help and version go to standard output unchanged, everything else
/// becomes one line.
pub(crate) fn from_clap(error: &clap::Error, mut command: clap::Command, arguments: &[OsString]) -> ExitCode {
    // Only a built command can say how its arguments are written.
    command.build();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match Failure::from_output(error.print()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(),
        },
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // This goes to standard error; if that is closed, there is no reader left.
            let _ = error.print();
            ExitCode::from(2)
        }
        _ => Failure::Usage(usage_line(error, &command, arguments)).report(),
    }
}

/// A usage error in one line.
fn usage_line(error: &clap::Error, command: &clap::Command, arguments: &[OsString]) -> String {
    let said = |kind| error.get(kind).and_then(text);
    let command = named(command, arguments);
    let help = match command.get_name() {
        "zen" => "zen --help".to_owned(),
        name => format!("zen {name} --help"),
    };
    let argument = said(ContextKind::InvalidArg).unwrap_or_default();
    let value = said(ContextKind::InvalidValue).unwrap_or_default();
    let origin = variable(error, command, arguments)
        .map(|name| format!(" (from the variable {name})"))
        .unwrap_or_default();
    let like = |kind| said(kind).map(|like| format!("did you mean {like}? ")).unwrap_or_default();
    match error.kind() {
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("{} needs a value{origin}; see {help}", short(&argument))
        }
        ErrorKind::InvalidValue => {
            let known = said(ContextKind::ValidValue).unwrap_or_default();
            format!(
                "unknown {} '{value}'{origin}: {}choose one of {known}",
                // One of the values of `--flavors` is a flavor.
                short(&argument).trim_start_matches('-').trim_end_matches('s').to_lowercase(),
                like(ContextKind::SuggestedValue),
            )
        }
        ErrorKind::ValueValidation => {
            let why =
                error.source().map_or_else(|| "not a value it can have".to_owned(), ToString::to_string);
            format!("{} '{value}'{origin}: {why}", short(&argument))
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            format!("unknown option '{argument}': {}see {help}", like(ContextKind::SuggestedArg))
        }
        ErrorKind::UnknownArgument => format!("'{argument}' is one argument too many; see {help}"),
        ErrorKind::InvalidSubcommand => {
            let name = said(ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("unknown command '{name}': {}see {help}", like(ContextKind::SuggestedSubcommand))
        }
        ErrorKind::ArgumentConflict => {
            let other = said(ContextKind::PriorArg).unwrap_or_else(|| "another option".to_owned());
            format!("{} and {} cannot be used together; leave one out", short(&argument), short(&other))
        }
        ErrorKind::MissingRequiredArgument if said(ContextKind::PriorArg).is_some() => {
            let given = said(ContextKind::PriorArg).unwrap_or_default();
            format!("{} means nothing without {argument}; see {help}", short(&given))
        }
        ErrorKind::MissingRequiredArgument => format!("{argument} is missing; see {help}"),
        ErrorKind::InvalidUtf8 => format!("an argument is not UTF-8; see {help}"),
        _ => {
            let whole = error.to_string();
            let first = whole.lines().next().unwrap_or_default().trim_start_matches("error: ");
            format!("{}; see {help}", escaped(first.as_bytes()))
        }
    }
}

/// The context that clap gives for one kind, escaped, because it repeats the user's input.
fn text(value: &ContextValue) -> Option<String> {
    let text = match value {
        ContextValue::String(one) => one.clone(),
        ContextValue::Strings(several) if !several.is_empty() => several.join(", "),
        ContextValue::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(escaped(text.as_bytes()).to_string())
}

/// `--flavor` out of `--flavor <FLAVOR>`, `ADDR` out of `[ADDR]`.
fn short(argument: &str) -> &str {
    argument.split_whitespace().next().unwrap_or("an argument").trim_matches(['[', ']', '<', '>', '.'])
}

/// The subcommand that `arguments` name, or the command itself.
fn named<'a>(command: &'a clap::Command, arguments: &[OsString]) -> &'a clap::Command {
    arguments.iter().skip(1).find_map(|argument| command.find_subcommand(argument)).unwrap_or(command)
}

/// The environment variable that a bad value came from: it has that value, and the command line
/// does not.
fn variable(error: &clap::Error, command: &clap::Command, arguments: &[OsString]) -> Option<String> {
    let argument = error.get(ContextKind::InvalidArg)?.to_string();
    let value = error.get(ContextKind::InvalidValue)?.to_string();
    let name = command.get_arguments().find(|arg| arg.to_string() == argument)?.get_env()?;
    let given = arguments.iter().map(|argument| argument.to_string_lossy()).any(|argument| {
        argument == value || argument.strip_suffix(&value).is_some_and(|option| option.ends_with('='))
    });
    (!given && std::env::var_os(name)? == *value).then(|| name.to_string_lossy().into_owned())
}
