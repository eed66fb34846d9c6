//! The script of one call, shared by both clients: the questions it still has to ask and the
//! answers it is owed.

use std::fmt;
use std::iter::{Empty, Peekable};
use std::time::Instant;

use zen_proto::{AskError, Asker, Framing};

/// Questions on their way through an [`Asker`].
pub(crate) struct Script<I: Iterator> {
    questions: Peekable<I>,
    /// How many questions were asked whose answers have not been returned.
    owed: usize,
    /// Why no further question is asked. Reported after the answers that are owed.
    stopped: Option<AskError>,
    over: bool,
}

/// The result of [`Script::step`]: what the client does next.
#[derive(Debug)]
pub(crate) enum Step<T> {
    /// An answer, in the order of the questions.
    Answer(T),
    /// There is no further answer, for this reason.
    Failed(AskError),
    /// Everything was asked and answered.
    Done,
    /// Bytes must be moved first.
    Move,
}

impl Script<Empty<&'static [u8]>> {
    /// Waits for the greeting, and asks nothing.
    pub(crate) fn greeting() -> Self {
        Self { questions: std::iter::empty().peekable(), owed: 1, stopped: None, over: false }
    }
}

impl<I: Iterator<Item: AsRef<[u8]>>> Script<I> {
    /// Starts a call. Answers that an earlier call did not wait for are discarded.
    pub(crate) fn new<F: Framing>(questions: impl IntoIterator<IntoIter = I>, asker: &mut Asker<F>) -> Self {
        asker.abandon();
        Self { questions: questions.into_iter().peekable(), owed: 0, stopped: None, over: false }
    }

    /// Returns the next answer, made by `take`, if it has arrived. Else asks as many questions as
    /// the window allows.
    pub(crate) fn step<F: Framing, T>(
        &mut self,
        asker: &mut Asker<F>,
        now: Instant,
        take: impl FnMut(F::Message<'_>) -> T,
    ) -> Step<T> {
        if self.over {
            return Step::Done;
        }
        if let Some(answer) = asker.poll_answer_with(take) {
            self.owed -= 1;
            return Step::Answer(answer);
        }
        // The next question is asked even if the server has closed: the asker then reports what is
        // wrong.
        while self.stopped.is_none() && (asker.wants_question() || asker.is_closed()) {
            let Some(question) = self.questions.next() else { break };
            match asker.ask(question.as_ref(), now) {
                Ok(()) => self.owed += 1,
                Err(error) => self.stopped = Some(error),
            }
        }
        if self.owed == 0 && self.stopped.is_none() && self.questions.peek().is_none() {
            self.over = true;
            return Step::Done;
        }
        let failed = match asker.failed() {
            Some(error) => Some(error.clone().into()),
            None if self.owed == 0 => self.stopped.take(),
            None => None,
        };
        match failed {
            Some(error) => {
                self.over = true;
                Step::Failed(error)
            }
            None => Step::Move,
        }
    }

    /// Asks nothing more and returns nothing more: the caller's timeout has passed.
    pub(crate) fn give_up(&mut self) {
        self.over = true;
    }
}

impl<I: Iterator> fmt::Debug for Script<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("owed", &self.owed).field("over", &self.over).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use zen_proto::{AskerError, ClientLimits, aphorism};

    use super::*;

    #[test]
    fn a_question_for_a_server_that_has_closed_fails_instead_of_waiting() {
        let now = Instant::now();
        let mut asker = Asker::new(aphorism::client_framing(), ClientLimits::default());
        asker.handle_eof(now);
        let mut script = Script::new(["Why?"], &mut asker);
        let step = script.step(&mut asker, now, Bytes::copy_from_slice);
        let closed = AskError::Failed(AskerError::ClosedEarly { awaited: 1, partial: false });
        assert!(matches!(&step, Step::Failed(error) if *error == closed), "{step:?}");
        assert!(matches!(script.step(&mut asker, now, Bytes::copy_from_slice), Step::Done));
    }

    #[test]
    fn questions_are_taken_only_when_they_can_be_asked() {
        let now = Instant::now();
        let limits = ClientLimits::default().with_questions_in_flight(2);
        let mut asker = Asker::new(aphorism::client_framing(), limits);
        let mut taken = 0;
        let questions = std::iter::repeat_with(|| {
            taken += 1;
            "Why?"
        });
        let step = Script::new(questions, &mut asker).step(&mut asker, now, Bytes::copy_from_slice);
        assert!(matches!(step, Step::Move), "{step:?}");
        assert_eq!((taken, asker.awaited()), (2, 2));
    }
}
