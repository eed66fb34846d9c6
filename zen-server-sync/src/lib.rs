//! Servers that block: one conversation at a time ([`Server::blocking`]), a pool of workers
//! ([`Server::pool`]), or a thread each ([`Server::threaded`]).
//!
//! A thread waits in `read` for the next question of its conversation, and serves no other
//! conversation meanwhile. `drive.rs` is the whole life of a conversation: read it beside the file
//! of the same name in the other server crates. `architecture.rs` holds what tells the three
//! flavors apart: which thread accepts, and which one drives.
//!
//! # A turn
//!
//! All servers of zen drive a conversation in the same turns. Only how they wait differs:
//!
//! ```text
//! ┌─► take the answers of other threads
//! │   answer every whole question that is buffered   ──► your service
//! │   write what is ready, and count it
//! │   send FIN if everything owed is sent
//! │   drop the connection if the conversation is over
//! │   if a deadline has passed or the server stops: look at the socket once more, then judge
//! └── wait, then read   ◄── the thread blocks in `read`, or in `poll` once the peer is quiet
//! ```
//!
//! # Which of them, and when
//!
//! | flavor | who is served | choose it for |
//! |---|---|---|
//! | [`Server::threaded`] | a client for each thread, 1 000 by default | handlers that block, some hundred clients |
//! | [`Server::pool`] | as many clients as there are workers, 4 by default | few clients that you know |
//! | [`Server::blocking`] | one client | a tool with one user, or to read how a server works |
//!
//! A client that is silent holds its thread. With a pool, and even more so with `blocking`, a few
//! such clients keep all others out: such a server should not face strangers. For thousands of
//! clients use `zen-server-mio` or `zen-server-async`.
//!
//! # Systems
//!
//! The servers accept at a TCP port or a Unix socket, and speak TLS with the feature `tls`. They
//! run on Linux, where they are tested, and on macOS. They do not run on Windows: a thread waits in
//! `poll`, for several descriptors.
//!
//! # Example
//!
//! ```
//! use std::net::{TcpListener, TcpStream};
//! use std::io::{Read, Write};
//! use zen_server_sync::{Options, Server, aphorism::Aphorisms};
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let server = Server::threaded(listener, Aphorisms, Options::default())?;
//! let stop = server.stop_handle();
//! let running = std::thread::spawn(|| server.run());
//!
//! let mut client = TcpStream::connect(address)?;
//! client.write_all(b"Simple is better than?")?;
//! let mut answer = [0; 8];
//! client.read_exact(&mut answer)?;
//! assert_eq!(&answer, b"Complex.");
//! drop(client);
//!
//! stop.stop();
//! running.join().unwrap()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

/// The README's example, so that it compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod acceptor;
mod architecture;
mod connection_slots;
mod drive;
mod server;
mod timeouts;
mod wait;
mod wake_up;

pub use server::Server;

/// What a user of these servers needs besides them.
pub use zen_proto::{
    Address, Answer, CloseReason, Closed, ConversationClosed, Decoded, DelimiterFraming, Ending, Flow,
    Framing, LimitError, Limits, Output, Peer, PushError, Pusher, Responder, Service, Unsendable, aphorism,
};
pub use zen_server::{
    Answered, ConversationId, Counters, Listener, Monitor, Monitored, Observer, Options, OptionsError,
    Silent, Snapshot, SocketPath, Step, StopHandle, UnixSocketError,
};
#[cfg(feature = "tls")]
pub use zen_server::{TlsError, rustls, tls_config};
