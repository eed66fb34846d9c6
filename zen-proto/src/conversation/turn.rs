//! A turn: how much is answered before what is finished leaves and the next conversation is served.

use std::time::Instant;

use super::Conversation;
use crate::framing::Framing;
use crate::service::Service;

/// The most questions that are answered before the clock is read. To read it costs about as much as
/// half a question.
const MOST: u8 = 64;

impl<F: Framing> Conversation<F> {
    /// Does what [`answer_with`](Self::answer_with) does, but stops after
    /// [`Limits::turn_questions`](crate::Limits::turn_questions) questions, or once
    /// [`Limits::turn_time`](crate::Limits::turn_time) has passed by `clock`. If something is left,
    /// [`wants_answer`](Self::wants_answer) says so: write what is finished, let the others have
    /// their turns, and come again.
    ///
    /// `clock` is what tells the time, and `now` what it has told. It is read after the service has
    /// answered: after every question of a slow service, after up to 64 questions of a quick one.
    /// So no deadline counts the time that the service itself has taken. Returns the latest time.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use zen_proto::{Conversation, Limits, aphorism};
    ///
    /// let now = Instant::now();
    /// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// conversation.handle_input(b"Simple is better than?Beautiful is better than?", now);
    ///
    /// // Each answer takes 300 ms, so the first leaves before the second question is answered.
    /// let mut time = now;
    /// let slow_clock = || { time += Duration::from_millis(300); time };
    /// conversation.answer_in_turn(&mut aphorism::Aphorisms, now, slow_clock);
    /// assert_eq!(conversation.transmit(), b"Complex.");
    /// assert!(conversation.wants_answer());
    /// ```
    #[inline]
    pub fn answer_in_turn(
        &mut self,
        service: &mut impl Service<F>,
        now: Instant,
        mut clock: impl FnMut() -> Instant,
    ) -> Instant {
        self.advance_clock(now);
        if self.in_flight.has_news() {
            self.take_news(service);
        }
        // A peer that asks one question at a time must not pay for those that ask many.
        if self.pace > 1 {
            self.answer_in_batches(service, now, 0, &mut clock);
        } else if self.do_next(service, 1, &mut clock) {
            self.answer_in_batches(service, now, 1, &mut clock);
        }
        self.now()
    }

    /// Goes on with the turn that began at `now`, in which `answered` questions were answered.
    #[inline(never)]
    fn answer_in_batches(
        &mut self,
        service: &mut impl Service<F>,
        now: Instant,
        answered: u64,
        clock: &mut impl FnMut() -> Instant,
    ) {
        let first = self.tally.questions.saturating_sub(answered);
        let (mut began, mut asked) = (now, first);
        if answered > 0 && !self.goes_on((now, first), (began, asked)) {
            return;
        }
        loop {
            (began, asked) = (self.now(), self.tally.questions);
            let most = u64::from(self.pace).min(self.turn_questions() - (asked - first));
            let more = self.do_next(service, most, clock);
            if !self.goes_on((now, first), (began, asked)) || !more {
                break;
            }
        }
    }

    /// When a turn that begins at `now` is over: [`Limits::turn_time`](crate::Limits::turn_time)
    /// later. `None` if never.
    ///
    /// A driver that reads more than once in a turn stops then.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Conversation, Limits, aphorism};
    /// # let now = Instant::now();
    /// use std::time::Duration;
    ///
    /// let limits = Limits::default().with_turn_time(Duration::from_millis(5));
    /// let conversation = Conversation::new(aphorism::framing(), limits, now);
    /// assert_eq!(conversation.turn_until(now), Some(now + Duration::from_millis(5)));
    /// ```
    #[inline]
    pub fn turn_until(&self, now: Instant) -> Option<Instant> {
        now.checked_add(self.in_flight.limits.turn_time)
    }

    fn turn_questions(&self) -> u64 {
        // A turn without a question would never end.
        self.in_flight.limits.turn_questions.max(1) as u64
    }

    /// Does the next thing that there is room for; if that is to answer what is buffered, up to
    /// `most` questions. False if nothing is left after it.
    // Not inlined: there is one copy of the loop that answers, whoever calls it.
    #[inline(never)]
    pub(super) fn do_next(
        &mut self,
        service: &mut impl Service<F>,
        most: u64,
        clock: &mut impl FnMut() -> Instant,
    ) -> bool {
        if self.has_rare_work() {
            self.do_rare_work(service, clock);
        } else if !self.wants_question() {
            return false;
        } else if self.in_flight.is_empty() {
            return self.answer_buffered(service, most, clock);
        } else {
            self.answer_behind(service, clock);
        }
        true
    }

    /// Whether the turn that began at `now` with question `first` goes on after a batch. Adapts the
    /// pace to how quick this was: a slow one slows it down at once, quick ones raise it step by
    /// step.
    #[cold]
    #[inline(never)]
    fn goes_on(&mut self, (now, first): (Instant, u64), (began, asked): (Instant, u64)) -> bool {
        let over = self.turn_until(now).is_some_and(|until| until <= self.now());
        let answered = self.tally.questions - asked;
        if over && answered > 0 {
            let took = (self.now() - began).as_nanos().max(1);
            let in_time = u128::from(answered) * self.in_flight.limits.turn_time.as_nanos() / took;
            self.pace = u8::try_from(in_time).unwrap_or(u8::MAX).clamp(1, self.pace);
        } else if answered >= u64::from(self.pace) {
            self.pace = self.pace.saturating_mul(4).min(MOST);
        }
        !over && self.tally.questions - first < self.turn_questions()
    }
}
