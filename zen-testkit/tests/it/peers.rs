//! The Python peers talk to each other, to the reference server, and to the suite.

use std::env;
use std::net::TcpListener;
use std::process::{Command, Output};

use zen_testkit::peers::{PeerError, Python};
use zen_testkit::{Expectations, Fault, zen_suite};

use crate::reference::{Flaw, Limits, Reference};

#[test]
fn the_python_client_talks_to_the_python_server() {
    let Some(python) = Python::require() else { return };
    let server = python.serve().unwrap();
    python.ask_three(server.addr()).unwrap();
    python.ask_half(server.addr()).unwrap();
    python.ask_three(server.addr()).unwrap();
}

#[test]
fn the_python_client_is_served_by_the_reference_server() {
    let Some(python) = Python::require() else { return };
    let server = Reference::start(Flaw::None, Limits::default());
    python.ask_half(server.addr).unwrap();
    python.ask_three(server.addr).unwrap();
}

#[test]
fn a_wrong_answer_is_an_error_that_shows_it() {
    let Some(python) = Python::require() else { return };
    let server = Reference::start(Flaw::AnswersTwice, Limits::default());
    let error = python.ask_three(server.addr).unwrap_err();
    assert!(error.to_string().contains("Ugly.Ugly.") || error.to_string().contains("than?"), "{error}");
}

#[test]
fn nothing_listening_is_an_error_of_one_line() {
    let Some(python) = Python::require() else { return };
    let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for result in [python.ask_three(addr), python.ask_half(addr)] {
        let Err(PeerError::Client(output)) = result else { panic!("{result:?}") };
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(complaint.starts_with("client: ") && complaint.lines().count() == 1, "{complaint}");
    }
    let usage = python.client(&["nonsense"]).unwrap();
    assert_eq!(usage.status.code(), Some(2));
}

/// Runs one of the tests above without Python in the `PATH`.
fn without_python(required: &str) -> Output {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "peers::the_python_client_talks_to_the_python_server"])
        .env("PATH", "")
        .env("ZEN_REQUIRE_PEERS", required)
        .output()
        .unwrap()
}

#[test]
fn a_test_without_its_peer_is_skipped_visibly() {
    let output = without_python("0");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "skipped: python3 not found\n");
}

#[test]
fn a_test_without_a_required_peer_fails() {
    let output = without_python("1");
    assert!(!output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("python3 not found, although ZEN_REQUIRE_PEERS=1 requires it"), "{printed}");
}

/// The purpose of the suite: the book's server tests only the end of what it has received.
#[test]
fn the_suite_finds_the_fault_of_the_python_server() {
    let Some(python) = Python::require() else { return };
    let server = python.serve().unwrap();
    let suite = zen_suite(&Expectations::default());
    suite.clone().only("one question: ").run(server.addr()).assert_passed();
    suite.clone().only("truncated: half-close after").run(server.addr()).assert_passed();

    let report = suite.only("two questions in one segment").run(server.addr());
    let mismatch = report.mismatches().next().unwrap();
    assert_eq!(mismatch.transcript(), "two questions in one segment");
    assert!(matches!(mismatch.fault(), Fault::Differs { at: 0 }), "{mismatch}");
    assert_eq!(mismatch.received(), b"Error: unknown aphorism.");
}
