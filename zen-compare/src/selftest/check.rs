//! One thing that is known beforehand, and what the lab made of it.

use std::fmt;

/// One thing that is known, and what the lab made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What is checked.
    pub name: &'static str,
    /// What is known beforehand.
    pub expected: String,
    /// What was measured.
    pub seen: String,
    /// Whether the two agree.
    pub outcome: Outcome,
}

/// Whether a check agrees with what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It does.
    Passed,
    /// It does not: the lab's numbers from this machine are not to be trusted.
    Failed,
    /// The machine did not let the check be made, for this reason. Try again when it is idle.
    Undecided(String),
}

impl Outcome {
    pub(super) fn of(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Failed }
    }

    /// What does not pass on a disturbed machine is not the lab's fault.
    pub(super) fn unless(disturbed: Option<String>, passed: bool) -> Self {
        match disturbed {
            Some(why) if !passed => Self::Undecided(why),
            _ => Self::of(passed),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, expected, seen, outcome } = self;
        let word = match outcome {
            Outcome::Passed => "pass",
            Outcome::Failed => "FAIL",
            Outcome::Undecided(_) => "undecided",
        };
        write!(f, "{word}: {name}: expected {expected}; saw {seen}")?;
        if let Outcome::Undecided(why) = outcome { write!(f, "; {why}") } else { Ok(()) }
    }
}
