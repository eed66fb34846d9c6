//! The whole lab against real processes. This program plays the servers, too, when it is told to.

fn main() {}
