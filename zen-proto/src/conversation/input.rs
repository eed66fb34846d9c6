//! Taking questions from the input, one at a time and no sooner than there is room for the answer.

use std::ops::Range;

use super::Conversation;
use crate::CloseReason;
use crate::framing::{Cut, Framing, Output, Refusal};
use crate::service::{Answer, Service};

/// A whole question at the front of the input.
pub(super) struct Found {
    /// Where in the input the question's text is.
    pub(super) text: Range<usize>,
    /// How many bytes to consume once it is done with.
    pub(super) whole: usize,
}

/// Why no question is taken, for now or for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// There is no room for an answer.
    Full,
    /// No question has begun.
    Starved,
    /// A question has begun and is not whole.
    Begun,
    TooLong,
    Malformed,
    /// The service panicked, or gave an answer that the framing can't send.
    Failed,
}

/// The question that `input` begins with. Otherwise why there is none, and how many bytes belong to none.
#[inline]
pub(super) fn next_question<F: Framing>(
    framing: &mut F,
    input: &[u8],
    limit: usize,
) -> Result<Found, (usize, Stop)> {
    if input.is_empty() {
        return Err((0, Stop::Starved));
    }
    match framing.cut(input) {
        Cut::Whole { skip, len, text } if len <= limit => Ok(Found { text, whole: skip + len }),
        Cut::Partial { skip, at_least: 0 } => Err((skip, Stop::Starved)),
        Cut::Partial { skip, at_least } if at_least <= limit => Err((skip, Stop::Begun)),
        Cut::Whole { .. } | Cut::Partial { .. } => Err((0, Stop::TooLong)),
        Cut::Malformed => Err((0, Stop::Malformed)),
    }
}

/// How far [`Conversation::answer_all`] has come: what is behind these marks is as if it had not been.
pub(super) struct Done {
    /// How many bytes of the input are left.
    pub(super) left: usize,
    /// Where the last whole answer ends in the output.
    pub(super) end: usize,
}

impl<F: Framing> Conversation<F> {
    /// Answers until nothing whole is buffered or there is no room. This is the loop that everything else is paid for by, so what is the
    /// same for all questions of a turn is left to its caller.
    #[inline]
    pub(super) fn answer_all(&mut self, service: &mut impl Service, done: &mut Done) -> Stop {
        let (question_length, high_water) = (self.limits.question_length, self.limits.outbound_high_water);
        let mut rest = self.inbound.unread();
        loop {
            if done.end >= high_water {
                self.congested = true;
                return Stop::Full;
            }
            let found = match next_question(&mut self.framing, rest, question_length) {
                Ok(found) => found,
                Err((skip, stop)) => {
                    done.left -= skip;
                    return stop;
                }
            };
            let outbound = &mut self.outbound;
            self.framing.open(&mut Output::new(outbound));
            service.answer(&rest[found.text], &mut Answer::new(Output::new(outbound)));
            if self.framing.seal(&mut Output::new(outbound), done.end).is_err() {
                return Stop::Failed;
            }
            rest = &rest[found.whole..];
            done.left = rest.len();
            done.end = outbound.len();
            self.tally.questions += 1;
        }
    }

    /// Questions have been answered or handed out.
    #[inline]
    pub(super) fn done_with_question(&mut self) {
        self.question_since = None;
        self.idle_since = self.clock;
        if self.inbound.is_empty() {
            self.starved = true;
            self.end_if_starved();
        }
    }

    /// No further question is taken.
    #[inline]
    pub(super) fn stop(&mut self, stop: Stop) {
        match stop {
            Stop::Full => {}
            Stop::Starved | Stop::Begun => {
                self.starved = true;
                if stop == Stop::Begun {
                    self.question_since.get_or_insert(self.clock);
                }
                self.end_if_starved();
            }
            // Everything before this is answered; then the peer is told why, and no more is read. The words are the framing's.
            Stop::TooLong => self.finish(CloseReason::QuestionTooLong, Some(Refusal::TooLong)),
            Stop::Malformed => self.finish(CloseReason::Malformed, Some(Refusal::Malformed)),
            Stop::Failed => self.finish(CloseReason::ServiceFailed, None),
        }
    }
}
