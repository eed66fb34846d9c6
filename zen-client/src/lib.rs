//! Clients of the question-and-answer protocol: [`Client`] blocks its thread, [`AsyncClient`]
//! (feature `tokio`) does not.
//!
//! Both only move bytes. [`zen_proto::Asker`] decides what to send, what counts as an answer, and
//! when an answer is late. Both are used alike:
//!
//! | what | how |
//! |---|---|
//! | connect, within a time | `connect(address, &options)`; `connect_with` takes a framing |
//! | wait for a server that greets | `greeting()`, after [`ClientOptions::with_greeting`] |
//! | ask one question | `ask(question)` |
//! | ask many at once, answers in order | `ask_all(questions)` |
//! | the same, one answer at a time | `pipeline(questions)` |
//! | answers of any type | `greeting_with`, `ask_with`, `pipeline_with` take a closure |
//! | wait only this long for an answer | [`ClientOptions::with_answer_timeout`] |
//! | see the state of the connection | `awaited()`, `is_usable()` |
//! | end cleanly | `finish()`, which waits until the server has closed too |
//!
//! Dropping a client also closes its connection, but does not wait for the server.
//!
//! ```
//! use zen_client::{Client, ClientOptions};
//! # use std::io::{Read, Write};
//! # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! # let address = listener.local_addr()?;
//! # std::thread::spawn(move || {
//! #     let (mut stream, _) = listener.accept().unwrap();
//! #     let mut question = [0; 22];
//! #     stream.read_exact(&mut question).unwrap();
//! #     stream.write_all(b"Complex.").unwrap();
//! #     stream.read(&mut question).unwrap();
//! # });
//!
//! let mut client = Client::connect(address, &ClientOptions::default())?;
//! assert_eq!(client.ask("Simple is better than?")?, "Complex.");
//! client.finish()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Any protocol
//!
//! `connect_with` takes the framing of your protocol. Where its messages are byte slices, answers
//! are [`Bytes`](bytes::Bytes). Where they are of another type, `ask_with` hands each decoded
//! message to a closure and returns what the closure makes of it, since a message may borrow from
//! the client's buffer.
//!
//! # When a wait is cut short
//!
//! A call gives up after [`ClientOptions::answer_timeout`], if there is one. The future of
//! [`AsyncClient::ask`] may be dropped at any point, and so may [`Answers`] and [`AsyncAnswers`]
//! before their end. In each case the conversation stays intact: a question that has been started
//! is still sent, its answer is discarded when it arrives, and the next question gets its own
//! answer. `awaited()` says how many answers are owed.
//!
//! The [deadline](ClientLimits::answer_deadline) of such a question still applies, because answers
//! come in order: a server that never answers it will not answer the next one either. An answer
//! that breaks its deadline ends the conversation, and every further call says so.
//!
//! # Systems
//!
//! Linux, where the clients are tested, and macOS. Nothing but Unix sockets needs Unix, but they
//! are not tested on Windows.
//!
//! # Features
//!
//! - `tokio`: the async client, [`AsyncClient`]. Off by default; without it this crate needs no
//!   runtime.
//! - `tls`: TLS by rustls, [`ClientOptions`]`::with_tls`. Off by default. Connecting waits for the
//!   handshake. An end that the server has not announced is an error.
//!
// Without the feature these types do not exist, so their names lead to the section that says so.
#![cfg_attr(not(feature = "tokio"), doc = "[`AsyncClient`]: self#features")]
#![cfg_attr(not(feature = "tokio"), doc = "[`AsyncClient::ask`]: self#features")]
#![cfg_attr(not(feature = "tokio"), doc = "[`AsyncAnswers`]: self#features")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

/// The README's example, so that it compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(feature = "tokio")]
mod asynchronous;
mod blocking;
mod dial;
mod error;
mod layer;
mod options;
mod script;
mod state;
#[cfg(feature = "tls")]
mod tls;

#[cfg(feature = "tokio")]
pub use asynchronous::{AsyncAnswers, AsyncClient};
pub use blocking::{Answers, Client};
pub use error::ClientError;
pub use options::ClientOptions;
#[cfg(feature = "tls")]
pub use tls::{ClientTls, ClientTlsError};
pub use zen_proto::ClientLimits;
