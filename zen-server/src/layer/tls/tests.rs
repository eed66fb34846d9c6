//! A session over TLS, byte by byte and with a clock of the test's own.

use std::io::{Read, Write};
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig};
use zen_proto::aphorism::{self, Aphorisms};
use zen_proto::{Address, Answer, DelimiterFraming, Flow, Peer, Service};

use super::*;
use crate::{Options, Session, Setup};

const QUESTION: &[u8] = b"Simple is better than?";

/// A client, and the session that it talks to.
struct Pair<S> {
    client: ClientConnection,
    session: Session<DelimiterFraming>,
    service: S,
    now: Instant,
}

impl<S: Service + Clone> Pair<S> {
    /// TLS from the first byte.
    fn new(service: S, limits: Limits) -> Self {
        Self::over(service, limits, Setup::with_tls)
    }

    /// Plain text until the service starts TLS.
    fn in_plain_text(service: S, limits: Limits) -> Self {
        Self::over(service, limits, Setup::with_start_tls)
    }

    fn over(
        service: S,
        limits: Limits,
        with_layer: fn(Setup<S, DelimiterFraming>, ServerConfig) -> Setup<S, DelimiterFraming>,
    ) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let server = ServerConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key)
            })
            .expect("a configuration");
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).expect("a root");
        let client = ClientConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").expect("a name");
        let client = ClientConnection::new(Arc::new(client), name).expect("a client");
        let options = Options::default().with_limits(limits);
        let setup = Setup::new(service, aphorism::framing(), options, 1).expect("good options");
        let now = Instant::now();
        let setup = with_layer(setup, server);
        let (mut session, mut service) = setup.begin(now).expect("begins");
        let peer = Peer::new(Address::Unknown, Address::Unknown, 1).with_tls(setup.layers.offer());
        session.open(&mut service, &peer, now);
        Self { client, session, service, now }
    }

    /// Carries bytes both ways, one at a time, until there are none.
    fn settle(&mut self) {
        loop {
            self.session.answer_with(&mut self.service, self.now);
            let mut sent = Vec::new();
            while self.client.wants_write() {
                self.client.write_tls(&mut sent).expect("memory");
            }
            for byte in &sent {
                assert!(self.session.wants_read());
                self.session.handle_input(std::slice::from_ref(byte), self.now);
                self.session.answer_with(&mut self.service, self.now);
            }
            let nothing_came = self.session.transmit().is_empty();
            while let Some(byte) = self.session.transmit().first() {
                self.client.read_tls(&mut &[*byte][..]).expect("room");
                self.client.process_new_packets().expect("TLS");
                self.session.handle_sent(1, self.now);
            }
            if sent.is_empty() && nothing_came {
                return;
            }
        }
    }

    fn ask(&mut self, question: &[u8]) {
        self.client.writer().write_all(question).expect("room");
        let mut sent = Vec::new();
        self.client.write_tls(&mut sent).expect("memory");
        self.session.handle_input(&sent, self.now);
        self.session.answer_with(&mut self.service, self.now);
    }

    fn answer(&mut self) -> Vec<u8> {
        let mut answer = Vec::new();
        // It ends with an error because nothing more is there, though the peer has not closed.
        let _ = self.client.reader().read_to_end(&mut answer);
        answer
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.session.handle_timeout(self.now);
        self.session.answer_with(&mut self.service, self.now);
    }
}

#[test]
fn every_byte_may_come_alone() {
    let mut pair = Pair::new(Aphorisms, Limits::default());
    pair.client.writer().write_all(&QUESTION.repeat(3)).expect("room");
    pair.settle();
    assert_eq!(pair.answer(), b"Complex.Complex.Complex.");
    pair.client.send_close_notify();
    pair.settle();
    assert_eq!(pair.session.poll_closed(&mut pair.service), Some(CloseReason::Finished));
    assert!(pair.client.process_new_packets().expect("TLS").peer_has_closed(), "close_notify has come");
}

#[test]
fn a_byte_is_sent_when_the_whole_record_is_written() {
    let mut pair = Pair::new(Aphorisms, Limits::default());
    pair.settle();
    pair.ask(QUESTION);
    let length = pair.session.transmit().len();
    pair.session.take_tally();
    pair.session.handle_sent(length - 1, pair.now);
    assert_eq!(pair.session.take_tally().bytes_out, 0);
    pair.session.handle_sent(1, pair.now);
    assert_eq!(pair.session.take_tally().bytes_out, b"Complex.".len() as u64);

    pair.ask(QUESTION);
    pair.session.handle_sent(length - 1, pair.now);
    let deadline = pair.session.poll_timeout().expect("a deadline");
    // The session reads the clock after it has answered, so this is not the test's moment.
    assert!(deadline >= pair.now + Limits::default().write_deadline);
    pair.pass(deadline - pair.now);
    assert_eq!(pair.session.poll_closed(&mut pair.service), Some(CloseReason::WriteDeadline));
}

#[test]
fn one_record_waits_at_a_time() {
    const ANSWER: usize = 100_000;
    let service = |_: &[u8], answer: &mut Answer<'_>| {
        answer.put(&b"x".repeat(ANSWER - 1));
        answer.put(b".");
    };
    let mut pair = Pair::new(service, Limits::default());
    pair.settle();
    pair.ask(b"Why?");
    let mut written = 0;
    while !pair.session.transmit().is_empty() {
        let length = pair.session.transmit().len();
        assert!(length <= RECORD + 64, "{length}");
        written += length;
        pair.session.handle_sent(length, pair.now);
    }
    assert!(written > ANSWER && written < ANSWER + ANSWER / 100, "{written}");
}

#[test]
fn an_alert_is_followed_by_fin_and_the_peer_has_its_time_to_read_it() {
    let refused = || {
        let mut pair = Pair::new(Aphorisms, Limits::default());
        pair.session.handle_input(QUESTION, pair.now);
        assert!(!pair.session.transmit().is_empty(), "an alert");
        assert_eq!(pair.session.poll_closed(&mut pair.service), None);
        pair
    };
    let read = || {
        let mut pair = refused();
        assert!(!pair.session.poll_shutdown(), "FIN waits for the alert");
        pair.session.handle_sent(pair.session.transmit().len(), pair.now);
        assert!(pair.session.poll_shutdown());
        assert!(pair.session.wants_read(), "what is left unread would make the system reset");
        assert_eq!(pair.session.poll_closed(&mut pair.service), None);
        let deadline = pair.now + Limits::default().linger_deadline;
        assert_eq!(pair.session.poll_timeout(), Some(deadline));
        pair
    };
    let mut pair = read();
    pair.session.handle_input(&QUESTION.repeat(100), pair.now);
    assert_eq!(pair.session.transmit(), b"");
    pair.session.handle_eof(pair.now);
    assert_eq!(pair.session.poll_closed(&mut pair.service), Some(CloseReason::Malformed));

    let mut pair = read();
    pair.pass(Limits::default().linger_deadline);
    assert_eq!(pair.session.poll_closed(&mut pair.service), Some(CloseReason::Malformed));

    let mut pair = read();
    pair.session.handle_input(&vec![0; Limits::default().linger_bytes + 1], pair.now);
    assert_eq!(pair.session.poll_closed(&mut pair.service), Some(CloseReason::Malformed));

    // A peer that does not even read the alert.
    let mut pair = refused();
    for _ in 0..2 {
        pair.pass(Limits::default().linger_deadline);
    }
    assert_eq!(pair.session.poll_closed(&mut pair.service), Some(CloseReason::Malformed));

    // One that says at once that it will send no more.
    let mut pair = refused();
    pair.session.handle_eof(pair.now);
    assert_eq!(pair.session.poll_closed(&mut pair.service), None, "the alert is still sent");
    pair.session.handle_sent(pair.session.transmit().len(), pair.now);
    assert_eq!(pair.session.poll_closed(&mut pair.service), Some(CloseReason::Malformed));

    let mut pair = refused();
    pair.session.handle_lost(pair.now);
    assert_eq!(pair.session.poll_closed(&mut pair.service), Some(CloseReason::Malformed));
}

#[test]
fn a_handshake_has_the_time_of_a_question() {
    let mut pair = Pair::new(Aphorisms, Limits::default());
    let deadline = pair.now + Limits::default().question_deadline;
    assert_eq!(pair.session.poll_timeout(), Some(deadline));
    pair.pass(Limits::default().question_deadline);
    pair.session.handle_sent(pair.session.transmit().len(), pair.now);
    assert_eq!(pair.session.poll_closed(&mut pair.service), Some(CloseReason::QuestionDeadline));

    let mut pair = Pair::new(Aphorisms, Limits::default());
    pair.settle();
    pair.pass(Limits::default().question_deadline);
    assert_eq!(pair.session.poll_closed(&mut pair.service), None, "the handshake was in time");
}

/// `Start?` starts TLS; anything else is answered by whether that has happened.
fn starter(question: &[u8], answer: &mut Answer<'_>) -> Flow {
    if question == b"Start?" {
        answer.put(b"Ready.");
        return Flow::StartTls;
    }
    answer.put(b"Yes.");
    Flow::Continue
}

impl<S: Service + Clone> Pair<S> {
    /// Says something in plain text, and returns what is answered in plain text.
    fn say(&mut self, text: &[u8]) -> Vec<u8> {
        self.session.handle_input(text, self.now);
        self.session.answer_with(&mut self.service, self.now);
        let answer = self.session.transmit().to_vec();
        self.session.handle_sent(answer.len(), self.now);
        answer
    }
}

#[test]
fn tls_starts_when_the_last_byte_of_plain_text_is_written() {
    let mut pair = Pair::in_plain_text(starter, Limits::default());
    assert_eq!(pair.say(b"Why?"), b"Yes.");
    pair.session.handle_input(b"Start?", pair.now);
    pair.session.answer_with(&mut pair.service, pair.now);
    assert_eq!(pair.session.transmit(), b"Ready.");
    assert!(!pair.session.wants_read());
    pair.session.handle_sent(5, pair.now);
    assert!(!pair.session.wants_read(), "a byte is left");
    pair.session.handle_sent(1, pair.now);
    assert!(pair.session.wants_read(), "for the handshake");
    pair.client.writer().write_all(b"Why?").expect("room");
    pair.settle();
    assert_eq!(pair.answer(), b"Yes.");
    pair.client.send_close_notify();
    pair.settle();
    assert_eq!(pair.session.poll_closed(&mut pair.service), Some(CloseReason::Finished));
    assert!(pair.client.process_new_packets().expect("TLS").peer_has_closed(), "close_notify has come");
}

#[test]
fn what_is_injected_in_plain_text_is_never_answered_under_tls() {
    // In the same segment as the question: the conversation ends in plain text.
    let mut pair = Pair::in_plain_text(starter, Limits::default());
    assert_eq!(pair.say(b"Start?Why?"), b"Ready.");
    assert!(pair.session.poll_shutdown());
    pair.session.handle_eof(pair.now);
    assert_eq!(pair.session.poll_closed(&mut pair.service), Some(CloseReason::Malformed));
    // In a later one: it is no handshake.
    let mut pair = Pair::in_plain_text(starter, Limits::default());
    assert_eq!(pair.say(b"Start?"), b"Ready.");
    let alert = pair.say(b"Why?");
    assert!(matches!(alert[..], [21, 3, ..]), "{alert:?}");
    assert!(pair.session.poll_shutdown());
    pair.session.handle_eof(pair.now);
    assert_eq!(pair.session.poll_closed(&mut pair.service), Some(CloseReason::Malformed));
}

#[test]
fn a_handshake_that_the_service_starts_has_the_time_of_a_question() {
    let mut pair = Pair::in_plain_text(starter, Limits::default());
    pair.pass(Limits::default().idle_deadline / 2);
    assert_eq!(pair.say(b"Start?"), b"Ready.");
    let deadline = pair.now + Limits::default().question_deadline;
    assert_eq!(pair.session.poll_timeout(), Some(deadline));
    pair.pass(Limits::default().question_deadline);
    pair.session.handle_sent(pair.session.transmit().len(), pair.now);
    assert_eq!(pair.session.poll_closed(&mut pair.service), Some(CloseReason::QuestionDeadline));
}

#[test]
fn text_in_the_same_segment_as_the_end_of_the_handshake_is_not_lost() {
    let mut pair = Pair::in_plain_text(starter, Limits::default());
    assert_eq!(pair.say(b"Start?"), b"Ready.");
    pair.client.writer().write_all(QUESTION).expect("room");
    while pair.answer().is_empty() {
        let mut sent = Vec::new();
        while pair.client.wants_write() {
            pair.client.write_tls(&mut sent).expect("memory");
        }
        let received = pair.say(&sent);
        assert!(!(sent.is_empty() && received.is_empty()), "nobody has anything to say");
        pair.client.read_tls(&mut &received[..]).expect("room");
        pair.client.process_new_packets().expect("TLS");
    }
}
