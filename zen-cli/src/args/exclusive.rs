//! Options of `zen compare` that contradict each other, and the errors for them.

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

/// The options that describe a load of the user's own.
pub(crate) const LOAD: &[&str] = &["think", "work", "clients"];

/// Options that cannot be used together.
const PAIRS: &[(&str, &str)] = &[
    ("quick", "full"),
    ("scenarios", "think"),
    ("scenarios", "work"),
    ("scenarios", "work_kind"),
    ("scenarios", "clients"),
];

/// Options that mean nothing without the second one.
const NEEDS: &[(&str, &str)] = &[("fail_on_regression", "baseline"), ("work_kind", "work")];

/// Which options were typed, rather than set by a variable or left at their default.
pub(crate) struct Typed<'a>(&'a ArgMatches);

impl<'a> Typed<'a> {
    pub(crate) fn new(matches: &'a ArgMatches) -> Self {
        Self(matches)
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.value_source(id) == Some(ValueSource::CommandLine)
    }

    pub(crate) fn has_any(&self, ids: &[&str]) -> bool {
        ids.iter().any(|id| self.has(id))
    }

    /// Whether the option has a value that is not its default.
    fn is_given(&self, id: &str) -> bool {
        self.has(id) || self.0.value_source(id) == Some(ValueSource::EnvVariable)
    }

    /// The first contradiction among the options of `command`. An option in `alone` that was given
    /// cannot be used with any other.
    pub(crate) fn check(&self, alone: &[(&str, bool)], command: &Command) -> Result<(), Error> {
        for (alone, _) in alone.iter().filter(|(_, asked)| *asked) {
            let others = command.get_arguments().map(|argument| argument.get_id().as_str());
            if let Some(other) = others.filter(|id| id != alone).find(|id| self.has(id)) {
                return Err(error(ErrorKind::ArgumentConflict, alone, other));
            }
        }
        if let Some((one, other)) = PAIRS.iter().find(|(one, other)| self.has(one) && self.has(other)) {
            return Err(error(ErrorKind::ArgumentConflict, one, other));
        }
        if let Some((one, other)) = NEEDS.iter().find(|(one, other)| self.has(one) && !self.is_given(other)) {
            return Err(error(ErrorKind::MissingRequiredArgument, other, one));
        }
        Ok(())
    }
}

fn error(kind: ErrorKind, one: &str, prior: &str) -> Error {
    let mut error = Error::new(kind);
    error.insert(ContextKind::InvalidArg, ContextValue::String(option(one)));
    error.insert(ContextKind::PriorArg, ContextValue::String(option(prior)));
    error
}

/// The option as it is typed.
fn option(id: &str) -> String {
    format!("--{}", id.replace('_', "-"))
}
