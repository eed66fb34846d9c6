//! Logging to standard error: as much as was asked for, and in color only where color is wanted.

use std::io;

use tracing_subscriber::filter::EnvFilter;

use crate::escape::escaped;
use crate::failure::Failure;
use crate::terminal::wants_color;

/// Sends the log to standard error, filtered by `directives` (`info`, `debug,mio=warn`…).
pub(crate) fn start(directives: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(directives).map_err(|_| {
        let given = escaped(directives.as_bytes());
        Failure::Usage(format!("--log '{given}': choose one of error, warn, info, debug, trace or off"))
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(wants_color(&io::stderr()))
        .with_target(false)
        // The subscriber would report a failed write to the same stream, and panic.
        .log_internal_errors(false)
        .init();
    Ok(())
}
