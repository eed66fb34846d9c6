//! A framing whose state the service switches, as SMTP's DATA does: what is buffered already is
//! read in the new state.

use std::convert::Infallible;
use std::time::Instant;

use zen_proto::{Answer, Conversation, Decoded, Flow, Framing, Limits, Output, Service, Unsendable};

use crate::cuts::{segments, ways};
use crate::driver::{Inline, Socket, turn};
use crate::script::little_room;

/// Lines of commands, or of a text that a line with a dot ends.
#[derive(Debug, Default)]
struct Mail {
    in_text: bool,
}

#[derive(Debug)]
enum Line<'a> {
    Command(&'a [u8]),
    /// Without the dot that hides another.
    Text(&'a [u8]),
    EndOfText,
}

impl Framing for Mail {
    type Message<'a> = Line<'a>;
    type Error = Infallible;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<Line<'a>, Infallible> {
        let Some(at) = input.iter().position(|byte| *byte == b'\n') else {
            return Decoded::Partial { start: 0, end: if input.is_empty() { 0 } else { input.len() + 1 } };
        };
        let message = match &input[..at] {
            line if !self.in_text => Line::Command(line),
            b"." => {
                self.in_text = false;
                Line::EndOfText
            }
            line => Line::Text(line.strip_prefix(b".").unwrap_or(line)),
        };
        Decoded::Whole { start: 0, end: at + 1, message }
    }

    fn end(&mut self, output: &mut Output<'_>, _: usize) -> Result<(), Unsendable> {
        output.put(b"\n");
        Ok(())
    }

    fn message_limit(&self, _: Option<usize>) -> usize {
        if self.in_text { 12 } else { 6 }
    }
}

#[derive(Default)]
struct Mailer {
    text: Vec<u8>,
}

impl Service<Mail> for Mailer {
    fn answer(&mut self, line: Line<'_>, answer: &mut Answer<'_, Mail>) -> Flow {
        match line {
            Line::Command(b"DATA") => {
                answer.framing_mut().in_text = true;
                answer.put(b"354");
            }
            Line::Command(b"QUIT") => {
                answer.put(b"221");
                return Flow::Close;
            }
            Line::Command(_) => answer.put(b"500"),
            Line::Text(line) => {
                self.text.extend(line);
                self.text.push(b'|');
                return Flow::Silent;
            }
            Line::EndOfText => {
                answer.put(b"250 ");
                answer.put(&std::mem::take(&mut self.text));
            }
        }
        Flow::Continue
    }
}

#[test]
fn what_is_buffered_behind_the_switch_is_read_in_the_new_state_at_every_cut() {
    let now = Instant::now();
    // The text holds a command, a longer line than a command may be, and a hidden dot.
    let input = b"DATA\nQUIT\n..\n.\nX\n";
    let long = b"DATA\nlonger than\n.\nQUIT\nX\n";
    for limits in [Limits::default(), little_room()] {
        for cuts in 0..ways(input) {
            let mut conversation = Conversation::new(Mail::default(), limits.clone(), now);
            let (mut application, mut socket) = (Inline(Mailer::default()), Socket::default());
            segments(input, cuts, |segment| {
                conversation.handle_input(segment, now);
                turn(&mut conversation, &mut application, &mut socket, now);
            });
            assert_eq!(socket.received, b"354\n250 QUIT|.|\n500\n", "cut {cuts:#b}");
        }
        for cut in 0..long.len() {
            let mut conversation = Conversation::new(Mail::default(), limits.clone(), now);
            let (mut application, mut socket) = (Inline(Mailer::default()), Socket::default());
            for segment in [&long[..cut], &long[cut..]] {
                conversation.handle_input(segment, now);
                turn(&mut conversation, &mut application, &mut socket, now);
            }
            assert_eq!(socket.received, b"354\n250 longer than|\n221\n", "cut at {cut}");
            assert!(socket.fin, "nothing behind QUIT is read");
        }
    }
}

/// Switches while it resumes an answer: the bytes behind are not looked at before.
struct LateSwitch;

impl Service<Mail> for LateSwitch {
    fn answer(&mut self, line: Line<'_>, answer: &mut Answer<'_, Mail>) -> Flow {
        answer.put(format!("{line:?}").as_bytes());
        if matches!(line, Line::Command(_)) { Flow::More } else { Flow::Continue }
    }

    fn resume(&mut self, answer: &mut Answer<'_, Mail>) -> Flow {
        answer.framing_mut().in_text = true;
        Flow::Silent
    }
}

#[test]
fn a_switch_at_the_end_of_an_answer_in_pieces_holds_for_the_next_message() {
    let now = Instant::now();
    for limits in [Limits::default(), little_room()] {
        let mut conversation = Conversation::new(Mail::default(), limits, now);
        let mut socket = Socket::default();
        conversation.handle_input(b"A\n.B\n.\n", now);
        turn(&mut conversation, &mut Inline(LateSwitch), &mut socket, now);
        assert_eq!(socket.received.escape_ascii().to_string(), r"Command([65])\nText([66])\nEndOfText\n");
    }
}
