//! A conformance suite of transcripts for question-and-answer servers.
//!
//! A [`Transcript`] describes one client's behaviour as plain data: what it sends and how that is
//! cut, where it half-closes, resets or stalls, which bytes must come back, and how the connection
//! ends. A [`Suite`] is a list of transcripts. It runs against an address over real sockets and
//! yields a [`Report`]. Each failure is a [`Mismatch`] that shows what was sent, what was expected
//! and what was received.
//!
//! [`zen_suite`] is the suite of zen's own protocol. It is independent of how the server is built
//! (it does not even use zen's core), so it can check any server of the protocol:
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
//! A suite for a protocol of your own takes a few lines. In this protocol messages are
//! length-prefixed, and the server echoes one message:
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpListener;
//! use zen_testkit::{Suite, Transcript};
//!
//! # fn main() -> std::io::Result<()> {
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let server = listener.local_addr()?;
//! std::thread::spawn(move || -> std::io::Result<()> {
//!     loop {
//!         let (mut client, _) = listener.accept()?;
//!         let mut length = [0];
//!         client.read_exact(&mut length)?;
//!         let mut message = vec![0; usize::from(length[0])];
//!         client.read_exact(&mut message)?;
//!         client.write_all(&length)?;
//!         client.write_all(&message)?;
//!     }
//! });
//!
//! let suite = Suite::new([
//!     Transcript::new("a message is echoed").ask(b"\x03zen", b"\x03zen").ends(),
//!     Transcript::new("an empty message is echoed").ask(b"\x00", b"\x00").ends(),
//!     Transcript::new("a message cut after its length is echoed")
//!         .send_cut_at(b"\x03zen", &[1])
//!         .expect(b"\x03zen")
//!         .ends(),
//! ]);
//! suite.run(server).assert_passed();
//! # Ok(())
//! # }
//! ```
//!
//! [`peers`] holds an independent client and server to test against, written in Python with nothing
//! but its standard library.
#![forbid(unsafe_code)]

/// The README's example, so that it compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod connection;
mod cut;
mod escape;
pub mod flavor;
mod mismatch;
pub mod peers;
mod play;
mod report;
mod suite;
mod transcript;
mod zen;

pub use cut::every_cut;
pub use mismatch::{Fault, Mismatch};
pub use report::{Outcome, Report};
pub use suite::Suite;
pub use transcript::{Step, Transcript, Trickle};
pub use zen::{Expectations, zen_deadlines, zen_suite};
