//! Many connections: silent, slow, reset, more than may be open, and all at one instant.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::crowd::{Turn, all_are_over, ask, baseline, connect, flood, non_reader, probe, reset, size};
use crate::every_flavor::{at_once, on_every_flavor, on_flavors};
use crate::kept::{Kept, Served};
use crate::running::{FLAVORS, TIME_LIMIT, serve, until};

/// What the allocator of a server may keep, in KiB, for each connection that it has had, and in
/// all.
const SLACK: usize = 12 * 1024;

/// The flavors that hold many connections, without those that give each a thread.
const EVENT_DRIVEN: [&str; 4] = ["mio", "mio-multi", "async", "async-multi"];

const MANY_AT_ONCE: [&str; 5] = ["threaded", "mio", "mio-multi", "async", "async-multi"];

#[test]
fn silent_clients_end_at_the_idle_deadline_and_slow_ones_at_the_question_deadline() {
    let _turn = Turn::take();
    let clients = size(200, 5000, 2 * MANY_AT_ONCE.len());
    on_flavors(&MANY_AT_ONCE, |flavor| {
        let cap = (clients + 100).to_string();
        let server = serve(&[
            "--flavor",
            flavor,
            "--connections",
            &cap,
            "--idle-deadline",
            "3s",
            "--question-deadline",
            "3s",
        ]);
        let before = baseline(&server);
        probe(&server, || {
            let streams: Vec<_> = (0..clients).map(|_| connect(server.address)).collect();
            // Every other one sends a byte now and then.
            for _ in 0..3 {
                for mut stream in streams.iter().step_by(2) {
                    let _ = stream.write(b"a");
                }
                thread::sleep(Duration::from_millis(300));
            }
            all_are_over(&streams);
        });
        before.is_all_that_is_left(&server, SLACK + clients * 16);
        let total = Served::by(server);
        let (silent, slow) = (total.count("idle_deadline"), total.count("question_deadline"));
        let slow_ones = clients.div_ceil(2) as u64;
        assert_eq!((silent, slow), (clients as u64 - slow_ones, slow_ones), "{flavor}: {}", total.log);
    });
}

#[test]
fn a_reset_in_any_state_ends_its_own_conversation_only() {
    let _turn = Turn::take();
    let rounds = size(20, 10_000 / 8, FLAVORS.len());
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor]);
        let before = baseline(&server);
        for _ in 0..rounds {
            reset(connect(server.address));
            for sent in ["  ", "Simple is", "Simple is better than?", "a?b?c?d", "Simple is better than?Why"]
            {
                let mut stream = connect(server.address);
                let _ = stream.write_all(sent.as_bytes());
                reset(stream);
            }
            let stream = connect(server.address);
            ask(&stream);
            reset(stream);
            let stream = non_reader(server.address);
            flood(&stream, 32 * 1024);
            let _ = stream.shutdown(Shutdown::Write);
            reset(stream);
        }
        ask(&connect(server.address));
        before.is_all_that_is_left(&server, SLACK);
        let total = Served::by(server);
        assert_eq!(total.count("open"), 0, "{flavor}: {}", total.log);
    });
}

#[test]
fn clients_that_connect_and_close_leave_nothing_behind() {
    let _turn = Turn::take();
    let times = size(300, 20_000, 1).max(300);
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor]);
        let before = baseline(&server);
        for _ in 0..times {
            drop(connect(server.address));
        }
        ask(&connect(server.address));
        before.is_all_that_is_left(&server, SLACK);
        let total = Served::by(server);
        assert_eq!((total.count("accepted"), total.count("open")), (times as u64 + 2, 0), "{}", total.log);
    });
}

#[test]
fn more_clients_than_may_be_open_are_served_in_turn() {
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor, "--connections", "10"]);
        let before = baseline(&server);
        thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| {
                    let stream = connect(server.address);
                    stream.set_read_timeout(Some(TIME_LIMIT)).unwrap();
                    ask(&stream);
                    let open = Kept::by(&server).descriptors - before.descriptors;
                    assert!(open <= 10 + 1, "{flavor}: {open} descriptors for 10 connections");
                    thread::sleep(Duration::from_millis(20));
                });
            }
        });
        let total = Served::by(server);
        assert_eq!((total.count("questions"), total.count("open")), (51, 0), "{flavor}: {}", total.log);
    });
}

#[test]
fn every_idle_connection_can_be_used() {
    let _turn = Turn::take();
    let clients = size(400, 19_000, 1).min(19_000);
    for flavors in EVENT_DRIVEN.chunks(1) {
        on_flavors(flavors, |flavor| {
            let cap = (clients + 10).to_string();
            let server = serve(&["--flavor", flavor, "--connections", &cap, "--idle-deadline", "600s"]);
            let streams: Vec<_> = (0..clients).map(|_| connect(server.address)).collect();
            streams.iter().for_each(ask);
            streams.iter().rev().for_each(ask);
            drop(streams);
            let total = Served::by(server);
            let questions = 2 * clients as u64;
            assert_eq!(total.count("questions"), questions, "{flavor}: {}", total.log);
        });
    }
}

#[test]
fn clients_that_connect_at_one_instant_are_all_served() {
    let _turn = Turn::take();
    let clients = size(300, 1000, FLAVORS.len());
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor]);
        let address = server.address.into();
        let sockets: Vec<Socket> = (0..clients)
            .map(|_| {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
                socket.set_nonblocking(true).unwrap();
                // In progress.
                let _ = socket.connect(&address);
                socket
            })
            .collect();
        for socket in sockets {
            until("it is connected", || {
                assert!(socket.take_error().unwrap().is_none(), "{flavor}: a connection was refused");
                socket.peer_addr().ok()
            });
            let stream: TcpStream = socket.into();
            ask(&stream);
            assert!(at_once(flavor) > 0);
        }
        let total = Served::by(server);
        assert_eq!(total.count("questions"), clients as u64, "{flavor}: {}", total.log);
    });
}
