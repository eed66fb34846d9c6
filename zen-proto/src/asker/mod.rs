//! The client half: one connection's life, seen from the side that asks.

mod errors;
mod limits;

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

pub use errors::{AskError, AskerError};
pub use limits::ClientLimits;

use crate::buffer::Buffer;
use crate::decoding::{Missing, next_message};
use crate::framing::{ByteFraming, Framing};
use crate::limits::{FREE, advanced};
use crate::output::Output;

/// Asks questions and takes answers, as a state machine without I/O, clock or threads: the mirror
/// of [`Conversation`](crate::Conversation).
///
/// Answers that arrived whole can be taken even after the conversation has failed.
/// [`failed`](Self::failed) says why it did.
///
/// ```
/// use std::time::Instant;
/// use zen_proto::{Asker, ClientLimits, aphorism};
///
/// let now = Instant::now();
/// let mut asker = Asker::new(aphorism::client_framing(), ClientLimits::default());
/// asker.ask(b"Simple is better than?", now)?;
/// assert_eq!(asker.transmit(), b"Simple is better than?");
/// asker.handle_sent(22, now);
///
/// asker.handle_input(b"Comp", now);
/// assert_eq!(asker.poll_answer(), None);
/// asker.handle_input(b"lex.", now);
/// assert_eq!(asker.poll_answer().as_deref(), Some(&b"Complex."[..]));
/// # Ok::<(), zen_proto::AskError>(())
/// ```
#[derive(Debug)]
pub struct Asker<F> {
    framing: F,
    limits: ClientLimits,
    inbound: Buffer,
    /// All buffered bytes were looked at, and they are not a whole answer.
    starved: bool,
    outbound: Buffer,
    /// When the questions that have no answer yet were asked.
    asked: VecDeque<Instant>,
    /// The first of them is the greeting, which no question asks for.
    greeting: bool,
    /// When the server last sent something.
    heard: Option<Instant>,
    /// When the last answer had arrived. The next one is due from then on.
    answered: Option<Instant>,
    /// How many bytes of questions were sent since all were.
    sent: u64,
    /// Until when the answer that is due was not awaited, since a large message was on its way in
    /// either direction.
    progressed: Option<Instant>,
    /// How many of them, counted from the oldest, were abandoned.
    abandoned: usize,
    /// When [`finish`](Self::finish) was called.
    finishing: Option<Instant>,
    fin_due: bool,
    /// How the connection ended. Answers may still be buffered.
    end: Option<End>,
    failed: Option<AskerError>,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Closed,
    Lost,
}

impl<F: Framing> Asker<F> {
    /// An asker on a fresh connection. `framing` cuts answers and writes questions.
    pub fn new(mut framing: F, limits: ClientLimits) -> Self {
        framing.configure(Some(limits.answer_length));
        Self {
            framing,
            limits,
            inbound: Buffer::default(),
            starved: true,
            outbound: Buffer::default(),
            asked: VecDeque::new(),
            greeting: false,
            heard: None,
            answered: None,
            sent: 0,
            progressed: None,
            abandoned: 0,
            finishing: None,
            fin_due: false,
            end: None,
            failed: None,
        }
    }

    /// Asks a question: its bytes wait in [`transmit`](Self::transmit). Its answer is due from
    /// `now` on, or once the answer before it has come if that is later; its deadline runs from
    /// then. The question is taken even when [`wants_question`](Self::wants_question) is false; the
    /// caller bounds how many there are.
    ///
    /// # Errors
    /// [`AskError::Unsendable`] when it is not a question of this protocol: nothing was sent, and
    /// the next may be asked. [`AskError::Failed`] when the conversation has failed, or the server
    /// has closed or sent bytes that answer no question.
    ///
    /// # Panics
    /// After [`finish`](Self::finish).
    pub fn ask(&mut self, question: &[u8], now: Instant) -> Result<(), AskError> {
        assert!(self.finishing.is_none(), "asked a question after saying that there are no more");
        self.fail_if_unasked();
        if let Some(error) = &self.failed {
            return Err(error.clone().into());
        }
        if self.end.is_some() {
            return Err(AskerError::ClosedEarly { awaited: self.asked.len() + 1, partial: false }.into());
        }
        let start = self.outbound.len();
        self.framing.begin(&mut Output::new(&mut self.outbound));
        self.outbound.append(question);
        if let Err(error) = self.framing.end(&mut Output::new(&mut self.outbound), start) {
            self.outbound.truncate(start);
            return Err(error.into());
        }
        self.asked.push_back(now);
        Ok(())
    }

    /// Says that this server greets: its first message answers no question, is due from `now` on,
    /// and is the first that [`poll_answer`](Self::poll_answer) returns. Until it has come,
    /// [`wants_question`](Self::wants_question) is false, since some servers refuse a client that
    /// speaks before their greeting.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use zen_proto::{Asker, AskerError, ClientLimits, aphorism};
    /// # let now = Instant::now();
    /// let mut asker = Asker::new(aphorism::client_framing(), ClientLimits::default());
    /// asker.expect_greeting(now);
    /// assert!(!asker.wants_question());
    /// asker.handle_input(b"Welcome.", now);
    /// assert_eq!(asker.poll_answer().as_deref(), Some(&b"Welcome."[..]));
    /// assert!(asker.wants_question());
    /// ```
    ///
    /// # Panics
    /// After the first question.
    pub fn expect_greeting(&mut self, now: Instant) {
        assert!(self.asked.is_empty(), "a greeting comes before the first question");
        self.asked.push_back(now);
        self.greeting = true;
    }

    /// Whether the greeting is still to come.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use zen_proto::{Asker, AskerError, ClientLimits, aphorism};
    /// # let now = Instant::now();
    /// let mut asker = Asker::new(aphorism::client_framing(), ClientLimits::default());
    /// assert!(!asker.awaits_greeting(), "by default the server waits for a question");
    /// asker.expect_greeting(now);
    /// assert!(asker.awaits_greeting() && asker.awaited() == 1);
    /// ```
    pub fn awaits_greeting(&self) -> bool {
        self.greeting
    }

    /// Abandons the questions asked so far. They are still sent, since a part of one may be under
    /// way, and each of their answers is thrown away when it comes. The next answer that
    /// [`poll_answer`](Self::poll_answer) gives belongs to the question asked next. The deadlines
    /// of the abandoned questions still apply.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Asker, ClientLimits, aphorism};
    /// # let now = Instant::now();
    /// let mut asker = Asker::new(aphorism::client_framing(), ClientLimits::default());
    /// asker.ask(b"Simple is better than?", now)?;
    /// asker.abandon();
    /// asker.ask(b"Beautiful is better than?", now)?;
    /// asker.handle_input(b"Complex.Ugly.", now);
    /// assert_eq!(asker.poll_answer().as_deref(), Some(&b"Ugly."[..]));
    /// # Ok::<(), zen_proto::AskError>(())
    /// ```
    pub fn abandon(&mut self) {
        self.abandoned = self.asked.len();
    }

    /// Says that there are no more questions: [`poll_shutdown`](Self::poll_shutdown) asks for FIN
    /// once all is sent, and the server has [`ClientLimits::answer_deadline`] from `now` to send
    /// its own. Further calls change nothing.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use zen_proto::{Asker, AskerError, ClientLimits, aphorism};
    /// # let now = Instant::now();
    /// let mut asker = Asker::new(aphorism::client_framing(), ClientLimits::default());
    /// asker.ask(b"Why?", now)?;
    /// asker.finish(now);
    /// assert!(!asker.poll_shutdown(), "the question is not sent yet");
    /// asker.handle_sent(4, now);
    /// assert!(asker.poll_shutdown(), "send FIN");
    /// asker.handle_input(b"Because.", now);
    /// assert!(asker.poll_answer().is_some());
    /// asker.handle_eof(now);
    /// assert!(asker.is_closed());
    /// # Ok::<(), zen_proto::AskError>(())
    /// ```
    pub fn finish(&mut self, now: Instant) {
        if self.finishing.is_none() {
            self.finishing = Some(now);
            self.fin_due = true;
        }
    }

    /// Whether another question may be asked now. It may if the connection is good and fewer than
    /// [`ClientLimits::questions_in_flight`] questions wait for their answers.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use zen_proto::{Asker, AskerError, ClientLimits, aphorism};
    /// # let now = Instant::now();
    /// let limits = ClientLimits::default().with_questions_in_flight(1);
    /// let mut asker = Asker::new(aphorism::client_framing(), limits);
    /// asker.ask(b"Why?", now)?;
    /// assert!(!asker.wants_question());
    /// asker.handle_input(b"Because.", now);
    /// assert!(asker.poll_answer().is_some() && asker.wants_question());
    /// # Ok::<(), zen_proto::AskError>(())
    /// ```
    pub fn wants_question(&self) -> bool {
        self.failed.is_none()
            && self.end.is_none()
            && self.finishing.is_none()
            && !self.greeting
            && self.asked.len() < self.limits.questions_in_flight
    }

    /// How many questions wait for their answers. Abandoned questions count, and so does a greeting
    /// that is still to come.
    pub fn awaited(&self) -> usize {
        self.asked.len()
    }

    /// The server sent `data`.
    pub fn handle_input(&mut self, data: &[u8], now: Instant) {
        if self.failed.is_none() && !data.is_empty() {
            self.heard = Some(now);
            self.inbound.append(data);
            self.starved = false;
            self.progress(data.len() as u64, self.inbound.len() as u64, now);
        }
    }

    /// The server will send no more.
    pub fn handle_eof(&mut self, _now: Instant) {
        self.end.get_or_insert(End::Closed);
        self.fail_if_over();
    }

    /// The first `n` bytes of [`transmit`](Self::transmit) were sent.
    ///
    /// # Panics
    /// If there were fewer.
    pub fn handle_sent(&mut self, n: usize, now: Instant) {
        // The conversation may have failed while a write was under way. The write no longer matters
        // then.
        if self.failed.is_some() {
            return;
        }
        assert!(n <= self.outbound.len(), "{n} bytes sent, only {} were to be sent", self.outbound.len());
        self.outbound.consume(n);
        self.sent += n as u64;
        self.progress(n as u64, self.sent, now);
        if self.outbound.is_empty() {
            self.sent = 0;
        }
    }

    /// Time has passed. Fails the conversation if an answer is late, and does nothing otherwise.
    /// May be called at any time. An answer that has come but was not taken yet is not late.
    ///
    /// An answer that waits in the socket is not late either: pass a time from before a read that
    /// found nothing.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use zen_proto::{Asker, AskerError, ClientLimits, aphorism};
    /// # let now = Instant::now();
    /// let limits = ClientLimits::default().with_answer_deadline(Duration::from_secs(2));
    /// let mut asker = Asker::new(aphorism::client_framing(), limits);
    /// asker.ask(b"Why?", now)?;
    /// let late = asker.poll_timeout().expect("an answer is due");
    /// assert_eq!(late - now, Duration::from_secs(2));
    /// asker.handle_timeout(late);
    /// assert!(matches!(asker.failed(), Some(AskerError::TimedOut { awaited: 1, .. })));
    /// # Ok::<(), zen_proto::AskError>(())
    /// ```
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|at| at <= now) {
            self.fail(AskerError::TimedOut {
                awaited: self.asked.len(),
                deadline: self.limits.answer_deadline,
            });
        }
    }

    /// The connection broke: nothing can be sent or received any more.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use zen_proto::{Asker, AskerError, ClientLimits, aphorism};
    /// # let now = Instant::now();
    /// let mut asker = Asker::new(aphorism::client_framing(), ClientLimits::default());
    /// asker.ask(b"Why?", now)?;
    /// asker.ask(b"How?", now)?;
    /// asker.handle_input(b"Because.", now);
    /// asker.handle_lost(now);
    /// // What has come is still an answer; the other one is missing.
    /// assert_eq!(asker.poll_answer().as_deref(), Some(&b"Because."[..]));
    /// assert_eq!(asker.poll_answer(), None);
    /// assert_eq!(asker.failed(), Some(&AskerError::Lost { awaited: 1 }));
    /// # Ok::<(), zen_proto::AskError>(())
    /// ```
    pub fn handle_lost(&mut self, _now: Instant) {
        self.end.get_or_insert(End::Lost);
        self.fail_if_over();
    }

    /// The next answer, in the order of the questions, as `take` makes it from the decoded message.
    /// For messages that are byte slices, see [`poll_answer`](Self::poll_answer).
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use zen_proto::{Asker, AskerError, ClientLimits, aphorism};
    /// # let now = Instant::now();
    /// let mut asker = Asker::new(aphorism::client_framing(), ClientLimits::default());
    /// asker.ask(b"Why?", now)?;
    /// asker.handle_input(b"Because.", now);
    /// assert_eq!(asker.poll_answer_with(|answer| answer.len()), Some(8));
    /// # Ok::<(), zen_proto::AskError>(())
    /// ```
    pub fn poll_answer_with<T>(&mut self, take: impl FnOnce(F::Message<'_>) -> T) -> Option<T> {
        while self.abandoned > 0 {
            self.next_answer(|_| ())?;
            self.abandoned -= 1;
        }
        self.next_answer(take)
    }

    /// The bytes to send. Not empty: wants to write.
    pub fn transmit(&self) -> &[u8] {
        self.outbound.unread()
    }

    /// True once, when all is sent after [`finish`](Self::finish): send FIN, and go on reading.
    pub fn poll_shutdown(&mut self) -> bool {
        self.outbound.is_empty() && std::mem::take(&mut self.fin_due)
    }

    /// Whether the server has closed and owes no answer: drop the socket.
    pub fn is_closed(&self) -> bool {
        self.end.is_some() && self.starved && self.failed.is_none()
    }

    /// Whether to read. The server may send more, and all answers that came before were taken.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use zen_proto::{Asker, AskerError, ClientLimits, aphorism};
    /// # let now = Instant::now();
    /// let mut asker = Asker::new(aphorism::client_framing(), ClientLimits::default());
    /// asker.ask(b"Why?", now)?;
    /// asker.handle_input(b"Because.", now);
    /// assert!(!asker.wants_read(), "an answer is to be taken");
    /// while asker.poll_answer().is_some() {}
    /// assert!(asker.wants_read());
    /// # Ok::<(), zen_proto::AskError>(())
    /// ```
    pub fn wants_read(&self) -> bool {
        self.starved && self.end.is_none() && self.failed.is_none()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if no answer comes before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.failed.is_some() || !self.starved || self.is_closed() {
            return None;
        }
        self.due_since()?.checked_add(self.limits.answer_deadline)
    }

    /// Why the conversation failed, if it did: drop the socket.
    pub fn failed(&self) -> Option<&AskerError> {
        self.failed.as_ref()
    }

    /// When the time of the next answer has begun.
    fn due_since(&self) -> Option<Instant> {
        let asked = *self.asked.front().or(self.finishing.as_ref())?;
        [Some(asked), self.answered, self.progressed].into_iter().flatten().max()
    }

    /// `n` more bytes of a message have moved, which makes `moved` in all.
    fn progress(&mut self, n: u64, moved: u64, now: Instant) {
        if moved > FREE
            && let Some(since) = self.due_since()
        {
            self.progressed = Some(advanced(since, n, moved, self.limits.least_rate, now));
        }
    }

    /// The next answer on the wire, abandoned or not.
    fn next_answer<T>(&mut self, take: impl FnOnce(F::Message<'_>) -> T) -> Option<T> {
        self.fail_if_unasked();
        if self.starved || self.failed.is_some() {
            return None;
        }
        let next = next_message(&mut self.framing, self.inbound.unread(), self.limits.answer_length);
        match next.map(|(message, end)| (take(message), end)) {
            Ok((answer, end)) => {
                self.asked.pop_front();
                self.answered = self.heard;
                self.greeting = false;
                self.inbound.consume(end);
                self.starved = self.inbound.is_empty();
                self.fail_if_over();
                return Some(answer);
            }
            Err((skip, Missing::Nothing)) => self.starve(skip, 0),
            Err((skip, Missing::Begun(length))) => self.starve(skip, length),
            Err((_, Missing::TooLong(limit))) => self.fail(AskerError::AnswerTooLong { limit }),
            Err((_, Missing::Malformed(error))) => {
                self.fail(AskerError::Malformed { reason: error.to_string() });
            }
            Err((_, Missing::Broken)) => {
                let reason = "the framing decoded a message outside its input".to_owned();
                self.fail(AskerError::Malformed { reason });
            }
        }
        None
    }

    /// Nothing whole is buffered. What has begun will be `length` bytes long at least.
    fn starve(&mut self, skip: usize, length: usize) {
        self.inbound.consume(skip);
        self.inbound.reserve(length);
        self.starved = true;
        self.fail_if_over();
    }

    /// Fails if there is input, beyond what the framing skips, although no question waits for an
    /// answer. Otherwise the next question would take it for its answer, and each later one the
    /// answer of the question before.
    fn fail_if_unasked(&mut self) {
        if !self.asked.is_empty() || self.inbound.is_empty() {
            return;
        }
        let next = next_message(&mut self.framing, self.inbound.unread(), self.limits.answer_length);
        match next.map(drop) {
            Err((skip, Missing::Nothing)) if skip == self.inbound.len() => {
                self.inbound.consume(skip);
                self.starved = true;
            }
            _ => self.fail(AskerError::Unasked),
        }
    }

    /// Fails if the connection has ended too early. That is known once all answers that came before
    /// its end were taken.
    fn fail_if_over(&mut self) {
        let (awaited, partial) = (self.asked.len(), !self.inbound.is_empty());
        match self.end.filter(|_| self.starved) {
            // After the last answer, a server that resets instead of closing does no harm.
            Some(End::Lost) if self.finishing.is_some() && awaited == 0 => {}
            Some(End::Lost) => self.fail(AskerError::Lost { awaited }),
            Some(End::Closed) if partial || awaited > 0 => {
                self.fail(AskerError::ClosedEarly { awaited, partial });
            }
            _ => {}
        }
    }

    fn fail(&mut self, error: AskerError) {
        self.failed.get_or_insert(error);
        self.inbound.clear();
        self.outbound.clear();
        self.starved = true;
    }
}

impl<F: ByteFraming> Asker<F> {
    /// The next answer, in the order of the questions.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use zen_proto::{Asker, AskerError, ClientLimits, aphorism};
    /// # let now = Instant::now();
    /// let mut asker = Asker::new(aphorism::client_framing(), ClientLimits::default());
    /// asker.ask(b"Why?", now)?;
    /// asker.ask(b"How?", now)?;
    /// asker.handle_input(b"Because.So.", now);
    /// let answers: Vec<_> = std::iter::from_fn(|| asker.poll_answer()).collect();
    /// assert_eq!(answers, ["Because.", "So."]);
    /// # Ok::<(), zen_proto::AskError>(())
    /// ```
    pub fn poll_answer(&mut self) -> Option<Bytes> {
        self.poll_answer_with(Bytes::copy_from_slice)
    }
}
