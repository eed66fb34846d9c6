//! The simulation of a server, for as many seeds as one likes. The tests live through 20 000.

use crate::run::{Failure, Outcome, run_cargo_with};

/// How many seeds are lived through if no number is given.
const SEEDS: &str = "1000000";

/// Lives through the seeds from 0, and prints how often each kind of fault has happened.
pub(crate) fn run(seeds: Option<&str>) -> Result<Outcome, Failure> {
    let seeds = seeds.unwrap_or(SEEDS);
    run_cargo_with(
        "test --locked -p zen-server --test simulation -- --nocapture",
        &[("ZEN_SIMULATION_SEEDS", seeds)],
    )
}
