//! One test, run against every flavor at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::running::FLAVORS;

/// How many conversations a flavor serves at once, as `zen serve` starts it without `--workers`.
pub(crate) fn at_once(flavor: &str) -> usize {
    match flavor {
        "blocking" => 1,
        "pool" => 4,
        _ => usize::MAX,
    }
}

/// The kind of work that blocks the thread which serves. The async flavors await work that sleeps.
pub(crate) fn blocks(flavor: &str) -> &'static str {
    if flavor.starts_with("async") { "spin" } else { "sleep" }
}

/// Raises this process's open-file limit, which its servers inherit, so that it can have `clients`
/// connections at once; returns the same number, and some more, as a connection cap. `None` if the
/// system does not allow it, which is told.
pub(crate) fn may_open(clients: usize) -> Option<String> {
    // What else runs at the same time needs some, too.
    let wanted = clients as u64 + 2000;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    if hard < wanted {
        eprintln!("SKIPPED: {clients} clients need an open-file limit of {wanted}, and it is {hard}");
        return None;
    }
    if soft < wanted {
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).unwrap();
    }
    Some((clients + 100).to_string())
}

/// Runs `test` against every flavor, each on a thread of its own.
///
/// # Panics
/// After all have ended, if some have failed. The message names them.
pub(crate) fn on_every_flavor(test: impl Fn(&'static str) + Sync) {
    on_flavors(&FLAVORS, test);
}

/// The same for some flavors.
pub(crate) fn on_flavors(flavors: &[&'static str], test: impl Fn(&'static str) + Sync) {
    let test = &test;
    let failed: Vec<&str> = thread::scope(|scope| {
        let running: Vec<_> = flavors
            .iter()
            .map(|flavor| {
                let run = || catch_unwind(AssertUnwindSafe(|| test(flavor)));
                // The name of the thread is in the message of its panic.
                let thread = thread::Builder::new().name((*flavor).to_owned()).spawn_scoped(scope, run);
                (*flavor, thread.unwrap())
            })
            .collect();
        let failed = running.into_iter().filter_map(|(flavor, thread)| {
            let ended = thread.join().unwrap();
            ended.is_err().then_some(flavor)
        });
        failed.collect()
    });
    assert!(failed.is_empty(), "it failed on {}; see above", failed.join(", "));
}
