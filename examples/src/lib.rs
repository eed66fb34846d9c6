//! Programs to start from. Run one with `cargo run -p examples --example NAME`:
//!
//! | name | what it shows |
//! |---|---|
//! | `ask` | asking from blocking code: one question, many at once, one that cannot be sent |
//! | `ask_async` | the same from async code, and giving up on an answer |
//! | `embed` | a server inside your program: read its counters, stop it from another thread |
//! | `change_flavor` | one service under every architecture, by changing one line |
//! | `own_lab` | the lab with two servers of your own and a protocol of your own |
//! | `own_loop` | the core in a loop of your own, without a server crate |
//! | `own_protocol` | a protocol of your own: its framing, its service, its server and client |
#![forbid(unsafe_code)]

/// The README's code, so that the tests compile it.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
