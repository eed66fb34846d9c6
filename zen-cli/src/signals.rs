//! Signals that end a command which has other processes to end first.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use zen_compare::StopFlag;

use crate::failure::Failure;

/// A flag that SIGINT and SIGTERM raise. This process must not end before it has ended the servers
/// that it has started. All its waits are bounded, so a second signal does no more than the first.
pub(crate) fn stop_on_signal() -> Result<StopFlag, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        flag::register(signal, Arc::clone(&stop))
            .map_err(|error| Failure::Failed(format!("cannot listen for signals: {error}")))?;
    }
    Ok(StopFlag::from(stop))
}
