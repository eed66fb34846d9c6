//! The example program: its summary, its exit status, its errors.

use std::env;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::reference::{Flaw, Limits, Reference};

/// Cargo builds the examples before it runs the tests, and puts them beside the directory of the
/// tests.
fn conformance(arguments: &[&str]) -> Output {
    let mut program: PathBuf = env::current_exe().unwrap();
    program.pop();
    program.pop();
    program.extend(["examples", "conformance"]);
    Command::new(&program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; build it: cargo build --examples", program.display()))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_good_server_passes_with_status_0() {
    let server = Reference::start(Flaw::None, Limits::default());
    let output = conformance(&[&server.addr.to_string(), "--parallel", "8"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let summary = text(&output.stdout);
    assert!(summary.contains(" passed, 0 failed, in ") && summary.lines().count() == 1, "{summary}");
}

#[test]
fn a_bad_server_fails_with_status_1_and_says_where() {
    let server = Reference::start(Flaw::AnswersOutOfOrder, Limits::default());
    let output = conformance(&[&server.addr.to_string(), "--only", "two questions in one segment", "-v"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let printed = text(&output.stdout);
    assert!(printed.starts_with("two questions in one segment\n  step 2 of 6"), "{printed}");
    assert!(
        printed.contains(r#"expected  "Ugly.Implicit.""#)
            && printed.contains(r#"received  "Implicit.Ugly.""#),
        "{printed}"
    );
    assert!(text(&output.stderr).starts_with("FAILED"), "{output:?}");
}

#[test]
fn a_server_that_cannot_be_reached_ends_with_status_2_and_one_line() {
    let vacant = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for (arguments, needle) in [
        (vec![vacant.as_str()], "is the server running?"),
        (vec!["nonsense"], "give HOST:PORT"),
        (vec![vacant.as_str(), "--only", "no such thing"], "--list shows them all"),
    ] {
        let output = conformance(&arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let complaint = text(&output.stderr);
        assert!(complaint.contains(needle) && complaint.lines().count() == 1, "{complaint}");
    }
    let output = conformance(&[vacant.as_str(), "--question-limit", "10"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(text(&output.stderr).contains("64 or more"), "{output:?}");
}

#[test]
fn the_list_needs_no_server() {
    let output = conformance(&["anywhere", "--list"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let names: Vec<_> = text(&output.stdout).lines().collect();
    assert_eq!(names[0], "two questions in one segment");
    assert!(names.len() >= 250);
}
