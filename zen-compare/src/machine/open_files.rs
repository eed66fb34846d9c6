//! How many files this process and the servers that it starts may have open.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the limit on open files to what the system permits, for this process and for the servers
/// that it starts from now on. Returns the limit.
pub(crate) fn raise_open_files() -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_err() {
        // Some systems have a ceiling below the limit that they say they permit.
        return Ok(soft);
    }
    Ok(hard)
}
