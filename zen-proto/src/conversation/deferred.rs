//! Questions that the driver itself answers later, by their tickets.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use bytes::Bytes;

use super::input::{Stop, next_question};
use super::{Conversation, ForeignTicket, Question, Ticket};
use crate::framing::{ByteFraming, Framing};
use crate::service::Flow;

impl<F: Framing> Conversation<F> {
    /// Hands out the next question, to be answered later, by way of `take`, which makes of the
    /// decoded message what is to be kept. `None` when no whole one is buffered, or when
    /// [`Limits::questions_in_flight`](crate::Limits::questions_in_flight) or the outbound high
    /// water is reached.
    ///
    /// For messages that are byte slices, see [`poll_question`](Self::poll_question).
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// conversation.handle_input(b"Why? ", now);
    /// let taken = conversation.poll_question_with(<[u8]>::len);
    /// let (length, ticket) = taken.expect("a whole question");
    /// conversation.answer(ticket, format!("{length} bytes.").as_bytes(), now)?;
    /// assert_eq!(conversation.transmit(), b"4 bytes.");
    /// # Ok::<(), zen_proto::ForeignTicket>(())
    /// ```
    pub fn poll_question_with<T>(&mut self, take: impl FnOnce(F::Message<'_>) -> T) -> Option<(T, Ticket)> {
        if !self.wants_question() {
            return None;
        }
        let found = catch_unwind(AssertUnwindSafe(|| {
            let input = self.inbound.unread();
            let (question, end) =
                next_question(&mut self.framing, input, self.in_flight.limits.question_length)?;
            Ok((take(question), end))
        }));
        match found.unwrap_or(Err((0, Stop::Failed))) {
            Ok((taken, end)) => {
                let ticket = self.in_flight.issue();
                self.tally.questions += 1;
                self.inbound.consume(end);
                self.done_with_question();
                self.end_if_starved();
                Some((taken, ticket))
            }
            Err((skip, stop)) => {
                self.inbound.consume(skip);
                self.stop(stop);
                None
            }
        }
    }

    /// Answers the question of `ticket`. Answers leave in the order of the questions, in whatever
    /// order they are given. One that is given after the conversation has closed is dropped.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// conversation.handle_input(b"First?Second?", now);
    /// let first = conversation.poll_question().expect("a question");
    /// let second = conversation.poll_question().expect("another one");
    ///
    /// conversation.answer(second.ticket, b"Two.", now)?;
    /// assert_eq!(conversation.transmit(), b"", "the first answer is still to come");
    /// conversation.answer(first.ticket, b"One.", now)?;
    /// assert_eq!(conversation.transmit(), b"One.Two.");
    /// # Ok::<(), zen_proto::ForeignTicket>(())
    /// ```
    ///
    /// # Errors
    /// [`ForeignTicket`] when the ticket belongs to another conversation; nothing has happened
    /// then.
    pub fn answer(&mut self, ticket: Ticket, answer: &[u8], now: Instant) -> Result<(), ForeignTicket> {
        self.advance_clock(now);
        let sequence = self.in_flight.redeem(ticket)?;
        if self.in_flight.pop_if_front(sequence) {
            self.send_text(answer, Flow::Continue, false);
            self.send_ready();
            self.settle();
        } else {
            self.in_flight.keep(sequence, answer);
        }
        Ok(())
    }

    /// Says that the question of `ticket` will have no answer, because its service failed. Those
    /// before it are answered, those after it are not, and the conversation ends with
    /// [`CloseReason::ServiceFailed`](crate::CloseReason::ServiceFailed).
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// # use zen_proto::CloseReason;
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// conversation.handle_input(b"Why?", now);
    /// let question = conversation.poll_question().expect("a question");
    /// conversation.give_up(question.ticket, now)?;
    /// assert!(conversation.poll_shutdown());
    /// conversation.handle_eof(now);
    /// assert_eq!(conversation.closed(), Some(CloseReason::ServiceFailed));
    /// # Ok::<(), zen_proto::ForeignTicket>(())
    /// ```
    ///
    /// # Errors
    /// [`ForeignTicket`] when the ticket belongs to another conversation; nothing has happened
    /// then.
    pub fn give_up(&mut self, ticket: Ticket, now: Instant) -> Result<(), ForeignTicket> {
        self.advance_clock(now);
        let sequence = self.in_flight.redeem(ticket)?;
        self.give_up_sequence(sequence);
        Ok(())
    }
}

impl<F: ByteFraming> Conversation<F> {
    /// Hands out the next question, to be answered later: `None` when no whole one is buffered, or
    /// when [`Limits::questions_in_flight`](crate::Limits::questions_in_flight) or the outbound
    /// high water is reached.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// conversation.handle_input(b"Why? And", now);
    /// let question = conversation.poll_question().expect("a whole question");
    /// assert_eq!(question.text, "Why?");
    /// assert!(conversation.poll_question().is_none(), "the other is not whole");
    /// ```
    pub fn poll_question(&mut self) -> Option<Question> {
        let (text, ticket) = self.poll_question_with(Bytes::copy_from_slice)?;
        Some(Question::new(text, ticket))
    }
}
