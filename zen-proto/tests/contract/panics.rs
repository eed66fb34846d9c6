//! A panic in any function of a service or a framing ends its own conversation, after the answers
//! before it, and nothing else.

use std::panic::resume_unwind;
use std::time::Instant;

use zen_proto::{
    Answer, CloseReason, Conversation, Decoded, Flow, Framing, Limits, Output, Peer, Service, Unsendable,
};

use crate::driver::{Inline, Socket, assert_nothing_remains, turn};

/// Where to panic.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Limit,
    Decode,
    Begin,
    End,
    BeginStream,
    Open,
    Answer,
    Later,
    Stream,
    Resume,
}

/// Panics in its place at the question `b?`. Not with `panic!`, whose hook would print: it is
/// expected.
#[derive(Debug, Clone)]
struct Mine {
    place: Place,
    armed: bool,
}

impl Mine {
    fn step_on(&self, place: Place) {
        if self.armed && self.place == place {
            resume_unwind(Box::new("expected"));
        }
    }
}

impl Framing for Mine {
    type Message<'a> = &'a [u8];
    type Error = std::convert::Infallible;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<&'a [u8], Self::Error> {
        if let Some(at) = input.iter().position(|byte| *byte == b'?') {
            self.armed = input.starts_with(b"b");
            self.step_on(Place::Decode);
            return Decoded::Whole { start: 0, end: at + 1, message: &input[..=at] };
        }
        Decoded::Partial { start: 0, end: input.len() + 1 }
    }

    fn begin(&mut self, output: &mut Output<'_>) {
        output.put(b"<");
        self.step_on(Place::Begin);
    }

    fn end(&mut self, output: &mut Output<'_>, _: usize) -> Result<(), Unsendable> {
        output.put(b">");
        self.step_on(Place::End);
        Ok(())
    }

    fn begin_stream(&mut self, _: u64, output: &mut Output<'_>) -> Result<(), Unsendable> {
        output.put(b"{");
        self.step_on(Place::BeginStream);
        Ok(())
    }

    fn message_limit(&self, _: Option<usize>) -> usize {
        // Asked before the message that arms it is decoded.
        if self.place == Place::Limit && self.armed {
            resume_unwind(Box::new("expected"));
        }
        1024
    }
}

impl Service<Mine> for Mine {
    fn open(&mut self, _: &Peer, answer: &mut Answer<'_, Mine>) -> Flow {
        answer.put(b"hello");
        if self.place == Place::Open {
            resume_unwind(Box::new("expected"));
        }
        Flow::Continue
    }

    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_, Mine>) -> Flow {
        self.armed = question == b"b?";
        answer.put(question);
        self.step_on(Place::Answer);
        match self.place {
            Place::Later if self.armed => {
                std::mem::forget(answer.later());
                self.step_on(Place::Later);
            }
            Place::Stream | Place::BeginStream if self.armed => {
                answer.stream(10).unwrap();
                answer.put(b"some");
                self.step_on(Place::Stream);
            }
            Place::Resume if self.armed => return Flow::More,
            _ => {}
        }
        Flow::Continue
    }

    fn resume(&mut self, answer: &mut Answer<'_, Mine>) -> Flow {
        answer.put(b"never sent");
        self.step_on(Place::Resume);
        Flow::Continue
    }
}

fn run(place: Place, questions: &[u8]) -> (String, Option<CloseReason>) {
    let now = Instant::now();
    let mine = Mine { place, armed: false };
    let mut conversation = Conversation::new(mine.clone(), Limits::default(), now);
    let (mut application, mut socket) = (Inline(mine), Socket::default());
    conversation.open(&mut application.0, &Peer::default(), now);
    conversation.handle_input(questions, now);
    turn(&mut conversation, &mut application, &mut socket, now);
    assert!(socket.fin && !conversation.is_busy(), "{place:?}");
    assert_eq!(conversation.heap_size(), 0, "{place:?}");
    conversation.handle_eof(now);
    assert_nothing_remains(&mut conversation);
    (socket.received.escape_ascii().to_string(), conversation.closed())
}

#[test]
fn a_panic_in_any_place_ends_the_conversation_after_the_answers_before_it() {
    for (place, output) in [
        (Place::Decode, "<hello><a?>"),
        (Place::Begin, "<hello><a?>"),
        (Place::End, "<hello><a?>"),
        (Place::BeginStream, "<hello><a?>"),
        (Place::Open, ""),
        (Place::Answer, "<hello><a?>"),
        (Place::Later, "<hello><a?>"),
        (Place::Stream, "<hello><a?>"),
        (Place::Resume, "<hello><a?><b?>"),
        // The question behind is the first whose limit is asked for then.
        (Place::Limit, "<hello><a?><b?>"),
    ] {
        let expected = (output.to_owned(), Some(CloseReason::ServiceFailed));
        assert_eq!(run(place, b"a?b?c?"), expected, "{place:?}");
    }
}

#[test]
fn a_panic_behind_an_answer_that_is_owed_does_not_take_that_one_with_it() {
    /// Answers `l?` later and panics at `b?`.
    struct Owing(Vec<zen_proto::Responder>);
    impl Service<Mine> for Owing {
        fn answer(&mut self, question: &[u8], answer: &mut Answer<'_, Mine>) -> Flow {
            self.0.push(answer.later());
            if question == b"b?" {
                resume_unwind(Box::new("expected"));
            }
            Flow::Later
        }
    }
    let now = Instant::now();
    let mine = Mine { place: Place::Open, armed: false };
    let mut conversation = Conversation::new(mine, Limits::default(), now);
    let mut service = Owing(Vec::new());
    conversation.handle_input(b"l?b?c?", now);
    conversation.answer_with(&mut service, now);
    assert_eq!(service.0.len(), 2, "c is not asked");
    assert!(!conversation.wants_read() && !conversation.poll_shutdown());
    for responder in service.0.drain(..).rev() {
        responder.answer("later").unwrap();
    }
    conversation.answer_with(&mut service, now);
    assert_eq!(conversation.transmit(), b"<later>");
    conversation.handle_sent(7, now);
    conversation.handle_eof(now);
    assert_eq!(conversation.closed(), Some(CloseReason::ServiceFailed));
}

#[test]
fn a_panic_while_a_question_is_handed_out_ends_the_conversation() {
    let now = Instant::now();
    let mine = Mine { place: Place::Open, armed: false };
    let mut conversation = Conversation::new(mine, Limits::default(), now);
    conversation.handle_input(b"a?b?", now);
    let taken: Option<((), _)> = conversation.poll_question_with(|_| resume_unwind(Box::new("expected")));
    assert!(taken.is_none() && conversation.poll_shutdown());
}
