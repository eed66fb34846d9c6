//! White space is no question: it keeps no connection open and nobody else waiting.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::every_flavor::{at_once, on_every_flavor};
use crate::kept::Served;
use crate::running::{Serving, TIME_LIMIT, serve};

/// Sends white space at this pace, in pieces of this size, until the server has closed. Fails the
/// test if it never does.
fn trickle(mut stream: TcpStream, pace: Duration, piece: usize) {
    let spaces = b" \t\r\n\x0b\x0c".repeat(piece.div_ceil(6));
    let began = Instant::now();
    while stream.write_all(&spaces[..piece]).is_ok() {
        assert!(began.elapsed() < TIME_LIMIT, "the server still takes white space");
        if !pace.is_zero() {
            thread::sleep(pace);
        }
    }
}

/// As many connections as this send white space. Another client is served all the same, and those
/// are closed at the idle deadline.
fn is_idle(server: &Serving, connections: usize, pace: Duration, piece: usize) {
    thread::scope(|scope| {
        for _ in 0..connections {
            let stream = Client::connect(server).0;
            scope.spawn(move || trickle(stream, pace, piece));
        }
        Client::connect(server).ask();
    });
}

#[test]
fn white_space_at_any_pace_is_idle_and_others_are_served() {
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor, "--idle-deadline", "400ms"]);
        let connections = at_once(flavor).min(4);
        let paces = [300, 1000, 2000, 3000];
        for micros in paces {
            is_idle(&server, connections, Duration::from_micros(micros), 1);
        }
        let totals = Served::by(server);
        let idle = (connections * paces.len()) as u64;
        assert_eq!((totals.count("idle_deadline"), totals.count("open")), (idle, 0), "{}", totals.log);
        assert_eq!(totals.count("questions"), paces.len() as u64);
    });
}

#[test]
fn white_space_without_a_pause_is_idle_and_others_are_served() {
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor, "--idle-deadline", "400ms"]);
        let connections = [1, 4.min(at_once(flavor)), 16.min(at_once(flavor))];
        for connections in connections {
            is_idle(&server, connections, Duration::ZERO, 64 * 1024);
        }
        let totals = Served::by(server);
        let idle = connections.iter().sum::<usize>() as u64;
        assert_eq!((totals.count("idle_deadline"), totals.count("open")), (idle, 0), "{}", totals.log);
    });
}
