//! Options: what every server is given besides a listener and a service. They are checked before
//! anything starts.

use zen_proto::{LimitError, Limits};

use crate::defaults;

/// A server's options, the same for every flavor.
///
/// ```
/// use zen_server::{Options, defaults};
///
/// let options = Options::default().with_connections(500).with_nodelay(false);
/// assert_eq!(options.connection_cap(defaults::CONNECTIONS, Some(1024))?, 500);
/// assert_eq!(Options::default().connection_cap(defaults::CONNECTIONS, Some(1024))?, 992);
///
/// // Two threads, short turns, and peers that may think for five minutes.
/// use std::time::Duration;
/// let limits = zen_proto::Limits::default().with_idle_deadline(Duration::from_secs(300));
/// let options = Options::default().with_workers(2).with_turn_budget(4).with_limits(limits);
/// options.validate()?;
/// # Ok::<(), zen_server::OptionsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The limits of each conversation.
    pub limits: Limits,
    /// How many connections may be open. More of them wait in the listener's backlog.
    ///
    /// Default `None`: 10 000, or 32 less than the open-file limit if that is lower. In a server
    /// that gives each connection a thread, 1 000. Zero is refused, and so is a number that the
    /// open-file limit does not allow ([`OptionsError::ConnectionCap`]).
    pub connections: Option<usize>,
    /// How many threads serve, in a server that has several. Default `None`: 4 for a pool,
    /// otherwise one for each core. Zero is refused.
    pub workers: Option<usize>,
    /// Whether answers are sent at once instead of being held back to fill a segment
    /// (`TCP_NODELAY`). Default true.
    pub nodelay: bool,
    /// How many reads one ready connection gets before it is the next one's turn. Default 16. A
    /// turn also ends when a write has made room for more answers. Has no effect where a thread
    /// serves one conversation at a time. Zero is refused. With a large number, one busy connection
    /// makes the others wait for longer.
    pub turn_budget: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            connections: None,
            workers: None,
            nodelay: true,
            turn_budget: defaults::TURN_BUDGET,
        }
    }
}

impl Options {
    /// Sets [`limits`](Self::limits).
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets [`connections`](Self::connections): to a number, or to `None`.
    #[must_use]
    pub fn with_connections(mut self, connections: impl Into<Option<usize>>) -> Self {
        self.connections = connections.into();
        self
    }

    /// Sets [`workers`](Self::workers): to a number, or to `None`.
    #[must_use]
    pub fn with_workers(mut self, workers: impl Into<Option<usize>>) -> Self {
        self.workers = workers.into();
        self
    }

    /// Sets [`nodelay`](Self::nodelay).
    #[must_use]
    pub fn with_nodelay(mut self, nodelay: bool) -> Self {
        self.nodelay = nodelay;
        self
    }

    /// Sets [`turn_budget`](Self::turn_budget).
    #[must_use]
    pub fn with_turn_budget(mut self, turn_budget: usize) -> Self {
        self.turn_budget = turn_budget;
        self
    }

    /// Checks everything that does not depend on the system.
    ///
    /// # Errors
    /// [`OptionsError`] says which option is wrong and what to do.
    pub fn validate(&self) -> Result<(), OptionsError> {
        self.limits.validate()?;
        for (option, zero) in [
            ("connection cap", self.connections == Some(0)),
            ("worker count", self.workers == Some(0)),
            ("turn budget", self.turn_budget == 0),
        ] {
            if zero {
                return Err(OptionsError::Zero { option });
            }
        }
        Ok(())
    }

    /// The connection cap of a server that holds at most `default_connections` when the options do
    /// not say how many, in a process that may have `open_files` descriptors (`None`: unlimited).
    ///
    /// # Errors
    /// [`OptionsError::ConnectionCap`] when the options ask for more than the open-file limit
    /// allows, or when it allows none.
    pub fn connection_cap(
        &self,
        default_connections: usize,
        open_files: Option<u64>,
    ) -> Result<usize, OptionsError> {
        let open_files = open_files.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let most = open_files.saturating_sub(defaults::RESERVED_FILES);
        let cap = self.connections.unwrap_or_else(|| default_connections.min(most.max(1)));
        if cap > most {
            return Err(OptionsError::ConnectionCap { cap, open_files, most });
        }
        Ok(cap)
    }
}

/// Options with which no server can run.
///
/// ```
/// use zen_server::Options;
///
/// let error = Options::default().with_workers(0).validate().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the worker count is zero, so nothing would be served; give it a value of at least 1"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// A limit of the conversations.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// An option is zero.
    #[error("the {option} is zero, so nothing would be served; give it a value of at least 1")]
    Zero {
        /// Which one.
        option: &'static str,
    },
    /// More connections than the process may have descriptors.
    #[error(
        "a connection cap of {cap} needs {} open files, but the limit is {open_files}; lower the cap to {most} or raise the limit (ulimit -n)",
        .cap + defaults::RESERVED_FILES
    )]
    ConnectionCap {
        /// What was asked for.
        cap: usize,
        /// The process's open-file limit.
        open_files: usize,
        /// The highest cap that the limit allows.
        most: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_refused_by_name() {
        for (options, name) in [
            (Options::default().with_connections(0), "connection cap"),
            (Options::default().with_workers(0), "worker count"),
            (Options::default().with_turn_budget(0), "turn budget"),
        ] {
            let error = options.validate().expect_err(name);
            assert!(error.to_string().contains(name), "{error}");
        }
        assert_eq!(Options::default().validate(), Ok(()));
    }

    #[test]
    fn the_cap_stays_below_the_open_file_limit() {
        let options = Options::default();
        assert_eq!(options.connection_cap(10_000, None), Ok(10_000));
        assert_eq!(options.connection_cap(1_000, None), Ok(1_000));
        assert_eq!(options.connection_cap(10_000, Some(20_000)), Ok(10_000));
        assert_eq!(options.connection_cap(10_000, Some(256)), Ok(224));
        let greedy = options.with_connections(20_000);
        let error = greedy.connection_cap(10_000, Some(20_000)).expect_err("too many");
        assert!(error.to_string().contains("lower the cap to 19968"), "{error}");
        assert!(
            Options::default().connection_cap(1, Some(32)).is_err(),
            "no descriptor is left for a connection"
        );
    }
}
