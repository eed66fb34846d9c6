//! A server whose sockets, clock, threads and faults are made of numbers that a seed decides.
//!
//! `cargo xtask simulate 1000000` lives through that many seeds. `ZEN_SIMULATION_SEED=7` replays
//! one, and shows what happens.

mod checks;
mod driver;
mod faults;
mod numbers;
mod peer;
mod server;
mod service;
mod shape;
mod socket;
mod world;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

use faults::Counts;

/// How many seeds a normal run of the tests lives through.
const SEEDS: u64 = 20_000;

fn variable(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value} is no number")))
}

#[test]
fn promises_hold_whatever_the_numbers_do() {
    // The core's clocks only compare times, so where they start does not matter.
    let start = Instant::now();
    if let Some(seed) = variable("ZEN_SIMULATION_SEED") {
        println!("{}", server::live(seed, start, true));
        return;
    }
    let seeds = variable("ZEN_SIMULATION_SEEDS").unwrap_or(SEEDS);
    let mut counts = Counts::default();
    for seed in 0..seeds {
        match catch_unwind(AssertUnwindSafe(|| server::live(seed, start, false))) {
            Ok(more) => counts.add(&more),
            Err(panic) => {
                eprintln!("seed {seed} breaks a promise. To replay it:");
                eprintln!(
                    "ZEN_SIMULATION_SEED={seed} cargo test -p zen-server --test simulation -- --nocapture"
                );
                resume_unwind(panic);
            }
        }
    }
    println!("{seeds} seeds\n{counts}");
    assert_eq!(counts.missing(), [""; 0], "these kinds have not happened, so nothing is tested of them");
}
