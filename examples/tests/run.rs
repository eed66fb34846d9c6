//! Runs every example of this crate, and those of the libraries that need no arguments, and checks
//! what they print.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

mod built;

use std::path::Path;
use std::process::Command;

use built::built;

/// This package's examples, as the tests below name them.
const OWN: &str = env!("CARGO_PKG_NAME");

/// Runs an example and returns what it printed. It must succeed and print nothing to standard
/// error.
fn run(package: &str, name: &str) -> String {
    let output = Command::new(built(package, name)).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {}\n{printed}{complaints}", output.status);
    assert_eq!(complaints, "", "{name} writes to standard error");
    printed
}

/// Makes a test for each example, and one that fails if an example has no test: neither here nor,
/// as the servers have it, in a file of its name.
macro_rules! examples {
    ($($name:ident: $expect:expr,)*) => {
        $(#[test] fn $name() {
            let printed = run(OWN, stringify!($name));
            let expect: fn(&str) = $expect;
            expect(&printed);
        })*

        #[test]
        fn every_example_has_a_test() {
            let package = Path::new(env!("CARGO_MANIFEST_DIR"));
            for example in package.join("examples").read_dir().unwrap() {
                let example = example.unwrap().path().with_extension("");
                let name = example.file_name().unwrap().to_str().unwrap();
                let tests = package.join("tests").join(name).with_extension("rs");
                assert!([$(stringify!($name),)*].contains(&name) || tests.exists(), "{name} has no test");
            }
        }
    };
}

fn has_lines(printed: &str, lines: &[&str]) {
    for line in lines {
        assert!(printed.lines().any(|printed| printed == *line), "no line {line:?} in:\n{printed}");
    }
}

#[test]
fn the_examples_of_the_libraries_print_what_they_should() {
    for (package, name, printed) in [
        ("zen-proto", "in_memory", "IS ANYBODY THERE\nCAN YOU HEAR ME\nclosed: finished\n"),
        ("zen-server", "new_architecture", "Complex.\n1 conversation(s) ended: finished\n"),
        (
            "zen-server-sync",
            "threads",
            "You take your time, indeed.\nYou take your time, indeed.\n2 questions answered\n",
        ),
        ("zen-server-mio", "event_loop", "100 clients, 100 questions answered\n"),
        ("zen-server-async", "async_service", "At last.At once.\n"),
    ] {
        assert_eq!(run(package, name), printed, "{name}");
    }
}

examples! {
    ask: |printed| has_lines(printed, &[
        "Beautiful is better than? Ugly.",
        "Explicit is better than? Implicit.",
        "Simple is better than? Complex.",
        "Flat is better than? Error: unknown aphorism.",
        "Readability counts. (this question cannot be sent: a message must hold its delimiter once, as its last byte)",
        "both sides have closed",
    ]),
    ask_async: |printed| {
        assert_eq!(printed.lines().collect::<Vec<_>>(), [
            "Now is better than? Never.",
            "Slow is better than? (no answer in 20ms, giving up)",
            "Flat is better than? Nested.",
            "... Dense.",
            "... Never.",
        ]);
    },
    embed: |printed| has_lines(printed, &[
        "client 1 was told: client 1 calling, you say.",
        "client 2 was told: client 2 calling, you say.",
        "client 3 was told: client 3 calling, you say.",
        "so far: 3 connections, 3 questions",
        "3 conversation(s) ended: finished",
        "1 conversation(s) ended: drained",
    ]),
    change_flavor: |printed| {
        for flavor in ["blocking", "threaded", "pool", "mio", "mio-multi", "async", "async-multi"] {
            let line = format!(" {flavor}: 3000 answered, conversations: 1 finished, in ");
            assert_eq!(printed.matches(&line).count(), 1, "no line {line:?} in:\n{printed}");
        }
    },
    own_lab: |printed| {
        assert!(printed.starts_with("saturate-8 — 8 clients\n"), "{printed}");
        for contender in ["floor", "zen", "by-hand"] {
            let row = printed.lines().find(|line| line.split_whitespace().next() == Some(contender));
            let row = row.unwrap_or_else(|| panic!("no row for {contender} in:\n{printed}"));
            assert!(row.contains(" 8/8"), "{contender} leaves clients waiting:\n{printed}");
        }
        // What else this machine does may make a run invalid, but the servers may not.
        for fault in ["wrong answers", "conversations before", "died", "could not be started", "attempts to connect"] {
            assert!(!printed.contains(fault), "{printed}");
        }
    },
    own_loop: |printed| {
        assert_eq!(printed.lines().collect::<Vec<_>>(), [
            "a client that asks gets: Ugly.Complex.Implicit.",
            "  it ended: finished",
            "a client that is silent",
            "  it ended: idle_deadline",
        ]);
    },
    own_protocol: |printed| {
        assert_eq!(printed.lines().collect::<Vec<_>>(), [
            "first client:      1 -> 1",
            "first client:     10 -> 11",
            "first client:    100 -> 111",
            "first client:   ten? -> not a number I can add",
            "first client:    -11 -> 100",
            "second client:     7 -> 7",
            "second client: 2000 digits -> that is too long",
        ]);
    },
    record: |printed| {
        let (listing, sums) = printed.split_once("occupied").unwrap();
        for line in ["match self.listener.accept() {", "setup.handle_accepted(", "self.stream.write(unsent)"] {
            assert!(listing.contains(line), "no line {line:?} in:\n{printed}");
        }
        // What the client thinks: twice of three times, since the first question may come at once.
        assert!(listing.matches("s waiting for its question").count() >= 2, "{printed}");
        assert!(sums.contains("of 4 conversations, these were recorded: [2, 3]"), "{printed}");
    },
}
