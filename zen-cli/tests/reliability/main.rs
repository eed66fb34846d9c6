//! Every flavor keeps its promises when clients are slow, hostile, many or gone: the real binary,
//! as a process of its own, and what it keeps when they are gone. `docs/reliability.md` lists the
//! promises.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

// Helpers.
mod client;
mod every_flavor;
mod kept;
#[path = "../it/running.rs"]
#[allow(dead_code, reason = "the other tests of the command use the rest")]
mod running;

// Themes.
mod arrivals;
mod bytes;
mod fairness;
mod urgent;
mod white_space;
