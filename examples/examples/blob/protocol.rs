//! The protocol of large messages: its framing and its service.

use zen_proto::{Answer, Decoded, Ending, Flow, Framing, Limits, Output, Service, Unsendable};
use zen_server::Options;

/// The size of a length, in bytes.
pub(crate) const PREFIX: usize = 4;

/// The longest question, without its length: what is asked, and 1 MiB.
pub(crate) const QUESTION: usize = 1 + 1024 * 1024;

/// How much of a reply is made at a time, in bytes.
pub(crate) const PIECE: usize = 64 * 1024;

/// After this many bytes the content of a reply starts again.
const PERIOD: usize = 251;

/// A piece of a reply at any position is a slice of this.
static CONTENT: [u8; PERIOD + PIECE] = content();

/// What a client asks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Question<'a> {
    Measure(&'a [u8]),
    Echo(&'a [u8]),
    Send(u64),
}

/// A message that is no question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoQuestion {
    #[error("an empty message asks nothing")]
    Empty,
    #[error("a question begins with m, e or s")]
    Unknown,
    #[error("s needs a number of eight bytes")]
    Number,
}

impl<'a> Question<'a> {
    /// Reads a message, without its length.
    pub(crate) fn parse(message: &'a [u8]) -> Result<Self, NoQuestion> {
        let (what, rest) = message.split_first().ok_or(NoQuestion::Empty)?;
        match what {
            b'm' => Ok(Self::Measure(rest)),
            b'e' => Ok(Self::Echo(rest)),
            b's' => rest.try_into().map(u64::from_be_bytes).map(Self::Send).map_err(|_| NoQuestion::Number),
            _ => Err(NoQuestion::Unknown),
        }
    }
}

/// Messages that start with their length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Framed;

impl Framing for Framed {
    type Message<'a> = Question<'a>;
    type Error = NoQuestion;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<Question<'a>, NoQuestion> {
        let Some((prefix, rest)) = input.split_first_chunk::<PREFIX>() else {
            return Decoded::partial(PREFIX);
        };
        let length = u32::from_be_bytes(*prefix) as usize;
        let end = PREFIX.saturating_add(length);
        let Some(message) = rest.get(..length) else {
            // Where the message ends is known at its first bytes: one that is too long is refused
            // before it has come, and room for one that is not is made once.
            return Decoded::partial(end);
        };
        match Question::parse(message) {
            Ok(message) => Decoded::whole(end, message),
            Err(error) => Decoded::Malformed(error),
        }
    }

    fn begin(&mut self, output: &mut Output<'_>) {
        output.put(&[0; PREFIX]);
    }

    fn end(&mut self, output: &mut Output<'_>, start: usize) -> Result<(), Unsendable> {
        let message = output.tail_mut(start);
        let length = length((message.len() - PREFIX) as u64)?;
        message[..PREFIX].copy_from_slice(&length);
        Ok(())
    }

    fn begin_stream(&mut self, bytes: u64, output: &mut Output<'_>) -> Result<(), Unsendable> {
        output.put(&length(bytes)?);
        Ok(())
    }

    fn message_limit(&self, configured: Option<usize>) -> usize {
        configured.unwrap_or(PREFIX + QUESTION)
    }
}

fn length(bytes: u64) -> Result<[u8; PREFIX], Unsendable> {
    let length = u32::try_from(bytes).map_err(|_| Unsendable::new("a message is at most 4 GiB long"))?;
    Ok(length.to_be_bytes())
}

/// Answers one client, and remembers how far its last reply has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Blobs {
    position: u64,
    end: u64,
}

impl Service<Framed> for Blobs {
    fn answer(&mut self, question: Question<'_>, answer: &mut Answer<'_, Framed>) -> Flow {
        match question {
            Question::Measure(bytes) => {
                answer.put(b"+");
                answer.put(&(bytes.len() as u64).to_be_bytes());
            }
            Question::Echo(bytes) => {
                answer.put(b"+");
                answer.put(bytes);
            }
            Question::Send(bytes) => {
                if let Err(error) = answer.stream(bytes.saturating_add(1)) {
                    return refuse(&error, answer);
                }
                answer.put(b"+");
                (self.position, self.end) = (0, bytes);
                return self.resume(answer);
            }
        }
        Flow::Continue
    }

    fn resume(&mut self, answer: &mut Answer<'_, Framed>) -> Flow {
        let piece = piece(self.position, self.end);
        answer.put(piece);
        self.position += piece.len() as u64;
        if self.position < self.end { Flow::More } else { Flow::Continue }
    }

    fn last_words(&mut self, ending: Ending<'_, NoQuestion>, answer: &mut Answer<'_, Framed>) -> Flow {
        match ending {
            Ending::Malformed(error) => refuse(error, answer),
            Ending::TooLong { limit } => refuse(&format_args!("more than {limit} bytes"), answer),
            Ending::Deadline(reason) => refuse(&reason, answer),
            Ending::Drained => refuse(&"the server stops", answer),
            _ => Flow::Silent,
        }
    }
}

fn refuse(error: &impl std::fmt::Display, answer: &mut Answer<'_, Framed>) -> Flow {
    use std::fmt::Write;
    // Writing an answer does not fail.
    let _ = write!(answer, "-{error}");
    Flow::Close
}

/// The next piece, at `position`, of a reply that ends at `end`.
pub(crate) fn piece(position: u64, end: u64) -> &'static [u8] {
    let from = usize::try_from(position % PERIOD as u64).unwrap_or_default();
    let length = usize::try_from(end - position).map_or(PIECE, |left| left.min(PIECE));
    &CONTENT[from..from + length]
}

#[allow(clippy::cast_possible_truncation, reason = "a remainder of 251 is a byte")]
#[allow(clippy::large_stack_arrays, reason = "it is computed by the compiler")]
const fn content() -> [u8; PERIOD + PIECE] {
    let mut content = [0; PERIOD + PIECE];
    let mut at = 0;
    while at < content.len() {
        content[at] = (at % PERIOD) as u8;
        at += 1;
    }
    content
}

/// One question at a time is in progress, so that little memory is held for each client.
pub(crate) fn options() -> Options {
    Options::default().with_limits(Limits::default().with_questions_in_flight(1))
}
