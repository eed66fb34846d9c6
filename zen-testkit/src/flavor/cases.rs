//! The cases of [`flavor_tests!`](crate::flavor_tests). Each takes a function that starts the
//! flavor, and how many conversations the flavor serves at once.

// A test reports a broken expectation by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc, missing_docs)]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::SockRef;
use zen_proto::{CloseReason, Limits};
use zen_server::Options;

use super::client::Client;
use super::{
    BIG, BIG_ANSWER, CLONE, DROP, PANIC, PANIC_QUIETLY, Running, SET_ANSWER, SLOW, SLOW_ANSWER, TIMEOUT,
};
use crate::peers::Python;
use crate::{Expectations, zen_deadlines, zen_suite};

pub use super::contract_cases::*;
pub use super::observer_cases::*;
#[cfg(feature = "tls")]
pub use super::tls_cases::*;
pub use super::unix_cases::*;

pub(super) type Start = fn(Options) -> Running;

pub(super) fn options_with(limits: Limits) -> Options {
    Options::default().with_limits(limits)
}

/// Limits whose deadlines are too far away for a test to reach.
pub(super) fn patient() -> Limits {
    let long = Duration::from_secs(600);
    Limits::default()
        .with_question_deadline(long)
        .with_idle_deadline(long)
        .with_answer_deadline(long)
        .with_write_deadline(long)
}

pub fn conforms_to_the_protocol(start: Start, at_once: usize) {
    let server = start(Options::default());
    zen_suite(&Expectations::default()).with_parallelism(at_once.min(8)).run(server.address).assert_passed();
    server.wait_for("quiet", |counters| counters.open == 0);
    server.stop.stop();
    server.join().expect("drains");
}

pub fn keeps_every_deadline(start: Start, at_once: usize) {
    let short = Duration::from_millis(400);
    let server = start(options_with(
        Limits::default()
            .with_question_deadline(short)
            .with_idle_deadline(short * 2)
            .with_write_deadline(short)
            .with_linger_deadline(short),
    ));
    let expectations = Expectations::default()
        .with_question_deadline(short)
        .with_idle_deadline(short * 2)
        .with_write_deadline(short);
    zen_deadlines(&expectations).with_parallelism(at_once.min(8)).run(server.address).assert_passed();
    let counters = server.counters();
    for reason in [CloseReason::QuestionDeadline, CloseReason::IdleDeadline, CloseReason::WriteDeadline] {
        assert!(counters.closed(reason) > 0, "no conversation ended by {reason}: {counters:?}");
    }
}

pub fn works_with_the_books_client(start: Start, _at_once: usize) {
    let Some(python) = Python::require() else { return };
    let server = start(Options::default());
    python.ask_three(server.address).expect("three answers");
    python.ask_half(server.address).expect("half a question and a close");
    python.ask_three(server.address).expect("three answers after that");
    let counters = server.wait_for("over", |counters| counters.open == 0 && counters.accepted == 3);
    assert_eq!(counters.closed(CloseReason::Truncated), 1, "{counters:?}");
    assert_eq!(counters.closed(CloseReason::Finished), 2, "{counters:?}");
    assert_eq!(counters.questions, 6, "{counters:?}");
}

pub fn counts_what_it_does(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    for asked in 1..=3 {
        client.ask();
        let counters = server.wait_for("counted", |counters| counters.questions == asked);
        assert_eq!((counters.accepted, counters.open), (1, 1));
    }
    client.0.shutdown(Shutdown::Write).expect("half-closes");
    assert_eq!(client.rest(), b"");
    let counters = server.wait_for("closed", |counters| counters.open == 0);
    assert_eq!((counters.bytes_in, counters.bytes_out), (3 * 22, 3 * 8));
    assert_eq!(counters.closes().collect::<Vec<_>>(), [(CloseReason::Finished, 1)]);
    assert_eq!(counters.accept_errors, 0);
}

pub fn drains_an_idle_conversation_at_once(start: Start, _at_once: usize) {
    // Any deadline or lingering close that must be waited for outlasts the test's timeout.
    let server = start(options_with(patient().with_linger_deadline(Duration::from_secs(600))));
    let mut client = Client::connect(server.address);
    client.ask();
    server.stop.stop();
    assert_eq!(client.rest(), b"");
    drop(client);
    let counters = server.wait_for("closed", |counters| counters.open == 0);
    assert_eq!(counters.closed(CloseReason::Drained), 1, "{counters:?}");
    let address = server.address;
    server.join().expect("drains");
    let refused = TcpStream::connect_timeout(&address, TIMEOUT).expect_err("no server listens any more");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

pub fn drains_before_any_client_connects(start: Start, _at_once: usize) {
    let server = start(Options::default());
    server.stop.stop();
    server.join().expect("drains");
}

pub fn drains_without_answering_half_a_question(start: Start, _at_once: usize) {
    let server = start(options_with(patient().with_linger_deadline(Duration::from_secs(600))));
    let mut client = Client::connect(server.address);
    client.send(b"Simple is better than?Beautiful is bet");
    client.expect(b"Complex.");
    server.stop.stop();
    assert_eq!(client.rest(), b"");
    drop(client);
    let counters = server.wait_for("closed", |counters| counters.open == 0);
    assert_eq!(counters.closed(CloseReason::Drained), 1, "{counters:?}");
    server.join().expect("drains");
}

/// Nothing overflows: neither a sum of numbers, nor the time at which a deadline would come.
pub fn no_limit_is_too_large(start: Start, _at_once: usize) {
    let limits = Limits::default()
        .with_question_length(usize::MAX)
        .with_questions_in_flight(usize::MAX)
        .with_pushed_bytes(usize::MAX)
        .with_outbound_high_water(usize::MAX)
        .with_outbound_low_water(usize::MAX - 1)
        .with_turn_time(Duration::MAX)
        .with_turn_questions(usize::MAX)
        .with_question_deadline(Duration::MAX)
        .with_idle_deadline(Duration::MAX)
        .with_answer_deadline(Duration::MAX)
        .with_write_deadline(Duration::MAX)
        .with_least_rate(u32::MAX)
        .with_linger_deadline(Duration::MAX)
        .with_linger_bytes(usize::MAX)
        .with_drain_deadline(Duration::MAX);
    let server = start(options_with(limits).with_turn_budget(usize::MAX));
    let mut client = Client::connect(server.address);
    client.send(b"Simple is better than?Beautiful is bet");
    client.expect(b"Complex.");
    server.stop.stop();
    assert_eq!(client.rest(), b"");
    drop(client);
    server.join().expect("drains");
}

pub fn drains_after_answering_what_it_has_received(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    client.send(&[SLOW, b"Simple is better than?"].concat());
    // The service is still busy with the first question when both have been read.
    server.wait_for("accepted", |counters| counters.accepted == 1);
    thread::sleep(Duration::from_millis(100));
    server.stop.stop();
    client.expect(SLOW_ANSWER);
    client.expect(b"Complex.");
    assert_eq!(client.rest(), b"");
    drop(client);
    let counters = server.wait_for("closed", |counters| counters.open == 0);
    assert_eq!(counters.closed(CloseReason::Drained), 1, "{counters:?}");
    server.join().expect("drains");
}

pub fn a_drained_conversation_that_does_not_read_is_cut_off(start: Start, _at_once: usize) {
    let server = start(options_with(patient().with_drain_deadline(Duration::from_millis(300))));
    let client = Client::connect(server.address);
    fill(&client);
    server.stop.stop();
    let counters = server.wait_for("closed", |counters| counters.accepted == 1 && counters.open == 0);
    assert_eq!(counters.closed(CloseReason::DrainDeadline), 1, "{counters:?}");
    server.join().expect("drains");
}

/// The server must not answer what the client sends after the stop with RST, which would destroy
/// the answers that the client has not read yet.
pub fn a_drain_destroys_no_answer_in_flight(start: Start, _at_once: usize) {
    const QUESTIONS: usize = 10;
    let server = start(options_with(patient().with_linger_deadline(Duration::from_secs(600))));
    let mut client = Client::through_a_small_window(server.address);
    client.send(&BIG.repeat(QUESTIONS));
    // Everything is in the system's buffers, and the server waits for the next question of a quiet
    // peer.
    let sent = (QUESTIONS * BIG_ANSWER) as u64;
    server.wait_for("answered", |counters| counters.bytes_out == sent);
    thread::sleep(Duration::from_millis(300));
    server.stop.stop();
    for _ in 0..5 {
        thread::sleep(Duration::from_millis(20));
        client.send(b"Simple is better than?");
    }
    assert_eq!(client.rest().len(), QUESTIONS * BIG_ANSWER);
    drop(client);
    server.join().expect("drains");
}

pub fn a_stop_during_arrivals_leaves_nothing_open(start: Start, _at_once: usize) {
    for round in 0..40_u64 {
        let server = start(options_with(patient().with_linger_deadline(Duration::from_millis(100))));
        let arriving = server.address;
        let arrivals = thread::spawn(move || {
            let mut clients = Vec::new();
            while clients.len() < 100
                && let Ok(stream) = TcpStream::connect_timeout(&arriving, TIMEOUT)
            {
                clients.push(stream);
            }
        });
        thread::sleep(Duration::from_micros(100 * (round % 10)));
        server.stop.stop();
        let counters = server.join_with_counters().expect("drains");
        assert_eq!(counters.open, 0, "{counters:?}");
        arrivals.join().expect("connecting does not panic");
    }
}

/// Asks for big answers and reads none, until the server reads no more.
fn fill(client: &Client) {
    let questions = BIG.repeat(1000);
    client.0.set_write_timeout(Some(Duration::from_millis(300))).expect("a timeout");
    for _ in 0..10_000 {
        if (&client.0).write_all(&questions).is_err() {
            return;
        }
    }
    panic!("the server has read 40 MB of questions although no answer was read");
}

pub fn a_panic_closes_its_own_conversation_only(start: Start, at_once: usize) {
    let server = start(options_with(patient()));
    let mut other = (at_once > 1).then(|| Client::connect(server.address));
    if let Some(other) = &mut other {
        other.ask();
    }
    let mut client = Client::connect(server.address);
    client.send(&[b"Simple is better than?", PANIC, b"Simple is better than?"].concat());
    client.expect(b"Complex.");
    assert_eq!(client.rest(), b"", "no part of the answer that panicked, and nothing after it");
    drop(client);
    let counters = server.wait_for("counted", |counters| counters.closed(CloseReason::ServiceFailed) == 1);
    assert_eq!(counters.open, u64::from(other.is_some()));
    if let Some(other) = &mut other {
        other.ask();
    }
    drop(other);
    Client::connect(server.address).ask();
}

pub fn a_thousand_panics_leave_nothing_behind(start: Start, _at_once: usize) {
    const PANICS: u64 = 1000;
    let server = start(options_with(patient()));
    for _ in 0..PANICS {
        let mut client = Client::connect(server.address);
        client.send(&[b"Simple is better than?", PANIC_QUIETLY].concat());
        client.expect(b"Complex.");
        assert_eq!(client.rest(), b"");
    }
    let counters = server.wait_for("closed", |counters| counters.open == 0);
    assert_eq!(counters.closed(CloseReason::ServiceFailed), PANICS, "{counters:?}");
    Client::connect(server.address).ask();
}

/// A service is cloned for each conversation and dropped with it. Either may panic.
pub fn a_panic_outside_an_answer_closes_its_own_conversation_only(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    client.send(DROP);
    client.expect(SET_ANSWER);
    drop(client);
    server.wait_for("dropped", |counters| counters.closed(CloseReason::ServiceFailed) == 1);

    let mut client = Client::connect(server.address);
    client.send(CLONE);
    client.expect(SET_ANSWER);
    drop(client);
    server.wait_for("over", |counters| counters.open == 0);
    let mut unlucky = Client::connect(server.address);
    assert_eq!(unlucky.rest(), b"");
    server.wait_for("cloned", |counters| counters.closed(CloseReason::ServiceFailed) == 2);

    Client::connect(server.address).ask();
    server.stop.stop();
    let counters = server.join_with_counters().expect("drains");
    assert_eq!((counters.accepted, counters.open), (4, 0), "{counters:?}");
}

pub fn the_connection_cap_holds_and_the_backlog_waits(start: Start, at_once: usize) {
    let cap = at_once.min(2);
    let server = start(options_with(patient()).with_connections(cap));
    let mut inside: Vec<_> = (0..cap).map(|_| Client::connect(server.address)).collect();
    inside.iter_mut().for_each(Client::ask);
    let mut outside = Client::connect(server.address);
    outside.send(b"Simple is better than?");
    outside.0.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout");
    let waited = outside.0.read(&mut [0; 8]).expect_err("no answer yet");
    assert!(matches!(waited.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{waited}");
    assert_eq!(server.counters().accepted, cap as u64);
    inside.pop();
    outside.0.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
    outside.expect(b"Complex.");
}

pub fn a_reset_is_a_lost_connection(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    client.ask();
    SockRef::from(&client.0).set_linger(Some(Duration::ZERO)).expect("a reset instead of a close");
    drop(client);
    let counters = server.wait_for("closed", |counters| counters.open == 0);
    assert_eq!(counters.closed(CloseReason::ConnectionLost), 1, "{counters:?}");
    Client::connect(server.address).ask();
}

pub fn a_late_reader_gets_every_byte(start: Start, _at_once: usize) {
    const QUESTIONS: usize = 400;
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    client.send(&BIG.repeat(QUESTIONS));
    client.0.shutdown(Shutdown::Write).expect("half-closes");
    thread::sleep(Duration::from_millis(100));
    let answers = client.rest();
    assert_eq!(answers.len(), QUESTIONS * BIG_ANSWER);
    assert!(answers.chunks(BIG_ANSWER).all(|answer| answer.ends_with(b"x.")));
    let counters = server.wait_for("closed", |counters| counters.open == 0);
    assert_eq!(counters.closed(CloseReason::Finished), 1, "{counters:?}");
}

/// Each small read makes room for a part of the answers, and yet the oldest unsent byte becomes too
/// old.
pub fn a_slow_reader_is_cut_off(start: Start, _at_once: usize) {
    const QUESTIONS: usize = 300;
    let server = start(options_with(
        patient()
            .with_write_deadline(Duration::from_millis(400))
            // More than this reader takes, so that it does not count as one that advances.
            .with_least_rate(1 << 30)
            .with_outbound_high_water(2 * QUESTIONS * BIG_ANSWER),
    ));
    let mut client = Client::through_a_small_window(server.address);
    client.send(&BIG.repeat(QUESTIONS));
    let mut received = 0;
    // At a millisecond for each 4 KiB, reading everything would take at least 4 s.
    while let Ok(n @ 1..) = client.0.read(&mut [0; 4096]) {
        received += n;
        thread::sleep(Duration::from_millis(1));
    }
    assert!(received < QUESTIONS * BIG_ANSWER);
    let counters = server.wait_for("closed", |counters| counters.open == 0);
    assert_eq!(counters.closed(CloseReason::WriteDeadline), 1, "{counters:?}");
}

pub fn a_flood_does_not_starve_the_others(start: Start, at_once: usize) {
    if at_once == 1 {
        return; // By design, the others wait here until the flood is over.
    }
    let server = start(options_with(patient()));
    let over = AtomicBool::new(false);
    let over = &over;
    thread::scope(|scope| {
        let mut flood = Client::connect(server.address);
        let mut reader = Client(flood.0.try_clone().expect("a descriptor"));
        scope.spawn(move || {
            // Ends when the server closes, which it does after the half-close below.
            while !over.load(Ordering::SeqCst) {
                flood.send(&b"Simple is better than?".repeat(1000));
            }
            flood.0.shutdown(Shutdown::Write).expect("half-closes");
        });
        let flooded = scope.spawn(move || reader.rest().len());
        let mut client = Client::connect(server.address);
        for _ in 0..50 {
            client.ask();
        }
        over.store(true, Ordering::SeqCst);
        let bytes = flooded.join().expect("reads");
        assert_eq!(bytes % (8 * 1000), 0, "every question of the flood was answered");
    });
}

/// Not one of the tests of [`flavor_tests!`](crate::flavor_tests), because it needs a process of
/// its own: the descriptor limit applies to the whole process.
pub fn waits_when_out_of_descriptors(start: Start) {
    let server = start(options_with(patient()));
    Client::connect(server.address).ask();
    server.wait_for("alone", |counters| counters.accepted == 1 && counters.open == 0);
    let used = std::fs::read_dir("/proc/self/fd").expect("Linux").count() as u64;
    let before = set_limit(used + 8);
    let mut clients = Vec::new();
    while let Ok(stream) = TcpStream::connect(server.address) {
        clients.push(Client(stream));
    }
    assert!(!clients.is_empty());
    let failed = server.wait_for("out of descriptors", |counters| counters.accept_errors > 0);
    thread::sleep(Duration::from_millis(500));
    let failures = server.counters().accept_errors - failed.accept_errors;
    assert!(failures < 100, "{failures} failures to accept in half a second: the server spins");
    set_limit(before);
    for mut client in clients {
        // Each client leaves after its answer, because some flavors serve only one at a time.
        client.0.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
        client.ask();
    }
    server.stop.stop();
    server.join().expect("drains");
}

/// Sets how many descriptors the process may have, and returns the previous limit.
fn set_limit(limit: u64) -> u64 {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, limit, hard).expect("may be set up to the hard limit");
    soft
}
