//! Pushed messages: bounded, in order, between answers and never inside one; and what becomes of
//! them at the end.

use std::time::Instant;

use zen_proto::{
    Answer, CloseReason, Conversation, DelimiterFraming, Flow, Limits, PushError, Pusher, Service,
};

use crate::driver::{Inline, Socket, turn};
use crate::framings::Lengths;

/// What a pushed message counts besides its text.
const COST: usize = 48;

/// Gives a pusher away at `p?`; answers `m?` in pieces; `l?` is never answered; `q?` closes.
#[derive(Default)]
struct Subscribed {
    pushers: Vec<Pusher>,
    pieces: usize,
}

impl Service for Subscribed {
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) -> Flow {
        match question {
            b"p?" => {
                self.pushers.push(answer.pusher());
                return Flow::Silent;
            }
            b"l?" => {
                std::mem::forget(answer.later());
                return Flow::Later;
            }
            b"m?" => {
                self.pieces = 2;
                answer.put(b"(");
                return Flow::More;
            }
            _ => answer.put(question),
        }
        if question == b"q?" { Flow::Close } else { Flow::Continue }
    }

    fn resume(&mut self, answer: &mut Answer<'_>) -> Flow {
        self.pieces -= 1;
        answer.put(if self.pieces == 0 { b")" } else { b"-" });
        if self.pieces == 0 { Flow::Continue } else { Flow::More }
    }
}

struct Scene {
    conversation: Conversation<DelimiterFraming>,
    application: Inline<Subscribed>,
    socket: Socket,
    now: Instant,
    pusher: Pusher,
}

impl Scene {
    fn new(limits: Limits) -> Self {
        let now = Instant::now();
        let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), limits, now);
        let mut application = Inline(Subscribed::default());
        conversation.handle_input(b"p?", now);
        conversation.answer_with(&mut application.0, now);
        let pusher = application.0.pushers[0].clone();
        Self { conversation, application, socket: Socket::default(), now, pusher }
    }

    fn hears(&mut self, text: &str) {
        self.conversation.handle_input(text.as_bytes(), self.now);
    }

    fn turn(&mut self) {
        turn(&mut self.conversation, &mut self.application, &mut self.socket, self.now);
    }

    #[track_caller]
    fn received(&self, expected: &str) {
        assert_eq!(self.socket.received.escape_ascii().to_string(), expected);
    }
}

#[test]
fn messages_keep_their_order_among_clones() {
    let mut scene = Scene::new(Limits::default());
    let other = scene.pusher.clone();
    for number in 0..10 {
        let pusher = if number % 2 == 0 { &scene.pusher } else { &other };
        pusher.push(format!("{number} ")).unwrap();
    }
    scene.turn();
    scene.received("0 1 2 3 4 5 6 7 8 9 ");
    assert!(scene.conversation.wants_read());
}

#[test]
fn each_is_framed() {
    let now = Instant::now();
    let mut pusher = None;
    let mut conversation = Conversation::new(Lengths, Limits::default(), now);
    let mut service = |question: &[u8], answer: &mut Answer<'_, Lengths>| {
        pusher = Some(answer.pusher());
        answer.put(question);
    };
    conversation.handle_input(b"\0\x01a", now);
    conversation.answer_with(&mut service, now);
    let pusher = pusher.unwrap();
    pusher.push("news").unwrap();
    pusher.push("").unwrap();
    conversation.answer_with(&mut crate::driver::echo::<Lengths>, now);
    assert_eq!(conversation.transmit(), b"\0\x01a\0\x04news\0\0");
}

#[test]
fn one_that_the_framing_cannot_write_ends_the_conversation() {
    let now = Instant::now();
    let mut pusher = None;
    let framing = DelimiterFraming::new(b'?').send_until(b'.');
    let mut conversation = Conversation::new(framing, Limits::default(), now);
    let mut service = |_: &[u8], answer: &mut Answer<'_>| {
        pusher = Some(answer.pusher());
        answer.put(b"A.");
    };
    conversation.handle_input(b"?", now);
    conversation.answer_with(&mut service, now);
    let pusher = pusher.unwrap();
    for text in ["good.", "no end", "good again."] {
        pusher.push(text).unwrap();
    }
    conversation.answer_with(&mut |_: &[u8], _: &mut Answer<'_>| {}, now);
    assert_eq!(conversation.transmit(), b"A.good.");
    conversation.handle_sent(7, now);
    conversation.handle_eof(now);
    assert_eq!(conversation.closed(), Some(CloseReason::ServiceFailed));
}

#[test]
fn more_than_the_limit_is_full_and_taking_some_makes_room() {
    let limits = Limits::default().with_pushed_bytes(3 * (COST + 10));
    let mut scene = Scene::new(limits);
    scene.socket.room = 0;
    for _ in 0..3 {
        scene.pusher.push([b'x'; 10]).unwrap();
    }
    let full = PushError::Full { waiting: 3 * (COST + 10), limit: 3 * (COST + 10) };
    assert_eq!(scene.pusher.push([]), Err(full));
    assert_eq!(full.to_string(), "174 pushed bytes wait already, and the limit is 174");
    scene.turn();
    scene.pusher.push([b'y'; 10]).unwrap();
    scene.socket.room = 100;
    scene.turn();
    scene.received(&("x".repeat(30) + &"y".repeat(10)));
}

#[test]
fn a_message_longer_than_the_limit_is_never_taken() {
    let scene = Scene::new(Limits::default().with_pushed_bytes(100));
    assert_eq!(scene.pusher.push([0; 53]), Err(PushError::Full { waiting: 0, limit: 100 }));
    assert_eq!(scene.pusher.push([0; 52]), Ok(()));
}

#[test]
fn a_peer_that_does_not_read_holds_them_back_at_the_high_water() {
    let limits = Limits::default().with_outbound_high_water(20).with_outbound_low_water(5);
    let mut scene = Scene::new(limits);
    scene.socket.room = 0;
    for _ in 0..10 {
        scene.pusher.push([b'x'; 10]).unwrap();
    }
    scene.turn();
    assert_eq!(scene.conversation.transmit().len(), 20);
    assert!(!scene.conversation.wants_read() && !scene.conversation.wants_answer());
    scene.socket.room = 15;
    scene.turn();
    assert_eq!(scene.conversation.transmit().len(), 25, "5 and two more");
    scene.socket.room = 1000;
    scene.turn();
    scene.received(&"x".repeat(100));
}

#[test]
fn while_an_answer_is_owed_they_are_sent() {
    let mut scene = Scene::new(Limits::default());
    scene.hears("l?a?");
    scene.turn();
    scene.pusher.push("news ").unwrap();
    scene.turn();
    scene.received("news ");
}

#[test]
fn they_are_not_sent_inside_an_answer_in_pieces() {
    let mut scene = Scene::new(crate::script::little_room());
    scene.socket.room = 0;
    scene.hears("m?a?");
    scene.turn();
    scene.pusher.push("news ").unwrap();
    for _ in 0..8 {
        scene.socket.room = 1;
        scene.turn();
    }
    scene.socket.room = 100;
    scene.turn();
    scene.received("(-)news a?");
}

#[test]
fn a_conversation_that_has_closed_or_is_gone_takes_none() {
    let mut scene = Scene::new(Limits::default());
    scene.pusher.push("waits").unwrap();
    assert!(!scene.pusher.is_closed());
    scene.conversation.handle_lost(scene.now);
    assert_eq!(scene.pusher.push("late"), Err(PushError::Closed));
    assert!(scene.pusher.is_closed());
    assert_eq!(scene.conversation.heap_size(), 0);
    let other = Scene::new(Limits::default());
    drop(other.conversation);
    assert_eq!(other.pusher.push("late"), Err(PushError::Closed));
}

#[test]
fn what_was_pushed_before_a_drain_or_a_half_close_is_sent_and_nothing_after_it() {
    for (end, reason) in [
        (Conversation::<DelimiterFraming>::drain as fn(&mut _, _), CloseReason::Drained),
        (Conversation::handle_eof, CloseReason::Finished),
    ] {
        let mut scene = Scene::new(Limits::default().with_outbound_high_water(4).with_outbound_low_water(0));
        scene.socket.room = 0;
        scene.hears("a?b?c");
        scene.pusher.push("one ").unwrap();
        scene.pusher.push("two ").unwrap();
        scene.turn();
        end(&mut scene.conversation, scene.now);
        scene.turn();
        scene.socket.room = 4;
        scene.turn();
        scene.socket.room = 100;
        scene.turn();
        let mut texts = scene.socket.received.clone();
        texts.sort_unstable();
        let mut expected = b"one two a?b?".to_vec();
        expected.sort_unstable();
        assert_eq!(texts, expected, "{}", scene.socket.received.escape_ascii());
        assert_eq!(scene.pusher.push("late"), Err(PushError::Closed));
        scene.conversation.handle_eof(scene.now);
        let truncated = reason == CloseReason::Finished;
        let reason = if truncated { CloseReason::Truncated } else { reason };
        assert_eq!(scene.conversation.closed(), Some(reason));
    }
}

#[test]
fn an_idle_subscriber_is_sent_what_waits_when_it_is_drained() {
    let mut scene = Scene::new(Limits::default());
    scene.pusher.push("news ").unwrap();
    scene.conversation.drain(scene.now);
    assert!(scene.conversation.wants_answer(), "the message is still to be sent");
    scene.turn();
    scene.received("news ");
    assert!(scene.socket.fin);
}

#[test]
fn behind_the_answer_that_closes_nothing_is_sent() {
    let mut scene = Scene::new(Limits::default());
    scene.hears("q?");
    scene.conversation.answer_with(&mut scene.application.0, scene.now);
    assert_eq!(scene.pusher.push("late"), Err(PushError::Closed));
    scene.turn();
    scene.received("q?");
    assert!(scene.socket.fin);
}

#[test]
fn a_pusher_that_is_made_at_the_end_is_closed() {
    struct Late(Option<Pusher>);
    impl Service for Late {
        fn answer(&mut self, _: &[u8], answer: &mut Answer<'_>) -> Flow {
            answer.put(b"x");
            if self.0.is_none() { Flow::More } else { Flow::Continue }
        }

        fn resume(&mut self, answer: &mut Answer<'_>) -> Flow {
            answer.put(b"y");
            self.0 = Some(answer.pusher());
            Flow::Continue
        }
    }
    let now = Instant::now();
    let limits = crate::script::little_room();
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), limits, now);
    let mut service = Late(None);
    conversation.handle_input(b"?", now);
    conversation.answer_with(&mut service, now);
    conversation.drain(now);
    conversation.handle_sent(1, now);
    conversation.answer_with(&mut service, now);
    assert_eq!(service.0.unwrap().push("late"), Err(PushError::Closed));
}

#[test]
fn messages_of_which_little_is_used_count_in_the_bound() {
    let scene = Scene::new(Limits::default());
    for _ in 0..100 {
        let mut roomy = Vec::with_capacity(1 << 20);
        roomy.extend(b"x");
        scene.pusher.push(roomy).unwrap();
    }
    let bound = Limits::default().memory_bound(&DelimiterFraming::new(b'?'), 2, 2);
    assert!(scene.conversation.heap_size() >= 100 * (COST + 1), "they are counted");
    assert!(scene.conversation.heap_size() <= bound);
}

#[test]
fn a_pusher_can_end_the_conversation_behind_what_was_pushed() {
    for last in [None, Some("out!")] {
        let mut scene = Scene::new(Limits::default().with_outbound_high_water(4).with_outbound_low_water(0));
        scene.socket.room = 0;
        scene.hears("a?l?b?");
        scene.turn();
        scene.pusher.push("one ").unwrap();
        scene.pusher.push("two ").unwrap();
        match last {
            Some(last) => scene.pusher.push_and_close(last).unwrap(),
            None => scene.pusher.close(),
        }
        assert!(scene.pusher.is_closed());
        assert_eq!(scene.pusher.push("late"), Err(PushError::Closed));
        assert_eq!(scene.pusher.push_and_close("late"), Err(PushError::Closed));
        // Nothing is lost to a peer that reads slowly, and nothing comes behind.
        for _ in 0..20 {
            scene.hears("c?");
            scene.socket.room = 1;
            scene.turn();
            assert_eq!(scene.conversation.closed(), None);
        }
        scene.received(&format!("a?one two {}", last.unwrap_or_default()));
        assert!(scene.socket.fin, "the answer that was owed is given up");
        scene.conversation.handle_eof(scene.now);
        assert_eq!(scene.conversation.closed(), Some(CloseReason::ServiceClosed));
        scene.pusher.close();
        assert!(!scene.conversation.wants_answer());
    }
}

#[test]
fn a_message_that_does_not_fit_ends_nothing() {
    let mut scene = Scene::new(Limits::default().with_pushed_bytes(100));
    assert!(matches!(scene.pusher.push_and_close([0; 53]), Err(PushError::Full { .. })));
    scene.hears("a?");
    scene.turn();
    scene.received("a?");
    scene.pusher.close();
    scene.turn();
    assert!(scene.socket.fin);
}

#[test]
fn an_answer_in_pieces_is_whole_before_the_end() {
    let mut scene = Scene::new(crate::script::little_room());
    scene.socket.room = 0;
    scene.hears("m?a?");
    scene.turn();
    scene.pusher.push_and_close("out").unwrap();
    for _ in 0..8 {
        scene.socket.room = 1;
        scene.turn();
    }
    scene.received("(-)out");
    assert!(scene.socket.fin);
}

#[test]
fn the_end_wakes_the_driver() {
    let mut scene = Scene::new(Limits::default());
    let wakes = crate::wakes::Counter::new();
    assert!(!scene.conversation.register_waker(&wakes.clone().into()));
    scene.pusher.close();
    assert_eq!(wakes.take(), 1);
    assert!(scene.conversation.register_waker(&wakes.into()), "something has come before the wait");
}

#[test]
fn an_end_that_comes_while_the_conversation_ends_does_no_harm() {
    // Half-closed, with an answer owed: the answer is given up.
    let mut scene = Scene::new(Limits::default());
    scene.hears("l?");
    scene.turn();
    scene.conversation.handle_eof(scene.now);
    scene.pusher.close();
    scene.turn();
    assert_eq!(scene.conversation.closed(), Some(CloseReason::ServiceClosed));
    // In the lingering close, which has its reason already.
    let mut scene = Scene::new(Limits::default());
    scene.conversation.drain(scene.now);
    scene.turn();
    assert!(scene.socket.fin);
    scene.pusher.close();
    scene.turn();
    scene.conversation.handle_eof(scene.now);
    assert_eq!(scene.conversation.closed(), Some(CloseReason::Drained));
    scene.pusher.close();
}
