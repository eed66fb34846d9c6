//! Takes questions from the input, one at a time and only when there is room for the answer.

use std::ops::Range;

use super::Conversation;
use crate::CloseReason;
use crate::framing::{Cut, Framing, Output, Refusal};
use crate::service::{Answer, Service};

/// A whole question at the front of the input.
pub(super) struct Found {
    /// Where in the input the question's text is.
    pub(super) text: Range<usize>,
    /// How many bytes to consume once the question is answered or handed out.
    pub(super) whole: usize,
}

/// Why no further question is taken, now or ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoQuestion {
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

/// The question that `input` begins with. Otherwise how many bytes belong to no question, and why
/// there is none.
#[inline]
pub(super) fn next_question<F: Framing>(
    framing: &mut F,
    input: &[u8],
    limit: usize,
) -> Result<Found, (usize, NoQuestion)> {
    if input.is_empty() {
        return Err((0, NoQuestion::Starved));
    }
    match framing.cut(input) {
        Cut::Whole { skip, len, text } if len <= limit => Ok(Found { text, whole: skip + len }),
        Cut::Partial { skip, at_least: 0 } => Err((skip, NoQuestion::Starved)),
        Cut::Partial { skip, at_least } if at_least <= limit => Err((skip, NoQuestion::Begun)),
        Cut::Whole { .. } | Cut::Partial { .. } => Err((0, NoQuestion::TooLong)),
        Cut::Malformed => Err((0, NoQuestion::Malformed)),
    }
}

/// How far [`Conversation::answer_all`] has come. Whatever a panic leaves behind these marks is
/// ignored.
pub(super) struct Progress {
    /// How many bytes of the input are left.
    pub(super) left: usize,
    /// Where the last whole answer in the output ends.
    pub(super) end: usize,
}

impl<F: Framing> Conversation<F> {
    /// Answers until no whole question is buffered or there is no room. This is the hottest loop of
    /// all, so what is the same for all questions of a turn is done by its caller.
    #[inline]
    pub(super) fn answer_all(&mut self, service: &mut impl Service, progress: &mut Progress) -> NoQuestion {
        let (question_length, high_water) = (self.limits.question_length, self.limits.outbound_high_water);
        let mut rest = self.inbound.unread();
        loop {
            if progress.end >= high_water {
                self.congested = true;
                return NoQuestion::Full;
            }
            let found = match next_question(&mut self.framing, rest, question_length) {
                Ok(found) => found,
                Err((skip, why)) => {
                    progress.left -= skip;
                    return why;
                }
            };
            let outbound = &mut self.outbound;
            self.framing.open(&mut Output::new(outbound));
            service.answer(&rest[found.text], &mut Answer::new(Output::new(outbound)));
            if self.framing.seal(&mut Output::new(outbound), progress.end).is_err() {
                return NoQuestion::Failed;
            }
            rest = &rest[found.whole..];
            progress.left = rest.len();
            progress.end = outbound.len();
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
    pub(super) fn handle_no_question(&mut self, why: NoQuestion) {
        match why {
            NoQuestion::Full => {}
            NoQuestion::Starved | NoQuestion::Begun => {
                self.starved = true;
                if why == NoQuestion::Begun {
                    self.question_since.get_or_insert(self.clock);
                }
                self.end_if_starved();
            }
            // Every question before this one is answered. Then the peer is told why, in the
            // framing's words, and no more is read.
            NoQuestion::TooLong => self.finish(CloseReason::QuestionTooLong, Some(Refusal::TooLong)),
            NoQuestion::Malformed => self.finish(CloseReason::Malformed, Some(Refusal::Malformed)),
            NoQuestion::Failed => self.finish(CloseReason::ServiceFailed, None),
        }
    }
}
