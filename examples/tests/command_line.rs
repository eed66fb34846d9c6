//! What every example server takes on its command line: a Unix socket, and TLS; and what it says
//! when a file is wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

mod built;
mod certificate;
mod program;

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};

use built::built;
use certificate::Certificate;
use program::Program;
use zen_testkit::peers::require_program;

#[test]
fn an_example_listens_on_a_unix_socket_and_removes_it() {
    let files = Certificate::new("unix");
    let path = files.path("socket");
    let place = format!("unix:{}", path.display());
    for (name, question, answer) in [
        ("redis", &b"PING\r\n"[..], &b"+PONG\r\n"[..]),
        ("mail", b"", b"220 localhost ESMTP zen\r\n"),
        ("blob", b"\0\0\0\x02mx", b"\0\0\0\x09+\0\0\0\0\0\0\0\x01"),
        ("slow_upstream", b"Simple is better than?", b"Complex."),
    ] {
        let program = Program::start(name, &[&place]);
        let mut client = UnixStream::connect(&path).unwrap();
        client.write_all(question).unwrap();
        let mut received = vec![0; answer.len()];
        client.read_exact(&mut received).unwrap();
        assert_eq!(received.escape_ascii().to_string(), answer.escape_ascii().to_string(), "{name}");
        drop(client);
        program.end();
        assert!(!path.exists(), "{name}");
    }
}

#[test]
fn redis_cli_speaks_tls_to_the_example() {
    let Some(client) = require_program("redis-cli") else { return };
    let files = Certificate::new("redis");
    let (certificate, key) = (files.path("cert.pem"), files.path("key.pem"));
    let [certificate, key] = [&certificate, &key].map(|path| path.to_str().unwrap());
    let program = Program::start("redis", &["127.0.0.1:0", "--tls-cert", certificate, "--tls-key", key]);
    let output = Command::new(client)
        .args(["-h", "127.0.0.1", "-p", &program.address.port().to_string()])
        .args(["--tls", "--cacert", certificate, "set", "greeting", "hello"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "OK\n", "{output:?}");
    program.end();
}

#[test]
fn what_is_wrong_is_said_in_a_line() {
    let files = Certificate::new("wrong");
    let (certificate, missing) = (files.path("cert.pem"), files.path("missing.pem"));
    let [certificate, missing] = [&certificate, &missing].map(|path| path.to_str().unwrap());
    let taken = format!("unix:{certificate}");
    let left = files.path("left");
    drop(UnixListener::bind(&left).unwrap());
    let left = format!("unix:{}", left.display());
    for (arguments, says) in [
        (&["127.0.0.1:0", "--tls-cert", missing, "--tls-key", missing][..], "cannot read the certificate"),
        (&["127.0.0.1:0", "--tls-cert", certificate, "--tls-key", certificate], "there is no private key"),
        (&["127.0.0.1:0", "--tls-cert", certificate], "usage: ADDRESS"),
        (&[&taken], "there is a file of that name already"),
        (&[&left], "left behind by a server that has ended"),
    ] {
        let mut command = Command::new(built(env!("CARGO_PKG_NAME"), "mail"));
        let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(says), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
