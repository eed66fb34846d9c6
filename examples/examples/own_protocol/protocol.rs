//! The protocol: how numbers and sums look on the wire, and what is answered.

use std::convert::Infallible;
use std::fmt::Write;

use zen_proto::{Answer, Decoded, Ending, Flow, Framing, Output, Service, Unsendable};

/// The size of a length, in bytes.
const PREFIX: usize = 2;

/// Messages that start with their length. Both directions look alike, so both sides use this
/// framing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LengthPrefixed;

impl Framing for LengthPrefixed {
    type Message<'a> = &'a [u8];
    /// Any bytes are a message.
    type Error = Infallible;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<&'a [u8], Infallible> {
        let Some((prefix, rest)) = input.split_first_chunk::<PREFIX>() else {
            return Decoded::partial(PREFIX);
        };
        let length = usize::from(u16::from_be_bytes(*prefix));
        let end = PREFIX + length;
        match rest.get(..length) {
            Some(message) => Decoded::whole(end, message),
            // The end is reported as soon as it is known, so that a message over the limit is
            // refused before it arrives.
            None => Decoded::partial(end),
        }
    }

    fn begin(&mut self, output: &mut Output<'_>) {
        output.put(&[0; PREFIX]);
    }

    fn end(&mut self, output: &mut Output<'_>, start: usize) -> Result<(), Unsendable> {
        let message = output.tail_mut(start);
        let length = u16::try_from(message.len() - PREFIX)
            .map_err(|_| Unsendable::new("a message is at most 65535 bytes long"))?;
        message[..PREFIX].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }

    fn last_words(&mut self, ending: &Ending<'_, Infallible>, output: &mut Output<'_>) {
        // Written as it goes on the wire: the length, then the text.
        if matches!(ending, Ending::TooLong { .. }) {
            output.put(b"\x00\x10that is too long");
        }
    }
}

/// Adds numbers. Each conversation gets its own clone, so each has its own sum.
#[derive(Debug, Clone, Default)]
pub(crate) struct Adder {
    sum: i64,
}

impl Service<LengthPrefixed> for Adder {
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_, LengthPrefixed>) -> Flow {
        let number = str::from_utf8(question).ok().and_then(|text| text.trim().parse::<i64>().ok());
        // Writing an answer does not fail.
        let _ = match number.and_then(|number| self.sum.checked_add(number)) {
            Some(sum) => {
                self.sum = sum;
                write!(answer, "{sum}")
            }
            None => write!(answer, "not a number I can add"),
        };
        Flow::Continue
    }
}
