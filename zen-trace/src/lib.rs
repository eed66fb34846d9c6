//! Where a server's time goes: recordings of its steps, their sums, and pictures of them.
//!
//! A [`Recording`] holds what one server did: every step of each thread, with the moment at which
//! it began, the conversation that it belongs to, and the line of the driver that took it. Several
//! recordings that are shown together are a [`Trace`], which is saved as JSON and read again.
#![forbid(unsafe_code)]

/// The README's example, so that it compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod files;
pub mod model;
pub mod outside;
pub mod page;
mod perfetto;
pub mod phases;
mod picture;
mod recorder;
pub mod recording;
#[cfg(feature = "tracing")]
mod spans;
pub mod sums;
mod terminal;
pub mod units;

pub use recorder::Recorder;
pub use recording::{Recording, Trace};
#[cfg(feature = "tracing")]
pub use spans::Spans;
pub use sums::Sums;
pub use terminal::{LEAST_WIDTH, Terminal};
