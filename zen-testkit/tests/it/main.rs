//! Tests of the test kit: a correct server passes, a broken one is caught, and the messages help.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod broken;
mod conformance;
mod memory;
mod messages;
mod own_protocol;
mod passes;
mod peers;
mod reference;
