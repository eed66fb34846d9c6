//! How conversations end: half-close, truncation, a question that is too long, a lost connection.
//! What a closed one ignores.

use std::time::Instant;

use zen_proto::{CloseReason, Conversation, DelimiterFraming, Limits, Tally, aphorism};

use crate::driver::{Deferred, Inline, assert_nothing_remains, echo};
use crate::pair::{Event, Pair, secs, send};

fn short() -> Limits {
    Limits::default().with_question_length(5)
}

/// Questions, bytes in and bytes out.
fn counted(tally: Tally) -> (u64, u64, u64) {
    (tally.questions, tally.bytes_in, tally.bytes_out)
}

#[test]
fn a_half_close_at_every_point() {
    for (input, output, reason) in [
        ("", "", CloseReason::Finished),
        ("  \r\n", "", CloseReason::Finished),
        ("a", "", CloseReason::Truncated),
        ("a?", "[a?]", CloseReason::Finished),
        ("a?\n", "[a?]", CloseReason::Finished),
        ("a?b", "[a?]", CloseReason::Truncated),
        ("a? b", "[a?]", CloseReason::Truncated),
        ("a?b?", "[a?][b?]", CloseReason::Finished),
        ("?", "[?]", CloseReason::Finished),
        ("1234?", "[1234?]", CloseReason::Finished),
        ("1234", "", CloseReason::Truncated),
    ] {
        for when in [1, 2] {
            let mut inline = Pair::new(aphorism::framing(), Inline(echo), short())
                .at(secs(1), send(input))
                .at(secs(when), Event::Eof);
            assert_eq!(inline.run(), (reason, secs(when)), "{input:?}");
            assert_eq!(inline.socket.received, output.as_bytes(), "{input:?}");
            let mut deferred = Pair::new(aphorism::framing(), Deferred, short())
                .at(secs(1), send(input))
                .at(secs(when), Event::Eof);
            assert_eq!(deferred.run(), (reason, secs(when)), "{input:?}");
            assert_eq!(deferred.socket.received, output.as_bytes(), "{input:?}");
        }
    }
}

#[test]
fn after_a_half_close_the_answers_still_go_to_a_slow_reader() {
    let mut pair = Pair::zen(Limits::default())
        .not_reading()
        .at(secs(1), send("Why?Who?"))
        .at(secs(1), Event::Eof)
        .at(secs(9), Event::Take(30))
        .at(secs(19), Event::Take(30));
    assert_eq!(pair.run(), (CloseReason::Finished, secs(19)));
    assert_eq!(pair.socket.received.len(), 2 * aphorism::UNKNOWN.len());
    assert!(!pair.socket.fin, "closing the socket is the FIN");
}

#[test]
fn a_question_too_long_is_refused_as_soon_as_that_is_certain() {
    let mut pair = Pair::new(aphorism::framing(), Inline(echo), short())
        .at(secs(1), send("a?  1234"))
        .at(secs(2), send("5"));
    pair.run_script();
    assert_eq!(pair.socket.received, b"[a?]Error: question too long.");
    assert!(pair.socket.fin);
    assert_eq!(pair.run(), (CloseReason::QuestionTooLong, secs(2) + Limits::default().linger_deadline));
}

#[test]
fn the_limit_counts_the_delimiter_and_not_the_white_space_before() {
    for (input, output) in [
        ("    1234?", "[1234?]"),
        ("12345?", "Error: question too long."),
        ("    12345?", "Error: question too long."),
        ("1 3 5?", "Error: question too long."),
    ] {
        let mut pair = Pair::new(aphorism::framing(), Inline(echo), short()).at(secs(1), send(input));
        pair.run_script();
        assert_eq!(pair.socket.received, output.as_bytes(), "{input:?}");
    }
}

#[test]
fn a_refusal_comes_after_the_deferred_answers_that_are_owed() {
    let now = Instant::now();
    let mut conversation = Conversation::new(aphorism::framing(), short(), now);
    conversation.handle_input(b"a?b?much too long?c?", now);
    let questions: Vec<_> = std::iter::from_fn(|| conversation.poll_question()).collect();
    assert_eq!(questions.len(), 2);
    assert!(!conversation.wants_read());
    for question in questions.into_iter().rev() {
        assert_eq!(conversation.transmit(), b"");
        conversation.answer(question.ticket, &question.text.to_ascii_uppercase(), now).unwrap();
    }
    assert_eq!(conversation.transmit(), b"A?B?Error: question too long.");
    assert!(!conversation.poll_shutdown(), "not before all is sent");
    conversation.handle_sent(28, now);
    assert!(!conversation.poll_shutdown());
    conversation.handle_sent(1, now);
    assert!(conversation.poll_shutdown());
    assert!(!conversation.poll_shutdown(), "once");
}

#[test]
fn a_refusal_above_the_high_water_waits_for_its_turn() {
    let limits = short().with_outbound_high_water(1).with_outbound_low_water(0);
    let mut pair = Pair::new(aphorism::framing(), Inline(echo), limits)
        .not_reading()
        .at(secs(1), send("a?b?much too long?"))
        .at(secs(2), Event::Take(3))
        .at(secs(3), Event::Take(100));
    pair.run_script();
    assert_eq!(pair.socket.received, b"[a?][b?]Error: question too long.");
    assert!(pair.socket.fin);
}

#[test]
fn an_unread_refusal_is_not_waited_for_longer_than_the_write_deadline() {
    let mut pair = Pair::new(aphorism::framing(), Inline(echo), short())
        .not_reading()
        .at(secs(1), send("much too long?"));
    let limit = Limits::default().write_deadline;
    assert_eq!(pair.run(), (CloseReason::WriteDeadline, secs(1) + limit));
}

#[test]
fn a_peer_that_closes_during_the_lingering_close_ends_it() {
    let mut pair = Pair::zen(short())
        .at(secs(1), send("much too long"))
        .at(secs(2), send("and on it goes? and on?"))
        .at(std::time::Duration::from_millis(2_500), Event::Eof);
    assert_eq!(pair.run(), (CloseReason::QuestionTooLong, std::time::Duration::from_millis(2_500)));
    assert_eq!(pair.socket.received, b"Error: question too long.");
}

#[test]
fn a_lost_connection_in_each_phase() {
    let reset = |input: &str, room: usize| {
        let mut pair = Pair::zen(short()).not_reading().at(secs(0), Event::Take(room));
        pair = pair.at(secs(1), send(input)).at(secs(2), Event::Reset);
        pair.run()
    };
    for (phase, input, room) in [("fresh", "", 99), ("partial", "a", 99), ("unsent", "a?", 3)] {
        assert_eq!(reset(input, room), (CloseReason::ConnectionLost, secs(2)), "{phase}");
    }
    let refused = reset("much too long?", 3);
    assert_eq!(refused, (CloseReason::ConnectionLost, secs(2)), "the refusal is unsent");
    let lingering = reset("much too long?", 99);
    assert_eq!(lingering, (CloseReason::QuestionTooLong, secs(2)), "it was told all");
}

#[test]
fn a_lost_connection_with_an_answer_owed() {
    let now = Instant::now();
    let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    conversation.handle_input(b"a?", now);
    let _question = conversation.poll_question().unwrap();
    conversation.handle_eof(now);
    conversation.handle_lost(now);
    assert_eq!(conversation.closed(), Some(CloseReason::ConnectionLost));
    assert_nothing_remains(&mut conversation);
}

/// A conversation that was closed with an unread question, a ticket handed out and bytes unsent.
fn closed_while_busy(now: Instant) -> (Conversation<DelimiterFraming>, zen_proto::Ticket) {
    let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    conversation.handle_input(b"a?b?c?", now);
    let first = conversation.poll_question().unwrap();
    conversation.answer(first.ticket, b"A.", now).unwrap();
    let second = conversation.poll_question().unwrap();
    conversation.handle_lost(now);
    (conversation, second.ticket)
}

#[test]
fn a_closed_conversation_ignores_every_call() {
    let now = Instant::now();
    let later = now + secs(1000);
    let (mut conversation, ticket) = closed_while_busy(now);
    let before = conversation.take_tally();
    assert_eq!(counted(before), (2, 6, 0));
    let check = |conversation: &mut Conversation<_>, call: &str| {
        assert_eq!(conversation.closed(), Some(CloseReason::ConnectionLost), "{call}");
        assert_eq!(conversation.take_tally(), Tally::default(), "{call}");
        assert_nothing_remains(conversation);
    };
    check(&mut conversation, "to begin with");
    conversation.handle_input(b"d?", later);
    check(&mut conversation, "handle_input");
    conversation.handle_eof(later);
    check(&mut conversation, "handle_eof");
    // This reports a write that was under way when a deadline closed the conversation.
    conversation.handle_sent(2, later);
    check(&mut conversation, "handle_sent");
    conversation.handle_timeout(later);
    check(&mut conversation, "handle_timeout");
    conversation.handle_lost(later);
    check(&mut conversation, "handle_lost");
    conversation.answer_with(&mut aphorism::Aphorisms, later);
    check(&mut conversation, "answer_with");
    assert!(conversation.poll_question().is_none());
    check(&mut conversation, "poll_question");
    assert_eq!(conversation.answer(ticket, b"B.", later), Ok(()));
    check(&mut conversation, "answer");
    conversation.drain(later);
    check(&mut conversation, "drain");
}

#[test]
#[should_panic(expected = "3 bytes sent, only 2 were to be sent")]
fn reporting_more_than_there_was_to_send_panics() {
    let now = Instant::now();
    let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    conversation.handle_input(b"a?", now);
    let question = conversation.poll_question().unwrap();
    conversation.answer(question.ticket, b"A.", now).unwrap();
    conversation.handle_sent(3, now);
}

#[test]
fn the_tally_counts_each_thing_once() {
    let now = Instant::now();
    let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    conversation.handle_input(b"Simple is better than? a?b", now);
    conversation.answer_with(&mut aphorism::Aphorisms, now);
    conversation.handle_sent(9, now);
    assert_eq!(counted(conversation.take_tally()), (2, 26, 9));
    conversation.handle_sent(23, now);
    assert_eq!(counted(conversation.take_tally()), (0, 0, 23));
}
