//! The example programs ask a server and print its answers.
#![allow(clippy::unwrap_used, reason = "tests and their helpers panic when an expectation fails")]

mod common;

use std::net::TcpListener;
use std::process::{Command, Output};

use common::serve_aphorisms;

/// Cargo builds the examples before it runs the tests, and puts them beside the directory of the
/// tests.
fn run(example: &str, arguments: &[&str]) -> Output {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples").join(example);
    Command::new(&program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; build it: cargo build --examples", program.display()))
}

#[test]
fn both_examples_print_the_answers() {
    let address = serve_aphorisms().to_string();
    for example in ["client", "async_client"] {
        let output = run(example, &[&address, "Simple is better than?", "Why?"]);
        assert!(output.status.success(), "{example}: {output:?}");
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            "Simple is better than? Complex.\nWhy? Error: unknown aphorism.\n",
            "{example}"
        );
    }
}

#[test]
fn both_examples_fail_where_nothing_listens() {
    let vacant = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for example in ["client", "async_client"] {
        let output = run(example, &[&vacant, "Why?"]);
        assert_eq!(output.status.code(), Some(1), "{example}: {output:?}");
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(complaint.contains(&vacant), "{example}: {complaint}");
    }
}
