//! Two questions in one segment: the mistake that this project began with.

use std::time::Instant;

use zen_proto::{CloseReason, Conversation, Limits, aphorism};

use crate::pair::{Event, Pair, secs, send};

#[test]
fn two_questions_in_one_segment_get_two_answers() {
    let now = Instant::now();
    let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    conversation.handle_input(b"Beautiful is better than?Explicit is better than?", now);
    conversation.answer_with(&mut aphorism::Aphorisms, now);
    assert_eq!(conversation.transmit(), b"Ugly.Implicit.");
}

#[test]
fn the_whole_table_in_one_segment_and_a_half_close_behind_it() {
    let mut pair = Pair::zen(Limits::default())
        .at(secs(1), send("Simple is better than?Beautiful is better than?\r\nExplicit is better than?Why?"))
        .at(secs(1), Event::Eof);
    assert_eq!(pair.run(), (CloseReason::Finished, secs(1)));
    assert_eq!(pair.socket.received, b"Complex.Ugly.Implicit.Error: unknown aphorism.");
}

#[test]
fn a_question_in_many_segments_gets_one_answer() {
    let mut pair = Pair::zen(Limits::default());
    for (second, byte) in (0..).zip(b"Simple is better than?") {
        pair = pair.at(std::time::Duration::from_millis(second), send([*byte]));
    }
    pair.run_script();
    assert_eq!(pair.socket.received, b"Complex.");
    assert_eq!(pair.server.closed(), None, "it goes on");
}
