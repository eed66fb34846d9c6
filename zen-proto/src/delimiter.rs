//! Delimiter framing: a message is the bytes up to and including the first delimiter.

use std::convert::Infallible;

use crate::ending::Ending;
use crate::find_byte::find_byte;
use crate::framing::{Decoded, Framing, Unsendable};
use crate::output::Output;

/// Cuts messages after each occurrence of one byte. The delimiter is part of the text.
///
/// ```
/// use zen_proto::{Decoded, DelimiterFraming, Framing};
///
/// let mut questions = DelimiterFraming::new(b'?').skip_white_space();
/// let decoded = questions.decode(b"\r\nwhy?who?");
/// let message = &b"why?"[..];
/// assert_eq!(decoded, Decoded::Whole { start: 2, end: 6, message });
/// ```
///
/// The framing of a conversation in which questions end with `?`, answers with `.`, and whoever
/// asks too long a question is told so; and the client's half, in which it is the other way round:
///
/// ```
/// use zen_proto::{DelimiterFraming, Framing, Output};
///
/// let servers = DelimiterFraming::new(b'?').when_too_long(b"Too long.").send_until(b'.');
/// let clients = DelimiterFraming::new(b'.').send_until(b'?');
///
/// let mut bytes = b"No full stop".to_vec();
/// assert!(servers.clone().end(&mut Output::from(&mut bytes), 0).is_err());
/// assert!(clients.clone().end(&mut Output::from(&mut b"Why?".to_vec()), 0).is_ok());
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

    /// How much white space is to be skipped at the front of `input`: what C's `isspace` says,
    /// since the peers of such protocols were written with it.
    #[cold]
    fn white_space(&self, input: &[u8]) -> usize {
        // A message that has begun does not begin with white space, so what is inside it stays.
        if !self.skip_white_space {
            return 0;
        }
        input.iter().position(|byte| !matches!(byte, b'\t'..=b'\r' | b' ')).unwrap_or(input.len())
    }
}

impl Framing for DelimiterFraming {
    type Message<'a> = &'a [u8];
    type Error = Infallible;

    #[inline]
    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<&'a [u8], Infallible> {
        let start = if matches!(input, [..=b' ', ..]) { self.white_space(input) } else { 0 };
        let from = start + self.scanned;
        let end = from + find_byte(self.delimiter, &input[from..]) + 1;
        if let Some(message) = input.get(start..end) {
            self.scanned = 0;
            Decoded::Whole { start, end, message }
        } else {
            self.scanned = input.len() - start;
            // The delimiter is still to come, so a message that has begun is a byte longer at
            // least.
            let end = if self.scanned == 0 { start } else { input.len() + 1 };
            Decoded::Partial { start, end }
        }
    }

    #[inline]
    fn end(&mut self, output: &mut Output<'_>, start: usize) -> Result<(), Unsendable> {
        let Some(delimiter) = self.outbound else { return Ok(()) };
        let message = output.tail_mut(start);
        if memchr::memchr(delimiter, message).is_some_and(|at| at + 1 == message.len()) {
            Ok(())
        } else {
            Err(Unsendable::new("a message must hold its delimiter once, as its last byte"))
        }
    }

    fn last_words(&mut self, ending: &Ending<'_, Infallible>, output: &mut Output<'_>) {
        if matches!(ending, Ending::TooLong { .. }) {
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
        assert_eq!(framing.decode(b" \t"), Decoded::nothing(2));
        assert_eq!(framing.decode(b" ab"), Decoded::Partial { start: 1, end: 4 });
        assert_eq!(framing.scanned, 2);
        let message = &b"ab c?"[..];
        assert_eq!(framing.decode(message), Decoded::Whole { start: 0, end: 5, message });
        assert_eq!(framing.scanned, 0);
    }

    #[test]
    fn white_space_inside_a_message_belongs_to_it() {
        let mut framing = DelimiterFraming::new(b'?').skip_white_space();
        assert_eq!(framing.decode(b"a"), Decoded::Partial { start: 0, end: 2 });
        let message = &b"a  ?"[..];
        assert_eq!(framing.decode(message), Decoded::Whole { start: 0, end: 4, message });
    }

    #[test]
    fn every_white_space_byte_is_skipped_and_no_other() {
        for byte in 0..=255_u8 {
            let mut framing = DelimiterFraming::new(b'?').skip_white_space();
            let skipped = framing.decode(&[byte]) == Decoded::nothing(1);
            assert_eq!(skipped, b" \t\n\r\x0b\x0c".contains(&byte), "byte {byte:#04x}");
        }
    }
}
