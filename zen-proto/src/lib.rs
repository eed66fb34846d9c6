//! zen's question-and-answer protocol, with no I/O, no clock and no threads in it.
//!
//! In a *conversation* a client sends questions and the server sends an answer to each. This crate
//! holds everything about it that can be decided without touching a socket, so that a driver only
//! moves bytes:
//!
//! | what | where |
//! |---|---|
//! | cutting a byte stream into messages | [`Framing`], [`DelimiterFraming`] |
//! | what to answer | [`Service`]; zen's own is [`aphorism::Aphorisms`] |
//! | one connection's life | [`Conversation`], [`Limits`], [`CloseReason`] |
//! | the side that asks | [`Asker`], [`ClientLimits`] |
//!
//! A protocol of your own is a [`Framing`] and a [`Service`]; everything else stays as it is. A
//! driver of your own takes a [`Conversation`] through five steps a turn, which its documentation
//! lists.
#![forbid(unsafe_code)]

/// The README's example, so that it compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod answer;
pub mod aphorism;
mod asker;
mod buffer;
mod close;
mod conversation;
mod decoding;
mod delimiter;
mod ending;
mod framing;
mod limits;
mod mailbox;
mod output;
mod peer;
mod queue;
mod service;
mod setters;

pub use answer::Answer;
pub use asker::{AskError, Asker, AskerError, ClientLimits};
pub use close::{CloseReason, Closed};
pub use conversation::{Conversation, ForeignTicket, Question, Tally, Ticket};
pub use delimiter::DelimiterFraming;
pub use ending::Ending;
pub use framing::{ByteFraming, Decoded, Framing, Unsendable};
pub use limits::{LimitError, Limits};
pub use mailbox::{ConversationClosed, PushError, Pusher, Responder};
pub use output::Output;
pub use peer::{Address, Peer, Tls};
pub use service::{Flow, Service};
