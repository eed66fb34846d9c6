//! Backpressure, as bytes held: one byte in makes 24 out, and still nothing grows without bound.

use std::time::Instant;

use zen_proto::{CloseReason, Conversation, Limits, aphorism};

use crate::driver::{Inline, Reversed, Socket, echo, turn};
use crate::pair::{Event, Pair, secs, send};

const ANSWER: usize = aphorism::UNKNOWN.len();
const READ: usize = 16 * 1024;

#[test]
fn a_flood_of_questions_is_held_at_the_high_water_and_resumes_at_the_low() {
    let limits = Limits::default();
    let now = Instant::now();
    let mut conversation = Conversation::new(aphorism::framing(), limits.clone(), now);
    let bound = limits.memory_bound(&aphorism::framing(), READ, ANSWER);
    let (mut asked, mut received, mut most_held) = (0, 0, 0);
    let mut answering = true;
    for _ in 0..200_000 {
        if conversation.wants_read() {
            conversation.handle_input(&[b'?'; READ], now);
            asked += READ;
        }
        let before = conversation.transmit().len();
        conversation.answer_with(&mut aphorism::Aphorisms, now);
        let held = conversation.transmit().len();
        assert!(held < limits.outbound_high_water + ANSWER, "{held} bytes held");
        most_held = most_held.max(held);
        answering = if answering {
            held < limits.outbound_high_water
        } else {
            assert_eq!(
                held > before,
                before <= limits.outbound_low_water,
                "resumes at the low water, not before"
            );
            held > before && held < limits.outbound_high_water
        };
        assert!(answering || !conversation.wants_read(), "reads nothing that it can't answer");
        assert!(conversation.heap_size() <= bound, "{} > {bound}", conversation.heap_size());
        // The peer reads a little at a time.
        let sip = held.min(1000);
        conversation.handle_sent(sip, now);
        received += sip;
        if received > 4 * limits.outbound_high_water {
            break;
        }
    }
    assert!(most_held >= limits.outbound_high_water, "the high water was reached");
    conversation.handle_eof(now);
    while conversation.closed().is_none() {
        conversation.answer_with(&mut aphorism::Aphorisms, now);
        let held = conversation.transmit().len();
        assert!(held > 0, "nothing more would ever happen");
        conversation.handle_sent(held, now);
        received += held;
    }
    assert_eq!(received, asked * ANSWER, "all were answered in the end");
    assert_eq!(conversation.closed(), Some(CloseReason::Finished));
}

#[test]
fn when_all_was_sent_the_questions_behind_the_high_water_are_still_to_be_answered() {
    // A driver that waited here, with nothing to read or write and no deadline, would wait for
    // ever. So a turn goes back to answering after it has sent.
    let limits = Limits::default().with_outbound_high_water(2 * ANSWER).with_outbound_low_water(0);
    let now = Instant::now();
    let mut conversation = Conversation::new(aphorism::framing(), limits, now);
    conversation.handle_input(b"?????", now);
    let mut answers = Vec::new();
    loop {
        conversation.answer_with(&mut aphorism::Aphorisms, now);
        let held = conversation.transmit().len();
        answers.push(held / ANSWER);
        assert!(!conversation.wants_answer(), "starved or full");
        conversation.handle_sent(held, now);
        if !conversation.wants_answer() {
            break;
        }
    }
    assert_eq!(answers, [2, 2, 1]);
    assert!(conversation.wants_read());
}

#[test]
fn the_marks_are_exact() {
    let limits = Limits::default().with_outbound_high_water(10).with_outbound_low_water(4);
    let now = Instant::now();
    let mut nine = |_: &[u8], answer: &mut zen_proto::Answer<'_>| answer.put(b"123456789");
    let mut one = |_: &[u8], answer: &mut zen_proto::Answer<'_>| answer.put(b"1");
    let mut conversation = Conversation::new(aphorism::framing(), limits, now);
    conversation.handle_input(b"?", now);
    conversation.answer_with(&mut nine, now);
    assert!(conversation.wants_read(), "9 are fewer than 10");
    conversation.handle_input(b"??", now);
    conversation.answer_with(&mut one, now);
    assert_eq!(conversation.transmit().len(), 10, "the second question waits");
    assert!(!conversation.wants_read());
    conversation.handle_sent(5, now);
    conversation.answer_with(&mut one, now);
    assert_eq!(conversation.transmit().len(), 5, "5 are more than 4");
    conversation.handle_sent(1, now);
    conversation.answer_with(&mut one, now);
    assert_eq!(conversation.transmit().len(), 5, "4 and the answer that waited");
    assert!(conversation.wants_read());
}

#[test]
fn a_slow_reader_of_a_flood_through_the_pair_is_answered_in_full() {
    let limits = Limits::default().with_outbound_high_water(1000).with_outbound_low_water(100);
    let mut pair = Pair::zen(limits).not_reading().at(secs(1), send([b'?'; 5000])).at(secs(1), Event::Eof);
    for second in 2..=121 {
        pair = pair.at(secs(second), Event::Take(1000));
    }
    // 1 000 bytes a second are enough to keep the oldest byte younger than the write deadline.
    assert_eq!(pair.run(), (CloseReason::Finished, secs(121)));
    assert_eq!(pair.socket.received, aphorism::UNKNOWN.repeat(5000).as_bytes());
}

#[test]
fn no_more_questions_are_handed_out_than_the_window_holds() {
    let limits = Limits::default().with_questions_in_flight(3);
    let now = Instant::now();
    let mut conversation = Conversation::new(aphorism::framing(), limits, now);
    conversation.handle_input(b"a?b?c?d?e?", now);
    let mut tickets: Vec<_> = std::iter::from_fn(|| conversation.poll_question()).map(|q| q.ticket).collect();
    assert_eq!(tickets.len(), 3);
    assert!(!conversation.wants_read());
    // The second answer waits for the first, and so does the room that it takes.
    conversation.answer(tickets.remove(1), b"B.", now).unwrap();
    assert!(conversation.poll_question().is_none());
    conversation.answer(tickets.remove(0), b"A.", now).unwrap();
    assert_eq!(conversation.transmit(), b"A.B.");
    let rest: Vec<_> = std::iter::from_fn(|| conversation.poll_question()).map(|q| q.text).collect();
    assert_eq!(rest, ["d?", "e?"]);
    assert!(!conversation.wants_read(), "c, d and e are in flight");
    conversation.answer(tickets.remove(0), b"C.", now).unwrap();
    assert!(conversation.wants_read());
}

#[test]
fn long_answers_held_for_the_first_question_stay_within_the_bound() {
    let limits = Limits::default().with_outbound_high_water(4096).with_outbound_low_water(1024);
    let long = vec![b'x'; 3000];
    let bound = limits.memory_bound(&aphorism::framing(), READ, long.len());
    let now = Instant::now();
    let mut conversation = Conversation::new(aphorism::framing(), limits.clone(), now);
    let mut sent = 0;
    for _ in 0..40 {
        if conversation.wants_read() {
            conversation.handle_input(&[b'?'; READ], now);
        }
        let mut tickets: Vec<_> =
            std::iter::from_fn(|| conversation.poll_question()).map(|q| q.ticket).collect();
        assert!(tickets.len() <= limits.questions_in_flight);
        while let Some(ticket) = tickets.pop() {
            conversation.answer(ticket, &long, now).unwrap();
            assert!(conversation.heap_size() <= bound, "{} > {bound}", conversation.heap_size());
            if !tickets.is_empty() {
                assert!(conversation.heap_size() >= long.len(), "the answers that wait are counted");
            }
        }
        let held = conversation.transmit().len();
        conversation.handle_sent(held / 2, now);
        sent += held / 2;
    }
    assert!(sent > 500_000, "{sent}");
}

#[test]
fn a_reader_that_is_always_half_behind_does_not_make_the_buffer_grow() {
    let limits = Limits::default().with_outbound_high_water(60_000).with_outbound_low_water(59_000);
    let now = Instant::now();
    let mut conversation = Conversation::new(aphorism::framing(), limits, now);
    let mut most = 0;
    for _ in 0..1000 {
        if conversation.wants_read() {
            conversation.handle_input(&[b'?'; 2048], now);
        }
        conversation.answer_with(&mut aphorism::Aphorisms, now);
        most = most.max(conversation.heap_size());
        conversation.handle_sent(conversation.transmit().len() / 40, now);
    }
    assert!(most <= 2 * (60_000 + ANSWER + 2048) + 2048, "{most} bytes for 60 000 unsent");
}

#[test]
fn asking_and_waiting_never_touches_the_heap() {
    let now = Instant::now();
    let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    for (question, answer) in aphorism::TABLE.iter().chain(&[("Why?", aphorism::UNKNOWN)]).cycle().take(1000)
    {
        for half in question.as_bytes().chunks(question.len().div_ceil(2)) {
            conversation.handle_input(half, now);
            assert_eq!(conversation.heap_size(), 0);
            conversation.answer_with(&mut aphorism::Aphorisms, now);
            assert_eq!(conversation.heap_size(), 0);
        }
        assert_eq!(conversation.transmit(), answer.as_bytes());
        conversation.handle_sent(answer.len(), now);
        assert_eq!(conversation.heap_size(), 0);
    }
}

#[test]
fn what_a_burst_took_is_given_back_when_it_is_over() {
    let now = Instant::now();
    let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    let burst = b"a?".repeat(5000);
    conversation.handle_input(&burst, now);
    assert!(conversation.heap_size() >= burst.len());
    turn(&mut conversation, &mut Inline(echo), &mut Socket::default(), now);
    assert_eq!(conversation.heap_size(), 0, "inline");

    conversation.handle_input(&burst[..64], now);
    let mut tickets = Vec::new();
    while let Some(question) = conversation.poll_question() {
        tickets.push(question.ticket);
    }
    assert!(conversation.heap_size() > 0);
    for ticket in tickets {
        conversation.answer(ticket, &[b'x'; 500], now).unwrap();
    }
    turn(&mut conversation, &mut Reversed::default(), &mut Socket::default(), now);
    assert_eq!(conversation.heap_size(), 0, "deferred");
}
