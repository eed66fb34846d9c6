//! What every zen server shares, whatever its architecture.
//!
//! `zen-proto` decides everything about one conversation and does no I/O. The server crates move
//! the bytes. This crate holds what lies between the two and is the same for every server:
//!
//! | what | where |
//! |---|---|
//! | what a server is given | [`Options`], and their [`defaults`] |
//! | whether to accept a connection now | [`Admission`] |
//! | what the server has done | [`Counters`], read as a [`Snapshot`] |
//! | how it is told to stop | [`StopHandle`] |
//! | all of these together, and the start of each conversation | [`Setup`] |
//! | how many descriptors the process may have | [`open_file_limit`] |
//!
//! You need to name this crate only if you write a server of a new architecture. Each server crate
//! re-exports what its users need.
#![forbid(unsafe_code)]

/// The README's example, so that it compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod accepting;
mod admission;
mod counters;
pub mod defaults;
mod methods;
mod open_files;
mod options;
mod setup;
mod stop;

pub use admission::{AcceptTrouble, Admission};
pub use counters::{Counters, Snapshot};
pub use open_files::open_file_limit;
pub use options::{Options, OptionsError};
pub use setup::Setup;
pub use stop::StopHandle;
