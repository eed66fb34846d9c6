//! The system refuses a thread: the server returns an error, and does not panic or hang.

// Helpers say what they expect by panicking, like the tests they serve.
#![allow(clippy::expect_used)]

use std::net::TcpListener;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use zen_server_async::{Options, Server};
use zen_testkit::flavor::{Running, Tester};

/// There is only one test, because the limit is that of the whole process.
#[test]
fn more_threads_than_can_be_had_are_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let ours = listener.try_clone().expect("a descriptor");
    let options = Options::default().with_workers(2);
    let server = Server::multi(listener, Tester::default(), options).expect("good options");
    let server = Running::start(&ours, server.stop_handle(), server.counters(), || {
        // This leaves no address space for another stack, but enough for small allocations.
        let (_, hard) = getrlimit(Resource::RLIMIT_AS).expect("a limit");
        setrlimit(Resource::RLIMIT_AS, address_space() + (1 << 20), hard).expect("may be set");
        server.run()
    });
    server.join().expect_err("there is no room for a stack");
}

fn address_space() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).expect("a size");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024
}
