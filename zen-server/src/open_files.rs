//! The open-file limit: how many descriptors this process may have.

use nix::sys::resource::{Resource, getrlimit};

/// How many descriptors this process may have open at once: the soft limit, as in `ulimit -n`.
/// `None` if the system does not say.
///
/// ```
/// // As many connections as this process may have, but for a few descriptors for itself.
/// let most = zen_server::open_file_limit().map(|limit| limit.saturating_sub(32));
/// assert_ne!(most, Some(0));
/// ```
pub fn open_file_limit() -> Option<u64> {
    getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_leaves_room_for_the_standard_streams() {
        assert!(open_file_limit().is_some_and(|limit| limit > 3));
    }
}
