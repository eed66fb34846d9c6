//! Tickets: in any order, dropped, swapped, late and given up.

use std::time::Instant;

use zen_proto::{CloseReason, Conversation, DelimiterFraming, ForeignTicket, Limits, Question, aphorism};

use crate::driver::assert_nothing_remains;

fn asked(text: &str, now: Instant) -> (Conversation<DelimiterFraming>, Vec<Question>) {
    let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    conversation.handle_input(text.as_bytes(), now);
    let questions = std::iter::from_fn(|| conversation.poll_question()).collect();
    (conversation, questions)
}

#[test]
fn every_order_of_answering_sends_the_answers_in_the_order_of_the_questions() {
    let now = Instant::now();
    for order in 0..24 {
        let (mut conversation, mut questions) = asked("a?b?c?d?", now);
        let mut digits = order;
        for left in (1..=4).rev() {
            let question = questions.remove(digits % left);
            digits /= left;
            conversation.answer(question.ticket, &question.text.to_ascii_uppercase(), now).unwrap();
            assert!(b"A?B?C?D?".starts_with(conversation.transmit()));
        }
        assert_eq!(conversation.transmit(), b"A?B?C?D?");
    }
}

#[test]
fn answers_leave_as_soon_as_their_turn_has_come() {
    let now = Instant::now();
    let (mut conversation, questions) = asked("a?b?c?", now);
    let [a, b, c] = <[Question; 3]>::try_from(questions).unwrap();
    conversation.answer(b.ticket, b"B.", now).unwrap();
    assert_eq!(conversation.transmit(), b"");
    conversation.answer(a.ticket, b"A.", now).unwrap();
    assert_eq!(conversation.transmit(), b"A.B.");
    conversation.answer(c.ticket, b"C.", now).unwrap();
    assert_eq!(conversation.transmit(), b"A.B.C.");
}

#[test]
fn inline_answers_wait_for_deferred_ones() {
    let now = Instant::now();
    let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    conversation.handle_input(b"slow?Simple is better than?", now);
    let slow = conversation.poll_question().unwrap();
    conversation.answer_with(&mut aphorism::Aphorisms, now);
    assert_eq!(conversation.transmit(), b"");
    conversation.answer(slow.ticket, b"Yes.", now).unwrap();
    conversation.answer_with(&mut aphorism::Aphorisms, now);
    assert_eq!(conversation.transmit(), b"Yes.Complex.");
}

#[test]
fn a_dropped_ticket_trips_the_answer_deadline_and_what_is_behind_it_is_not_sent() {
    let start = Instant::now();
    let (mut conversation, questions) = asked("a?b?c?", start);
    let [a, b, c] = <[Question; 3]>::try_from(questions).unwrap();
    conversation.answer(a.ticket, b"A.", start).unwrap();
    drop(b);
    conversation.answer(c.ticket, b"C.", start).unwrap();
    assert_eq!(conversation.transmit(), b"A.");
    conversation.handle_sent(2, start);
    let deadline = start + Limits::default().answer_deadline;
    assert_eq!(conversation.poll_timeout(), Some(deadline));
    conversation.handle_timeout(deadline);
    assert_eq!(conversation.closed(), Some(CloseReason::AnswerDeadline));
    assert_nothing_remains(&mut conversation);
}

#[test]
fn a_ticket_from_elsewhere_is_given_back_and_is_still_good_there() {
    let now = Instant::now();
    let (mut here, mut questions) = asked("here?", now);
    let native = questions.remove(0).ticket;
    let (mut there, mut questions) = asked("there?", now);
    let foreign = questions.remove(0).ticket;
    let Err(ForeignTicket(back)) = here.answer(foreign, b"There.", now) else { panic!("taken") };
    assert_eq!(here.transmit(), b"", "nothing has happened");
    let Err(ForeignTicket(back)) = here.give_up(back, now) else { panic!("taken") };
    assert!(here.wants_read() && here.closed().is_none(), "nothing has happened");
    there.answer(back, b"There.", now).unwrap();
    here.answer(native, b"Here.", now).unwrap();
    assert_eq!((here.transmit(), there.transmit()), (&b"Here."[..], &b"There."[..]));
}

#[test]
fn a_ticket_from_elsewhere_is_refused_by_a_closed_conversation_too() {
    let now = Instant::now();
    let (mut closed, _) = asked("", now);
    closed.handle_lost(now);
    let (_elsewhere, mut questions) = asked("a?", now);
    assert!(closed.answer(questions.remove(0).ticket, b"A.", now).is_err());
}

#[test]
fn a_late_answer_is_dropped() {
    let now = Instant::now();
    let (mut conversation, questions) = asked("a?b?", now);
    conversation.handle_lost(now);
    for question in questions.into_iter().rev() {
        assert_eq!(conversation.answer(question.ticket, b"Late.", now), Ok(()));
        assert_eq!(conversation.closed(), Some(CloseReason::ConnectionLost));
        assert_nothing_remains(&mut conversation);
    }
}

#[test]
fn giving_up_answers_what_is_before_and_nothing_behind() {
    let now = Instant::now();
    let (mut conversation, questions) = asked("a?b?c?d", now);
    let [a, b, c] = <[Question; 3]>::try_from(questions).unwrap();
    conversation.answer(c.ticket, b"C.", now).unwrap();
    conversation.give_up(b.ticket, now).unwrap();
    assert!(!conversation.wants_read() && !conversation.poll_shutdown(), "a is still owed");
    conversation.answer(a.ticket, b"A.", now).unwrap();
    assert_eq!(conversation.transmit(), b"A.");
    conversation.handle_sent(2, now);
    assert!(conversation.poll_shutdown());
    conversation.handle_eof(now);
    assert_eq!(conversation.closed(), Some(CloseReason::ServiceFailed));
}

#[test]
fn giving_up_the_only_question_closes_and_leaves_no_memory_behind() {
    let now = Instant::now();
    let (mut conversation, mut questions) = asked("a?", now);
    conversation.give_up(questions.remove(0).ticket, now).unwrap();
    assert_eq!(conversation.heap_size(), 0);
    assert!(conversation.poll_shutdown());
}

#[test]
fn giving_up_again_further_in_front_is_good_too_and_behind_is_late() {
    let now = Instant::now();
    let (mut conversation, questions) = asked("a?b?c?d?", now);
    let [a, b, c, d] = <[Question; 4]>::try_from(questions).unwrap();
    conversation.give_up(c.ticket, now).unwrap();
    assert_eq!(conversation.answer(d.ticket, b"D.", now), Ok(()));
    conversation.give_up(b.ticket, now).unwrap();
    conversation.answer(a.ticket, b"A.", now).unwrap();
    assert_eq!(conversation.transmit(), b"A.");
}

#[test]
fn a_question_given_up_silences_the_refusal_behind_it() {
    let now = Instant::now();
    let limits = Limits::default().with_question_length(4);
    let mut conversation = Conversation::new(aphorism::framing(), limits, now);
    conversation.handle_input(b"a?much too long?", now);
    let question = conversation.poll_question().unwrap();
    assert!(conversation.poll_question().is_none());
    conversation.give_up(question.ticket, now).unwrap();
    assert_eq!(conversation.transmit(), b"");
    conversation.handle_eof(now);
    assert_eq!(conversation.closed(), Some(CloseReason::ServiceFailed));
}
