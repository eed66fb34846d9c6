//! Standard output that is closed or full: a reader that has seen enough is no error, a full disk
//! is.

use std::fs::OpenOptions;
use std::process::Stdio;

use crate::running::{Running, serve, zen};

#[test]
fn a_reader_that_left_is_no_error() {
    let server = serve(&[]);
    let address = server.address.to_string();
    for arguments in [
        &["flavors"][..],
        &["flavors", "--json"],
        &["completions", "bash"],
        &["--help"],
        &["serve", "--help"],
        &["--version"],
        &["ask", &address],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = zen(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let mut running = Running::new(child);
        assert_eq!(running.wait().code(), Some(0), "{arguments:?}");
        assert_eq!(running.stderr.end(), "", "{arguments:?}");
    }
}

#[test]
fn a_full_disk_is_reported() {
    let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else {
        eprintln!("SKIPPED: this system has no /dev/full");
        return;
    };
    for arguments in [&["flavors"][..], &["completions", "bash"], &["--help"], &["serve", "127.0.0.1:0"]] {
        let child = zen(arguments).stdout(full.try_clone().unwrap()).stderr(Stdio::piped()).spawn().unwrap();
        let mut running = Running::new(child);
        assert_eq!(running.wait().code(), Some(1), "{arguments:?}");
        let said = running.stderr.end();
        assert!(said.ends_with('\n') && said.contains("zen: cannot write to standard output: "), "{said}");
    }
}
