//! Framings and services that break their contract end their own conversation: nothing loops,
//! nothing panics, and no memory grows.

use std::convert::Infallible;
use std::time::Instant;

use zen_proto::{
    Answer, CloseReason, Conversation, Decoded, DelimiterFraming, Flow, Framing, Limits, Service,
};

/// Says the same of every input.
struct Says(Decoded<(), Infallible>);

impl Framing for Says {
    type Message<'a> = ();
    type Error = Infallible;

    fn decode(&mut self, _: &[u8]) -> Decoded<(), Infallible> {
        self.0.clone()
    }
}

fn silent<F: Framing>(_: F::Message<'_>, _: &mut Answer<'_, F>) {}

/// Why a conversation ends in which the framing says this of three bytes.
fn end(decoded: &Decoded<(), Infallible>, limits: Limits) -> Option<CloseReason> {
    let now = Instant::now();
    let mut conversation = Conversation::new(Says(decoded.clone()), limits, now);
    conversation.handle_input(b"abc", now);
    let mut service = |(): (), _: &mut Answer<'_, Says>| {};
    conversation.answer_with(&mut service, now);
    let heap = conversation.heap_size();
    assert!(heap < 4096, "{heap}");
    conversation.handle_eof(now);
    conversation.answer_with(&mut service, now);
    conversation.closed()
}

#[test]
fn a_message_outside_the_input_ends_the_conversation() {
    let unbounded = Limits::default().with_question_length(usize::MAX);
    for (start, end_) in [(0, 0), (2, 2), (0, 4), (4, 5), (3, 1), (5, 3), (usize::MAX, 0), (0, usize::MAX)] {
        for limits in [Limits::default(), unbounded.clone()] {
            let whole = Decoded::Whole { start, end: end_, message: () };
            assert_eq!(end(&whole, limits), Some(CloseReason::ServiceFailed), "{start}..{end_}");
        }
    }
}

#[test]
fn no_message_has_begun_before_its_first_byte() {
    // The framing skips everything, and says what it knows of the message to come.
    let announced = Decoded::Partial { start: 3, end: 7 };
    assert_eq!(end(&announced, Limits::default()), Some(CloseReason::Finished), "nothing is cut off");
    let now = Instant::now();
    let mut conversation = Conversation::new(Says(announced), Limits::default(), now);
    conversation.handle_input(b"abc", now);
    conversation.answer_with(&mut |(): (), _: &mut Answer<'_, Says>| {}, now);
    assert!(!conversation.is_busy() && conversation.heap_size() == 0);
    let idle = now + Limits::default().idle_deadline;
    assert_eq!(conversation.poll_timeout(), Some(idle), "the question clock stands still");
}

#[test]
fn a_partial_message_outside_the_input_ends_the_conversation() {
    for (start, end_) in [(4, 4), (4, 9), (3, 1), (usize::MAX, usize::MAX), (2, 0)] {
        let partial = Decoded::Partial { start, end: end_ };
        assert_eq!(end(&partial, Limits::default()), Some(CloseReason::ServiceFailed), "{start}..{end_}");
    }
}

#[test]
fn a_deferred_question_of_no_bytes_ends_the_conversation_too() {
    let now = Instant::now();
    let whole = Decoded::Whole { start: 1, end: 1, message: () };
    let mut conversation = Conversation::new(Says(whole), Limits::default(), now);
    conversation.handle_input(b"abc", now);
    assert!(conversation.poll_question_with(|()| ()).is_none());
    conversation.handle_eof(now);
    assert_eq!(conversation.closed(), Some(CloseReason::ServiceFailed));
}

#[test]
fn input_of_which_a_framing_says_too_little_is_bounded_by_the_limit() {
    for says in [
        Decoded::Partial { start: 0, end: 0 },
        Decoded::Partial { start: 0, end: 1 },
        Decoded::Partial { start: 1, end: 2 },
    ] {
        let now = Instant::now();
        let mut conversation = Conversation::new(Says(says.clone()), Limits::default(), now);
        let mut service = |(): (), _: &mut Answer<'_, Says>| {};
        let mut kept = 0;
        while !conversation.poll_shutdown() && kept < 100_000 {
            conversation.handle_input(&[b'x'; 100], now);
            conversation.answer_with(&mut service, now);
            kept += 100;
        }
        assert!((1000..1300).contains(&kept), "{kept} of 1024 bytes are kept when it says {says:?}");
        conversation.handle_eof(now);
        assert_eq!(conversation.closed(), Some(CloseReason::QuestionTooLong));
    }
}

/// Calls one function that does not fit what it returns.
struct Faulty(fn(&mut Answer<'_>) -> Flow);

impl Service for Faulty {
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) -> Flow {
        match question {
            b"faulty?" => (self.0)(answer),
            b"later?" => {
                // Never answered.
                std::mem::forget(answer.later());
                Flow::Later
            }
            _ => {
                answer.put(b"fine.");
                Flow::Continue
            }
        }
    }

    fn resume(&mut self, _: &mut Answer<'_>) -> Flow {
        Flow::More
    }
}

fn ask(fault: fn(&mut Answer<'_>) -> Flow, questions: &[u8]) -> Conversation<DelimiterFraming> {
    let now = Instant::now();
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), Limits::default(), now);
    conversation.handle_input(questions, now);
    conversation.answer_with(&mut Faulty(fault), now);
    conversation.answer_with(&mut Faulty(fault), now);
    conversation
}

fn fails(fault: fn(&mut Answer<'_>) -> Flow, output: &[u8]) {
    let now = Instant::now();
    let mut conversation = ask(fault, b"a?faulty?b?");
    assert_eq!(conversation.transmit(), output);
    conversation.handle_sent(output.len(), now);
    conversation.handle_eof(now);
    assert_eq!(conversation.closed(), Some(CloseReason::ServiceFailed));
}

#[test]
fn later_without_a_responder_would_never_be_answered() {
    fails(|_| Flow::Later, b"fine.");
    let behind = ask(|_| Flow::Later, b"later?faulty?b?");
    assert!(!behind.wants_read(), "it is ending");
}

#[test]
fn two_responders_for_one_question_are_one_too_many() {
    fails(
        |answer| {
            std::mem::forget((answer.later(), answer.later()));
            Flow::Later
        },
        b"fine.",
    );
}

#[test]
fn more_of_nothing_would_be_resumed_for_ever() {
    fails(|_| Flow::More, b"fine.");
    fails(
        |answer| {
            answer.put(b"piece ");
            Flow::More
        },
        b"fine.piece ",
    );
}

#[test]
fn a_responder_that_is_not_used_after_all_is_not_waited_for() {
    let fault: fn(&mut Answer<'_>) -> Flow = |answer| {
        drop(answer.later());
        answer.put(b"at once.");
        Flow::Continue
    };
    let conversation = ask(fault, b"a?faulty?b?");
    assert_eq!(conversation.transmit(), b"fine.at once.fine.");
    assert!(conversation.wants_read(), "it goes on");
}

#[test]
fn a_responder_of_a_question_that_was_answered_answers_no_other() {
    use std::cell::RefCell;
    let now = Instant::now();
    let kept = RefCell::new(Vec::new());
    let mut service = |question: &[u8], answer: &mut Answer<'_>| {
        kept.borrow_mut().push(answer.later());
        if question == b"at once?" {
            answer.put(b"at once.");
            Flow::Continue
        } else {
            Flow::Later
        }
    };
    for questions in [&b"at once?a?b?"[..], b"a?at once?b?"] {
        kept.borrow_mut().clear();
        let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), Limits::default(), now);
        conversation.handle_input(questions, now);
        conversation.answer_with(&mut service, now);
        for (responder, text) in kept.borrow_mut().drain(..).zip(["1.", "2.", "3."]) {
            let _ = responder.answer(text);
        }
        conversation.answer_with(&mut service, now);
        let expected =
            if questions[0] == b'a' && questions[1] == b't' { &b"at once.2.3."[..] } else { b"1.at once.3." };
        assert_eq!(conversation.transmit().escape_ascii().to_string(), expected.escape_ascii().to_string());
        assert!(conversation.wants_read());
    }
}

#[test]
fn a_plain_closure_is_a_service() {
    let now = Instant::now();
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), Limits::default(), now);
    conversation.handle_input(b"a?", now);
    conversation.answer_with(&mut silent::<DelimiterFraming>, now);
    assert!(conversation.wants_read());
}
