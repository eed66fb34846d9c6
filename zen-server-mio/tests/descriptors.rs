//! Out of descriptors: the servers wait for better times, and do not spin.

// Helpers say what they expect by panicking, like the tests they serve.
#![allow(clippy::expect_used)]

use std::net::TcpListener;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use zen_server_mio::Server;
use zen_testkit::flavor::cases::waits_when_out_of_descriptors;
use zen_testkit::flavor::{Running, Tester};

macro_rules! start {
    ($flavor:ident) => {
        |options| {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let ours = listener.try_clone().expect("a descriptor");
            let server = Server::$flavor(listener, Tester::default(), options).expect("good options");
            Running::start(&ours, server.stop_handle(), server.counters(), || server.run())
        }
    };
}

/// One test, because the limit is the whole process's.
#[test]
fn every_flavor_waits_when_out_of_descriptors() {
    waits_when_out_of_descriptors(start!(single), set_limit);
    waits_when_out_of_descriptors(start!(multi), set_limit);
}

fn set_limit(limit: u64) -> u64 {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, limit, hard).expect("may be set up to the hard limit");
    soft
}
