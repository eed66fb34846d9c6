//! The end of a conversation: the service is told once, with the reason and the whole tally.

use std::time::Instant;

use zen_proto::{Answer, CloseReason, Closed, Conversation, DelimiterFraming, Flow, Limits, Peer, Service};

#[derive(Default)]
struct Listening {
    told: Vec<Closed>,
    panics: bool,
}

impl Service for Listening {
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) -> Flow {
        answer.put(question);
        Flow::Continue
    }

    fn closed(&mut self, closed: &Closed) {
        self.told.push(*closed);
        if self.panics {
            // Not `panic!`, whose hook would print: this panic is expected.
            std::panic::resume_unwind(Box::new("closed"));
        }
    }
}

fn counted(closed: Closed) -> (CloseReason, u64, u64, u64) {
    (closed.reason, closed.questions, closed.bytes_in, closed.bytes_out)
}

#[test]
fn the_service_is_told_once_with_all_that_was_done() {
    let now = Instant::now();
    let mut service = Listening::default();
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), Limits::default(), now);
    conversation.open(&mut service, &Peer::default(), now);
    for text in ["a?bb?", "ccc?d"] {
        conversation.handle_input(text.as_bytes(), now);
        conversation.answer_with(&mut service, now);
        conversation.handle_sent(conversation.transmit().len().min(4), now);
        // What a server has counted meanwhile is not missing.
        let _ = conversation.take_tally();
        assert_eq!(conversation.poll_closed(&mut service), None);
    }
    conversation.handle_lost(now);
    for _ in 0..3 {
        assert_eq!(conversation.poll_closed(&mut service), Some(CloseReason::ConnectionLost));
        conversation.answer_with(&mut service, now);
        conversation.handle_timeout(now);
    }
    let told: Vec<_> = service.told.into_iter().map(counted).collect();
    assert_eq!(told, [(CloseReason::ConnectionLost, 3, 10, 8)]);
}

#[test]
fn a_panic_at_the_end_changes_nothing() {
    let now = Instant::now();
    let mut service = Listening { panics: true, ..Listening::default() };
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), Limits::default(), now);
    conversation.handle_eof(now);
    assert_eq!(conversation.poll_closed(&mut service), Some(CloseReason::Finished));
    assert_eq!(conversation.poll_closed(&mut service), Some(CloseReason::Finished));
    assert_eq!(service.told.len(), 1);
}
