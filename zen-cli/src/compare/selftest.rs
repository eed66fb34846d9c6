//! `zen compare --self-test`: the lab measures servers whose figures are known beforehand, and
//! prints a line for each check.

use std::io::{self, Write};

use clap::ValueEnum;
use zen_compare::selftest::{CheckStatus, self_test};

use super::plan::server;
use crate::failure::Failure;
use crate::flavor::Flavor;
use crate::terminal::{self, wrapped};

pub(crate) fn run() -> Result<(), Failure> {
    let program = std::env::current_exe().map_err(|error| {
        Failure::Failed(format!("cannot find this program, to start a server with: {error}"))
    })?;
    let of = |flavor| server(&program, flavor, None, None);
    // `blocking` serves one client at a time. So it needs no event loop, and makes one system call
    // less than its client.
    let many: Vec<_> = Flavor::value_variants()
        .iter()
        .filter(|&&flavor| flavor != Flavor::Blocking)
        .map(|&flavor| of(flavor))
        .collect();
    // If standard error is closed, there is no reader for the duration.
    let _ = writeln!(io::stderr(), "the checks take about 45 seconds, longer on a busy machine");
    let mut printed = Ok(());
    let checks = self_test(&of(Flavor::default()), &many, &mut |check| {
        let line = wrapped(&format!("{check}\n"), terminal::width());
        let written = write!(io::stdout(), "{line}").and_then(|()| io::stdout().flush());
        if printed.is_ok() {
            printed = written;
        }
    });
    let checks = checks.map_err(|error| Failure::Failed(format!("the checks cannot be made: {error}")))?;
    Failure::from_output(printed)?;
    let undecided = checks.iter().filter(|check| matches!(check.status, CheckStatus::Undecided(_))).count();
    if undecided > 0 {
        let _ = writeln!(
            io::stderr(),
            "{undecided} of {} checks are undecided; try again when the machine is idle",
            checks.len()
        );
    }
    let failed = checks.iter().filter(|check| check.status == CheckStatus::Failed).map(|check| check.name);
    let failed: Vec<&str> = failed.collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(format!("the lab cannot be trusted on this machine: {}", failed.join("; "))))
}
