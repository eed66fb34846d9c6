//! The protocol of the `own_lab` example, in memory, under every flavor and by hand: a few
//! exchanges, and the transcripts that follow from them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

#[path = "../examples/own_lab/by_hand.rs"]
mod by_hand;
#[path = "../examples/own_lab/protocol.rs"]
mod protocol;
mod serving;

use std::net::TcpListener;
use std::thread;

use examples::Flavor;
use protocol::{Lines, backwards};
use serving::Running;
use zen_proto::Limits;
use zen_server::Options;
use zen_testkit::{Exchanges, Suite};

fn suite() -> Suite {
    Exchanges::new()
        .answers("words", b"hello\nstressed\n", b"olleh\ndesserts\n")
        .answers("no word, and bytes of any kind", b"\n\xff\0 ?\n", b"\n? \0\xff\n")
        .suite()
}

#[test]
fn the_exchanges_hold_in_memory() {
    suite().run_in_memory(&Limits::default(), || (Lines::default(), backwards)).assert_passed();
}

with_every_flavor!(the_exchanges_hold);

fn the_exchanges_hold(flavor: Flavor) {
    let server = Running::start(flavor, backwards, Lines::default(), Options::default());
    suite().run(server.address).assert_passed();
}

/// The server by hand answers whole questions alike. It has neither limits nor an end of its own,
/// and takes what comes before the end of the input for a whole line.
#[test]
fn the_server_by_hand_answers_alike() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // It lasts as long as the process.
    thread::spawn(move || by_hand::serve(&listener));
    let suite = suite();
    let whole = suite.transcripts().iter().filter(|transcript| !transcript.name().contains("broken off"));
    Suite::new(whole.cloned()).run(address).assert_passed();
}
