//! How much memory this process may use: the least of what the machine has and of the limits that
//! are set for the process.

use std::fs;
use std::path::Path;

use nix::sys::resource::{Resource, getrlimit};

/// What is taken where the system does not say, in bytes.
const UNKNOWN: u64 = 1 << 30;

/// How much memory this process may use, in bytes: the least of the machine's memory, the limit of
/// the process's control group (Linux, version 2), and the soft limits of its address space and its
/// data (`ulimit -v` and `-d`). 1 GiB if the system says none of it.
///
/// ```
/// assert!(zen_server::usable_memory() > 0);
/// ```
pub fn usable_memory() -> u64 {
    let limits = [Resource::RLIMIT_AS, Resource::RLIMIT_DATA];
    let limits = limits.into_iter().filter_map(|limit| Some(getrlimit(limit).ok()?.0));
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    let group = fs::read_to_string("/proc/self/cgroup").ok().and_then(|text| group_limit(&text));
    let least = limits.chain(machine).chain(group).min().unwrap_or(UNKNOWN);
    if least == u64::MAX { UNKNOWN } else { least }
}

/// The machine's memory, from the text of `/proc/meminfo`.
fn total(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The least limit of a group and of those that it is in, from the text of `/proc/self/cgroup`.
fn group_limit(text: &str) -> Option<u64> {
    let path = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let root = Path::new("/sys/fs/cgroup");
    let group = root.join(path.trim_start_matches('/'));
    let groups = group.ancestors().take_while(|group| group.starts_with(root));
    let limits = groups.filter_map(|group| fs::read_to_string(group.join("memory.max")).ok());
    limits.filter_map(|limit| limit.trim().parse().ok()).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_memory_is_read() {
        assert_eq!(total("MemTotal:       24684032 kB\nMemFree: 1 kB\n"), Some(24_684_032 * 1024));
        assert_eq!(total("MemFree: 1 kB\n"), None);
    }

    #[test]
    fn a_group_without_a_limit_sets_none() {
        assert_eq!(group_limit("0::/no/such/group/as/this\n").filter(|limit| *limit == 0), None);
        assert_eq!(group_limit("12:memory:/version/one\n"), None);
    }
}
