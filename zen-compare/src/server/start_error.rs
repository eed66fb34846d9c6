//! Why a server could not be started.

use std::io;
use std::time::Duration;

use thiserror::Error;

/// How long a server may take until it is ready.
pub(crate) const READY_WITHIN: Duration = Duration::from_secs(10);

/// Why a server could not be started. What it wrote to standard error is given escaped.
///
/// ```
/// use zen_compare::{Contender, StartError};
///
/// let error = Contender::new("missing", "/no/such/program", ["{port}"]).start(None).unwrap_err();
/// assert!(matches!(error, StartError::CannotRun { .. }));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The command is empty or its quotes are not closed.
    #[error("`{0}` is not a command: it is empty or a quote is not closed")]
    NotACommand(String),
    /// The program could not be run.
    #[error("{program} cannot be run: {source}")]
    CannotRun {
        /// The program.
        program: String,
        /// Why it could not be run.
        source: io::Error,
    },
    /// The process ended before it was ready.
    #[error("it ended at once ({status}){}", said(.stderr))]
    Ended {
        /// How it ended.
        status: String,
        /// The end of what it wrote to standard error.
        stderr: String,
    },
    /// The process lives, but cannot be connected to.
    #[error("it was not ready within {} s{}", READY_WITHIN.as_secs(), said(.stderr))]
    NotReady {
        /// The end of what it wrote to standard error.
        stderr: String,
    },
    /// The wait was given up, because [`StopFlag`](super::stop::StopFlag) was raised.
    #[error("it was not ready when this was interrupted")]
    Interrupted,
    /// The process lives, and has closed its output without a line.
    #[error(
        "it closed its output before it said `listening on HOST:PORT`; put {{port}} in its command to give it a port"
    )]
    Silent,
    /// The first line was not the announcement.
    #[error(
        "its first line was `{0}` and not `listening on HOST:PORT`; put {{port}} in its command to give it a port"
    )]
    NotAnnounced(String),
    /// The machine failed: no port, no thread, or no affinity.
    #[error(transparent)]
    Machine(#[from] io::Error),
}

fn said(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!("; it said: {stderr}") }
}
