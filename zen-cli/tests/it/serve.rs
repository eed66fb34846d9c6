//! `zen serve`: every flavor answers, options and variables take effect, the log reports what was
//! done.

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::running::{FLAVORS, Serving, run, serve, serving, zen};

fn ask(server: &Serving, question: &str, answer: &str) {
    let mut stream = server.connect();
    stream.write_all(question.as_bytes()).unwrap();
    let mut got = vec![0; answer.len()];
    stream.read_exact(&mut got).unwrap();
    assert_eq!(String::from_utf8_lossy(&got), answer);
}

/// Everything that the server sends until it closes.
fn everything(server: &Serving, question: &str) -> String {
    let mut stream = server.connect();
    stream.write_all(question.as_bytes()).unwrap();
    let mut got = String::new();
    stream.read_to_string(&mut got).unwrap();
    got
}

#[test]
fn every_flavor_answers_what_zen_asks() {
    for flavor in FLAVORS {
        let server = serve(&["--flavor", flavor]);
        let asked = run(zen(&["ask", &server.address.to_string()]));
        assert_eq!(asked.status.code(), Some(0), "{flavor}: {asked:?}");
        let mut lines: Vec<&str> = asked.stdout.lines().collect();
        lines.sort_unstable();
        let expected = [
            "Beautiful is better than? Ugly.",
            "Explicit is better than? Implicit.",
            "Simple is better than? Complex.",
        ];
        assert_eq!(lines, expected, "{flavor}");
        let (status, log) = server.stop();
        assert_eq!(status.code(), Some(0), "{flavor}: {log}");
        for says in [&format!("serving flavor=\"{flavor}\""), "accepted=1 ", "questions=3 "] {
            assert!(log.contains(says), "{flavor}: {log}");
        }
    }
}

#[test]
fn the_first_line_is_the_whole_standard_output() {
    let server = serve(&[]);
    ask(&server, "Why?", "Error: unknown aphorism.");
    let expected = format!("listening on {}\n", server.address);
    assert_eq!(server.running.stdout.so_far(), expected);
}

#[test]
fn limits_are_obeyed() {
    let server = serve(&["--question-length", "10"]);
    ask(&server, "123456789?", "Error: unknown aphorism.");
    assert_eq!(everything(&server, "1234567890?"), "Error: question too long.");

    let server = serve(&["--idle-deadline", "50ms"]);
    assert_eq!(everything(&server, ""), "");
    let (_, log) = server.stop();
    assert!(log.contains("idle_deadline=1"), "{log}");

    let server = serve(&["--question-deadline", "50ms"]);
    assert_eq!(everything(&server, "Simple"), "");
    let (_, log) = server.stop();
    assert!(log.contains("question_deadline=1"), "{log}");
}

#[test]
fn variables_replace_options_and_options_override_them() {
    let mut command = zen(&["serve", "--question-length", "10"]);
    command.env("ZEN_ADDR", "127.0.0.1:0").env("ZEN_FLAVOR", "pool").env("ZEN_WORKERS", "1");
    command.env("ZEN_QUESTION_LENGTH", "5").env("ZEN_IDLE_DEADLINE", "50ms");
    let server = serving(command);
    ask(&server, "123456?", "Error: unknown aphorism.");
    assert_eq!(everything(&server, "Why?"), "Error: unknown aphorism.");
    let (_, log) = server.stop();
    assert!(log.contains("flavor=\"pool\"") && log.contains("idle_deadline="), "{log}");
}

#[test]
fn workers_from_a_variable_are_for_the_flavors_that_have_them() {
    for flavor in FLAVORS {
        let mut command = zen(&["serve", "127.0.0.1:0", "--flavor", flavor]);
        command.env("ZEN_WORKERS", "2");
        let (status, log) = serving(command).stop();
        assert_eq!(status.code(), Some(0), "{flavor}: {log}");
    }
}

#[test]
fn the_log_has_the_requested_level() {
    let mut quiet = zen(&["serve", "127.0.0.1:0"]);
    quiet.env("ZEN_LOG", "off");
    let (status, log) = serving(quiet).stop();
    assert_eq!((status.code(), log.as_str()), (Some(0), ""));
}

/// How long `clients` clients take that ask one question each, all at once.
fn time_of(server: &Serving, clients: usize) -> Duration {
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| ask(server, "Simple is better than?", "Complex."));
        }
    });
    start.elapsed()
}

#[test]
fn work_that_sleeps_blocks_a_thread_but_not_tokio() {
    let work = ["--work", "400ms", "--work-kind", "sleep", "--flavor"];
    let serial = Duration::from_millis(400) * 6;

    let mio = serve(&[&work[..], &["mio"]].concat());
    assert!(time_of(&mio, 6) >= serial, "an event loop sleeps for one client at a time");

    for flavor in ["async", "async-multi"] {
        let server = serve(&[&work[..], &[flavor]].concat());
        let time = time_of(&server, 6);
        assert!(time >= Duration::from_millis(400), "{flavor} has not slept");
        assert!(time < serial, "{flavor} sleeps for one client at a time: {time:?}");
    }
}

#[test]
fn work_that_spins_takes_its_time_in_every_flavor() {
    for flavor in FLAVORS {
        let server = serve(&["--work", "20ms", "--flavor", flavor]);
        let start = Instant::now();
        ask(&server, "Simple is better than?", "Complex.");
        assert!(start.elapsed() >= Duration::from_millis(20), "{flavor}");
    }
}

#[test]
fn a_port_is_free_again_at_once() {
    let server = serve(&[]);
    let address = server.address;
    // The system keeps the port of the side that closes first: here that is the server, which
    // drains.
    let client = server.connect();
    let (status, _) = server.stop();
    assert_eq!(status.code(), Some(0));
    drop(client);
    let again = serving(zen(&["serve", &address.to_string()]));
    assert_eq!(again.address, address);
}
