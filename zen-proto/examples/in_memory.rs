//! Both halves of the protocol in one process, with no socket between them: a conversation answers
//! what an asker asks. Messages are lines, so this also shows a framing of your own.

use std::convert::Infallible;
use std::error::Error;
use std::time::Instant;

use zen_proto::{Answer, Asker, ClientLimits, Conversation, Decoded, Framing, Limits, Output, Unsendable};

/// Messages that end with a line feed, which is not part of the text.
#[derive(Default)]
struct Lines {
    /// How many bytes at the front are known to hold no line feed.
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

    fn end(&mut self, output: &mut Output<'_>, start: usize) -> Result<(), Unsendable> {
        if output.tail_mut(start).contains(&b'\n') {
            return Err(Unsendable::new("a line must not contain a line feed"));
        }
        output.put(b"\n");
        Ok(())
    }
}

fn shout(question: &[u8], answer: &mut Answer<'_, Lines>) {
    answer.put(&question.to_ascii_uppercase());
}

fn main() -> Result<(), Box<dyn Error>> {
    // Time is an argument everywhere, so a test can choose it.
    let now = Instant::now();
    let mut asker = Asker::new(Lines::default(), ClientLimits::default());
    let mut conversation = Conversation::new(Lines::default(), Limits::default(), now);
    asker.ask(b"is anybody there", now)?;
    asker.ask(b"can you hear me", now)?;
    asker.finish(now);

    while conversation.closed().is_none() {
        // From the asker to the conversation. A driver would write to a socket here.
        conversation.handle_input(asker.transmit(), now);
        asker.handle_sent(asker.transmit().len(), now);
        if asker.poll_shutdown() {
            conversation.handle_eof(now);
        }
        // And back.
        conversation.answer_with(&mut shout, now);
        asker.handle_input(conversation.transmit(), now);
        conversation.handle_sent(conversation.transmit().len(), now);
        while let Some(answer) = asker.poll_answer() {
            println!("{}", answer.escape_ascii());
        }
    }
    println!("closed: {}", conversation.closed().map_or("not yet", |reason| reason.name()));
    Ok(())
}
