//! The system refuses a thread: connections wait until there is one, and are not lost.

// Helpers say what they expect by panicking, like the tests they serve.
#![allow(clippy::expect_used)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use zen_server_sync::{CloseReason, Options, Server};
use zen_testkit::flavor::{Running, TIMEOUT, Tester};

/// There is only one test, because the limit is that of the whole process.
#[test]
fn no_connection_is_lost_when_there_is_no_thread() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let ours = listener.try_clone().expect("a descriptor");
    let server = Server::threaded(listener, Tester::default(), Options::default()).expect("good options");
    let server = Running::start(&ours, server.stop_handle(), server.counters(), || server.run());
    // A thread that meets the limit while it starts would end the process, so all that are needed
    // run already.
    let mut inside = TcpStream::connect(server.address).expect("connects");
    ask(&mut inside);
    let (soft, hard) = getrlimit(Resource::RLIMIT_AS).expect("a limit");

    // This leaves no address space for another stack, but enough for small allocations.
    setrlimit(Resource::RLIMIT_AS, address_space() + (1 << 20), hard).expect("may be set");
    let mut clients: Vec<_> = (0..5).map(|_| TcpStream::connect(server.address)).collect();
    let refused = server.wait_for("refused", |counters| counters.accept_errors > 2);
    setrlimit(Resource::RLIMIT_AS, soft, hard).expect("may be set back");

    assert_eq!(refused.accepted, 2, "one waits for its thread, the others in the backlog");
    for client in &mut clients {
        ask(client.as_mut().expect("connects"));
    }
    drop((inside, clients));
    server.stop.stop();
    let counters = server.join_with_counters().expect("drains");
    assert_eq!((counters.accepted, counters.open), (6, 0));
    assert_eq!(counters.closed(CloseReason::ConnectionLost), 0);
}

fn ask(client: &mut TcpStream) {
    client.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
    client.write_all(b"Simple is better than?").expect("sends");
    client.read_exact(&mut [0; 8]).expect("an answer comes");
}

fn address_space() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).expect("a size");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024
}
