//! This program as the processes that a trace starts, and how they are asked to end.

use std::path::PathBuf;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub(super) fn own_program() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))
}

/// Asks a process to end. It may have ended already.
pub(super) fn ask_to_end(process: u32) {
    // Process numbers are far below 2^31.
    let _ = kill(Pid::from_raw(i32::try_from(process).unwrap_or(i32::MAX)), Signal::SIGTERM);
}
