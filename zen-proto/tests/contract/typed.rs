//! Typed messages: decoded once, borrowed from the input or assembled; the framing's own error; and
//! the framing's own message limit.

use std::borrow::Cow;
use std::time::Instant;

use zen_proto::{
    Answer, CloseReason, Conversation, Decoded, Ending, Flow, Framing, Limits, Output, Peer, Service,
};

use crate::cuts::{segments, ways};
use crate::driver::{Inline, Socket, turn};

/// Words between spaces, with a line feed at the end of each command. `%` and a byte stand for that
/// byte; so a word is either a part of the input or is assembled.
#[derive(Debug, Default)]
struct Words {
    /// How often input was looked at.
    decoded: usize,
    /// How many of the bytes at the front hold no line feed.
    scanned: usize,
}

/// The word that is not one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("word {number} ends in the middle of an escape")]
struct HalfEscape {
    number: usize,
}

fn word(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !bytes.contains(&b'%') {
        return Some(Cow::Borrowed(bytes));
    }
    let (mut word, mut rest) = (Vec::new(), bytes.iter());
    while let Some(byte) = rest.next() {
        word.push(if *byte == b'%' { *rest.next()? } else { *byte });
    }
    Some(Cow::Owned(word))
}

impl Framing for Words {
    type Message<'a> = Vec<Cow<'a, [u8]>>;
    type Error = HalfEscape;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<Self::Message<'a>, HalfEscape> {
        self.decoded += 1;
        let blank = input.iter().take_while(|byte| **byte == b' ').count();
        let Some(at) = input[self.scanned..].iter().position(|byte| *byte == b'\n') else {
            if blank == input.len() {
                return Decoded::nothing(blank);
            }
            self.scanned = input.len() - blank;
            return Decoded::Partial { start: blank, end: input.len() + 1 };
        };
        let end = std::mem::take(&mut self.scanned) + at + 1;
        let mut words = Vec::new();
        for (number, bytes) in (1..).zip(input[blank..end - 1].split(|byte| *byte == b' ')) {
            let Some(word) = word(bytes) else { return Decoded::Malformed(HalfEscape { number }) };
            words.push(word);
        }
        Decoded::Whole { start: blank, end, message: words }
    }

    fn message_limit(&self, configured: Option<usize>) -> usize {
        configured.unwrap_or(20)
    }

    fn last_words(&mut self, ending: &Ending<'_, HalfEscape>, output: &mut Output<'_>) {
        match ending {
            Ending::Malformed(error) => output.put(format!("{error}\n").as_bytes()),
            Ending::TooLong { limit } => output.put(format!("more than {limit} bytes\n").as_bytes()),
            _ => {}
        }
    }
}

/// Says each word with how it came.
fn spell(words: Vec<Cow<'_, [u8]>>, answer: &mut Answer<'_, Words>) {
    for word in words {
        answer.put(if matches!(word, Cow::Borrowed(_)) { b"<" } else { b"{" });
        answer.put(&word);
        answer.put(if matches!(word, Cow::Borrowed(_)) { b">" } else { b"}" });
    }
    answer.put(b"\n");
}

#[test]
fn messages_are_borrowed_or_assembled_whatever_the_cut() {
    let now = Instant::now();
    let text = b" a b%xc\n\n%%\n";
    for cuts in 0..ways(text) {
        let mut conversation = Conversation::new(Words::default(), Limits::default(), now);
        let mut socket = Socket::default();
        segments(text, cuts, |segment| {
            conversation.handle_input(segment, now);
            turn(&mut conversation, &mut Inline(spell), &mut socket, now);
        });
        assert_eq!(socket.received.escape_ascii().to_string(), r"<a>{bxc}\n<>\n{%}\n", "{cuts:#b}");
    }
}

#[test]
fn each_message_is_decoded_once() {
    let now = Instant::now();
    let counted = std::cell::Cell::new(0);
    let mut service = |_: Vec<Cow<'_, [u8]>>, answer: &mut Answer<'_, Words>| {
        counted.set(answer.framing_mut().decoded);
    };
    let mut conversation = Conversation::new(Words::default(), Limits::default(), now);
    conversation.handle_input(&b"a b c\n".repeat(50), now);
    conversation.answer_with(&mut service, now);
    assert_eq!(counted.get(), 50);
}

#[test]
fn a_typed_message_is_handed_out_as_what_is_to_be_kept_of_it() {
    let now = Instant::now();
    let mut conversation = Conversation::new(Words::default(), Limits::default(), now);
    conversation.handle_input(b"a b\nc d e\n", now);
    let count = |words: Vec<Cow<'_, [u8]>>| words.len();
    let (first, ticket) = conversation.poll_question_with(count).unwrap();
    let (second, other) = conversation.poll_question_with(count).unwrap();
    assert_eq!((first, second), (2, 3));
    assert!(conversation.poll_question_with(count).is_none());
    conversation.answer(other, b"3", now).unwrap();
    conversation.answer(ticket, b"2", now).unwrap();
    assert_eq!(conversation.transmit(), b"23");
}

/// Answers as [`spell`] does, and says a refusal in its own words if it is told to.
struct Refusing {
    own_words: bool,
    heard: Vec<String>,
}

impl Service<Words> for Refusing {
    fn answer(&mut self, words: Vec<Cow<'_, [u8]>>, answer: &mut Answer<'_, Words>) -> Flow {
        spell(words, answer);
        Flow::Continue
    }

    fn last_words(&mut self, ending: Ending<'_, HalfEscape>, answer: &mut Answer<'_, Words>) -> Flow {
        self.heard.push(format!("{ending:?}"));
        if self.own_words {
            answer.put(b"goodbye\n");
            return Flow::Continue;
        }
        answer.put(b"not to be sent");
        Flow::Silent
    }
}

#[test]
fn the_framings_own_error_reaches_the_last_words() {
    let now = Instant::now();
    for (own_words, said) in
        [(false, "<a>\nword 3 ends in the middle of an escape\n"), (true, "<a>\ngoodbye\n")]
    {
        let mut conversation = Conversation::new(Words::default(), Limits::default(), now);
        let mut application = Inline(Refusing { own_words, heard: Vec::new() });
        let mut socket = Socket::default();
        conversation.open(&mut application.0, &Peer::default(), now);
        conversation.handle_input(b"a\nb c d%\ne\n", now);
        turn(&mut conversation, &mut application, &mut socket, now);
        assert_eq!(socket.received, said.as_bytes());
        assert_eq!(application.0.heard, ["Malformed(HalfEscape { number: 3 })"]);
        assert!(socket.fin);
        conversation.handle_eof(now);
        assert_eq!(conversation.closed(), Some(CloseReason::Malformed));
    }
}

#[test]
fn the_limit_is_the_framings_unless_the_operator_has_set_one() {
    let now = Instant::now();
    for (limits, limit) in [
        (Limits::default(), 20),
        (Limits::default().with_question_length(5), 5),
        (Limits::default().with_question_length(30), 30),
        (Limits::default().with_question_length(30).with_question_length(None), 20),
    ] {
        for (length, whole) in [(limit, true), (limit + 1, false)] {
            let message = [&b"  "[..], &vec![b'x'; length - 1], b"\n"].concat();
            let mut conversation = Conversation::new(Words::default(), limits.clone(), now);
            let mut socket = Socket::default();
            conversation.handle_input(&message, now);
            turn(&mut conversation, &mut Inline(spell), &mut socket, now);
            let expected = if whole {
                format!("<{}>\n", "x".repeat(length - 1))
            } else {
                format!("more than {limit} bytes\n")
            };
            assert_eq!(String::from_utf8(socket.received).unwrap(), expected);
        }
    }
}

/// Counts how it was configured, and panics if that is wanted.
struct Configured {
    limits: Vec<Option<usize>>,
    panics: bool,
}

impl Framing for Configured {
    type Message<'a> = &'a [u8];
    type Error = std::convert::Infallible;

    fn configure(&mut self, message_limit: Option<usize>) {
        self.limits.push(message_limit);
        if self.panics {
            std::panic::resume_unwind(Box::new("configure"));
        }
    }

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<&'a [u8], Self::Error> {
        Decoded::Whole { start: 0, end: input.len(), message: input }
    }

    fn message_limit(&self, configured: Option<usize>) -> usize {
        configured.unwrap_or(7)
    }
}

#[test]
fn a_framing_and_a_service_learn_of_the_operators_limit() {
    let now = Instant::now();
    for (limit, now_taken) in [(None, "7"), (Some(5000), "5000")] {
        let framing = Configured { limits: Vec::new(), panics: false };
        let mut conversation = Conversation::new(framing, Limits::default().with_question_length(limit), now);
        let mut service = |_: &[u8], answer: &mut Answer<'_, Configured>| {
            assert_eq!(answer.framing_mut().limits, [limit]);
            let taken = answer.message_limit().to_string();
            answer.put(taken.as_bytes());
        };
        conversation.handle_input(b"a", now);
        conversation.answer_with(&mut service, now);
        assert_eq!(conversation.transmit(), now_taken.as_bytes());
    }
}

#[test]
fn a_framing_that_panics_when_it_is_configured_fails() {
    let now = Instant::now();
    let framing = Configured { limits: Vec::new(), panics: true };
    let mut conversation = Conversation::new(framing, Limits::default(), now);
    assert!(!conversation.wants_answer() && conversation.poll_shutdown());
    conversation.handle_eof(now);
    assert_eq!(conversation.closed(), Some(CloseReason::ServiceFailed));
}
