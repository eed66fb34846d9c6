//! The opening: a service learns who the peer is, and greets it, refuses it, or says nothing.

use std::time::Instant;

use zen_proto::{
    Address, Answer, CloseReason, Conversation, DelimiterFraming, Flow, Limits, Peer, Responder, Service,
};

use crate::driver::{Inline, Socket, turn};
use crate::framings::Lengths;
use crate::script::little_room;

/// Greets as `flow` says; answers `a?` with `A.`
struct Greeter {
    flow: Flow,
    pieces: u8,
    later: Option<Responder>,
    peers: Vec<Peer>,
}

impl Greeter {
    fn new(flow: Flow) -> Self {
        Self { flow, pieces: 3, later: None, peers: Vec::new() }
    }
}

impl Service for Greeter {
    fn open(&mut self, peer: &Peer, answer: &mut Answer<'_>) -> Flow {
        self.peers.push(peer.clone());
        answer.put(b"hello.");
        if self.flow == Flow::Later {
            self.later = Some(answer.later());
        }
        self.flow
    }

    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) -> Flow {
        answer.put(&question.to_ascii_uppercase());
        Flow::Continue
    }

    fn resume(&mut self, answer: &mut Answer<'_>) -> Flow {
        self.pieces -= 1;
        answer.put(b" and hello.");
        if self.pieces == 0 { Flow::Continue } else { Flow::More }
    }
}

/// Opens a conversation, takes a turn, and then one with two questions.
fn greet(flow: Flow, limits: Limits) -> (Conversation<DelimiterFraming>, Inline<Greeter>, Socket) {
    let now = Instant::now();
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), limits, now);
    let (mut application, mut socket) = (Inline(Greeter::new(flow)), Socket::default());
    conversation.open(&mut application.0, &Peer::default(), now);
    turn(&mut conversation, &mut application, &mut socket, now);
    conversation.handle_input(b"a?b?", now);
    turn(&mut conversation, &mut application, &mut socket, now);
    (conversation, application, socket)
}

#[test]
fn each_flow_of_a_greeting() {
    for limits in [Limits::default(), little_room()] {
        for (flow, output) in [
            (Flow::Continue, "hello.A?B?"),
            (Flow::Silent, "A?B?"),
            (Flow::More, "hello. and hello. and hello. and hello.A?B?"),
            (Flow::Later, ""),
            (Flow::Close, "hello."),
        ] {
            let (mut conversation, _, socket) = greet(flow, limits.clone());
            assert_eq!(socket.received.escape_ascii().to_string(), output, "{flow:?}");
            assert_eq!(socket.fin, flow == Flow::Close, "{flow:?}");
            conversation.handle_eof(Instant::now());
            let reason = match flow {
                Flow::Close => Some(CloseReason::ServiceClosed),
                Flow::Later => None,
                _ => Some(CloseReason::Finished),
            };
            assert_eq!(conversation.closed(), reason, "{flow:?}");
        }
    }
}

#[test]
fn a_greeting_that_comes_later_is_first_all_the_same() {
    let now = Instant::now();
    let (mut conversation, mut application, mut socket) = greet(Flow::Later, Limits::default());
    assert_eq!(socket.received, b"");
    application.0.later.take().unwrap().answer("at last.").unwrap();
    turn(&mut conversation, &mut application, &mut socket, now);
    assert_eq!(socket.received, b"at last.A?B?");
}

#[test]
fn a_greeting_that_comes_later_is_owed_within_the_answer_deadline() {
    let now = Instant::now();
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), Limits::default(), now);
    let mut service = Greeter::new(Flow::Later);
    conversation.open(&mut service, &Peer::default(), now);
    assert_eq!(conversation.poll_timeout(), Some(now + Limits::default().answer_deadline));
}

#[test]
fn by_default_nothing_is_said() {
    let now = Instant::now();
    let mut conversation = Conversation::new(Lengths, Limits::default(), now);
    conversation.open(&mut crate::driver::echo::<Lengths>, &Peer::default(), now);
    assert_eq!(conversation.transmit(), b"", "not an empty message either");
    assert!(conversation.wants_read());
    assert_eq!(conversation.poll_timeout(), Some(now + Limits::default().idle_deadline));
}

#[test]
fn the_service_is_told_who_the_peer_is_once() {
    let now = Instant::now();
    let remote = Address::Ip("192.0.2.7:4000".parse().unwrap());
    let local = Address::Unix(Some("/run/zen".into()));
    let peer = Peer::new(remote, local, 17);
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), Limits::default(), now);
    let mut service = Greeter::new(Flow::Continue);
    conversation.open(&mut service, &peer, now);
    conversation.open(&mut service, &peer, now);
    assert_eq!(service.peers, [peer]);
    assert_eq!(conversation.transmit(), b"hello.");
    assert_eq!(service.peers[0].remote.to_string(), "192.0.2.7:4000");
    assert_eq!(service.peers[0].local.to_string(), "unix:/run/zen");
}

#[test]
fn nobody_is_greeted_who_is_gone() {
    let now = Instant::now();
    let mut service = Greeter::new(Flow::Continue);
    for end in [Conversation::<DelimiterFraming>::handle_lost, Conversation::handle_eof, Conversation::drain]
    {
        let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), Limits::default(), now);
        end(&mut conversation, now);
        conversation.open(&mut service, &Peer::default(), now);
        assert_eq!((conversation.transmit(), conversation.heap_size()), (&b""[..], 0));
    }
    assert_eq!(service.peers, []);
}

#[test]
fn a_conversation_without_an_opening_has_no_greeting() {
    let now = Instant::now();
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), Limits::default(), now);
    conversation.handle_input(b"a?", now);
    conversation.answer_with(&mut Greeter::new(Flow::Continue), now);
    assert_eq!(conversation.transmit(), b"A?");
}
