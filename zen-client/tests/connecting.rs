//! Both clients connect, or report why they cannot.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

#[macro_use]
mod common;

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use common::{Connect, patient, serve_aphorisms};
use zen_client::{ClientError, ClientLimits};
use zen_proto::LimitError;

cases! {
    nothing_listening_is_a_refusal,
    a_full_backlog_is_a_timeout,
    the_next_address_is_tried,
    a_silent_address_holds_up_the_next_one_for_a_moment_only,
    an_answer_timeout_of_zero_is_refused_by_name,
    an_empty_address_list_is_a_resolve_error,
    a_zero_bound_is_refused_by_name,
}

/// An address where nothing listens. The socket stays bound, so that no other program starts to
/// listen there.
fn vacant() -> (socket2::Socket, SocketAddr) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

/// A listener that never accepts and whose queue is full, so that the system drops every further
/// connection attempt.
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

fn nothing_listening_is_a_refusal(connect: Connect) {
    let (_socket, address) = vacant();
    let Err(error) = connect(&[address], &patient()) else { panic!("connected, but nothing listens") };
    assert!(matches!(error, ClientError::Refused { address: refused } if refused == address), "{error:?}");
    assert!(error.to_string().starts_with(&address.to_string()), "{error}");
}

fn a_full_backlog_is_a_timeout(connect: Connect) {
    let (_listener, _queued, address) = full();
    let timeout = Duration::from_millis(50);
    let options = patient().with_connect_timeout(timeout);
    let Err(error) = connect(&[address], &options) else { panic!("connected to a full server") };
    let ClientError::ConnectTimedOut { address: tried, timeout: allowed } = error else {
        panic!("{error:?}")
    };
    assert_eq!((tried, allowed), (address, timeout));
}

/// An address that refuses and an address that never replies do not keep the client from the server
/// behind them.
fn the_next_address_is_tried(connect: Connect) {
    let (_listener, _queued, full) = full();
    let (_socket, vacant) = vacant();
    let options = patient().with_connect_timeout(Duration::from_secs(3));
    let mut client = connect(&[vacant, full, serve_aphorisms()], &options).unwrap();
    assert_eq!(client.ask(b"Explicit is better than?").unwrap(), "Implicit.");
}

/// The first address never replies. The client does not wait for it as long as it might.
fn a_silent_address_holds_up_the_next_one_for_a_moment_only(connect: Connect) {
    let (_listener, _queued, silent) = full();
    let options = patient().with_connect_timeout(Duration::from_secs(20));
    let began = Instant::now();
    let mut client = connect(&[silent, serve_aphorisms()], &options).unwrap();
    let took = began.elapsed();
    assert!((250..5_000).contains(&took.as_millis()), "{took:?}");
    assert_eq!(client.ask(b"Explicit is better than?").unwrap(), "Implicit.");
}

fn an_answer_timeout_of_zero_is_refused_by_name(connect: Connect) {
    let options = patient().with_answer_timeout(Duration::ZERO);
    let Err(error) = connect(&[serve_aphorisms()], &options) else { panic!("connected") };
    assert!(matches!(error, ClientError::Options(LimitError::Zero { limit: "answer timeout" })), "{error:?}");
}

fn an_empty_address_list_is_a_resolve_error(connect: Connect) {
    let Err(error) = connect(&[], &patient()) else { panic!("connected to no address") };
    assert!(matches!(error, ClientError::Resolve { .. }), "{error:?}");
}

fn a_zero_bound_is_refused_by_name(connect: Connect) {
    let address = serve_aphorisms();
    let limited = |limits| patient().with_limits(limits);
    let good = ClientLimits::default;
    for (options, name) in [
        (patient().with_connect_timeout(Duration::ZERO), "connect timeout"),
        (limited(good().with_answer_length(0)), "answer length"),
        (limited(good().with_questions_in_flight(0)), "questions in flight"),
        (limited(good().with_answer_deadline(Duration::ZERO)), "answer deadline"),
    ] {
        let Err(error) = connect(&[address], &options) else { panic!("connected with {name} of zero") };
        let ClientError::Options(LimitError::Zero { limit }) = error else { panic!("{error:?}") };
        assert_eq!(limit, name);
    }
}
