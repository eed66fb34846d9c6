//! TLS that starts during a conversation: the last word in plain text, and what may follow it.

use std::time::{Duration, Instant};

use zen_proto::aphorism;
use zen_proto::{
    Address, Answer, CloseReason, Conversation, DelimiterFraming, Ending, Flow, Limits, Peer, Pusher,
    Responder, Service, Tls,
};

use crate::cuts::{segments, ways};
use crate::driver::{Inline, Socket, assert_nothing_remains, turn};

/// `S?` starts TLS, `L?` is answered later, `M?` in two pieces of which the last starts TLS, `P?`
/// hands out a pusher. Once TLS has started, it says so.
#[derive(Default)]
struct Starter {
    later: Vec<Responder>,
    pushers: Vec<Pusher>,
    /// Whether it has something to say when TLS has started.
    greets: bool,
    started: u32,
}

impl Service for Starter {
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) -> Flow {
        answer.put(question);
        answer.put(b".");
        match question {
            b"S?" => return Flow::StartTls,
            b"M?" => return Flow::More,
            b"L?" => {
                self.later.push(answer.later());
                return Flow::Later;
            }
            b"P?" => self.pushers.push(answer.pusher()),
            _ => {}
        }
        Flow::Continue
    }

    fn resume(&mut self, answer: &mut Answer<'_>) -> Flow {
        answer.put(b"last.");
        Flow::StartTls
    }

    fn tls_started(&mut self, answer: &mut Answer<'_>) -> Flow {
        self.started += 1;
        answer.put(b"Secret.");
        if self.greets { Flow::Continue } else { Flow::Silent }
    }

    fn last_words(&mut self, _: Ending<'_, std::convert::Infallible>, answer: &mut Answer<'_>) -> Flow {
        answer.put(b"Farewell.");
        Flow::Continue
    }
}

struct Begun {
    conversation: Conversation<DelimiterFraming>,
    service: Inline<Starter>,
    socket: Socket,
    now: Instant,
}

impl Begun {
    fn offering(tls: Tls) -> Self {
        let now = Instant::now();
        let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
        let mut service = Inline(Starter::default());
        let peer = Peer::new(Address::Unknown, Address::Unknown, 1).with_tls(tls);
        conversation.open(&mut service.0, &peer, now);
        Self { conversation, service, socket: Socket::default(), now }
    }

    fn new() -> Self {
        Self::offering(Tls::Offered)
    }

    /// One that waits for its handshake to end.
    fn in_handshake() -> Self {
        let mut begun = Self::new();
        begun.hear(b"S?");
        assert!(begun.conversation.poll_start_tls());
        begun
    }

    fn turn(&mut self) {
        turn(&mut self.conversation, &mut self.service, &mut self.socket, self.now);
    }

    fn hear(&mut self, input: &[u8]) {
        self.conversation.handle_input(input, self.now);
        self.turn();
    }

    fn handshake_ends(&mut self) {
        self.conversation.handle_tls_started(self.now);
        self.turn();
    }

    fn received(&self) -> &str {
        std::str::from_utf8(&self.socket.received).unwrap()
    }

    #[track_caller]
    fn assert_refused(&mut self, received: &str) {
        assert!(!self.conversation.poll_start_tls());
        assert_eq!(self.received(), received);
        assert!(self.socket.fin, "the end is announced");
        self.conversation.handle_eof(self.now);
        assert_eq!(self.conversation.closed(), Some(CloseReason::Malformed));
        assert_nothing_remains(&mut self.conversation);
    }
}

#[test]
fn the_handshake_begins_once_the_answer_is_sent_and_the_conversation_goes_on_behind_it() {
    let mut begun = Begun::new();
    begun.socket.room = 2;
    begun.hear(b"A?S?");
    assert!(!begun.conversation.poll_start_tls(), "{} is not all", begun.received());
    assert!(!begun.conversation.wants_read());
    begun.socket.room = usize::MAX;
    begun.turn();
    assert_eq!(begun.received(), "A?.S?.");
    assert!(begun.conversation.poll_start_tls());
    assert!(!begun.conversation.poll_start_tls(), "it begins once");
    assert!(!begun.conversation.wants_read() && !begun.conversation.wants_answer());
    assert_eq!(begun.conversation.poll_timeout(), None, "the handshake's deadline is the layer's");

    begun.now += Duration::from_secs(3600);
    begun.handshake_ends();
    assert_eq!(begun.service.0.started, 1);
    assert!(begun.conversation.wants_read());
    let idle_since_the_handshake = begun.now + Limits::default().idle_deadline;
    assert_eq!(begun.conversation.poll_timeout(), Some(idle_since_the_handshake));
    begun.hear(b"B?");
    assert_eq!(begun.received(), "A?.S?.B?.");
    begun.handshake_ends();
    assert_eq!(begun.service.0.started, 1, "it is told once");
}

#[test]
fn what_follows_in_plain_text_ends_the_conversation_at_every_cut() {
    let input = b"A?S?B?";
    for cuts in 0..ways(input) {
        let mut begun = Begun::new();
        segments(input, cuts, |segment| begun.hear(segment));
        // The answer to `B?` is the one thing that must never be there.
        begun.assert_refused("A?.S?.");
        assert_eq!(begun.service.0.started, 0);
    }
}

#[test]
fn an_answer_that_comes_later_is_waited_for_in_plain_text() {
    let mut begun = Begun::new();
    begun.hear(b"L?S?");
    assert!(!begun.conversation.poll_start_tls() && !begun.conversation.wants_read());
    begun.service.0.later.remove(0).answer("L!").unwrap();
    begun.turn();
    assert_eq!(begun.received(), "L!S?.");
    assert!(begun.conversation.poll_start_tls());

    let mut begun = Begun::new();
    begun.hear(b"L?S?B?");
    begun.service.0.later.remove(0).answer("L!").unwrap();
    begun.turn();
    begun.assert_refused("L!S?.");

    let mut begun = Begun::new();
    begun.hear(b"L?S?");
    drop(begun.service.0.later.remove(0));
    begun.turn();
    assert_eq!((begun.received(), begun.socket.fin), ("", true), "an answer is missing");
    assert!(!begun.conversation.poll_start_tls());
}

#[test]
fn an_answer_in_pieces_may_start_tls_with_its_last() {
    let mut begun = Begun::new();
    begun.hear(b"M?");
    assert_eq!(begun.received(), "M?.last.");
    assert!(begun.conversation.poll_start_tls());

    let mut begun = Begun::new();
    begun.hear(b"M?B?");
    begun.assert_refused("M?.last.");
}

#[test]
fn pushed_messages_wait_for_tls_behind_what_the_service_says_to_it() {
    let mut begun = Begun::new();
    begun.service.0.greets = true;
    begun.hear(b"P?S?");
    begun.service.0.pushers[0].push("Psst.").unwrap();
    begun.turn();
    assert_eq!(begun.received(), "P?.S?.");
    assert!(begun.conversation.poll_start_tls());
    begun.turn();
    assert_eq!(begun.received(), "P?.S?.");
    begun.handshake_ends();
    assert_eq!(begun.received(), "P?.S?.Secret.Psst.");
}

#[test]
fn tls_that_is_not_offered_or_has_started_cannot_be_started() {
    for tls in [Tls::Unavailable, Tls::Active] {
        let mut begun = Begun::offering(tls);
        begun.hear(b"A?S?");
        assert_eq!((begun.received(), begun.socket.fin), ("A?.", true));
        begun.conversation.handle_eof(begun.now);
        assert_eq!(begun.conversation.closed(), Some(CloseReason::ServiceFailed));
    }
    let mut begun = Begun::in_handshake();
    begun.handshake_ends();
    begun.hear(b"A?S?");
    assert_eq!((begun.received(), begun.socket.fin), ("S?.A?.", true));
    // Behind an answer that is owed, too.
    let mut begun = Begun::offering(Tls::Unavailable);
    begun.hear(b"L?S?");
    begun.service.0.later.remove(0).answer("L!").unwrap();
    begun.turn();
    assert_eq!((begun.received(), begun.socket.fin), ("L!", true));
}

#[test]
fn an_end_before_the_handshake_ends_has_no_words_in_plain_text() {
    type End = fn(&mut Conversation<DelimiterFraming>, Instant);
    let ends: [(End, CloseReason); 4] = [
        (Conversation::drain, CloseReason::Drained),
        (Conversation::handle_eof, CloseReason::Finished),
        (Conversation::handle_truncated, CloseReason::Truncated),
        (|conversation, now| conversation.refuse(CloseReason::Malformed, now), CloseReason::Malformed),
    ];
    for (end, reason) in ends {
        for mut begun in [Begun::in_handshake(), Begun::new()] {
            // In the second, the answer is not sent yet; but a refusal can come only from a layer.
            if begun.received().is_empty() {
                if reason == CloseReason::Malformed {
                    continue;
                }
                begun.hear(b"P?");
                begun.socket.room = 0;
                begun.hear(b"S?");
                begun.service.0.pushers[0].push("Psst.").unwrap();
            }
            end(&mut begun.conversation, begun.now);
            begun.socket.room = usize::MAX;
            begun.turn();
            assert!(begun.received().ends_with("S?."), "{}", begun.received());
            assert!(!begun.conversation.poll_start_tls());
            begun.handshake_ends();
            assert_eq!(begun.service.0.started, 0);
            begun.conversation.handle_eof(begun.now);
            assert_eq!(begun.conversation.closed(), Some(reason));
            assert_nothing_remains(&mut begun.conversation);
        }
    }
}

#[test]
fn a_question_that_was_whole_before_the_end_starts_nothing() {
    let mut begun = Begun::new();
    begun.conversation.handle_input(b"S?", begun.now);
    begun.conversation.drain(begun.now);
    begun.turn();
    assert_eq!((begun.received(), begun.socket.fin), ("S?.", true));
    assert!(!begun.conversation.poll_start_tls());
}

#[test]
fn a_refused_peer_may_read_why() {
    let mut begun = Begun::new();
    let now = begun.now;
    begun.hear(b"L?");
    begun.conversation.refuse(CloseReason::Malformed, now);
    assert_eq!(begun.conversation.transmit(), b"");
    assert!(begun.conversation.poll_shutdown() && begun.conversation.wants_read());
    assert_eq!(begun.conversation.poll_timeout(), Some(now + Limits::default().linger_deadline));
    begun.conversation.handle_input(&vec![0; Limits::default().linger_bytes], now);
    assert_eq!(begun.conversation.closed(), None);
    begun.conversation.handle_input(b"x", now);
    assert_eq!(begun.conversation.closed(), Some(CloseReason::Malformed));
    assert_nothing_remains(&mut begun.conversation);

    let mut begun = Begun::new();
    begun.conversation.handle_eof(now);
    begun.conversation.refuse(CloseReason::Malformed, now);
    assert_eq!(begun.conversation.closed(), Some(CloseReason::Finished), "an end that was reached stays");
}
