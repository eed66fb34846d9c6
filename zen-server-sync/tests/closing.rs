//! A connection counts as open until its socket is closed, so that the cap bounds descriptors too.

// Helpers say what they expect by panicking, like the tests they serve.
#![allow(clippy::expect_used)]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};
use zen_server_sync::{Answer, Options, OptionsError, Server};
use zen_testkit::flavor::{Running, TIMEOUT};

/// Longer than the client's window takes, and short enough for the server's system to keep.
const ANSWER: usize = 60_000;

fn answer_at_length(_: &[u8], answer: &mut Answer<'_>) {
    answer.put(&b"x".repeat(ANSWER));
}

type Service = fn(&[u8], &mut Answer<'_>);

fn counts_as_open_until_its_socket_is_closed(
    server: fn(TcpListener, Service, Options) -> Result<Server<Service>, OptionsError>,
) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    // Connections inherit both. Closing such a socket blocks until the peer has taken what was
    // sent.
    SockRef::from(&listener).set_linger(Some(TIMEOUT)).expect("an option");
    SockRef::from(&listener).set_send_buffer_size(2 * ANSWER).expect("a size");
    let ours = listener.try_clone().expect("a descriptor");
    let server = server(listener, answer_at_length, Options::default()).expect("good options");
    let server = Running::start(&ours, server.stop_handle(), server.counters(), || server.run());

    let mut client = connect_through_a_small_window(server.address);
    client.write_all(b"Why?").expect("sends");
    client.shutdown(Shutdown::Write).expect("half-closes");
    let counters = server.wait_for("sent", |counters| counters.bytes_out == ANSWER as u64);
    assert_eq!(counters.open, 1);
    // The conversation is over now, and its thread is about to close the socket, which blocks.
    thread::sleep(Duration::from_millis(200));
    let counters = server.counters();
    assert_eq!((counters.open, counters.closes().count()), (1, 0), "{counters:?}");

    client.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
    assert_eq!(client.read_to_end(&mut Vec::new()).expect("the server closes"), ANSWER);
    drop(client);
    server.wait_for("closed", |counters| counters.open == 0);
}

fn connect_through_a_small_window(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a size");
    socket.connect_timeout(&address.into(), TIMEOUT).expect("connects");
    socket.into()
}

#[test]
fn blocking() {
    counts_as_open_until_its_socket_is_closed(Server::blocking);
}

#[test]
fn threaded() {
    counts_as_open_until_its_socket_is_closed(Server::threaded);
}

#[test]
fn pool() {
    counts_as_open_until_its_socket_is_closed(Server::pool);
}
