//! The protocol: lines, and the service that answers with a word backwards.

use std::convert::Infallible;

use zen_proto::{Answer, Decoded, Framing, Output, Unsendable};

/// Messages that end with a line feed, which is not part of the text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines {
    seen: usize,
}

impl Framing for Lines {
    type Message<'a> = &'a [u8];
    type Error = Infallible;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<&'a [u8], Infallible> {
        if let Some(at) = input[self.seen..].iter().position(|byte| *byte == b'\n') {
            let end = self.seen + at;
            self.seen = 0;
            Decoded::whole(end + 1, &input[..end])
        } else {
            self.seen = input.len();
            Decoded::partial(input.len() + 1)
        }
    }

    fn end(&mut self, output: &mut Output<'_>, _: usize) -> Result<(), Unsendable> {
        output.put(b"\n");
        Ok(())
    }
}

/// The service: it answers with the word backwards.
pub(crate) fn backwards(question: &[u8], answer: &mut Answer<'_, Lines>) {
    for &byte in question.iter().rev() {
        answer.put(&[byte]);
    }
}
