//! Servers over [tokio]: one thread ([`Server::single`]), or several ([`Server::multi`]). Services
//! may be `async`.
//!
//! Each conversation is a task. `drive.rs` is a turn of that task: read it beside the file of the
//! same name in the other server crates. `answering.rs` is what this architecture can do and the
//! others cannot: wait for an answer.
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
//! └── wait, then read   ◄── the task returns `Poll::Pending`; the runtime polls it again
//! ```
//!
//! # Which of them, and when
//!
//! | flavor | threads | choose it for |
//! |---|---|---|
//! | [`Server::single`] | the caller's | handlers that await something, and any number of clients |
//! | [`Server::multi`] | a worker for each core | the same, when one core is not enough |
//!
//! A service may be an `async fn` ([`Deferred`]); its conversation alone waits for it. A handler
//! that blocks its thread blocks the runtime: use the `threaded` server of `zen-server-sync` for
//! those. `run` makes a runtime; [`Server::serve`] is for a program that has one.
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
//! use std::net::TcpListener;
//! use bytes::Bytes;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use zen_server_async::{Deferred, Options, Server};
//!
//! async fn answer(question: Bytes) -> String {
//!     tokio::time::sleep(std::time::Duration::from_millis(1)).await;
//!     format!("{} bytes.", question.len())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let server = Server::single(listener, Deferred::new(answer), Options::default())?;
//! let stop = server.stop_handle();
//! // `run` would block this thread; `serve` runs in the runtime that is here already.
//! let running = tokio::spawn(server.serve());
//!
//! let mut client = tokio::net::TcpStream::connect(address).await?;
//! client.write_all(b"Why?").await?;
//! let mut answer = [0; 8];
//! client.read_exact(&mut answer).await?;
//! assert_eq!(&answer, b"4 bytes.");
//! drop(client);
//!
//! stop.stop();
//! running.await??;
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! All are off by default.
//!
//! - `codec`: `Codec` makes a `tokio_util` codec of a framing, and `CodecFraming` a framing of a
//!   codec.
//! - `tls`: TLS between the sockets and the conversations, by rustls.
//! - `tower`: `Tower` answers with a `tower` service; its `poll_ready` holds questions back.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

/// The README's example, so that it compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod acceptor;
mod alarm;
mod answering;
mod bridges;
mod drive;
mod server;
mod stream;
mod task;

pub use answering::{Deferred, Typed};
#[cfg(feature = "tower")]
pub use bridges::Tower;
#[cfg(feature = "codec")]
pub use bridges::{Codec, CodecError, CodecFraming};
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
