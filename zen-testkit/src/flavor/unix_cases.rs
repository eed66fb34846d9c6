//! The cases over a Unix socket: what differs from a TCP port, and that nothing else does.

// A test reports a broken expectation by panicking.
#![allow(clippy::expect_used, clippy::missing_panics_doc, missing_docs)]

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::{env, fs, process};

use zen_proto::{Address, CloseReason, Peer};

use super::cases::{options_with, patient};
use super::{
    BIG, BIG_ANSWER, Listener, Options, PIECES, PIECES_ANSWER, PUSH, PUSHED, Running, SET_ANSWER, TIMEOUT,
    WHO, described, later,
};

type StartOn = fn(Listener, Options) -> Running;

/// A path for a socket, which is removed in the end.
struct SocketPath(PathBuf);

impl SocketPath {
    fn new() -> Self {
        static SOCKETS: AtomicUsize = AtomicUsize::new(0);
        let number = SOCKETS.fetch_add(1, SeqCst);
        Self(env::temp_dir().join(format!("zen-testkit-{}-{number}.socket", process::id())))
    }

    fn listener(&self) -> Listener {
        UnixListener::bind(&self.0).expect("a free path").into()
    }
}

impl Drop for SocketPath {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn connect(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).expect("connects");
    stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
    stream.set_write_timeout(Some(TIMEOUT)).expect("a timeout");
    stream
}

fn expect(client: &mut UnixStream, answer: &[u8]) {
    let mut received = vec![0; answer.len()];
    client.read_exact(&mut received).expect("an answer comes");
    assert_eq!(String::from_utf8_lossy(&received), String::from_utf8_lossy(answer));
}

fn rest(client: &mut UnixStream) -> usize {
    client.read_to_end(&mut Vec::new()).expect("the server closes")
}

pub fn a_unix_socket_is_served_like_a_port(start_on: StartOn, _at_once: usize) {
    let path = SocketPath::new();
    let server = start_on(path.listener(), options_with(patient()));
    let mut client = connect(&path.0);
    client.write_all(b"Simple is bet").expect("sends");
    client.write_all(b"ter than?Explicit is better than?").expect("sends");
    expect(&mut client, b"Complex.Implicit.");

    client.write_all(WHO).expect("sends");
    let peer = Peer::new(Address::Unix(None), Address::Unix(Some(path.0.clone())), 1);
    expect(&mut client, described(&peer).as_bytes());

    client.write_all(later(100).as_bytes()).expect("sends");
    expect(&mut client, b"100.");
    client.write_all(PUSH).expect("sends");
    expect(&mut client, SET_ANSWER);
    expect(&mut client, PUSHED);

    // More than the system buffers, so that the server has to wait until there is room.
    client.write_all(&[PIECES, &BIG.repeat(100)].concat()).expect("sends");
    client.shutdown(Shutdown::Write).expect("half-closes");
    assert_eq!(rest(&mut client), PIECES_ANSWER + 100 * BIG_ANSWER);
    let counters = server.wait_for("closed", |counters| counters.open == 0);
    assert_eq!(counters.closes().collect::<Vec<_>>(), [(CloseReason::Finished, 1)]);
}

pub fn a_unix_socket_drains(start_on: StartOn, at_once: usize) {
    let path = SocketPath::new();
    let server = start_on(path.listener(), options_with(patient()));
    let mut clients: Vec<_> = (0..at_once.min(3)).map(|_| connect(&path.0)).collect();
    for client in &mut clients {
        client.write_all(b"Simple is better than?Beautiful is bet").expect("sends");
        expect(client, b"Complex.");
    }
    server.stop.stop();
    for client in &mut clients {
        assert_eq!(rest(client), 0);
    }
    drop(clients);
    server.join().expect("drains");
    UnixStream::connect(&path.0).expect_err("no server listens any more");
}
