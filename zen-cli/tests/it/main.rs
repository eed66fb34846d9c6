//! The `zen` command as its users run it: the real binary, real sockets, real signals.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod ask;
mod bad_input;
mod compare;
mod flavors;
mod output;
mod peers;
mod running;
mod serve;
mod signals;
mod tls;
mod trace;
mod unix_socket;
