//! What every zen server shares, whatever its architecture.
//!
//! `zen-proto` decides everything about one conversation and does no I/O. The server crates move
//! the bytes. This crate holds what lies between the two and is the same for every server:
//!
//! | what | where |
//! |---|---|
//! | what a server is given | a [`Listener`], and [`Options`] with their [`defaults`] |
//! | whether to accept a connection now | [`Admission`] |
//! | what the server has done | [`Counters`], read as a [`Snapshot`] |
//! | how it is told to stop | [`StopHandle`] |
//! | all of these together, and the start of each conversation | [`Setup`] |
//! | what code for any server needs to know of it | [`Server`], [`RunServer`] |
//! | a conversation with what lies between it and its socket: nothing, or TLS | [`Session`] |
//! | what the drivers report their steps to | [`Observer`], by default [`Silent`] |
//! | how many descriptors the process may have | [`open_file_limit`] |
//!
//! You need to name this crate only if you write a server of a new architecture, or code for
//! servers of any. Each server crate re-exports what its users need.
//!
//! A driver moves bytes between a socket and a [`Session`], in turns:
//!
//! ```text
//!  accept ──► Admission ──► Setup::begin ──► (Session, service)
//!                                │
//!     ┌─► handle_timeout, drain  ▼  if a deadline has passed, or StopHandle::is_stopped
//!     │   answer_with            your service answers what is buffered
//!     │   transmit, handle_sent  until nothing can be written, or wants_answer
//!     │   Counters::count        with take_tally
//!     │   poll_shutdown          send FIN
//!     │   poll_closed            drop the connection, Admission::handle_closed
//!     └── wait                   wants_read, poll_timeout, register_waker; then handle_input
//! ```
//!
//! The example `new_architecture` is a whole server of this kind.
//!
//! This crate and the servers run on Linux, where they are tested, and on macOS. They do not run on
//! Windows.
#![forbid(unsafe_code)]

/// The README's example, so that it compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod accepting;
mod admission;
mod counters;
pub mod defaults;
mod layer;
mod listener;
mod methods;
mod monitored;
mod observer;
mod open_files;
mod options;
mod server;
mod session;
mod setup;
mod source;
mod stop;
mod unix_socket;

pub use admission::{AcceptTrouble, Admission};
pub use counters::{Counters, Snapshot};
#[cfg(feature = "tls")]
pub use layer::{TlsError, tls_config};
pub use listener::{Listener, LocalAddress, unix_address};
pub use monitored::{Answered, Monitor, Monitored};
pub use observer::{ConversationId, Observer, Silent, Step};
pub use open_files::open_file_limit;
pub use options::{Options, OptionsError};
pub use server::{RunServer, Server};
pub use session::Session;
pub use setup::Setup;
pub use source::Source;
pub use stop::StopHandle;
pub use unix_socket::{SocketPath, UnixSocketError};

#[cfg(feature = "tls")]
pub use rustls;
