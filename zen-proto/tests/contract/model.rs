//! The naive model: how zen's conversation must end and what it must send, read from the whole
//! input at once.

use zen_proto::CloseReason;

/// The result of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// All bytes that the peer receives.
    pub(crate) output: Vec<u8>,
    pub(crate) reason: CloseReason,
}

/// The result of a conversation in which the peer sends `input`, cut in any way, and half-closes.
/// [`echo`](crate::driver::echo) answers.
pub(crate) fn outcome(input: &[u8], question_length: usize) -> Outcome {
    let mut output = Vec::new();
    for piece in input.split_inclusive(|byte| *byte == b'?') {
        let blank = piece.iter().take_while(|byte| b" \t\n\x0b\x0c\r".contains(byte)).count();
        let message = &piece[blank..];
        let whole = message.ends_with(b"?");
        // A message without its delimiter is at least one byte longer than what has come of it.
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
