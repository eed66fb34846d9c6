//! Tests of the core's contract from outside, with a peer, an application and a clock made of
//! numbers.
// Tests say what they expect by panicking, in their helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod asker;
mod backpressure;
mod broken;
mod cuts;
mod deadlines;
mod drain;
mod driver;
mod endings;
mod exhaustive;
mod failures;
mod first;
mod flows;
mod framings;
mod greeting;
mod improvised;
mod large;
mod last_words;
mod layered;
mod model;
mod pair;
mod panics;
mod pieces;
mod pushes;
mod random;
mod responders;
mod script;
mod start_tls;
mod switching;
mod tickets;
mod told;
mod turns;
mod typed;
mod wakes;
