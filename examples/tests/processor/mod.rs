//! How much of the processor another process uses.

use std::fs;
use std::time::Duration;

/// How long the threads were running that the process has now.
pub(crate) fn time(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let nanoseconds = threads.map(|thread| {
        // A thread may end between the two calls.
        let times = fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap_or_default();
        times.split_whitespace().next().map_or(0, |running| running.parse::<u64>().unwrap())
    });
    Duration::from_nanos(nanoseconds.sum())
}
