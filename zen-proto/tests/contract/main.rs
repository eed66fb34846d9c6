//! Tests of the core's contract from outside, with a peer, an application and a clock made of
//! numbers.
// Tests say what they expect by panicking, in their helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod asker;
mod backpressure;
mod cuts;
mod deadlines;
mod drain;
mod driver;
mod endings;
mod exhaustive;
mod failures;
mod first;
mod framings;
mod model;
mod pair;
mod random;
mod tickets;
mod wake_ups;
