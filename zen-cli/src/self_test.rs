//! `zen compare --self-test`: has the lab measure what is known beforehand, and prints whether it found it.

use std::io::{self, Write};

use zen_compare::Contender;
use zen_compare::selftest::{self, Check, Outcome};

use crate::failure::Failure;

/// Prints each check as it is over. Fails when one of them does; what a busy machine leaves undecided is no failure.
pub(crate) fn run() -> Result<(), Failure> {
    let program = std::env::current_exe().map_err(|error| {
        Failure::Failed(format!("cannot find this program, to start servers with: {error}"))
    })?;
    let twin = Contender::floor(&program, ["floor", "127.0.0.1:0"]);
    let mut printed = Ok(());
    let checks = selftest::self_test(&twin, &mut |check| {
        if printed.is_ok() {
            printed = writeln!(io::stdout(), "{check}");
        }
    });
    let checks = checks.map_err(|error| Failure::Failed(format!("the checks cannot be made: {error}")))?;
    Failure::from_output(printed)?;
    let failed: Vec<&str> =
        checks.iter().filter(|check| check.outcome == Outcome::Failed).map(name).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(format!("the lab is not to be trusted on this machine: {}", failed.join("; "))))
}

fn name(check: &Check) -> &str {
    check.name
}
