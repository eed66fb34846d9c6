//! Every string up to length 8 over four symbols, with every cut, against the naive model.

use std::sync::Arc;
use std::time::Instant;

use zen_proto::{Conversation, Limits, aphorism};

use crate::cuts::{every_string, segments, ways};
use crate::driver::{Application, Deferred, Inline, Reversed, Socket, echo, turn};
use crate::model::outcome;

const SYMBOLS: [u8; 4] = *b"a? \n";

/// When the conversation learns of the end of the input.
#[derive(Debug, Clone, Copy)]
enum Eof {
    /// After all the input has been answered.
    Apart,
    /// Together with the last segment.
    WithTheLastSegment,
}

fn check_all<A: Application<zen_proto::DelimiterFraming>>(
    limits: Limits,
    eof: Eof,
    mut application: impl FnMut() -> A,
) {
    let now = Instant::now();
    let limits = Arc::new(limits);
    let mut socket = Socket::default();
    every_string(SYMBOLS, 8, |string| {
        let expected = outcome(string, limits.question_length.unwrap_or(1024));
        for cuts in 0..ways(string) {
            let mut conversation = Conversation::new(aphorism::framing(), Arc::clone(&limits), now);
            let mut application = application();
            socket.received.clear();
            socket.fin = false;
            let mut left = string.len();
            segments(string, cuts, |segment| {
                // A lingering close reads on, so this is true for all but bad input.
                assert!(conversation.wants_read());
                conversation.handle_input(segment, now);
                left -= segment.len();
                if left > 0 || matches!(eof, Eof::Apart) {
                    turn(&mut conversation, &mut application, &mut socket, now);
                }
            });
            conversation.handle_eof(now);
            turn(&mut conversation, &mut application, &mut socket, now);
            assert!(
                socket.received == expected.output && conversation.closed() == Some(expected.reason),
                "{:?} cut {cuts:#b}, end {eof:?}: {:?} {:?}, expected {expected:?}",
                string.escape_ascii().to_string(),
                conversation.closed(),
                socket.received.escape_ascii().to_string(),
            );
        }
    });
}

#[test]
fn inline() {
    check_all(Limits::default(), Eof::Apart, || Inline(echo));
}

#[test]
fn inline_with_the_end_at_hand() {
    let limits = Limits::default().with_question_length(3);
    check_all(limits, Eof::WithTheLastSegment, || Inline(echo));
}

#[test]
fn inline_with_every_answer_filling_the_room() {
    let limits = Limits::default().with_outbound_high_water(1).with_outbound_low_water(0);
    check_all(limits, Eof::Apart, || Inline(echo));
}

#[test]
fn deferred_in_order_one_at_a_time_with_little_length() {
    let limits = Limits::default().with_question_length(2).with_questions_in_flight(1);
    check_all(limits, Eof::Apart, || Deferred);
}

#[test]
fn deferred_and_answered_last_question_first() {
    let limits = Limits::default().with_question_length(3);
    check_all(limits, Eof::Apart, Reversed::default);
}
