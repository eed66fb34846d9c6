//! The protocol as exchanges, in memory and under every flavor: each becomes some hundred
//! transcripts with every cut.

use examples::Flavor;
use zen_testkit::{Exchanges, Suite};

use crate::client::array;
use crate::resp::Resp;
use crate::{redis, resp, start};

fn suite() -> Suite {
    let value = b"\0\xff\r\n$ and so on";
    let set_and_get = [array(&[&b"SET"[..], b"a", value]), array(&["GET", "a"])].concat();
    let queued = [array(&["MULTI"]), array(&["PING"]), array(&["EXEC"])].concat();
    let error = |what| format!("+PONG\r\n-ERR Protocol error: {what}\r\n").into_bytes();
    Exchanges::new()
        .answers("binary values", &set_and_get, &[b"+OK\r\n$15\r\n", &value[..], b"\r\n"].concat())
        .answers("a transaction", &queued, b"+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n")
        .answers(
            "lines of words",
            b"PING\r\nget none\n*0\r\n\r\nECHO 'b c'\r\n",
            b"+PONG\r\n$-1\r\n$3\r\nb c\r\n",
        )
        .closes("a goodbye", b"PING\r\nQUIT\r\n", b"+PONG\r\n+OK\r\n")
        .closes("a length below zero", b"PING\r\n*1\r\n$-5\r\n", &error("invalid bulk length"))
        .closes("no number", b"PING\r\n*x\r\n", &error("invalid multibulk length"))
        .closes("no length", b"PING\r\n*1\r\nfoo\r\n", &error("expected '$', got 'f'"))
        .closes("an open quote", b"PING\r\nget 'a\r\n", &error("unbalanced quotes in request"))
        .closes(
            "a long line",
            &[b"PING\r\n", &b"x".repeat(70_000)[..]].concat(),
            &error("too big inline request"),
        )
        .closes("a browser", b"PING\r\nPOST / HTTP/1.1\r\n", b"+PONG\r\n")
        .suite()
}

crate::with_every_flavor!(the_exchanges_hold);

fn the_exchanges_hold(flavor: Flavor) {
    suite().run(start(flavor).address).assert_passed();
}

#[test]
fn the_exchanges_hold_in_memory() {
    suite().run_in_memory(&resp::limits(), || (Resp::default(), redis())).assert_passed();
}
