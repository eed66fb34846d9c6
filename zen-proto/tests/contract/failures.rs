//! A service that fails: earlier answers are sent, and nothing of the failed one is.

use std::time::Instant;

use zen_proto::{Answer, CloseReason, Conversation, DelimiterFraming, Flow, Limits, Service};

use crate::driver::assert_nothing_remains;

/// Panics at `boom?`, in the middle of an answer.
struct Fragile;

impl Service for Fragile {
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) -> Flow {
        answer.put(b"so far ");
        if question == b"boom?" {
            answer.put(&[b'x'; 3000]);
            // Not `panic!`, whose hook would print: this panic is expected.
            std::panic::resume_unwind(Box::new("boom"));
        }
        answer.put(b"so good.");
        Flow::Continue
    }
}

fn conversation(now: Instant) -> Conversation<DelimiterFraming> {
    Conversation::new(DelimiterFraming::new(b'?'), Limits::default(), now)
}

#[test]
fn a_panic_sends_the_answers_before_it_and_no_part_of_its_own() {
    let now = Instant::now();
    let mut conversation = conversation(now);
    conversation.handle_input(b"a?b?boom?c?", now);
    conversation.answer_with(&mut Fragile, now);
    assert_eq!(conversation.transmit(), b"so far so good.so far so good.");
    assert_eq!(conversation.take_tally().questions, 2);
    assert!(!conversation.wants_read() && conversation.closed().is_none());
    conversation.answer_with(&mut Fragile, now);
    conversation.handle_sent(30, now);
    assert!(conversation.poll_shutdown(), "FIN tells the peer that there will be no more");
    assert_eq!(conversation.heap_size(), 0);
    conversation.handle_eof(now);
    assert_eq!(conversation.closed(), Some(CloseReason::ServiceFailed));
    assert_nothing_remains(&mut conversation);
}

#[test]
fn a_panic_at_the_first_question_sends_nothing() {
    let now = Instant::now();
    let mut conversation = conversation(now);
    conversation.handle_input(b"boom?", now);
    conversation.answer_with(&mut Fragile, now);
    assert_eq!(conversation.transmit(), b"");
    assert!(conversation.poll_shutdown());
}

#[test]
fn a_panic_behind_bytes_that_are_half_sent_leaves_them_alone() {
    let now = Instant::now();
    let mut conversation = conversation(now);
    conversation.handle_input(b"a?", now);
    conversation.answer_with(&mut Fragile, now);
    conversation.handle_sent(7, now);
    conversation.handle_input(b"b?boom?", now);
    conversation.answer_with(&mut Fragile, now);
    assert_eq!(conversation.transmit(), b"so good.so far so good.");
}

#[test]
fn a_panic_with_the_peer_gone_closes_at_once() {
    let now = Instant::now();
    let mut conversation = conversation(now);
    conversation.handle_input(b"boom?", now);
    conversation.handle_eof(now);
    conversation.answer_with(&mut Fragile, now);
    assert_eq!(conversation.closed(), Some(CloseReason::ServiceFailed));
}

/// Answers must hold one `.`, at their end.
fn strict(now: Instant) -> Conversation<DelimiterFraming> {
    Conversation::new(DelimiterFraming::new(b'?').send_until(b'.'), Limits::default(), now)
}

#[test]
fn an_answer_that_the_framing_cannot_carry_is_taken_back() {
    let now = Instant::now();
    for (bad, why) in
        [("", "nothing"), ("no end", "no end"), ("two. ends.", "two ends"), ("a.b", "behind the end")]
    {
        let mut conversation = strict(now);
        let mut answers = [bad, "Good."];
        let mut service = |_: &[u8], answer: &mut Answer<'_>| {
            answers.reverse();
            answer.put(answers[0].as_bytes());
        };
        conversation.handle_input(b"a?b?c?", now);
        conversation.answer_with(&mut service, now);
        assert_eq!(conversation.transmit(), b"Good.", "{why}");
        conversation.handle_sent(5, now);
        conversation.handle_eof(now);
        assert_eq!(conversation.closed(), Some(CloseReason::ServiceFailed), "{why}");
    }
}

#[test]
fn a_deferred_answer_that_the_framing_cannot_carry_ends_it_when_its_turn_comes() {
    let now = Instant::now();
    let mut conversation = strict(now);
    conversation.handle_input(b"a?b?c?", now);
    let mut questions: Vec<_> = std::iter::from_fn(|| conversation.poll_question()).collect();
    for answer in ["C.", "no end", "A."] {
        let ticket = questions.pop().unwrap().ticket;
        assert_eq!(conversation.transmit(), b"");
        conversation.answer(ticket, answer.as_bytes(), now).unwrap();
    }
    assert_eq!(conversation.transmit(), b"A.");
    conversation.handle_sent(2, now);
    assert!(conversation.poll_shutdown());
    assert_eq!(conversation.heap_size(), 0);
    conversation.handle_eof(now);
    assert_eq!(conversation.closed(), Some(CloseReason::ServiceFailed));
}
