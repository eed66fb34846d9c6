//! A conformance suite of transcripts for question-and-answer servers.
//!
//! A [`Transcript`] describes one client's behaviour as plain data: what it sends and how that is
//! cut, where it half-closes, resets or stalls, which bytes must come back, and how the connection
//! ends. A [`Suite`] is a list of transcripts. It runs against an address over real sockets and
//! yields a [`Report`]. Each failure is a [`Mismatch`] that shows what was sent, what was expected
//! and what was received.
//!
//! [`zen_suite`] is the suite of zen's own protocol. It is independent of how the server is built,
//! so it can check any server of the protocol:
//!
//! ```no_run
//! use zen_testkit::{Expectations, zen_suite};
//!
//! # fn main() -> Result<(), std::net::AddrParseError> {
//! let server = "127.0.0.1:1060".parse()?;
//! zen_suite(&Expectations::default()).run(server).assert_passed();
//! # Ok(())
//! # }
//! ```
//!
//! A protocol of your own takes ten lines. [`Exchanges`] says what goes in and what comes out, from
//! which the transcripts follow: cut at every byte, byte by byte, half-closed, broken off, and with
//! more behind the end. The suite runs in memory against a framing and a service, with a clock of
//! its own, and over sockets against a server of any kind:
//!
//! ```
//! use std::net::SocketAddr;
//! use zen_proto::{Answer, DelimiterFraming, Limits};
//! use zen_testkit::{Exchanges, Suite};
//!
//! fn shout(line: &[u8], answer: &mut Answer<'_>) {
//!     answer.put(&line.to_ascii_uppercase());
//! }
//!
//! fn suite() -> Suite {
//!     Exchanges::new()
//!         .answers("two lines", b"zen\nof\n", b"ZEN\nOF\n")
//!         .closes("a line over the limit", b"a\n12345678\n", b"A\ntoo long\n")
//!         .suite()
//! }
//!
//! let lines = || DelimiterFraming::new(b'\n').when_too_long(b"too long\n");
//! let limits = Limits::default().with_question_length(8);
//! suite().run_in_memory(&limits, || (lines(), shout)).assert_passed();
//!
//! fn check(server: SocketAddr) {
//!     suite().run(server).assert_passed();
//! }
//! ```
//!
//! Where exchanges do not say enough, [`Transcript`]s do: they pause, reset, return, trickle, and
//! wait for deadlines.
//!
//! [`peers`] holds an independent client and server to test against, written in Python with nothing
//! but its standard library.
//!
//! Unix only; tested on Linux. The server under test may run anywhere.
#![forbid(unsafe_code)]

/// The README's example, so that it compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod connection;
mod cut;
mod escape;
mod exchanges;
pub mod flavor;
mod link;
mod memory;
mod mismatch;
pub mod peers;
mod play;
mod report;
mod suite;
mod transcript;
mod zen;

pub use cut::every_cut;
pub use exchanges::Exchanges;
pub use mismatch::{Fault, Mismatch};
pub use report::{Outcome, Report};
pub use suite::Suite;
pub use transcript::{Step, Transcript, Trickle};
pub use zen::{Expectations, zen_deadlines, zen_suite};
