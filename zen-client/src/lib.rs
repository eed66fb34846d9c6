//! Clients of the question-and-answer protocol: [`Client`] blocks its thread, [`AsyncClient`]
//! (feature `tokio`) does not.
//!
//! Both only move bytes. [`zen_proto::Asker`] decides what to send, what counts as an answer, and
//! when an answer is late. Both are used alike:
//!
//! | what | how |
//! |---|---|
//! | connect, within a time | `connect(address, &options)`; `connect_with` takes a framing |
//! | ask one question | `ask(question)` |
//! | ask many at once, answers in order | `ask_all(questions)` |
//! | the same, one answer at a time | `pipeline(questions)` |
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
//! # When a wait is cut short
//!
//! The future of [`AsyncClient::ask`] may be dropped at any point. So may [`Answers`] and
//! [`AsyncAnswers`] before their end. The conversation stays intact: a question that has been
//! started is still sent, its answer is discarded when it arrives, and the next question gets its
//! own answer. The deadline of the dropped question still applies, because answers come in order: a
//! server that never answers it will not answer the next one either.
//!
//! # Features
//!
//! - `tokio`: the async client, [`AsyncClient`]. Off by default; without it this crate needs no
//!   runtime.
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
mod options;
mod script;

#[cfg(feature = "tokio")]
pub use asynchronous::{AsyncAnswers, AsyncClient};
pub use blocking::{Answers, Client};
pub use error::ClientError;
pub use options::ClientOptions;
pub use zen_proto::ClientLimits;
