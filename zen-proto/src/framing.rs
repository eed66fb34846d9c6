//! Framing: how a byte stream is cut into messages, and how a message is written into one.

use std::ops::Range;

use crate::buffer::Buffer;

/// What the unread input begins with; the result of [`Framing::cut`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cut {
    /// Not a whole message yet.
    Partial {
        /// Bytes at the front that belong to no message. They are thrown away and start no clock.
        skip: usize,
        /// The least length that the message can still have, in bytes after `skip`; 0 when none has
        /// begun. A framing with a length prefix reports the length here, so that a message over
        /// the limit is refused before its body arrives.
        at_least: usize,
    },
    /// A whole message.
    Whole {
        /// Bytes at the front that belong to no message.
        skip: usize,
        /// The length of the message on the wire, in bytes after `skip`. This is the length that
        /// the limit applies to.
        len: usize,
        /// Which part of the input is the text that the service is given.
        text: Range<usize>,
    },
    /// The input can never become a message.
    Malformed,
}

/// Why a peer's message is refused; the argument of [`Framing::refuse`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Longer than [`Limits::question_length`](crate::Limits::question_length).
    TooLong,
    /// [`Cut::Malformed`].
    Malformed,
}

/// A message that the framing cannot write. For example, it is longer than the length field can
/// say, or lacks its delimiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unsendable {
    reason: &'static str,
}

impl Unsendable {
    /// `reason` says what is wrong with the message, as in "a line feed inside a line".
    pub const fn new(reason: &'static str) -> Self {
        Self { reason }
    }

    /// What is wrong with the message.
    pub const fn reason(self) -> &'static str {
        self.reason
    }
}

/// Cuts a byte stream into messages, and writes messages into one.
///
/// The server's half cuts questions and writes answers; the client's half cuts answers and writes
/// questions. A framing belongs to one connection and one direction. It may remember how far it has
/// looked, so that it looks at no byte twice.
///
/// ```
/// use zen_proto::{Cut, Framing};
///
/// /// Messages that end with a line feed, which is not part of the text.
/// #[derive(Default)]
/// struct Lines { seen: usize }
///
/// impl Framing for Lines {
///     fn cut(&mut self, input: &[u8]) -> Cut {
///         match input[self.seen..].iter().position(|byte| *byte == b'\n') {
///             Some(at) => {
///                 let end = self.seen + at;
///                 self.seen = 0;
///                 Cut::Whole { skip: 0, len: end + 1, text: 0..end }
///             }
///             None => {
///                 self.seen = input.len();
///                 // The line feed is still to come. An empty input has begun no message.
///                 let at_least = if input.is_empty() { 0 } else { input.len() + 1 };
///                 Cut::Partial { skip: 0, at_least }
///             }
///         }
///     }
/// }
///
/// let mut lines = Lines::default();
/// assert_eq!(lines.cut(b"hel"), Cut::Partial { skip: 0, at_least: 4 });
/// assert_eq!(lines.cut(b"hello\nyou"), Cut::Whole { skip: 0, len: 6, text: 0..5 });
/// ```
pub trait Framing {
    /// Says what `input` begins with.
    ///
    /// `input` starts at the first byte that no earlier call has reported as skipped or as part of
    /// a whole message. It only grows at its end until one of these is reported, so a framing may
    /// remember how far it has looked.
    fn cut(&mut self, input: &[u8]) -> Cut;

    /// Writes what precedes the text of a message, for example room for a length that
    /// [`seal`](Self::seal) fills in.
    fn open(&mut self, output: &mut Output<'_>) {
        let _ = output;
    }

    /// Finishes the message that [`open`](Self::open) began at position `start` of `output`.
    ///
    /// # Errors
    /// [`Unsendable`] when the message cannot be written in this framing. It is then removed from
    /// the output.
    fn seal(&mut self, output: &mut Output<'_>, start: usize) -> Result<(), Unsendable> {
        let _ = (output, start);
        Ok(())
    }

    /// Writes what the peer is told before the conversation ends because of a refused message. The
    /// text is sent exactly as it is written here. By default nothing is.
    fn refuse(&mut self, refusal: Refusal, output: &mut Output<'_>) {
        let _ = (refusal, output);
    }
}

/// Takes bytes for the peer, behind those that already wait to be sent.
#[derive(Debug)]
pub struct Output<'a> {
    buffer: &'a mut Buffer,
}

impl<'a> Output<'a> {
    pub(crate) fn new(buffer: &'a mut Buffer) -> Self {
        Self { buffer }
    }

    /// Appends bytes.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.buffer.append(bytes);
    }

    /// How many bytes wait to be sent, including those that were put here.
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether no byte waits to be sent.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The bytes from position `start` on, as [`len`](Self::len) counts, to be read or overwritten.
    ///
    /// # Panics
    /// If `start` is greater than [`len`](Self::len).
    pub fn tail_mut(&mut self, start: usize) -> &mut [u8] {
        &mut self.buffer.unread_mut()[start..]
    }
}
