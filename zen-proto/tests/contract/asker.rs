//! The client half: answers come in order however they are cut. Every way in which a server can
//! fail to answer is reported.

use std::time::{Duration, Instant};

use zen_proto::{
    AskError, Asker, AskerError, ClientLimits, Conversation, DelimiterFraming, Limits, aphorism,
};

use crate::cuts::{segments, ways};
use crate::framings::Lengths;
use crate::pair::secs;

fn limits() -> ClientLimits {
    ClientLimits::default()
        .with_answer_length(8)
        .with_questions_in_flight(3)
        .with_answer_deadline(Duration::from_nanos(30_000_000_019))
}

/// An asker that has asked this many questions.
fn asker(questions: usize, now: Instant) -> Asker<DelimiterFraming> {
    let mut asker = Asker::new(aphorism::client_framing(), limits());
    for _ in 0..questions {
        asker.ask(b"Why?", now).unwrap();
    }
    let n = asker.transmit().len();
    assert_eq!(n, 4 * questions);
    asker.handle_sent(n, now);
    asker
}

fn answers<F: zen_proto::ByteFraming>(asker: &mut Asker<F>) -> Vec<String> {
    std::iter::from_fn(|| asker.poll_answer()).map(|answer| answer.escape_ascii().to_string()).collect()
}

#[test]
fn answers_come_in_order_with_every_cut() {
    let now = Instant::now();
    let text = b"a.bc. .d.";
    for cuts in 0..ways(text) {
        let mut asker = asker(4, now);
        let mut taken = Vec::new();
        segments(text, cuts, |segment| {
            asker.handle_input(segment, now);
            taken.extend(answers(&mut asker));
        });
        asker.handle_eof(now);
        assert_eq!(taken, ["a.", "bc.", " .", "d."]);
        assert_eq!((asker.failed(), asker.awaited()), (None, 0), "a server may close when all is answered");
    }
}

#[test]
fn a_question_is_sent_in_whatever_pieces_there_is_room_for() {
    let now = Instant::now();
    let mut asker = Asker::new(aphorism::client_framing(), ClientLimits::default());
    asker.ask(b"Simple is better than?", now).unwrap();
    let mut sent = Vec::new();
    while let Some(byte) = asker.transmit().first().copied() {
        sent.push(byte);
        asker.handle_sent(1, now);
        if sent.len() == 10 {
            asker.ask(b"Why?", now).unwrap();
        }
    }
    assert_eq!(sent, b"Simple is better than?Why?");
}

#[test]
fn an_unsendable_question_is_not_sent_and_the_next_one_is() {
    let now = Instant::now();
    let mut asker = Asker::new(aphorism::client_framing(), limits());
    asker.ask(b"a?", now).unwrap();
    for bad in ["", "no end", "two? ends?", "a?b", "??", "a? "] {
        assert!(matches!(asker.ask(bad.as_bytes(), now), Err(AskError::Unsendable(_))), "{bad:?}");
        assert_eq!((asker.transmit(), asker.awaited()), (&b"a?"[..], 1), "{bad:?}");
    }
    asker.ask(b"b?", now).unwrap();
    assert_eq!(asker.transmit(), b"a?b?");
}

#[test]
fn the_window_says_when_to_ask() {
    let now = Instant::now();
    let mut asker = asker(2, now);
    assert!(asker.wants_question());
    asker.ask(b"c?", now).unwrap();
    assert!(!asker.wants_question());
    asker.handle_input(b"A.", now);
    answers(&mut asker);
    assert!(asker.wants_question());
}

#[test]
fn an_endless_answer() {
    let now = Instant::now();
    let mut asker = asker(2, now);
    asker.handle_input(b"Fits in.1234567", now);
    assert_eq!(
        answers(&mut asker),
        ["Fits in."],
        "8 bytes are within the limit, and so may be 7 without an end"
    );
    assert_eq!(asker.failed(), None);
    asker.handle_input(b"8", now);
    assert_eq!(answers(&mut asker), [""; 0]);
    assert_eq!(asker.failed(), Some(&AskerError::AnswerTooLong { limit: 8 }));
}

#[test]
fn an_answer_too_long_though_whole() {
    let now = Instant::now();
    let mut asker = asker(2, now);
    asker.handle_input(b"A.12345678.", now);
    assert_eq!(answers(&mut asker), ["A."]);
    assert_eq!(asker.failed(), Some(&AskerError::AnswerTooLong { limit: 8 }));
}

#[test]
fn an_early_end() {
    let now = Instant::now();
    for (text, taken, awaited, partial) in
        [("", &[][..], 2, false), ("a", &[], 2, true), ("a.", &["a."], 1, false), ("a.b", &["a."], 1, true)]
    {
        // The end comes after the bytes before it have been taken, or before that.
        for eof_first in [false, true] {
            let mut asker = asker(2, now);
            let mut all = Vec::new();
            asker.handle_input(text.as_bytes(), now);
            if !eof_first {
                all = answers(&mut asker);
            }
            asker.handle_eof(now);
            all.extend(answers(&mut asker));
            assert_eq!(all, taken, "{text:?}");
            assert_eq!(asker.failed(), Some(&AskerError::ClosedEarly { awaited, partial }), "{text:?}");
        }
    }
}

#[test]
fn the_end_between_conversations_is_no_failure_but_nothing_more_can_be_asked() {
    let now = Instant::now();
    let mut asker = asker(0, now);
    asker.handle_eof(now);
    assert_eq!(asker.failed(), None);
    assert!(!asker.wants_question() && !asker.wants_read());
    let error = asker.ask(b"a?", now).unwrap_err();
    assert_eq!(error, AskError::Failed(AskerError::ClosedEarly { awaited: 1, partial: false }));
    assert_eq!(asker.transmit(), b"");
}

#[test]
fn a_late_answer_at_the_edge() {
    let start = Instant::now();
    let mut asker = asker(1, start);
    asker.ask(b"b?", start + secs(5)).unwrap();
    let deadline = start + limits().answer_deadline;
    assert_eq!(asker.poll_timeout(), Some(deadline));
    asker.handle_timeout(deadline.checked_sub(Duration::from_nanos(1)).unwrap());
    assert_eq!(asker.failed(), None);
    asker.handle_input(b"A.", deadline);
    assert_eq!(answers(&mut asker), ["A."]);
    asker.handle_timeout(deadline);
    assert_eq!(asker.failed(), None, "the second answer has a deadline of its own");
    let second = deadline + limits().answer_deadline;
    assert_eq!(asker.poll_timeout(), Some(second), "which runs from when the first came");
    asker.handle_input(b"begu", second);
    answers(&mut asker);
    asker.handle_timeout(second);
    let late = AskerError::TimedOut { awaited: 1, deadline: limits().answer_deadline };
    assert_eq!(asker.failed(), Some(&late));
    assert_eq!(asker.poll_timeout(), None);
    asker.handle_input(b"n.", second);
    assert_eq!(answers(&mut asker), [""; 0], "too late");
}

#[test]
fn an_answer_that_is_buffered_is_not_late() {
    let start = Instant::now();
    let mut asker = asker(2, start);
    asker.handle_input(b"A.", start + secs(29));
    asker.handle_timeout(start + secs(31));
    assert_eq!(answers(&mut asker), ["A."]);
    asker.handle_timeout(start + secs(31));
    assert_eq!(asker.failed(), None, "the second is due only since the first came");
    asker.handle_timeout(start + secs(60));
    assert!(matches!(asker.failed(), Some(AskerError::TimedOut { awaited: 1, .. })));
}

#[test]
fn a_deadline_of_duration_max_is_none() {
    let now = Instant::now();
    let limits = limits().with_answer_deadline(Duration::MAX);
    let mut asker = Asker::new(aphorism::client_framing(), limits);
    asker.ask(b"a?", now).unwrap();
    assert_eq!(asker.poll_timeout(), None);
}

#[test]
fn bytes_that_answer_no_question() {
    let now = Instant::now();
    for (questions, text, taken) in
        [(0, "a.", &[][..]), (0, "a", &[]), (1, "A.b.", &["A."]), (1, "A.b", &["A."])]
    {
        let mut asker = asker(questions, now);
        asker.handle_input(text.as_bytes(), now);
        assert_eq!(answers(&mut asker), taken, "{text:?}");
        assert_eq!(asker.failed(), Some(&AskerError::Unasked), "{text:?}");
    }
}

#[test]
fn a_malformed_answer() {
    let now = Instant::now();
    let mut asker = Asker::new(Lengths, ClientLimits::default());
    asker.ask(b"a", now).unwrap();
    asker.handle_input(&[0xff, 0xff], now);
    assert_eq!(answers(&mut asker), [""; 0]);
    let reason = "the length 0xffff has the highest bit set".to_owned();
    assert_eq!(asker.failed(), Some(&AskerError::Malformed { reason }));
}

#[test]
fn a_lost_connection() {
    let now = Instant::now();
    for (text, taken, awaited) in [("", &[][..], 2), ("a", &[], 2), ("a.", &["a."], 1), ("a.b", &["a."], 1)] {
        for lost_first in [false, true] {
            let mut asker = asker(2, now);
            let mut all = Vec::new();
            asker.handle_input(text.as_bytes(), now);
            if !lost_first {
                all = answers(&mut asker);
            }
            asker.handle_lost(now);
            all.extend(answers(&mut asker));
            assert_eq!(all, taken, "{text:?}");
            assert_eq!(asker.failed(), Some(&AskerError::Lost { awaited }), "{text:?}");
        }
    }
}

#[test]
fn a_failed_asker_asks_and_takes_nothing_more() {
    let now = Instant::now();
    let mut asker = asker(1, now);
    asker.ask(b"unsent?", now).unwrap();
    asker.handle_lost(now);
    let lost = AskerError::Lost { awaited: 2 };
    assert_eq!(asker.ask(b"b?", now), Err(AskError::Failed(lost.clone())));
    asker.handle_input(b"A.", now);
    asker.handle_eof(now);
    // This reports a write that was under way.
    asker.handle_sent(3, now);
    asker.handle_timeout(now + secs(1000));
    assert_eq!(answers(&mut asker), [""; 0]);
    assert_eq!((asker.transmit(), asker.failed()), (&b""[..], Some(&lost)));
    assert!(!asker.wants_read() && !asker.wants_question());
}

/// Both halves of the core, a byte at a time in both directions.
fn talk<F: zen_proto::ByteFraming>(
    mut asker: Asker<F>,
    mut server: Conversation<F>,
    questions: &[&[u8]],
) -> Vec<String> {
    let now = Instant::now();
    for question in questions {
        asker.ask(question, now).unwrap();
    }
    let mut taken = Vec::new();
    while !asker.transmit().is_empty() || !server.transmit().is_empty() {
        if let Some(byte) = asker.transmit().first().copied() {
            asker.handle_sent(1, now);
            server.handle_input(&[byte], now);
            server.answer_with(&mut crate::driver::echo, now);
        }
        if let Some(byte) = server.transmit().first().copied() {
            server.handle_sent(1, now);
            asker.handle_input(&[byte], now);
            taken.extend(answers(&mut asker));
        }
    }
    assert_eq!(asker.awaited(), 0);
    taken
}

#[test]
fn the_two_halves_understand_each_other() {
    let now = Instant::now();
    let limits = ClientLimits::default();
    let lengths = talk(
        Asker::new(Lengths, limits.clone()),
        Conversation::new(Lengths, Limits::default(), now),
        &[b"", b"a", b"\x00\xff?."],
    );
    assert_eq!(lengths, ["[]", "[a]", r"[\x00\xff?.]"]);
    let both = DelimiterFraming::new(b']').send_until(b'?');
    let server = DelimiterFraming::new(b'?').send_until(b']');
    let delimited =
        talk(Asker::new(both, limits), Conversation::new(server, Limits::default(), now), &[b"a?", b"?"]);
    assert_eq!(delimited, ["[a?]", "[?]"]);
}
