//! Replies in pieces: of any length, and never more of them held than the high water and a piece.

use std::time::Instant;

use zen_proto::{
    Answer, CloseReason, Conversation, Decoded, DelimiterFraming, Flow, Framing, Limits, Output, Service,
    Unsendable,
};

use crate::driver::{Inline, Socket, turn};
use crate::framings::Lengths;

const PIECE: usize = 16 * 1024;
const MIB: usize = 1024 * 1024;

/// Replies with pieces of these lengths.
struct Pieces {
    lengths: std::collections::VecDeque<usize>,
    /// How long the message of all pieces is said to be, if they are one.
    announced: Option<u64>,
    /// What is returned with the last piece.
    last: Flow,
}

impl Pieces {
    fn new(lengths: &[usize], announced: Option<u64>) -> Self {
        Self { lengths: lengths.iter().copied().collect(), announced, last: Flow::Continue }
    }

    fn ending_with(mut self, last: Flow) -> Self {
        self.last = last;
        self
    }

    fn piece<F>(&mut self, answer: &mut Answer<'_, F>) -> Flow {
        answer.put(&vec![b'x'; self.lengths.pop_front().expect("there is another piece")]);
        if self.lengths.is_empty() { self.last } else { Flow::More }
    }
}

impl<F: Framing> Service<F> for Pieces {
    fn answer(&mut self, _: F::Message<'_>, answer: &mut Answer<'_, F>) -> Flow {
        if let Some(length) = self.announced {
            answer.put(b"this is taken back");
            answer.stream(length).unwrap();
        }
        self.piece(answer)
    }

    fn resume(&mut self, answer: &mut Answer<'_, F>) -> Flow {
        self.piece(answer)
    }
}

#[test]
fn a_reply_of_50_mib_holds_the_high_water_and_a_piece() {
    let now = Instant::now();
    let limits = Limits::default();
    let mut service = Pieces::new(&vec![PIECE; 50 * MIB / PIECE], None);
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), limits.clone(), now);
    conversation.handle_input(b"blob?", now);
    let bound = limits.memory_bound(&DelimiterFraming::new(b'?'), 5, PIECE);
    let (mut received, mut most) = (0, 0);
    loop {
        conversation.answer_with(&mut service, now);
        let held = conversation.transmit().len();
        most = most.max(held);
        assert!(conversation.heap_size() <= bound, "{} > {bound}", conversation.heap_size());
        if held == 0 {
            break;
        }
        assert!(!conversation.wants_read() || service.lengths.is_empty(), "nothing is read meanwhile");
        let taken = held.min(10_000);
        conversation.handle_sent(taken, now);
        received += taken;
    }
    assert_eq!(received, 50 * MIB);
    assert!(most >= limits.outbound_high_water && most < limits.outbound_high_water + PIECE, "{most}");
    assert!(conversation.wants_read(), "the conversation goes on");
}

#[test]
fn the_next_piece_is_asked_for_at_the_low_water() {
    let now = Instant::now();
    let limits = Limits::default().with_outbound_high_water(10).with_outbound_low_water(4);
    let mut service = Pieces::new(&[6; 4], None);
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), limits, now);
    conversation.handle_input(b"?", now);
    conversation.answer_with(&mut service, now);
    assert_eq!(conversation.transmit().len(), 12, "6 are fewer than 10");
    conversation.handle_sent(7, now);
    assert!(!conversation.wants_answer());
    conversation.handle_sent(1, now);
    assert!(conversation.wants_answer(), "4 are left");
    conversation.answer_with(&mut service, now);
    assert_eq!(conversation.transmit().len(), 10);
}

#[test]
fn each_piece_that_was_not_announced_is_a_message() {
    let output = reply(&mut Pieces::new(&[1, 2, 0, 1], None), b"\0\0", Limits::default());
    assert_eq!(output, (b"\0\x01x\0\x02xx\0\0\0\x01x".to_vec(), CloseReason::Finished));
}

/// What the peer receives for these questions before it closes, and why the conversation ends.
fn reply(service: &mut Pieces, questions: &[u8], limits: Limits) -> (Vec<u8>, CloseReason) {
    let now = Instant::now();
    let mut conversation = Conversation::new(Lengths, limits, now);
    conversation.handle_input(questions, now);
    let mut socket = Socket::default();
    let mut application = Inline(std::mem::replace(service, Pieces::new(&[], None)));
    turn(&mut conversation, &mut application, &mut socket, now);
    conversation.handle_eof(now);
    turn(&mut conversation, &mut application, &mut socket, now);
    (socket.received, conversation.closed().expect("nothing is owed"))
}

#[test]
fn a_streamed_message_has_one_header_and_the_length_that_was_announced() {
    for limits in [Limits::default(), crate::script::little_room()] {
        for last in [Flow::Continue, Flow::More] {
            for lengths in [&[5][..], &[1, 4], &[0, 5], &[2, 2, 1], &[1; 5]] {
                let mut service = Pieces::new(lengths, Some(5)).ending_with(last);
                let expected = (b"\0\x05xxxxx".to_vec(), CloseReason::Finished);
                assert_eq!(reply(&mut service, b"\0\0", limits.clone()), expected, "{lengths:?} {last:?}");
            }
        }
        let mut empty = Pieces::new(&[0], Some(0));
        assert_eq!(reply(&mut empty, b"\0\0", limits.clone()), (b"\0\0".to_vec(), CloseReason::Finished));
        let mut closing = Pieces::new(&[1, 4], Some(5)).ending_with(Flow::Close);
        let expected = (b"\0\x05xxxxx".to_vec(), CloseReason::ServiceClosed);
        assert_eq!(
            reply(&mut closing, b"\0\0\0\0", limits),
            expected,
            "and the second question is not taken"
        );
    }
}

#[test]
fn a_streamed_message_of_another_length_than_announced_fails() {
    for (lengths, last, sent) in [
        (&[4][..], Flow::Continue, &b""[..]),
        (&[6], Flow::Continue, b""),
        (&[6], Flow::More, b""),
        (&[2, 2], Flow::Continue, b"\0\x05xx"),
        (&[2, 2], Flow::Close, b"\0\x05xx"),
        (&[2, 4], Flow::Continue, b"\0\x05xx"),
        (&[2, 0, 3], Flow::Continue, b"\0\x05xx"),
        (&[2], Flow::Silent, b""),
        (&[2], Flow::Later, b""),
        (&[5], Flow::Silent, b""),
        (&[2, 3], Flow::Silent, b"\0\x05xx"),
    ] {
        let mut service = Pieces::new(lengths, Some(5)).ending_with(last);
        let expected = (sent.to_vec(), CloseReason::ServiceFailed);
        assert_eq!(reply(&mut service, b"\0\0", Limits::default()), expected, "{lengths:?} {last:?}");
    }
}

/// Nothing before a message and a dot behind it, which a streamed one does not get.
struct Dots;

impl Framing for Dots {
    type Message<'a> = ();
    type Error = std::convert::Infallible;

    fn decode(&mut self, _: &[u8]) -> Decoded<(), Self::Error> {
        Decoded::Whole { start: 0, end: 1, message: () }
    }

    fn end(&mut self, output: &mut Output<'_>, _: usize) -> Result<(), Unsendable> {
        output.put(b".");
        Ok(())
    }
}

#[test]
fn neither_begin_nor_end_is_called_for_a_streamed_message() {
    let now = Instant::now();
    for (lengths, length, output) in [(&[0][..], 0, &b"."[..]), (&[3], 3, b"xxx."), (&[1, 2], 3, b"xxx.")] {
        let mut conversation = Conversation::new(Dots, Limits::default(), now);
        conversation.handle_input(b"a", now);
        conversation.answer_with(&mut Pieces::new(lengths, Some(length)), now);
        conversation.handle_input(b"b", now);
        conversation.answer_with(&mut |(): (), _: &mut Answer<'_, Dots>| {}, now);
        assert_eq!(conversation.transmit(), output, "{length}");
    }
}

/// Tries to stream what its framing cannot write, and answers otherwise then.
fn too_much(question: &[u8], answer: &mut Answer<'_, Lengths>) -> Flow {
    if question == b"later" {
        std::mem::forget(answer.later());
        return Flow::Later;
    }
    answer.put(b"kept ");
    assert!(answer.stream(0x8000).is_err());
    answer.put(b"on");
    Flow::Continue
}

#[test]
fn a_stream_that_the_framing_cannot_begin_leaves_the_answer_as_it_was() {
    let now = Instant::now();
    let mut conversation = Conversation::new(Lengths, Limits::default(), now);
    conversation.handle_input(b"\0\0", now);
    conversation.answer_with(&mut too_much, now);
    assert_eq!(conversation.transmit(), b"\0\x07kept on");
    // Behind an answer that is owed.
    let mut kept = None;
    let mut service = |question: &[u8], answer: &mut Answer<'_, Lengths>| {
        if question == b"later" {
            kept = Some(answer.later());
            return Flow::Later;
        }
        too_much(question, answer)
    };
    conversation.handle_sent(9, now);
    conversation.handle_input(b"\0\x05later\0\0", now);
    conversation.answer_with(&mut service, now);
    kept.unwrap().answer("first").unwrap();
    conversation.answer_with(&mut too_much, now);
    assert_eq!(conversation.transmit(), b"\0\x05first\0\x07kept on");
}

#[test]
fn a_second_stream_inside_the_first_is_refused() {
    let now = Instant::now();
    let mut service = |_: &[u8], answer: &mut Answer<'_, Lengths>| {
        answer.stream(3).unwrap();
        assert!(answer.stream(2).is_err());
        answer.put(b"abc");
    };
    let mut conversation = Conversation::new(Lengths, Limits::default(), now);
    conversation.handle_input(b"\0\0\0\0", now);
    conversation.answer_with(&mut service, now);
    assert_eq!(conversation.transmit(), b"\0\x03abc\0\x03abc");
}

#[test]
fn a_length_of_all_ones_is_no_trouble() {
    let now = Instant::now();
    let mut service = |_: &[u8], answer: &mut Answer<'_>| {
        answer.stream(u64::MAX).unwrap();
        answer.put(b"abc");
        Flow::More
    };
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), Limits::default(), now);
    conversation.handle_input(b"?", now);
    conversation.answer_with(&mut service, now);
    assert_eq!(conversation.transmit(), b"abc");
}
