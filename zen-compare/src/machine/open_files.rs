//! How many files this process and the servers that it starts may have open.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Lets this process, and the servers that it starts from now on, have as many open files as the system permits
/// it; how many that are.
pub(crate) fn raise_open_files() -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_err() {
        // Some systems have a ceiling below what they call permitted.
        return Ok(soft);
    }
    Ok(hard)
}
