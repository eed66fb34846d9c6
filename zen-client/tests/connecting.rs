//! Connecting, and not being able to: what both clients do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests say what they expect by panicking, their helpers too"
)]

#[macro_use]
mod common;

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use common::{Connect, patient, serve_aphorisms};
use zen_client::{ClientError, ClientLimits, ClientOptions};
use zen_proto::LimitError;

cases! {
    nobody_there_is_a_refusal,
    a_full_backlog_is_a_timeout,
    the_next_address_is_tried,
    no_address_is_none_found,
    a_bound_of_zero_is_refused_by_name,
}

/// An address where nothing listens. The socket stays bound, so that nobody else comes to listen there.
fn vacant() -> (socket2::Socket, SocketAddr) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

/// A listener that never accepts and whose queue is full, so that the system drops every further attempt to connect.
fn full() -> (socket2::Socket, Vec<TcpStream>, SocketAddr) {
    let (listener, address) = vacant();
    listener.listen(0).unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        queued.push(stream);
        assert!(queued.len() < 100, "the queue does not fill");
    }
    (listener, queued, address)
}

fn nobody_there_is_a_refusal(connect: Connect) {
    let (_socket, address) = vacant();
    let Err(error) = connect(&[address], &patient()) else { panic!("connected to nobody") };
    assert!(matches!(error, ClientError::Refused { address: refused } if refused == address), "{error:?}");
    assert!(error.to_string().starts_with(&address.to_string()), "{error}");
}

fn a_full_backlog_is_a_timeout(connect: Connect) {
    let (_listener, _queued, address) = full();
    let timeout = Duration::from_millis(50);
    let options = ClientOptions { connect_timeout: timeout, ..patient() };
    let Err(error) = connect(&[address], &options) else { panic!("connected to a full server") };
    let ClientError::ConnectTimedOut { address: tried, timeout: allowed } = error else {
        panic!("{error:?}")
    };
    assert_eq!((tried, allowed), (address, timeout));
}

/// Neither one that refuses nor one that does not answer at all keeps the client from the server behind them.
fn the_next_address_is_tried(connect: Connect) {
    let (_listener, _queued, full) = full();
    let (_socket, vacant) = vacant();
    let options = ClientOptions { connect_timeout: Duration::from_secs(3), ..patient() };
    let mut client = connect(&[vacant, full, serve_aphorisms()], &options).unwrap();
    assert_eq!(client.ask(b"Explicit is better than?").unwrap(), "Implicit.");
}

fn no_address_is_none_found(connect: Connect) {
    let Err(error) = connect(&[], &patient()) else { panic!("connected to no address") };
    assert!(matches!(error, ClientError::Resolve { .. }), "{error:?}");
}

fn a_bound_of_zero_is_refused_by_name(connect: Connect) {
    let address = serve_aphorisms();
    let limits = |limits| ClientOptions { limits, ..patient() };
    let good = ClientLimits::default;
    for (options, name) in [
        (ClientOptions { connect_timeout: Duration::ZERO, ..patient() }, "connect timeout"),
        (limits(ClientLimits { answer_length: 0, ..good() }), "answer length"),
        (limits(ClientLimits { questions_in_flight: 0, ..good() }), "questions in flight"),
        (limits(ClientLimits { answer_deadline: Duration::ZERO, ..good() }), "answer deadline"),
    ] {
        let Err(error) = connect(&[address], &options) else { panic!("connected with {name} of zero") };
        let ClientError::Options(LimitError::Zero { limit }) = error else { panic!("{error:?}") };
        assert_eq!(limit, name);
    }
}
