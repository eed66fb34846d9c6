//! Defaults: what a server does where its [`Options`](crate::Options) leave the choice to it.

/// Connections open at once, where the open-file limit allows it.
pub const CONNECTIONS: usize = 10_000;

/// Connections open at once, in a server that gives each of them a thread.
pub const CONNECTIONS_WITH_THREADS: usize = 1_000;

/// Threads of a fixed pool, each of which serves one conversation at a time.
pub const POOL_WORKERS: usize = 4;

/// Descriptors that a process needs besides its connections: standard streams, listener, poll,
/// waker, a log.
pub const RESERVED_FILES: usize = 32;

/// Reads that one ready connection gets before it is the next one's turn.
pub const TURN_BUDGET: usize = 16;

/// Threads of a server in which each thread serves many conversations: one for each core that this
/// process may use.
///
/// ```
/// // A server that holds its tables for each thread.
/// let tables = vec![0_u64; zen_server::defaults::workers()];
/// assert!(!tables.is_empty());
/// ```
pub fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}
