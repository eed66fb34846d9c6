//! Other protocols than zen's over the same core: length prefixes, and lines.

use std::sync::Arc;
use std::time::Instant;

use zen_proto::{CloseReason, Conversation, Decoded, Ending, Framing, Limits, Output, Unsendable};

use crate::cuts::{every_string, segments, ways};
use crate::driver::{Application, Deferred, Inline, Reversed, Socket, echo, turn};
use crate::model::Outcome;

/// A message is its length in two bytes, most significant first, and then that many bytes of any
/// kind. The highest bit is reserved.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lengths;

const HEADER: usize = 2;

/// A length with the highest bit set.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the length {0:#06x} has the highest bit set")]
pub(crate) struct ReservedBit(u16);

impl Framing for Lengths {
    type Message<'a> = &'a [u8];
    type Error = ReservedBit;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<&'a [u8], ReservedBit> {
        let Some((header, rest)) = input.split_first_chunk::<HEADER>() else {
            return Decoded::Partial { start: 0, end: if input.is_empty() { 0 } else { HEADER } };
        };
        let length = u16::from_be_bytes(*header);
        let end = HEADER + usize::from(length);
        if length >= 0x8000 {
            Decoded::Malformed(ReservedBit(length))
        } else if input.len() < end {
            Decoded::Partial { start: 0, end }
        } else {
            Decoded::Whole { start: 0, end, message: &rest[..usize::from(length)] }
        }
    }

    fn begin(&mut self, output: &mut Output<'_>) {
        output.put(&[0; HEADER]);
    }

    fn end(&mut self, output: &mut Output<'_>, start: usize) -> Result<(), Unsendable> {
        let message = output.tail_mut(start);
        let length = u16::try_from(message.len() - HEADER).ok().filter(|length| *length < 0x8000);
        let length = length.ok_or(Unsendable::new("a message is shorter than 32 768 bytes"))?;
        message[..HEADER].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }

    fn begin_stream(&mut self, length: u64, output: &mut Output<'_>) -> Result<(), Unsendable> {
        let length = u16::try_from(length).ok().filter(|length| *length < 0x8000);
        let length = length.ok_or(Unsendable::new("a message is shorter than 32 768 bytes"))?;
        output.put(&length.to_be_bytes());
        Ok(())
    }

    fn last_words(&mut self, ending: &Ending<'_, ReservedBit>, output: &mut Output<'_>) {
        output.put(match ending {
            Ending::TooLong { .. } => b"\x00\x04long",
            Ending::Malformed(ReservedBit(_)) => b"\x00\x03bad",
            _ => b"",
        });
    }
}

/// The model of [`Lengths`], over the whole input.
fn outcome(mut input: &[u8], limit: usize) -> Outcome {
    let mut output = Vec::new();
    let (words, reason) = loop {
        match *input {
            [] => break ("", CloseReason::Finished),
            [_] => break ("", CloseReason::Truncated),
            [high, _, ..] if high > 127 => break ("\0\x03bad", CloseReason::Malformed),
            [high, low, ref rest @ ..] => {
                let length = usize::from(high) * 256 + usize::from(low);
                if length + 2 > limit {
                    break ("\0\x04long", CloseReason::QuestionTooLong);
                }
                if rest.len() < length {
                    break ("", CloseReason::Truncated);
                }
                output.extend([0, u8::try_from(length + 2).unwrap(), b'[']);
                output.extend(&rest[..length]);
                output.push(b']');
                input = &rest[length..];
            }
        }
    };
    output.extend(words.as_bytes());
    Outcome { output, reason }
}

/// Every string up to length 6 over the bytes that matter, with every cut.
fn check_all<A: Application<Lengths>>(limits: Limits, mut application: impl FnMut() -> A) {
    let now = Instant::now();
    let limits = Arc::new(limits);
    let mut socket = Socket::default();
    every_string([0, 1, 2, 0xff], 6, |string| {
        let expected = outcome(string, limits.question_length.unwrap_or(1024));
        for cuts in 0..ways(string) {
            let mut conversation = Conversation::new(Lengths, Arc::clone(&limits), now);
            let mut application = application();
            socket.received.clear();
            socket.fin = false;
            segments(string, cuts, |segment| {
                conversation.handle_input(segment, now);
                turn(&mut conversation, &mut application, &mut socket, now);
            });
            conversation.handle_eof(now);
            turn(&mut conversation, &mut application, &mut socket, now);
            assert!(
                socket.received == expected.output && conversation.closed() == Some(expected.reason),
                "{string:?} cut {cuts:#b}: {:?} {:?}, expected {expected:?}",
                conversation.closed(),
                socket.received,
            );
        }
    });
}

#[test]
fn lengths_inline() {
    check_all(Limits::default(), || Inline(echo));
}

#[test]
fn lengths_inline_with_little_room() {
    let limits =
        Limits::default().with_question_length(3).with_outbound_high_water(1).with_outbound_low_water(0);
    check_all(limits, || Inline(echo));
}

#[test]
fn lengths_deferred_in_order() {
    check_all(Limits::default().with_question_length(2), || Deferred);
}

#[test]
fn lengths_deferred_and_answered_last_question_first() {
    check_all(Limits::default().with_question_length(4), Reversed::default);
}

#[test]
fn a_length_over_the_limit_is_refused_before_its_body_arrives() {
    let now = Instant::now();
    let mut conversation = Conversation::new(Lengths, Limits::default(), now);
    conversation.handle_input(&1022_u16.to_be_bytes(), now);
    conversation.answer_with(&mut echo, now);
    assert!(conversation.wants_read(), "1 024 bytes with its header are within the limit");
    conversation.handle_input(&[b'x'; 1022], now);
    conversation.handle_input(&1023_u16.to_be_bytes(), now);
    conversation.answer_with(&mut echo, now);
    let transmit = conversation.transmit();
    assert_eq!(transmit[..3], [4, 0, b'['], "1 022 bytes and the brackets");
    assert_eq!(transmit[2 + 1024..], *b"\x00\x04long");
    conversation.handle_sent(transmit.len(), now);
    assert!(conversation.poll_shutdown());
}

#[test]
fn every_byte_goes_through_both_ways() {
    let now = Instant::now();
    let all: Vec<u8> = (0..=255).cycle().take(600).collect();
    let mut conversation = Conversation::new(Lengths, Limits::default(), now);
    for byte in [&600_u16.to_be_bytes()[..], &all].concat() {
        conversation.handle_input(&[byte], now);
        conversation.answer_with(&mut echo, now);
    }
    assert_eq!(conversation.transmit(), [&602_u16.to_be_bytes()[..], b"[", &all, b"]"].concat());
}

#[test]
fn an_answer_longer_than_its_header_can_say_fails_the_service() {
    let now = Instant::now();
    let mut longer = |question: &[u8], answer: &mut zen_proto::Answer<'_, Lengths>| {
        answer.put(&vec![b'x'; 0x7ffe + question.len()]);
    };
    let mut conversation = Conversation::new(Lengths, Limits::default(), now);
    conversation.handle_input(b"\x00\x01a\x00\x02ab\x00\x00", now);
    conversation.answer_with(&mut longer, now);
    assert_eq!(conversation.transmit().len(), HEADER + 0x7fff, "the first answer is as long as can be");
    conversation.handle_sent(HEADER + 0x7fff, now);
    conversation.handle_eof(now);
    assert_eq!(conversation.closed(), Some(CloseReason::ServiceFailed));
}

/// Lines that end with a line feed, which is not part of the text. A line must not contain a NUL.
/// Empty lines are questions too.
#[derive(Debug, Default)]
struct Lines {
    seen: usize,
}

/// A NUL inside a line.
#[derive(Debug, thiserror::Error)]
#[error("a NUL inside a line")]
struct Nul;

impl Framing for Lines {
    type Message<'a> = &'a [u8];
    type Error = Nul;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<&'a [u8], Nul> {
        let Some(at) = input[self.seen..].iter().position(|byte| matches!(byte, b'\n' | 0)) else {
            self.seen = input.len();
            return Decoded::Partial { start: 0, end: if input.is_empty() { 0 } else { input.len() + 1 } };
        };
        let end = std::mem::take(&mut self.seen) + at;
        if input[end] == 0 {
            return Decoded::Malformed(Nul);
        }
        Decoded::Whole { start: 0, end: end + 1, message: &input[..end] }
    }

    fn end(&mut self, output: &mut Output<'_>, start: usize) -> Result<(), Unsendable> {
        if output.tail_mut(start).contains(&b'\n') {
            return Err(Unsendable::new("a line feed inside a line"));
        }
        output.put(b"\n");
        Ok(())
    }
}

#[test]
fn lines_with_every_cut() {
    let now = Instant::now();
    let text = b"a\n\nbc\r\nd";
    for cuts in 0..ways(text) {
        let mut conversation = Conversation::new(Lines::default(), Limits::default(), now);
        let mut socket = Socket::default();
        segments(text, cuts, |segment| {
            conversation.handle_input(segment, now);
            turn(&mut conversation, &mut Inline(echo), &mut socket, now);
        });
        conversation.handle_eof(now);
        turn(&mut conversation, &mut Inline(echo), &mut socket, now);
        assert_eq!(socket.received, b"[a]\n[]\n[bc\r]\n");
        assert_eq!(conversation.closed(), Some(CloseReason::Truncated));
    }
}

#[test]
fn a_malformed_line_closes_silently_after_the_earlier_answers() {
    let now = Instant::now();
    let mut conversation = Conversation::new(Lines::default(), Limits::default(), now);
    let mut socket = Socket::default();
    conversation.handle_input(b"a\nb\0c\nd\n", now);
    turn(&mut conversation, &mut Inline(echo), &mut socket, now);
    assert_eq!(socket.received, b"[a]\n");
    assert!(socket.fin);
    conversation.handle_eof(now);
    assert_eq!(conversation.closed(), Some(CloseReason::Malformed));
}
