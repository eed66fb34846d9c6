//! A service that does what its questions say, and how its conversation must end.

use zen_proto::{Answer, CloseReason, DelimiterFraming, Flow, Framing, Limits, Responder, Service};

/// Everything that a question can ask for, each as one letter.
pub(crate) const ALL: [u8; 9] = *b"csmtqlkad";

/// Answers each question by its first letter.
///
/// `c` is answered; `s` is not; `m` is answered in three pieces, and `t` too, which are one
/// message; `q` closes. The others are answered later: `l` goes on, `k` stays silent, `a` closes,
/// and the responder of `d` is dropped.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) responders: Vec<(u8, Responder)>,
    pieces: usize,
}

impl Script {
    /// Uses one of the responders as its letter says.
    pub(crate) fn respond(&mut self, index: usize) {
        let (letter, responder) = self.responders.remove(index);
        let text = format!("[{}]", char::from(letter));
        match letter {
            b'l' => responder.answer(text).unwrap_or(()),
            b'a' => responder.answer_and_close(text).unwrap_or(()),
            b'k' => responder.stay_silent().unwrap_or(()),
            _ => drop(responder),
        }
    }
}

impl<F: Framing> Service<F> for Script
where
    for<'a> F::Message<'a>: AsRef<[u8]>,
{
    fn answer(&mut self, question: F::Message<'_>, answer: &mut Answer<'_, F>) -> Flow {
        match question.as_ref()[0] {
            letter @ (b'c' | b'q') => {
                answer.put(&[b'[', letter, b']']);
                if letter == b'q' { Flow::Close } else { Flow::Continue }
            }
            b's' => {
                answer.put(b"not to be sent");
                Flow::Silent
            }
            letter @ (b'm' | b't') => {
                if letter == b't' {
                    answer.put(b"taken back");
                    answer.stream(5).unwrap();
                }
                answer.put(b"(m");
                self.pieces = 2;
                Flow::More
            }
            letter => {
                answer.put(b"not to be sent");
                self.responders.push((letter, answer.later()));
                Flow::Later
            }
        }
    }

    fn resume(&mut self, answer: &mut Answer<'_, F>) -> Flow {
        self.pieces -= 1;
        answer.put(if self.pieces == 0 { b"m)" } else { b"m" });
        if self.pieces == 0 { Flow::Continue } else { Flow::More }
    }
}

/// What the peer receives for these questions, and why the conversation ends if it does so before
/// the peer wishes.
pub(crate) fn outcome(letters: &[u8]) -> (Vec<u8>, Option<CloseReason>) {
    let mut output = Vec::new();
    for letter in letters {
        match letter {
            b'm' | b't' => output.extend(b"(mmm)"),
            b'c' | b'l' | b'q' | b'a' => output.extend([b'[', *letter, b']']),
            _ => {}
        }
        match letter {
            b'q' | b'a' => return (output, Some(CloseReason::ServiceClosed)),
            b'd' => return (output, Some(CloseReason::ServiceFailed)),
            _ => {}
        }
    }
    (output, None)
}

/// The questions on the wire.
pub(crate) fn questions(letters: &[u8]) -> Vec<u8> {
    letters.iter().flat_map(|letter| [*letter, b'?']).collect()
}

pub(crate) fn framing() -> DelimiterFraming {
    DelimiterFraming::new(b'?')
}

/// Limits under which each answer fills all the room.
pub(crate) fn little_room() -> Limits {
    Limits::default().with_outbound_high_water(1).with_outbound_low_water(0)
}
