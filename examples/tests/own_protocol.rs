//! The protocol of the `own_protocol` example, in memory and under every flavor: a few exchanges,
//! from which some hundred transcripts follow.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

#[path = "../examples/own_protocol/protocol.rs"]
mod protocol;
mod serving;

use examples::Flavor;
use protocol::{Adder, LengthPrefixed};
use serving::Running;
use zen_proto::Limits;
use zen_server::Options;
use zen_testkit::{Exchanges, Suite};

fn suite() -> Suite {
    Exchanges::new()
        .answers("numbers", b"\x00\x011\x00\x0210\x00\x03-11", b"\x00\x011\x00\x0211\x00\x010")
        .answers(
            "no number",
            b"\x00\x02x?\x00\x00",
            b"\x00\x16not a number I can add\x00\x16not a number I can add",
        )
        .closes("a message over the limit", b"\x00\x017\x00\x10", b"\x00\x017\x00\x10that is too long")
        .suite()
}

fn limits() -> Limits {
    Limits::default().with_question_length(17)
}

#[test]
fn the_exchanges_hold_in_memory() {
    suite().run_in_memory(&limits(), || (LengthPrefixed, Adder::default())).assert_passed();
}

with_every_flavor!(the_exchanges_hold);

fn the_exchanges_hold(flavor: Flavor) {
    let options = Options::default().with_limits(limits());
    let server = Running::start(flavor, Adder::default(), LengthPrefixed, options);
    suite().run(server.address).assert_passed();
}
