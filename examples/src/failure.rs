//! Why a program has failed, in a line.

use std::error::Error;
use std::fmt;

/// Why a program has failed. As the error of `main` it is shown as the line that it is, not as the
/// structure of a value.
pub struct Failure(String);

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
