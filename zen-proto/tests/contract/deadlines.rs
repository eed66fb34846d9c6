//! Each deadline at its edge. The pair itself checks that nothing happens a nanosecond before.

use std::cell::Cell;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use zen_proto::{Answer, CloseReason, Conversation, Decoded, Flow, Framing, Limits, aphorism};

use crate::driver::{Deferred, Inline, Socket, echo, turn};
use crate::pair::{Event, Pair, secs, send};

/// Deadlines of which no two sums are equal, so that one cannot be mistaken for another.
fn limits() -> Limits {
    Limits::default()
        .with_question_deadline(Duration::from_nanos(10_000_000_019))
        .with_idle_deadline(Duration::from_nanos(60_000_000_077))
        .with_answer_deadline(Duration::from_nanos(30_000_000_133))
        .with_write_deadline(Duration::from_nanos(31_000_000_253))
        .with_linger_deadline(Duration::from_nanos(2_000_000_579))
        .with_drain_deadline(Duration::from_nanos(15_000_001_031))
}

#[test]
fn idle_from_the_start() {
    let mut pair = Pair::zen(limits());
    assert_eq!(pair.run(), (CloseReason::IdleDeadline, limits().idle_deadline));
}

#[test]
fn idle_counts_from_the_last_answer() {
    let mut pair = Pair::zen(limits()).at(secs(50), send("Why?"));
    assert_eq!(pair.run(), (CloseReason::IdleDeadline, secs(50) + limits().idle_deadline));
}

#[test]
fn idle_counts_from_when_the_last_answer_was_sent_whole() {
    let mut pair = Pair::zen(limits())
        .not_reading()
        .at(secs(1), send("Why?"))
        .at(secs(20), Event::Take(10))
        .at(secs(30), Event::Take(100));
    assert_eq!(pair.run(), (CloseReason::IdleDeadline, secs(30) + limits().idle_deadline));
}

#[test]
fn white_space_neither_extends_the_idle_deadline_nor_starts_a_question() {
    let mut pair = Pair::zen(limits());
    for second in 0..60 {
        pair = pair.at(secs(second), send(" \r\n"));
    }
    assert_eq!(pair.run(), (CloseReason::IdleDeadline, limits().idle_deadline));
}

#[test]
fn sending_nothing_does_not_extend_the_idle_deadline() {
    let start = Instant::now();
    let mut conversation = Conversation::new(aphorism::framing(), limits(), start);
    conversation.handle_input(b"", start + secs(1));
    conversation.answer_with(&mut aphorism::Aphorisms, start + secs(1));
    conversation.handle_sent(0, start + secs(2));
    assert_eq!(conversation.poll_timeout(), Some(start + limits().idle_deadline));
}

#[test]
fn a_trickle_does_not_extend_the_question_deadline() {
    let mut pair = Pair::zen(limits()).at(secs(3), send("  "));
    for second in 5..15 {
        pair = pair.at(secs(second), send("a"));
    }
    assert_eq!(pair.run(), (CloseReason::QuestionDeadline, secs(5) + limits().question_deadline));
    assert_eq!(pair.socket.received, b"", "a broken deadline closes without a message");
}

#[test]
fn a_question_that_is_whole_at_the_last_nanosecond_is_answered() {
    let last = Duration::from_nanos(10_000_000_018);
    let mut pair = Pair::zen(limits()).at(secs(0), send("Why")).at(last, send("?"));
    assert_eq!(pair.run(), (CloseReason::IdleDeadline, last + limits().idle_deadline));
    assert_eq!(pair.socket.received, b"Error: unknown aphorism.");
}

#[test]
fn each_question_has_a_clock_of_its_own() {
    let mut pair = Pair::zen(limits())
        .at(secs(0), send("a"))
        .at(secs(9), send("?b"))
        .at(secs(18), send("?c"))
        .at(secs(20), send("d"));
    assert_eq!(pair.run(), (CloseReason::QuestionDeadline, secs(18) + limits().question_deadline));
}

#[test]
fn the_question_clock_stands_still_while_the_server_does_not_read() {
    // One answer takes up all the room, so nothing more is read until the peer has taken it.
    let limits = limits().with_outbound_high_water(1).with_outbound_low_water(0);
    let mut pair = Pair::new(aphorism::framing(), Deferred, limits.clone())
        .not_reading()
        .at(secs(1), send("a?b"))
        .at(secs(20), Event::Take(100));
    assert_eq!(pair.run(), (CloseReason::QuestionDeadline, secs(20) + limits.question_deadline));
    assert_eq!(pair.socket.received, b"[a?]");
}

#[test]
fn a_begun_question_gets_a_new_clock_when_reading_resumes() {
    let limits = limits().with_outbound_high_water(1).with_outbound_low_water(0);
    let start = Instant::now();
    let at = |seconds| start + secs(seconds);
    let mut conversation = Conversation::new(aphorism::framing(), limits.clone(), start);
    conversation.handle_input(b"a?b", at(1));
    let question = conversation.poll_question().unwrap();
    assert!(conversation.poll_question().is_none());
    assert_eq!(conversation.poll_timeout(), Some(at(1) + limits.question_deadline));
    conversation.answer(question.ticket, b"A.", at(2)).unwrap();
    assert!(!conversation.wants_read());
    assert_eq!(
        conversation.poll_timeout(),
        Some(at(2) + limits.write_deadline),
        "the question's clock stands"
    );
    conversation.handle_sent(2, at(20));
    assert!(conversation.wants_read());
    assert_eq!(conversation.poll_timeout(), Some(at(20) + limits.question_deadline));
}

#[test]
fn a_reader_of_a_byte_a_second_does_not_escape_the_write_deadline() {
    let mut pair = Pair::zen(limits()).not_reading().at(secs(1), send("Why?Why?Why?"));
    for second in 1..40 {
        pair = pair.at(secs(second), Event::Take(1));
    }
    assert_eq!(pair.run(), (CloseReason::WriteDeadline, secs(1) + limits().write_deadline));
    assert_eq!(pair.socket.received.len(), 32, "it had taken a byte a second until then");
}

#[test]
fn the_write_clock_is_that_of_the_oldest_byte_unsent() {
    let mut pair = Pair::zen(limits())
        .not_reading()
        .at(secs(1), send("Beautiful is better than?"))
        .at(secs(9), send("Simple is better than?"))
        .at(secs(20), Event::Take(5));
    assert_eq!(pair.run(), (CloseReason::WriteDeadline, secs(9) + limits().write_deadline));
    assert_eq!(pair.socket.received, b"Ugly.");
}

#[test]
fn an_answer_that_is_owed_too_long() {
    let start = Instant::now();
    let at = |seconds| start + secs(seconds);
    let mut conversation = Conversation::new(aphorism::framing(), limits(), start);
    conversation.handle_input(b"a?", at(2));
    let first = conversation.poll_question().unwrap();
    conversation.handle_input(b"b?", at(5));
    drop(conversation.poll_question().unwrap());
    assert_eq!(conversation.poll_timeout(), Some(at(2) + limits().answer_deadline));
    conversation.answer(first.ticket, b"A.", at(9)).unwrap();
    conversation.handle_sent(2, at(9));
    let late = at(5) + limits().answer_deadline;
    assert_eq!(conversation.poll_timeout(), Some(late), "the second question's own");
    conversation.handle_timeout(late.checked_sub(Duration::from_nanos(1)).unwrap());
    assert_eq!(conversation.closed(), None);
    conversation.handle_timeout(late);
    assert_eq!(conversation.closed(), Some(CloseReason::AnswerDeadline));
}

#[test]
fn the_time_of_a_slow_handler_counts_for_no_answer_deadline() {
    let start = Instant::now();
    let (limits, now) = (limits().with_turn_time(Duration::MAX), Cell::new(start));
    let mut conversation = Conversation::new(aphorism::framing(), limits.clone(), start);
    let mut owed = Vec::new();
    let mut service = |question: &[u8], answer: &mut Answer<'_>| {
        now.set(now.get() + secs(100));
        if question == b"slow?" {
            answer.put(b"at last.");
            return Flow::Continue;
        }
        owed.push(answer.later());
        Flow::Later
    };
    // Enough quick turns that a batch holds several questions, then one that takes its time.
    for _ in 0..4 {
        conversation.handle_input(&b"slow?".repeat(20), now.get());
        while conversation.wants_answer() {
            conversation.answer_in_turn(&mut service, now.get(), || now.get());
            conversation.handle_sent(conversation.transmit().len(), now.get());
        }
    }
    conversation.handle_input(b"slow?slow?put off?and again?", now.get());
    while conversation.wants_answer() {
        conversation.answer_in_turn(&mut service, now.get(), || now.get());
    }
    conversation.handle_sent(conversation.transmit().len(), now.get());
    // The second one was put off 100 s later, now.
    let late = conversation.poll_timeout().map(|at| at + secs(100));
    assert_eq!(late, Some(now.get() + limits.answer_deadline));
}

#[test]
fn waiting_for_an_answer_is_not_idling() {
    let limits = limits().with_answer_deadline(secs(1000));
    let start = Instant::now();
    let mut conversation = Conversation::new(aphorism::framing(), limits.clone(), start);
    conversation.handle_input(b"a?", start);
    let question = conversation.poll_question().unwrap();
    conversation.handle_timeout(start + secs(500));
    assert_eq!(conversation.closed(), None);
    conversation.answer(question.ticket, b"A.", start + secs(500)).unwrap();
    conversation.handle_sent(2, start + secs(500));
    assert_eq!(conversation.poll_timeout(), Some(start + secs(500) + limits.idle_deadline));
}

#[test]
fn a_lingering_close_ends_in_time_however_much_trickles_in() {
    let mut pair = Pair::zen(limits()).at(secs(1), Event::Drain);
    for millis in (1000..4000).step_by(100) {
        pair = pair.at(Duration::from_millis(millis), send("a"));
    }
    assert_eq!(pair.run(), (CloseReason::Drained, secs(1) + limits().linger_deadline));
    assert!(pair.socket.fin);
}

#[test]
fn a_lingering_close_ends_with_one_byte_more_than_it_may_discard() {
    let start = Instant::now();
    let mut conversation = Conversation::new(aphorism::framing(), limits(), start);
    conversation.drain(start);
    assert!(conversation.poll_shutdown());
    let chunk = [b'?'; 1024];
    for _ in 0..limits().linger_bytes / chunk.len() {
        assert!(conversation.wants_read());
        conversation.handle_input(&chunk, start);
    }
    assert_eq!(conversation.closed(), None);
    assert_eq!(conversation.heap_size(), 0, "what is discarded is not kept");
    conversation.handle_input(b"?", start);
    assert_eq!(conversation.closed(), Some(CloseReason::Drained));
}

#[test]
fn a_drain_waits_for_a_stuck_peer_no_longer_than_its_deadline() {
    let mut pair = Pair::zen(limits()).not_reading().at(secs(1), send("Why?")).at(secs(3), Event::Drain);
    assert_eq!(pair.run(), (CloseReason::DrainDeadline, secs(3) + limits().drain_deadline));
}

#[test]
fn a_drain_waits_for_a_stuck_service_no_longer_than_its_deadline() {
    let start = Instant::now();
    let mut conversation = Conversation::new(aphorism::framing(), limits(), start);
    conversation.handle_input(b"a?", start);
    let _kept = conversation.poll_question().unwrap();
    conversation.drain(start + secs(2));
    conversation.drain(start + secs(9));
    let late = start + secs(2) + limits().drain_deadline;
    assert_eq!(conversation.poll_timeout(), Some(late), "the second call changed nothing");
    conversation.handle_timeout(late);
    assert_eq!(conversation.closed(), Some(CloseReason::DrainDeadline));
}

#[test]
fn the_drain_deadline_also_ends_a_lingering_close() {
    let limits = limits().with_linger_deadline(secs(100));
    let mut pair = Pair::zen(limits.clone()).at(secs(5), Event::Drain);
    assert_eq!(pair.run(), (CloseReason::Drained, secs(5) + limits.drain_deadline));
}

#[test]
fn a_deadline_of_duration_max_is_none() {
    let limits = Limits::default()
        .with_question_deadline(Duration::MAX)
        .with_idle_deadline(Duration::MAX)
        .with_answer_deadline(Duration::MAX)
        .with_write_deadline(Duration::MAX)
        .with_linger_deadline(Duration::MAX)
        .with_drain_deadline(Duration::MAX);
    let start = Instant::now();
    let century = start + secs(100 * 365 * 24 * 3600);
    let mut conversation = Conversation::new(aphorism::framing(), limits, start);
    let quiet = |conversation: &mut Conversation<_>, phase: &str| {
        assert_eq!(conversation.poll_timeout(), None, "{phase}");
        conversation.handle_timeout(century);
        assert_eq!(conversation.closed(), None, "{phase}");
    };
    quiet(&mut conversation, "fresh");
    conversation.handle_input(b"a?b", start);
    let question = conversation.poll_question().unwrap();
    assert!(conversation.poll_question().is_none());
    quiet(&mut conversation, "a question begun, an answer owed");
    conversation.answer(question.ticket, b"A.", start).unwrap();
    quiet(&mut conversation, "an answer unsent");
    conversation.drain(start);
    quiet(&mut conversation, "draining");
    conversation.handle_sent(2, start);
    assert!(conversation.poll_shutdown());
    quiet(&mut conversation, "lingering");
}

#[test]
fn a_clock_that_goes_backwards_counts_as_standing_still() {
    let start = Instant::now() + secs(100);
    let mut conversation = Conversation::new(aphorism::framing(), limits(), start);
    conversation.handle_timeout(start + secs(7));
    conversation.handle_input(b"a", start);
    conversation.answer_with(&mut aphorism::Aphorisms, start.checked_sub(secs(50)).unwrap());
    assert_eq!(conversation.poll_timeout(), Some(start + secs(7) + limits().question_deadline));
}

#[test]
fn the_earliest_of_several_deadlines_gives_the_reason() {
    for (answer, write, expected) in [
        (5, 6, CloseReason::AnswerDeadline),
        (7, 6, CloseReason::WriteDeadline),
        (7, 8, CloseReason::QuestionDeadline),
    ] {
        let limits = Limits::default()
            .with_answer_deadline(secs(answer))
            .with_write_deadline(secs(write))
            .with_question_deadline(Duration::from_millis(6_500));
        let start = Instant::now();
        let mut conversation = Conversation::new(aphorism::framing(), limits, start);
        conversation.handle_input(b"a?b?c", start);
        let question = conversation.poll_question().unwrap();
        let _kept = conversation.poll_question().unwrap();
        assert!(conversation.poll_question().is_none());
        conversation.answer(question.ticket, b"A.", start).unwrap();
        conversation.handle_timeout(conversation.poll_timeout().unwrap());
        assert_eq!(conversation.closed(), Some(expected));
    }
}

#[test]
fn early_calls_at_any_time_change_nothing() {
    // The same conversation twice. One of them is told the time at every turn.
    let limits = limits();
    let start = Instant::now();
    let mut quiet = Conversation::new(aphorism::framing(), limits.clone(), start);
    let mut nagged = Conversation::new(aphorism::framing(), limits, start);
    let (mut quiet_socket, mut nagged_socket) = (Socket::default(), Socket::default());
    for (second, text) in (0..).zip(["a", "b?", " ", "c?d?", "e", "?", "??"]) {
        let now = start + secs(second);
        quiet.handle_input(text.as_bytes(), now);
        nagged.handle_input(text.as_bytes(), now);
        nagged.handle_timeout(now);
        turn(&mut quiet, &mut Inline(echo), &mut quiet_socket, now);
        nagged.handle_timeout(now);
        turn(&mut nagged, &mut Inline(echo), &mut nagged_socket, now);
        nagged.handle_timeout(now + Duration::from_millis(999));
        assert_eq!(nagged.closed(), None);
        assert_eq!(nagged.poll_timeout(), quiet.poll_timeout());
    }
    assert_eq!(nagged_socket.received, quiet_socket.received);
}

/// Words that end with a line feed. An empty line is nothing.
struct Words;

impl Framing for Words {
    type Message<'a> = &'a [u8];
    type Error = Infallible;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<&'a [u8], Infallible> {
        match input.iter().position(|byte| *byte == b'\n') {
            None => Decoded::partial(input.len() + 1),
            Some(at) if input[..at].trim_ascii().is_empty() => Decoded::nothing(at + 1),
            Some(at) => Decoded::whole(at + 1, &input[..at]),
        }
    }
}

#[test]
fn what_turns_out_to_be_nothing_has_no_clock() {
    let start = Instant::now();
    let mut service = |_: &[u8], answer: &mut Answer<'_, Words>| answer.put(b"word");
    for ends in [false, true] {
        let mut conversation = Conversation::new(Words, limits(), start);
        conversation.handle_input(b" ", start + secs(1));
        conversation.answer_with(&mut service, start + secs(1));
        let late = start + secs(1) + limits().question_deadline;
        assert_eq!(conversation.poll_timeout(), Some(late), "a line has begun");
        conversation.handle_input(b"\n", start + secs(2));
        conversation.answer_with(&mut service, start + secs(2));
        assert_eq!(conversation.poll_timeout(), Some(start + limits().idle_deadline), "it was empty");
        if ends {
            conversation.handle_eof(start + secs(3));
            assert_eq!(conversation.closed(), Some(CloseReason::Finished), "nothing was cut off");
        }
    }
}
