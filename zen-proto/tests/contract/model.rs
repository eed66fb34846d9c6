//! The naive model: what zen's conversation must come to, read off the whole input at once.

use zen_proto::CloseReason;

/// What a conversation about one input comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// All bytes that the peer receives.
    pub(crate) output: Vec<u8>,
    pub(crate) reason: CloseReason,
}

/// A conversation in which the peer sends `input`, however it is cut, and half-closes; answered by
/// [`echo`](crate::driver::echo).
pub(crate) fn outcome(input: &[u8], question_length: usize) -> Outcome {
    let mut output = Vec::new();
    for piece in input.split_inclusive(|byte| *byte == b'?') {
        let blank = piece.iter().take_while(|byte| b" \t\n\x0b\x0c\r".contains(byte)).count();
        let message = &piece[blank..];
        let whole = message.ends_with(b"?");
        // Without its delimiter a message is a byte longer than what there is of it.
        if message.len() + usize::from(!whole) > question_length && !message.is_empty() {
            output.extend(b"Error: question too long.");
            return Outcome { output, reason: CloseReason::QuestionTooLong };
        }
        if whole {
            output.extend(b"[");
            output.extend(message);
            output.extend(b"]");
        } else if !message.is_empty() {
            return Outcome { output, reason: CloseReason::Truncated };
        }
    }
    Outcome { output, reason: CloseReason::Finished }
}
