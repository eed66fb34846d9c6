//! The signals that end a server.

use std::io;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use zen_server::StopHandle;

/// Drains the server at the first SIGTERM or SIGINT. The second ends the process at once.
pub(crate) fn stop_on_signal(stop: StopHandle) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        for (seen, signal) in signals.forever().enumerate() {
            if seen > 0 {
                std::process::exit(128 + signal);
            }
            stop.stop();
        }
    })?;
    Ok(())
}
