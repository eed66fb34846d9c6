//! Large messages: questions of up to 1 MiB, and replies of any length that are made while they are
//! sent.
//!
//! ```sh
//! cargo run --release -p examples --example blob -- 127.0.0.1:7070 --flavor async
//! cargo run --release -p examples --example blob -- --compare
//! ```
//!
//! A message is its length (four bytes, the highest first) and that many bytes. The first of them
//! says what a question is, or how an answer went:
//!
//! | question | answer |
//! |---|---|
//! | `m` and any bytes | `+` and how many there were, in eight bytes |
//! | `e` and any bytes | `+` and the same bytes |
//! | `s` and a number in eight bytes | `+` and that many bytes: 0, 1, … 250, 0, 1, … |
//! | anything else | `-` and what is wrong; then the conversation ends |
//!
//! `protocol.rs` holds the framing and the service. `by_hand.rs` is the same server without this
//! library, for comparison: `-- 127.0.0.1:7070 --by-hand`. `cargo bench -p examples --bench
//! large_messages` compares what the two cost, and `-- --compare` all flavors by the questions of
//! `lab.rs`.

mod by_hand;
mod lab;
mod protocol;

use std::process::ExitCode;

use examples::{Failure, compare_if_asked, main_with};
use protocol::{Blobs, Framed, options};

fn main() -> Result<ExitCode, Failure> {
    if let Some(code) = compare_if_asked(lab::lab)? {
        return Ok(code);
    }
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [address, mode] = &arguments[..]
        && mode == "--by-hand"
    {
        by_hand::serve(address)?;
        return Ok(ExitCode::SUCCESS);
    }
    main_with(Blobs::default(), Framed, options())?;
    Ok(ExitCode::SUCCESS)
}
