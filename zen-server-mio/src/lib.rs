//! Event-loop servers over [mio]: one loop ([`Server::single`]), or several ([`Server::multi`]).
//!
//! A loop waits until some of its sockets are ready, and then gives each ready conversation a turn.
//! `drive.rs` is such a turn: read it beside the file of the same name in the other server crates.
//! `event_loop.rs` waits. `acceptor.rs` takes new connections and deals them to the loops.
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
//! └── wait, then read   ◄── the loop waits in `epoll_wait` (kqueue on macOS) for all its sockets
//! ```
//!
//! # Which of them, and when
//!
//! | flavor | threads | choose it for |
//! |---|---|---|
//! | [`Server::single`] | the caller's | quick handlers and any number of clients: the least CPU time per question |
//! | [`Server::multi`] | a loop for each core | the same, when one core is not enough |
//!
//! A handler that waits holds every client of its loop. Let it answer later
//! ([`Answer::later`]) from a thread of its own, or use `zen-server-async` or the `threaded` server
//! of `zen-server-sync`.
//!
//! # Systems
//!
//! The servers accept at a TCP port or a Unix socket, and speak TLS with the feature `tls`. They
//! run on Linux, where they are tested, and on macOS. They do not run on Windows, since they know
//! connections by their descriptors.
//!
//! # Example
//!
//! ```
//! use std::net::{TcpListener, TcpStream};
//! use std::io::{Read, Write};
//! use zen_server_mio::{Options, Server, aphorism::Aphorisms};
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let server = Server::single(listener, Aphorisms, Options::default())?;
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
mod connection_slots;
mod drive;
mod event_loop;
mod server;
mod stream;
mod timers;
mod wake_ups;

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
