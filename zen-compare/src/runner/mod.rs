//! Carries out a plan, run by run: from starting the server to saving what it did.

mod capacity;
pub(crate) mod compare;
mod expected_time;
mod measure;
mod reruns;
