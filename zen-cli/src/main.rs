//! The `zen` command.
#![forbid(unsafe_code)]

fn main() {}
