//! The cases over TLS: what it adds to a conversation, and what it must not hide.

// A test reports a broken expectation by panicking.
#![allow(clippy::expect_used, clippy::missing_panics_doc, missing_docs)]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};
use zen_proto::{CloseReason, Limits};
use zen_server::Options;

use super::cases::{Start, options_with, patient};
use super::client::Client;
use super::{
    BIG, BIG_ANSWER, LAST_WORDS, PIECE, PIECES, PIECES_ANSWER, PUSH, PUSHED, Running, SET_ANSWER, START_TLS,
    STOPPING, TLS, later,
};

/// A certificate for `localhost`, made for this process, and its private key.
static CERTIFICATE: LazyLock<(CertificateDer<'static>, Vec<u8>)> = LazyLock::new(|| {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    (made.cert.der().clone(), made.signing_key.serialize_der())
});

/// What a server needs to speak TLS with the clients of these cases.
pub fn server_config() -> Arc<ServerConfig> {
    let (certificate, key) = &*CERTIFICATE;
    let key = PrivateKeyDer::try_from(key.clone()).expect("a key");
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("the key fits");
    Arc::new(config)
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn over(stream: TcpStream) -> Tls {
    let mut roots = RootCertStore::empty();
    roots.add(CERTIFICATE.0.clone()).expect("a root");
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    StreamOwned::new(connection, stream)
}

fn connect(address: SocketAddr) -> Tls {
    over(Client::connect(address).0)
}

fn expect(client: &mut Tls, answer: &[u8]) {
    let mut received = vec![0; answer.len()];
    client.read_exact(&mut received).expect("an answer comes");
    assert_eq!(String::from_utf8_lossy(&received), String::from_utf8_lossy(answer));
}

fn ask(client: &mut Tls) {
    client.write_all(b"Simple is better than?").expect("sends");
    expect(client, b"Complex.");
}

/// Says that no more is sent.
fn close(client: &mut Tls) {
    client.conn.send_close_notify();
    client.conn.complete_io(&mut client.sock).expect("sends");
}

pub fn tls_carries_a_conversation(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = connect(server.address);
    ask(&mut client);
    client.write_all(b"Simple is better than?Explicit is").expect("sends");
    client.write_all(b" better than?").expect("sends");
    expect(&mut client, b"Complex.Implicit.");
    client.write_all(later(100).as_bytes()).expect("sends");
    expect(&mut client, b"100.");
    client.write_all(PUSH).expect("sends");
    expect(&mut client, SET_ANSWER);
    expect(&mut client, PUSHED);
    // Many more records than the system buffers, in both directions.
    client.write_all(&BIG.repeat(50)).expect("sends");
    let mut answers = vec![0; 50 * BIG_ANSWER];
    client.read_exact(&mut answers).expect("answers come");
    assert!(answers.chunks(BIG_ANSWER).all(|answer| answer.ends_with(b"x.")));
    let counters = server.wait_for("counted", |counters| counters.questions == 55);
    assert_eq!(counters.bytes_in, 22 + 22 + 24 + 10 + 5 + 200, "the text counts, not what carries it");
}

/// The client's library tells an end that was announced from one that was not.
pub fn tls_ends_with_close_notify_before_fin(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = connect(server.address);
    client.write_all(b"Simple is better than?").expect("sends");
    close(&mut client);
    let mut rest = String::new();
    client.read_to_string(&mut rest).expect("the end is announced");
    assert_eq!(rest, "Complex.");
    drop(client);
    let counters = server.wait_for("closed", |counters| counters.open == 0);
    assert_eq!(counters.closes().collect::<Vec<_>>(), [(CloseReason::Finished, 1)]);
}

pub fn tls_that_is_cut_off_is_no_close(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = connect(server.address);
    ask(&mut client);
    client.write_all(b"Simple is better than?").expect("sends");
    client.sock.shutdown(Shutdown::Write).expect("half-closes");
    let mut rest = String::new();
    client.read_to_string(&mut rest).expect("the end is announced");
    assert_eq!(rest, "Complex.", "what came whole is answered");
    drop(client);
    let counters = server.wait_for("closed", |counters| counters.open == 0);
    assert_eq!(counters.closes().collect::<Vec<_>>(), [(CloseReason::Truncated, 1)]);
}

pub fn tls_bounds_the_handshake(start: Start, _at_once: usize) {
    let server = start(options_with(patient().with_question_deadline(Duration::from_millis(300))));
    // A record of a handshake begins, and goes on by a byte at a time.
    let mut client = Client::connect(server.address);
    client.send(&[22, 3, 1, 2, 0, 1]);
    for _ in 0..10 {
        thread::sleep(Duration::from_millis(50));
        if client.0.write_all(&[0]).is_err() {
            break;
        }
    }
    let counters = server.wait_for("closed", |counters| counters.open == 0);
    assert_eq!(counters.closes().collect::<Vec<_>>(), [(CloseReason::QuestionDeadline, 1)]);
    let mut silent = Client::connect(server.address);
    assert!(silent.0.read(&mut [0; 64]).is_ok(), "the server closes");
    server.wait_for("closed", |counters| counters.closed(CloseReason::QuestionDeadline) == 2);
    ask(&mut connect(server.address));
}

pub fn tls_refuses_what_is_no_tls(start: Start, at_once: usize) {
    let server = start(options_with(patient()));
    let mut other = (at_once > 1).then(|| connect(server.address));
    if let Some(other) = &mut other {
        ask(other);
    }
    let mut client = Client::connect(server.address);
    client.send(b"Simple is better than?");
    let rest = client.rest();
    assert!(matches!(rest[..], [21, 3, ..]), "an alert, and nothing else: {rest:?}");
    assert_eq!(rest.len(), 7, "{rest:?}");
    drop(client);
    server.wait_for("refused", |counters| counters.closed(CloseReason::Malformed) == 1);
    if let Some(other) = &mut other {
        ask(other);
    }
}

pub fn tls_drains_in_any_state(start: Start, at_once: usize) {
    let server = start(options_with(patient().with_drain_deadline(Duration::from_secs(600))));
    let mut client = connect(server.address);
    client.write_all(&[later(300).as_bytes(), LAST_WORDS].concat()).expect("sends");
    server.wait_for("asked", |counters| counters.questions == 2);
    let silent = (at_once > 1).then(|| Client::connect(server.address));
    if silent.is_some() {
        server.wait_for("accepted", |counters| counters.accepted == 2);
    }
    server.stop.stop();
    let mut rest = String::new();
    client.read_to_string(&mut rest).expect("the end is announced");
    assert_eq!(rest, format!("300.{}{}", text(SET_ANSWER), text(STOPPING)));
    drop((client, silent));
    let counters = server.join_with_counters().expect("drains");
    assert_eq!(counters.closed(CloseReason::Drained), counters.accepted, "{counters:?}");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What waits as ciphertext is as old as its text.
pub fn tls_hides_no_slow_reader(start: Start, _at_once: usize) {
    const QUESTIONS: usize = 300;
    let server = start(options_with(
        patient()
            .with_write_deadline(Duration::from_millis(400))
            // More than this reader takes, so that it does not count as one that advances.
            .with_least_rate(1 << 30)
            .with_outbound_high_water(2 * QUESTIONS * BIG_ANSWER),
    ));
    let mut client = over(Client::through_a_small_window(server.address).0);
    client.write_all(&BIG.repeat(QUESTIONS)).expect("sends");
    let mut received = 0;
    // At a millisecond for each 4 KiB, reading everything would take at least 4 s.
    loop {
        match client.sock.read(&mut [0; 4096]) {
            Ok(n @ 1..) => received += n,
            Ok(_) => break,
            Err(error) => {
                assert_ne!(error.kind(), ErrorKind::WouldBlock, "the server goes on or closes");
                break;
            }
        }
        thread::sleep(Duration::from_millis(1));
    }
    assert!(received < QUESTIONS * BIG_ANSWER);
    let counters = server.wait_for("closed", |counters| counters.open == 0);
    assert_eq!(counters.closed(CloseReason::WriteDeadline), 1, "{counters:?}");
}

pub fn tls_holds_a_bounded_amount_of_memory(start: Start, _at_once: usize) {
    let server = start(Options::default().with_limits(patient()));
    let mut client = over(Client::through_a_small_window(server.address).0);
    client.write_all(PIECES).expect("sends");
    let (mut received, mut most) = (0, 0);
    let mut some = vec![0; 64 * 1024];
    while received < PIECES_ANSWER {
        if received < PIECES_ANSWER / 50 {
            thread::sleep(Duration::from_millis(5));
        }
        // In this order: what is produced in between is not taken for what is held.
        let produced = server.produced.load(SeqCst);
        most = most.max(produced.saturating_sub(server.counters().bytes_out));
        let n = client.read(&mut some).expect("the reply goes on");
        assert!(n > 0 && some[..n].iter().all(|byte| *byte == b'x'), "after {received} bytes");
        received += n;
    }
    assert_eq!(received, PIECES_ANSWER);
    let high_water = Limits::default().outbound_high_water;
    assert!(most <= 2 * (high_water + PIECE) as u64, "{most} bytes were held at once");
    ask(&mut client);
}

/// What the server has not read when it closes would make the system reset the connection, and
/// take the alert away.
pub fn an_alert_arrives_although_more_was_sent(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    client.send(&b"Simple is better than?".repeat(4000));
    let rest = client.rest();
    assert!(matches!(rest[..], [21, 3, ..]), "an alert, and nothing else: {rest:?}");
    drop(client);
    server.wait_for("refused", |counters| counters.closed(CloseReason::Malformed) == 1);
}

pub fn a_service_knows_that_it_is_under_tls(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = connect(server.address);
    client.write_all(TLS).expect("sends");
    expect(&mut client, b"Active.");
}

/// A client in plain text that has asked for TLS.
fn asked_for_tls(server: &Running) -> Client {
    let mut client = Client::connect(server.address);
    client.send(START_TLS);
    client.expect(SET_ANSWER);
    client
}

pub fn tls_may_start_during_a_conversation(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    client.ask();
    client.send(&[TLS, START_TLS].concat());
    client.expect(b"Offered.");
    client.expect(SET_ANSWER);
    let mut client = over(client.0);
    client.write_all(TLS).expect("sends");
    expect(&mut client, b"Active.");
    client.write_all(&BIG.repeat(20)).expect("sends");
    let mut answers = vec![0; 20 * BIG_ANSWER];
    client.read_exact(&mut answers).expect("answers come");
    client.write_all(PUSH).expect("sends");
    expect(&mut client, SET_ANSWER);
    expect(&mut client, PUSHED);
    client.write_all(b"Simple is better than?").expect("sends");
    close(&mut client);
    let mut rest = String::new();
    client.read_to_string(&mut rest).expect("the end is announced");
    assert_eq!(rest, "Complex.");
    drop(client);
    let counters = server.wait_for("closed", |counters| counters.open == 0);
    assert_eq!(counters.closes().collect::<Vec<_>>(), [(CloseReason::Finished, 1)]);
}

pub fn tls_that_starts_waits_for_the_answers_that_are_owed(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    client.send(&[later(100).as_bytes(), START_TLS].concat());
    client.expect(b"100.");
    client.expect(SET_ANSWER);
    ask(&mut over(client.0));
}

pub fn nothing_injected_in_plain_text_is_answered_under_tls(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    // In the same segment, and in one of its own.
    let mut injected = Client::connect(server.address);
    injected.send(&[START_TLS, b"Simple is better than?"].concat());
    assert_eq!(text(&injected.rest()), text(SET_ANSWER));
    drop(injected);
    let mut injected = asked_for_tls(&server);
    injected.send(b"Simple is better than?");
    let rest = injected.rest();
    assert!(matches!(rest[..], [21, 3, ..]), "an alert, and nothing else: {rest:?}");
    drop(injected);
    server.wait_for("refused", |counters| counters.closed(CloseReason::Malformed) == 2);
    ask(&mut over(asked_for_tls(&server).0));
}

pub fn tls_that_starts_has_a_bounded_handshake(start: Start, _at_once: usize) {
    let server = start(options_with(patient().with_question_deadline(Duration::from_millis(300))));
    let mut silent = asked_for_tls(&server);
    assert!(silent.0.read(&mut [0; 64]).is_ok(), "the server closes");
    server.wait_for("closed", |counters| counters.closed(CloseReason::QuestionDeadline) == 1);
    ask(&mut over(asked_for_tls(&server).0));
}

pub fn a_drain_ends_a_handshake_that_a_service_has_started(start: Start, _at_once: usize) {
    let server = start(options_with(patient().with_drain_deadline(Duration::from_secs(600))));
    let mut client = asked_for_tls(&server);
    server.stop.stop();
    let rest = client.rest();
    assert!(!text(&rest).contains(text(STOPPING).as_str()), "no last words in plain text: {rest:?}");
    drop(client);
    let counters = server.join_with_counters().expect("drains");
    assert_eq!(counters.closed(CloseReason::Drained), 1, "{counters:?}");
}
