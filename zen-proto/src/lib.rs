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
//! A protocol of your own is a [`Framing`] and a [`Service`]; everything else stays as it is.
//!
//! # A turn
//!
//! A driver takes a conversation through the same five steps again and again. The servers of
//! `zen-server-sync`, `zen-server-mio` and `zen-server-async` are such drivers, and one of your own
//! is forty lines ([`Conversation`] says more of each step):
//!
//! ```text
//!    socket           driver                  conversation
//!
//!                  ┌─► 1 answer      ──────── answer_with ──► Framing::decode, Service::answer
//!   write ◄────────┼── 2 write       ◄─────── transmit        bytes that wait to be sent
//!                  │      report it  ──────── handle_sent     … go back to 1 if wants_answer
//!     FIN ◄────────┼── 3 half-close  ◄─────── poll_shutdown   everything owed is sent
//!   close ◄────────┼── 4 drop        ◄─────── poll_closed     it is over, for this CloseReason
//!                  │   5 wait        ◄─────── wants_read, poll_timeout, expects_wake
//!    read ────────►└──── what came   ──────── handle_input, handle_eof, handle_timeout
//! ```
//!
//! Time is an argument of every call, so a test chooses it.
//!
//! # Systems
//!
//! Any that has `std`: nothing here touches a socket, a file, a clock or a thread.
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
mod find_byte;
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
pub use service::{DeferredAnswer, Flow, Service};
