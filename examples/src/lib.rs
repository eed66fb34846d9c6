//! Programs a user would start from. Run one with `cargo run -p examples --example NAME`:
//!
//! | name | what it shows |
//! |---|---|
//! | `ask` | ask questions from blocking code: one, many at once, and one that cannot be asked |
//! | `ask_async` | the same from async code, and giving up on an answer |
//! | `embed` | a server inside a program of your own: read its counters, stop it from another thread |
//! | `change_flavor` | one service under every architecture, by changing one line |
//! | `own_lab` | the lab over two servers of your own, with a protocol of your own |
//! | `own_loop` | the core in a loop of your own, without any server crate |
//! | `own_protocol` | a protocol of your own: its framing, its service, and both ends of it |
#![forbid(unsafe_code)]

/// The README's own example, so that it compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
