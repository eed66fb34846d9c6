//! One test, run against every flavor at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use crate::running::FLAVORS;

/// How many conversations a flavor serves at once, as `zen serve` starts it without `--workers`.
pub(crate) fn at_once(flavor: &str) -> usize {
    match flavor {
        "blocking" => 1,
        "pool" => 4,
        _ => usize::MAX,
    }
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
