//! What becomes of a conversation after each answer, in every order: at once, in pieces, later from
//! another thread, not at all, and as the last.

use std::time::Instant;

use zen_proto::{Answer, CloseReason, Conversation, Ending, Flow, Limits, Peer, Responder, Service};

use crate::driver::{Inline, Socket, turn};
use crate::framings::{Lengths, ReservedBit};
use crate::script::{ALL, Script, framing, little_room, outcome, questions};

/// What happens besides the questions, before the first of those that wait is answered.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Meanwhile {
    Nothing,
    Eof,
    Drain,
}

/// Asks these questions, answers those that wait in the order that `order` chooses, and ends.
fn run(letters: &[u8], mut order: usize, limits: &Limits, meanwhile: Meanwhile) -> (Vec<u8>, CloseReason) {
    let now = Instant::now();
    let mut conversation = Conversation::new(framing(), limits.clone(), now);
    let (mut application, mut socket) = (Inline(Script::default()), Socket::default());
    conversation.handle_input(&questions(letters), now);
    match meanwhile {
        Meanwhile::Nothing => {}
        Meanwhile::Eof => conversation.handle_eof(now),
        Meanwhile::Drain => conversation.drain(now),
    }
    loop {
        turn(&mut conversation, &mut application, &mut socket, now);
        let waiting = application.0.responders.len();
        assert!(waiting <= limits.questions_in_flight);
        if waiting == 0 {
            break;
        }
        if conversation.closed().is_none() {
            assert!(conversation.expects_wake(), "responders are alive");
        }
        application.0.respond(order % waiting);
        order /= waiting;
    }
    conversation.handle_eof(now);
    turn(&mut conversation, &mut application, &mut socket, now);
    (socket.received, conversation.closed().expect("the peer has closed, and nothing is owed"))
}

fn check(letters: &[u8], order: usize, limits: &Limits, meanwhile: Meanwhile) {
    let (output, reason) = outcome(letters);
    let wished = if meanwhile == Meanwhile::Drain { CloseReason::Drained } else { CloseReason::Finished };
    let expected = (output, reason.unwrap_or(wished));
    assert_eq!(
        run(letters, order, limits, meanwhile),
        expected,
        "{} in order {order}, {meanwhile:?}",
        letters.escape_ascii()
    );
}

/// Every sequence of up to `longest` letters.
fn every_sequence(longest: u32, mut check: impl FnMut(&[u8])) {
    for length in 0..=longest {
        for mut number in 0..ALL.len().pow(length) {
            let letters: Vec<u8> = (0..length)
                .map(|_| {
                    let letter = ALL[number % ALL.len()];
                    number /= ALL.len();
                    letter
                })
                .collect();
            check(&letters);
        }
    }
}

/// In how many orders those of the letters that wait can be answered.
fn orders(letters: &[u8]) -> usize {
    (1..=letters.iter().filter(|letter| b"lkad".contains(letter)).count()).product()
}

#[test]
fn every_flow_in_every_order() {
    every_sequence(4, |letters| {
        for order in 0..orders(letters) {
            check(letters, order, &Limits::default(), Meanwhile::Nothing);
        }
    });
}

#[test]
fn every_flow_in_every_order_with_little_room() {
    every_sequence(3, |letters| {
        for order in 0..orders(letters) {
            check(letters, order, &little_room(), Meanwhile::Nothing);
            check(letters, order, &little_room().with_questions_in_flight(1), Meanwhile::Nothing);
            check(letters, order, &Limits::default().with_questions_in_flight(2), Meanwhile::Nothing);
        }
    });
}

#[test]
fn every_flow_in_every_order_with_the_peer_gone_or_a_drain_meanwhile() {
    every_sequence(3, |letters| {
        for order in 0..orders(letters) {
            for meanwhile in [Meanwhile::Eof, Meanwhile::Drain] {
                check(letters, order, &Limits::default(), meanwhile);
                check(letters, order, &little_room(), meanwhile);
            }
        }
    });
}

#[test]
fn a_question_that_is_answered_with_silence_counts() {
    let now = Instant::now();
    let mut conversation = Conversation::new(framing(), Limits::default(), now);
    conversation.handle_input(b"s?s?c?s?", now);
    conversation.answer_with(&mut Script::default(), now);
    assert_eq!(conversation.transmit(), b"[c]");
    assert_eq!(conversation.take_tally().questions, 4);
    assert!(conversation.wants_read());
}

/// Ends the conversation at `e`, writing nothing; at `z`, with a message of no bytes; at `l`,
/// later.
struct Ends(Vec<Responder>);

impl Service<Lengths> for Ends {
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_, Lengths>) -> Flow {
        match question {
            b"e" => return Flow::Close,
            b"z" => {
                answer.stream(0).unwrap();
                return Flow::Close;
            }
            b"l" => {
                self.0.push(answer.later());
                return Flow::Later;
            }
            _ => answer.put(question),
        }
        Flow::Continue
    }

    fn last_words(&mut self, _: Ending<'_, ReservedBit>, _: &mut Answer<'_, Lengths>) -> Flow {
        Flow::Close
    }
}

#[test]
fn an_end_without_a_message_writes_no_header_either() {
    let a = &b"\0\x01a"[..];
    for (asked, said) in [
        (&b"\0\x01a\0\x01e\0\x01b"[..], a),
        (b"\0\x01a\0\x01z\0\x01b", b"\0\x01a\0\0"),
        (b"\0\x01a\0\x01l\0\x01b", a),
        (b"\0\x01l\0\x01a\0\x01e", b"\0\x01L\0\x01a"),
        (b"\0\x01l\0\x01a\0\x01z", b"\0\x01L\0\x01a\0\0"),
        // Too long: the service says nothing, and so does the framing then.
        (b"\0\x01a\x7f\xff", a),
    ] {
        let now = Instant::now();
        let mut conversation = Conversation::new(Lengths, Limits::default(), now);
        let mut service = Ends(Vec::new());
        conversation.open(&mut service, &Peer::default(), now);
        conversation.handle_input(asked, now);
        conversation.answer_with(&mut service, now);
        for responder in service.0.drain(..) {
            if asked.starts_with(a) {
                responder.answer_and_close("").unwrap();
            } else {
                responder.answer("L").unwrap();
            }
        }
        conversation.answer_with(&mut service, now);
        assert_eq!(conversation.transmit(), said, "{}", asked.escape_ascii());
        conversation.handle_sent(said.len(), now);
        assert!(conversation.poll_shutdown(), "{}", asked.escape_ascii());
    }
}
