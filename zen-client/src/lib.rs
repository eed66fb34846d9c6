//! Clients of the question-and-answer protocol: [`Client`] blocks its thread, [`AsyncClient`] (feature `tokio`) does not.
//!
//! Both only move bytes; what to send, what an answer is, and when one is late is decided in [`zen_proto::Asker`]. They are used alike:
//!
//! | what | how |
//! |---|---|
//! | connect, within a time | `connect(address, &options)`; `connect_with` for a framing other than zen's |
//! | ask one question | `ask(question)` |
//! | ask many at once, have the answers in order | `ask_all(questions)`; `pipeline(questions)` for one answer at a time |
//! | end well | `finish()`; dropping the client closes the connection too, but does not see whether the server agreed |
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
//! The future of [`AsyncClient::ask`] may be dropped at any point, and so may [`Answers`] and [`AsyncAnswers`] before their end. The
//! conversation stays whole: a question that was begun is still sent, its answer is thrown away when it comes, and the next question
//! gets its own answer. The deadline of such a question stands, since answers come in order: a server that never answers it
//! will not answer the next one either.
#![forbid(unsafe_code)]

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
