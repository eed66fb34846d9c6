//! What a layer below the conversation says: the peer was cut off, or the layer cannot go on.

use std::time::Instant;

use zen_proto::aphorism::{self, Aphorisms};
use zen_proto::{CloseReason, Conversation, DelimiterFraming, Limits};

use crate::driver::assert_nothing_remains;

fn begun(now: Instant) -> Conversation<DelimiterFraming> {
    Conversation::new(aphorism::framing(), Limits::default(), now)
}

#[test]
fn a_cut_between_questions_is_told_from_a_close_and_what_came_whole_is_answered() {
    let now = Instant::now();
    let mut conversation = begun(now);
    conversation.handle_input(b"Simple is better than?", now);
    conversation.handle_truncated(now);
    assert!(!conversation.wants_read());
    conversation.answer_with(&mut Aphorisms, now);
    assert_eq!(conversation.transmit(), b"Complex.");
    conversation.handle_sent(8, now);
    assert_eq!(conversation.closed(), Some(CloseReason::Truncated));
    assert_nothing_remains(&mut conversation);
}

#[test]
fn a_cut_after_the_end_changes_nothing() {
    let now = Instant::now();
    let mut conversation = begun(now);
    conversation.drain(now);
    assert!(conversation.poll_shutdown());
    conversation.handle_truncated(now);
    assert_eq!(conversation.closed(), Some(CloseReason::Drained));
}

#[test]
fn an_abort_sends_nothing_more_and_changes_no_end_that_was_reached() {
    let now = Instant::now();
    let mut conversation = begun(now);
    conversation.handle_input(b"Simple is better than?", now);
    conversation.answer_with(&mut Aphorisms, now);
    conversation.abort(CloseReason::Malformed, now);
    assert_eq!(conversation.closed(), Some(CloseReason::Malformed));
    assert_nothing_remains(&mut conversation);
    conversation.abort(CloseReason::QuestionDeadline, now);
    assert_eq!(conversation.closed(), Some(CloseReason::Malformed));

    let mut conversation = begun(now);
    conversation.drain(now);
    assert!(conversation.poll_shutdown());
    conversation.abort(CloseReason::Malformed, now);
    assert_eq!(conversation.closed(), Some(CloseReason::Drained));
}
