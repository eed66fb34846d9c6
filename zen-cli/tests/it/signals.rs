//! Signals: the first one drains, the second one ends the process whatever it is doing.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::running::{FLAVORS, run, serve, zen};

#[test]
fn the_first_signal_drains_and_exits_with_0() {
    for flavor in FLAVORS {
        for signal in [Signal::SIGTERM, Signal::SIGINT] {
            let mut server = serve(&["--flavor", flavor]);
            let mut idle = server.connect();
            idle.write_all(b"Simple is better than?").unwrap();
            let mut answer = [0; 8];
            idle.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"Complex.");

            server.running.signal(signal);
            assert_eq!(idle.read(&mut answer).unwrap(), 0, "{flavor}: the conversation ends");
            drop(idle);
            assert_eq!(server.running.wait().code(), Some(0), "{flavor}, {signal}");
            let log = server.running.stderr.end();
            assert!(log.contains("draining") && log.contains("drained=1"), "{flavor}: {log}");
            assert!(TcpStream::connect(server.address).is_err(), "{flavor} still listens");
        }
    }
}

/// Asks without reading, until the server can neither send nor read any more.
fn stuck(mut stream: TcpStream) -> TcpStream {
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let questions = vec![b'?'; 64 * 1024];
    // Each byte that is sent is answered with 24, so this is more than any socket buffers hold.
    for _ in 0..4096 {
        match stream.write(&questions) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return stream,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the server takes everything");
}

#[test]
fn the_second_signal_exits_at_once() {
    for (flavor, first, second) in [
        ("blocking", Signal::SIGTERM, Signal::SIGTERM),
        ("threaded", Signal::SIGINT, Signal::SIGINT),
        ("pool", Signal::SIGTERM, Signal::SIGINT),
        ("mio", Signal::SIGINT, Signal::SIGTERM),
        ("mio-multi", Signal::SIGTERM, Signal::SIGTERM),
        ("async", Signal::SIGINT, Signal::SIGINT),
        ("async-multi", Signal::SIGTERM, Signal::SIGINT),
    ] {
        let mut server = serve(&["--flavor", flavor, "--drain-deadline", "none", "--write-deadline", "none"]);
        let _stuck = stuck(server.connect());
        server.running.signal(first);
        server.running.stderr.wait_for("a second signal exits at once");
        // Only the signal can end it now.
        std::thread::sleep(Duration::from_millis(100));
        assert!(server.running.is_running(), "{flavor}: it is not stuck");
        server.running.signal(second);
        assert_eq!(server.running.wait().code(), Some(128 + second as i32), "{flavor}");
    }
}

#[test]
fn a_log_that_nobody_reads_does_not_keep_a_server_from_draining() {
    let mut command = zen(&["serve", "127.0.0.1:0"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child = command.stdout(std::process::Stdio::piped()).stderr(writer).spawn().unwrap();
    let mut running = crate::running::Running::new(child);
    running.stdout.wait_for("listening on ");
    running.signal(Signal::SIGTERM);
    assert_eq!(running.wait().code(), Some(0));
}

#[test]
fn a_first_line_that_nobody_reads_does_not_keep_a_server_from_serving() {
    let mut command = zen(&["serve", "127.0.0.1:0"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child = command.stdout(writer).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut running = crate::running::Running::new(child);
    running.stderr.wait_for("serving");
    let log = running.stderr.so_far();
    let address = log.split("address=").nth(1).unwrap().split_whitespace().next().unwrap();
    let asked = run(zen(&["ask", address, "Why?"]));
    assert_eq!(asked.stdout, "Why? Error: unknown aphorism.\n");
    running.signal(Signal::SIGTERM);
    assert_eq!(running.wait().code(), Some(0));
}
