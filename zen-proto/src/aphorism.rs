//! Zen's own protocol: the aphorism table, its service, and its framing on both sides.

use crate::answer::Answer;
use crate::delimiter::DelimiterFraming;
use crate::framing::ByteFraming;
use crate::service::{Flow, Service};

/// The questions that have an answer, and the answers.
pub const TABLE: [(&str, &str); 3] = [
    ("Beautiful is better than?", "Ugly."),
    ("Explicit is better than?", "Implicit."),
    ("Simple is better than?", "Complex."),
];

/// The answer to any other question.
pub const UNKNOWN: &str = "Error: unknown aphorism.";

/// What is sent, instead of an answer, when a question is longer than the limit.
pub const TOO_LONG: &str = "Error: question too long.";

/// The server's framing: a question ends with the first `?`, white space before it is skipped.
///
/// ```
/// use zen_proto::{Decoded, Framing, aphorism};
///
/// let message = &b"Why?"[..];
/// let decoded = aphorism::framing().decode(b" Why? Wh");
/// assert_eq!(decoded, Decoded::Whole { start: 1, end: 5, message });
/// ```
pub const fn framing() -> DelimiterFraming {
    DelimiterFraming::new(b'?').skip_white_space().when_too_long(TOO_LONG.as_bytes())
}

/// The client's framing: an answer ends with the first `.`, and a question must end with its only
/// `?`.
///
/// ```
/// use zen_proto::{AskError, Asker, ClientLimits, aphorism};
///
/// let mut asker = Asker::new(aphorism::client_framing(), ClientLimits::default());
/// let refused = asker.ask(b"no question", std::time::Instant::now());
/// assert!(matches!(refused, Err(AskError::Unsendable(_))));
/// ```
pub const fn client_framing() -> DelimiterFraming {
    DelimiterFraming::new(b'.').send_until(b'?')
}

/// The answer to `question`, which includes its `?`.
///
/// ```
/// use zen_proto::aphorism;
///
/// assert_eq!(aphorism::answer(b"Simple is better than?"), "Complex.");
/// assert_eq!(aphorism::answer(b"simple is better than?"), "Error: unknown aphorism.");
/// ```
#[inline]
pub fn answer(question: &[u8]) -> &'static str {
    // Each question of the table has a length of its own, and a slice comparison looks at the
    // lengths first. Written out like this, the answers are constants.
    let [beautiful, explicit, simple] = TABLE;
    if question == beautiful.0.as_bytes() {
        beautiful.1
    } else if question == explicit.0.as_bytes() {
        explicit.1
    } else if question == simple.0.as_bytes() {
        simple.1
    } else {
        UNKNOWN
    }
}

/// The service that answers from the [`TABLE`].
///
/// ```
/// use std::time::Instant;
/// use zen_proto::aphorism::{Aphorisms, framing};
/// use zen_proto::{Conversation, Limits};
///
/// let now = Instant::now();
/// let mut conversation = Conversation::new(framing(), Limits::default(), now);
/// conversation.handle_input(b"Explicit is better than?", now);
/// conversation.answer_with(&mut Aphorisms, now);
/// assert_eq!(conversation.transmit(), b"Implicit.");
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Aphorisms;

impl<F: ByteFraming> Service<F> for Aphorisms {
    #[inline]
    fn answer(&mut self, question: &[u8], reply: &mut Answer<'_, F>) -> Flow {
        reply.put(answer(question).as_bytes());
        Flow::Continue
    }
}
