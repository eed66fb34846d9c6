//! Responders: from any thread, in any order, dropped, late, and longer than their conversation.

use std::thread;
use std::time::Instant;

use zen_proto::{
    Answer, CloseReason, Conversation, ConversationClosed, DelimiterFraming, Flow, Limits, Responder,
};

use crate::driver::assert_nothing_remains;
use crate::framings::Lengths;

/// A conversation in which these questions wait for their answers.
fn asked(questions: &[u8]) -> (Conversation<DelimiterFraming>, Vec<Responder>) {
    let now = Instant::now();
    let mut responders = Vec::new();
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), Limits::default(), now);
    conversation.handle_input(questions, now);
    conversation.answer_with(
        &mut |_: &[u8], answer: &mut Answer<'_>| {
            responders.push(answer.later());
            Flow::Later
        },
        now,
    );
    (conversation, responders)
}

fn turn(conversation: &mut Conversation<DelimiterFraming>) {
    let mut service = |_: &[u8], answer: &mut Answer<'_>| answer.put(b"at once.");
    conversation.answer_with(&mut service, Instant::now());
}

#[test]
fn any_thread_may_answer_and_the_answers_leave_in_question_order() {
    let (mut conversation, responders) = asked(&b"?".repeat(20));
    thread::scope(|scope| {
        for (number, responder) in (0..20).zip(responders) {
            scope.spawn(move || responder.answer(format!("{number}.")).unwrap());
        }
    });
    turn(&mut conversation);
    let expected = "0.1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.";
    assert_eq!(conversation.transmit(), expected.as_bytes());
    assert!(!conversation.expects_wake());
}

#[test]
fn an_answer_is_framed() {
    let now = Instant::now();
    let mut responder = None;
    let mut conversation = Conversation::new(Lengths, Limits::default(), now);
    conversation.handle_input(b"\0\0", now);
    let mut service = |_: &[u8], answer: &mut Answer<'_, Lengths>| {
        answer.put(b"taken back");
        responder = Some(answer.later());
        Flow::Later
    };
    conversation.answer_with(&mut service, now);
    assert_eq!(conversation.transmit(), b"");
    responder.unwrap().answer(&b"later"[..]).unwrap();
    conversation.answer_with(&mut crate::driver::echo::<Lengths>, now);
    assert_eq!(conversation.transmit(), b"\0\x05later");
}

#[test]
fn one_that_the_framing_cannot_write_ends_the_conversation() {
    let now = Instant::now();
    let mut responder = None;
    let framing = DelimiterFraming::new(b'?').send_until(b'.');
    let mut conversation = Conversation::new(framing, Limits::default(), now);
    conversation.handle_input(b"?", now);
    let mut service = |_: &[u8], answer: &mut Answer<'_>| {
        responder = Some(answer.later());
        Flow::Later
    };
    conversation.answer_with(&mut service, now);
    responder.unwrap().answer("no end").unwrap();
    turn(&mut conversation);
    conversation.handle_eof(now);
    assert_eq!(conversation.closed(), Some(CloseReason::ServiceFailed));
}

#[test]
fn a_dropped_one_ends_the_conversation_behind_the_answers_before_it() {
    let now = Instant::now();
    let (mut conversation, responders) = asked(b"a?b?c?");
    let [a, b, c] = <[Responder; 3]>::try_from(responders).unwrap();
    c.answer("C.").unwrap();
    drop(b);
    turn(&mut conversation);
    assert_eq!(conversation.transmit(), b"");
    assert!(!conversation.wants_read() && conversation.closed().is_none(), "a is still owed");
    a.answer("A.").unwrap();
    turn(&mut conversation);
    assert_eq!(conversation.transmit(), b"A.");
    conversation.handle_sent(2, now);
    assert!(conversation.poll_shutdown());
    conversation.handle_eof(now);
    assert_eq!(conversation.closed(), Some(CloseReason::ServiceFailed));
}

#[test]
fn a_thread_that_panics_gives_its_question_up() {
    let (mut conversation, responders) = asked(b"a?");
    let thread = thread::spawn(move || {
        let _kept = responders;
        std::panic::resume_unwind(Box::new("expected"));
    });
    assert!(thread.join().is_err());
    turn(&mut conversation);
    conversation.handle_eof(Instant::now());
    assert_eq!(conversation.closed(), Some(CloseReason::ServiceFailed));
}

#[test]
fn one_that_outlives_its_conversation_is_told() {
    type End = fn(Conversation<DelimiterFraming>) -> Option<Conversation<DelimiterFraming>>;
    let ends: [End; 2] = [
        |mut conversation| {
            conversation.handle_lost(Instant::now());
            Some(conversation)
        },
        |conversation| {
            drop(conversation);
            None
        },
    ];
    for end in ends {
        let (conversation, responders) = asked(b"a?b?c?d?");
        let [a, b, c, d] = <[Responder; 4]>::try_from(responders).unwrap();
        let conversation = end(conversation);
        assert_eq!(a.answer("A."), Err(ConversationClosed));
        assert_eq!(b.answer_and_close("B."), Err(ConversationClosed));
        assert_eq!(c.stay_silent(), Err(ConversationClosed));
        drop(d);
        if let Some(mut conversation) = conversation {
            turn(&mut conversation);
            assert_eq!(conversation.closed(), Some(CloseReason::ConnectionLost));
            assert!(!conversation.expects_wake());
            assert_nothing_remains(&mut conversation);
        }
    }
}

#[test]
fn a_drain_waits_for_what_is_owed() {
    let now = Instant::now();
    let (mut conversation, responders) = asked(b"a?b");
    conversation.drain(now);
    turn(&mut conversation);
    assert!(!conversation.poll_shutdown());
    for responder in responders {
        responder.answer("A.").unwrap();
    }
    turn(&mut conversation);
    assert_eq!(conversation.transmit(), b"A.");
    conversation.handle_sent(2, now);
    assert!(conversation.poll_shutdown());
    conversation.handle_eof(now);
    assert_eq!(conversation.closed(), Some(CloseReason::Drained));
}

#[test]
fn the_answer_deadline_is_that_of_the_oldest_question() {
    let start = Instant::now();
    let at = |seconds| start + std::time::Duration::from_secs(seconds);
    let mut responders = Vec::new();
    let mut service = |_: &[u8], answer: &mut Answer<'_>| {
        responders.push(answer.later());
        Flow::Later
    };
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), Limits::default(), start);
    for second in [1, 2] {
        conversation.handle_input(b"?", at(second));
        conversation.answer_with(&mut service, at(second));
    }
    assert_eq!(conversation.poll_timeout(), Some(at(31)));
    responders.remove(0).answer("A.").unwrap();
    conversation.answer_with(&mut |_: &[u8], _: &mut Answer<'_>| {}, at(3));
    conversation.handle_sent(2, at(3));
    assert_eq!(conversation.poll_timeout(), Some(at(32)));
}

#[test]
fn an_answer_that_has_come_is_not_late_though_the_driver_is() {
    let (mut conversation, mut responders) = asked(b"a?");
    responders.remove(0).answer("A.").unwrap();
    let late = Instant::now() + Limits::default().answer_deadline * 2;
    conversation.handle_timeout(late);
    assert_eq!((conversation.transmit(), conversation.closed()), (&b"A."[..], None));
}

#[test]
fn no_more_wait_than_the_window_holds() {
    let now = Instant::now();
    let mut responders = Vec::new();
    let mut service = |_: &[u8], answer: &mut Answer<'_>| {
        responders.push(answer.later());
        Flow::Later
    };
    let limits = Limits::default().with_questions_in_flight(3);
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), limits, now);
    conversation.handle_input(b"?????", now);
    conversation.answer_with(&mut service, now);
    assert!(!conversation.wants_read() && !conversation.wants_answer());
    assert_eq!(responders.len(), 3);
}

#[test]
fn an_answer_of_which_little_is_used_counts_in_the_bound() {
    let (mut conversation, responders) = asked(b"a?b?");
    let [_a, b] = <[Responder; 2]>::try_from(responders).unwrap();
    let mut roomy = Vec::with_capacity(1 << 20);
    roomy.extend(b"B.");
    b.answer(roomy).unwrap();
    assert!(conversation.heap_size() < 4096, "{}", conversation.heap_size());
    turn(&mut conversation);
    assert!(conversation.heap_size() < 4096, "{}", conversation.heap_size());
}
