//! Something that is known beforehand, and what the lab measured.

use std::fmt;

/// Something that is known beforehand, and what the lab measured.
///
/// ```
/// use zen_compare::selftest::{Check, CheckStatus};
///
/// /// Whether the lab's numbers from this machine can be trusted.
/// fn is_fit(checks: &[Check]) -> bool {
///     checks.iter().all(|check| check.status != CheckStatus::Failed)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// What is checked.
    pub name: &'static str,
    /// What is known beforehand.
    pub expected: String,
    /// What was measured.
    pub seen: String,
    /// Whether the two agree.
    pub status: CheckStatus,
}

/// Whether a check agrees with what is known.
///
/// ```
/// use zen_compare::selftest::CheckStatus;
///
/// fn say(status: &CheckStatus) -> &str {
///     match status {
///         CheckStatus::Passed => "as it should be",
///         CheckStatus::Undecided(why) => why,
///         _ => "do not trust this machine",
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckStatus {
    /// It does.
    Passed,
    /// It does not: the lab's numbers from this machine are not to be trusted.
    Failed,
    /// The machine did not allow the check to be made, for this reason. Try again when it is idle.
    Undecided(String),
}

impl CheckStatus {
    pub(super) fn from_passed(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Failed }
    }

    /// A check that does not pass on a disturbed machine is undecided: that is not the lab's fault.
    pub(super) fn unless(disturbed: Option<String>, passed: bool) -> Self {
        match disturbed {
            Some(why) if !passed => Self::Undecided(why),
            _ => Self::from_passed(passed),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, expected, seen, status } = self;
        let word = match status {
            CheckStatus::Passed => "pass",
            CheckStatus::Failed => "FAIL",
            CheckStatus::Undecided(_) => "undecided",
        };
        write!(f, "{word}: {name}: expected {expected}; saw {seen}")?;
        if let CheckStatus::Undecided(why) = status { write!(f, "; {why}") } else { Ok(()) }
    }
}
