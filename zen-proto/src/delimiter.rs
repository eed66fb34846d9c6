//! Delimiter framing: a message is the bytes up to and including the first delimiter.

use crate::framing::{Cut, Framing, Output, Refusal, Unsendable};

/// Cuts messages after each occurrence of one byte. The delimiter is part of the text.
///
/// ```
/// use zen_proto::{Cut, DelimiterFraming, Framing};
///
/// let mut questions = DelimiterFraming::new(b'?').skip_white_space();
/// assert_eq!(questions.cut(b"\r\nwhy?who?"), Cut::Whole { skip: 2, len: 4, text: 2..6 });
/// ```
#[derive(Debug, Clone)]
pub struct DelimiterFraming {
    delimiter: u8,
    outbound: Option<u8>,
    skip_white_space: bool,
    too_long: &'static [u8],
    /// Bytes at the front of the input that are known to hold no delimiter and to belong to a
    /// message.
    scanned: usize,
}

impl DelimiterFraming {
    /// Messages from the peer end with `delimiter`; messages to the peer are sent as they are.
    pub const fn new(delimiter: u8) -> Self {
        Self { delimiter, outbound: None, skip_white_space: false, too_long: b"", scanned: 0 }
    }

    /// ASCII white space before a message is skipped: the bytes that [`u8::is_ascii_whitespace`]
    /// names, and vertical tab.
    #[must_use]
    pub const fn skip_white_space(mut self) -> Self {
        self.skip_white_space = true;
        self
    }

    /// What the peer is told when its message is longer than the limit. It is sent exactly as it
    /// is. By default nothing is.
    #[must_use]
    pub const fn when_too_long(mut self, message: &'static [u8]) -> Self {
        self.too_long = message;
        self
    }

    /// A message to the peer must hold `delimiter` once, as its last byte; any other is
    /// [`Unsendable`].
    #[must_use]
    pub const fn send_until(mut self, delimiter: u8) -> Self {
        self.outbound = Some(delimiter);
        self
    }

    /// How many bytes of white space to skip at the front of `input`. White space is what C's
    /// `isspace` says, since the peers of such protocols were written with it.
    #[cold]
    fn white_space(&self, input: &[u8]) -> usize {
        // A message never begins with white space, so white space inside a message is not skipped.
        if !self.skip_white_space {
            return 0;
        }
        input.iter().position(|byte| !matches!(byte, b'\t'..=b'\r' | b' ')).unwrap_or(input.len())
    }
}

impl Framing for DelimiterFraming {
    #[inline]
    fn cut(&mut self, input: &[u8]) -> Cut {
        let skip = if matches!(input, [..=b' ', ..]) { self.white_space(input) } else { 0 };
        let from = skip + self.scanned;
        if let Some(at) = memchr::memchr(self.delimiter, &input[from..]) {
            let end = from + at + 1;
            self.scanned = 0;
            Cut::Whole { skip, len: end - skip, text: skip..end }
        } else {
            self.scanned = input.len() - skip;
            // The delimiter is still to come, so the message is at least one byte longer.
            Cut::Partial { skip, at_least: if self.scanned == 0 { 0 } else { self.scanned + 1 } }
        }
    }

    #[inline]
    fn seal(&mut self, output: &mut Output<'_>, start: usize) -> Result<(), Unsendable> {
        let Some(delimiter) = self.outbound else { return Ok(()) };
        let message = output.tail_mut(start);
        if memchr::memchr(delimiter, message).is_some_and(|at| at + 1 == message.len()) {
            Ok(())
        } else {
            Err(Unsendable::new("a message must hold its delimiter once, as its last byte"))
        }
    }

    fn refuse(&mut self, refusal: Refusal, output: &mut Output<'_>) {
        if refusal == Refusal::TooLong {
            output.put(self.too_long);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_message_is_scanned_once_and_found_whole() {
        let mut framing = DelimiterFraming::new(b'?').skip_white_space();
        assert_eq!(framing.cut(b" \t"), Cut::Partial { skip: 2, at_least: 0 });
        assert_eq!(framing.cut(b" ab"), Cut::Partial { skip: 1, at_least: 3 });
        assert_eq!(framing.scanned, 2);
        assert_eq!(framing.cut(b"ab c?"), Cut::Whole { skip: 0, len: 5, text: 0..5 });
        assert_eq!(framing.scanned, 0);
    }

    #[test]
    fn white_space_inside_a_message_belongs_to_it() {
        let mut framing = DelimiterFraming::new(b'?').skip_white_space();
        assert_eq!(framing.cut(b"a"), Cut::Partial { skip: 0, at_least: 2 });
        assert_eq!(framing.cut(b"a  ?"), Cut::Whole { skip: 0, len: 4, text: 0..4 });
    }

    #[test]
    fn every_white_space_byte_is_skipped_and_no_other() {
        for byte in 0..=255_u8 {
            let mut framing = DelimiterFraming::new(b'?').skip_white_space();
            let skipped = framing.cut(&[byte]) == Cut::Partial { skip: 1, at_least: 0 };
            assert_eq!(skipped, b" \t\n\r\x0b\x0c".contains(&byte), "byte {byte:#04x}");
        }
    }
}
