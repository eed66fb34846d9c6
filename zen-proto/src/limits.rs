//! Limits: every bound a conversation obeys.

use std::time::{Duration, Instant};

use crate::framing::Framing;
use crate::setters::setters;

/// Every bound of a conversation. All of them apply by default.
///
/// A conversation holds at most [`memory_bound`](Self::memory_bound) bytes of heap. Each field says
/// what it adds to that.
///
/// Only the turn time and the low water may be zero; [`validate`](Self::validate) refuses any other
/// zero. No value is too large: a number of [`usize::MAX`] bounds nothing, and a deadline of
/// [`Duration::MAX`] never comes.
///
/// ```
/// use std::time::Duration;
/// use zen_proto::Limits;
///
/// let limits = Limits::default()
///     .with_idle_deadline(Duration::from_secs(5))
///     .with_question_length(4096);
/// assert!(limits.validate().is_ok());
/// assert!(limits.with_questions_in_flight(0).validate().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest question, in bytes on the wire, its delimiter or header included. Default
    /// `None`: what the framing says ([`Framing::message_limit`](crate::Framing::message_limit)),
    /// which is 1024 (nginx's header buffer) unless its protocol needs more.
    ///
    /// Memory: this many bytes of a question that is not whole yet, and one read of the driver
    /// behind it.
    pub question_length: Option<usize>,
    /// How many questions may wait for a deferred answer. At this number no more are handed out or
    /// read. Default 32 (memcached takes 20 requests per event).
    ///
    /// Memory: this many times a slot of 64 bytes and one answer, since an answer that is given out
    /// of order waits for those before it.
    pub questions_in_flight: usize,
    /// How many bytes of pushed messages may wait for room, each message counted as 48 bytes more
    /// than its text. Default 65 536.
    ///
    /// Memory: this many bytes, for a conversation that has a [`Pusher`](crate::Pusher).
    pub pushed_bytes: usize,
    /// At this many unsent bytes no further question is answered or read. Default 65 536 (rustls,
    /// redis).
    ///
    /// Memory: this many bytes and one answer, since the check is made before each answer.
    pub outbound_high_water: usize,
    /// Once at most this many bytes are unsent, answering and reading go on. Default 16 384. Must
    /// be less than the high water. With zero, everything must have left first.
    ///
    /// Memory: none of its own.
    pub outbound_low_water: usize,
    /// How long a conversation is answered for until it is the next one's turn, and what is
    /// finished leaves. Default 1 ms. A turn takes longer by one call of the service at the most if
    /// that is slow, or by up to 64 if it was quick before. With zero, a turn answers as few
    /// questions as possible; with [`Duration::MAX`], the time is not looked at.
    ///
    /// See [`Conversation::answer_in_turn`](crate::Conversation::answer_in_turn). Memory: none.
    pub turn_time: Duration,
    /// How many questions are answered in one turn. Default 1024.
    ///
    /// Memory: none of its own.
    pub turn_questions: usize,
    /// How long a question may take from its first byte to its last. Default 10 s (`HAProxy`'s
    /// advice, hyper). A trickle of bytes does not extend it. The clock stands still while the
    /// server itself has stopped reading.
    ///
    /// Memory: none. It bounds how long a question that is not whole is kept.
    pub question_deadline: Duration,
    /// How long a conversation may go without a question when no answer is owed. Default 60 s
    /// (nginx: 75 s). White space between questions does not extend it.
    ///
    /// Memory: none. It bounds how long an idle conversation is kept, which owns no heap, or none
    /// after a second if its last message was larger than 256 KiB.
    pub idle_deadline: Duration,
    /// How long the service may owe an answer. Default 30 s.
    ///
    /// Memory: none. It bounds how long the slots of `questions_in_flight` are kept.
    pub answer_deadline: Duration,
    /// How old the oldest unsent byte may get. Default 30 s. (nginx's 60 s count from write to
    /// write, so a peer that reads a byte at a time is never late there. Here it is.)
    ///
    /// Bytes that were written within 1/256 of the deadline count as written at the time of the
    /// first of them.
    ///
    /// Memory: at most 257 times 24 bytes.
    pub write_deadline: Duration,
    /// The rate at which a large message must advance, in bytes a second, once its deadline is
    /// over. Default 16 384.
    ///
    /// The first 64 KiB of a question, or of what waits to be sent, have the deadlines above. What
    /// goes beyond puts the deadline off by the time that it takes at this rate, but never further
    /// than the whole deadline from now. So a healthy peer may send or read a message of any
    /// length; one that trickles, sips or stops does not escape, however fast it was before.
    /// (Apache's `mod_reqtimeout` has a similar rule with its `MinRate`.)
    ///
    /// Memory: none.
    pub least_rate: u32,
    /// How long a lingering close reads and discards. Default 2 s (nginx: 5 s).
    ///
    /// Memory: none. What is discarded is not kept.
    pub linger_deadline: Duration,
    /// How much a lingering close discards, in bytes. Default 262 144.
    ///
    /// Memory: none. What is discarded is not kept.
    pub linger_bytes: usize,
    /// How long a drained conversation may take to answer and send what it owes. Default 15 s
    /// (redis: 10 s).
    ///
    /// Memory: none.
    pub drain_deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            question_length: None,
            questions_in_flight: 32,
            pushed_bytes: 64 * 1024,
            outbound_high_water: 64 * 1024,
            outbound_low_water: 16 * 1024,
            turn_time: Duration::from_millis(1),
            turn_questions: 1024,
            question_deadline: Duration::from_secs(10),
            idle_deadline: Duration::from_secs(60),
            answer_deadline: Duration::from_secs(30),
            write_deadline: Duration::from_secs(30),
            least_rate: 16 * 1024,
            linger_deadline: Duration::from_secs(2),
            linger_bytes: 256 * 1024,
            drain_deadline: Duration::from_secs(15),
        }
    }
}

impl Limits {
    setters! {
        with_questions_in_flight sets questions_in_flight: usize;
        with_pushed_bytes sets pushed_bytes: usize;
        with_least_rate sets least_rate: u32;
        with_outbound_high_water sets outbound_high_water: usize;
        with_outbound_low_water sets outbound_low_water: usize;
        with_turn_time sets turn_time: Duration;
        with_turn_questions sets turn_questions: usize;
        with_question_deadline sets question_deadline: Duration;
        with_idle_deadline sets idle_deadline: Duration;
        with_answer_deadline sets answer_deadline: Duration;
        with_write_deadline sets write_deadline: Duration;
        with_linger_deadline sets linger_deadline: Duration;
        with_linger_bytes sets linger_bytes: usize;
        with_drain_deadline sets drain_deadline: Duration;
    }

    /// Sets [`question_length`](Self::question_length): a number of bytes, or `None` for what the
    /// framing says.
    #[must_use]
    pub fn with_question_length(mut self, question_length: impl Into<Option<usize>>) -> Self {
        self.question_length = question_length.into();
        self
    }

    /// Checks that a conversation can be held under these limits.
    ///
    /// # Errors
    /// [`LimitError`] names the first limit that is zero, or a low water that is not below the high
    /// water.
    pub fn validate(&self) -> Result<(), LimitError> {
        let positive = [
            ("question length", self.question_length != Some(0)),
            ("questions in flight", self.questions_in_flight > 0),
            ("pushed bytes", self.pushed_bytes > 0),
            ("least rate", self.least_rate > 0),
            ("turn questions", self.turn_questions > 0),
            ("outbound high water", self.outbound_high_water > 0),
            ("question deadline", !self.question_deadline.is_zero()),
            ("idle deadline", !self.idle_deadline.is_zero()),
            ("answer deadline", !self.answer_deadline.is_zero()),
            ("write deadline", !self.write_deadline.is_zero()),
            ("linger deadline", !self.linger_deadline.is_zero()),
            ("linger bytes", self.linger_bytes > 0),
            ("drain deadline", !self.drain_deadline.is_zero()),
        ];
        if let Some((limit, _)) = positive.iter().find(|(_, holds)| !holds) {
            return Err(LimitError::Zero { limit });
        }
        if self.outbound_low_water >= self.outbound_high_water {
            return Err(LimitError::WaterMarks {
                low: self.outbound_low_water,
                high: self.outbound_high_water,
            });
        }
        Ok(())
    }

    /// The most heap that one conversation of this framing can own, in bytes, when its driver hands
    /// it at most `read` bytes at a time while [`wants_read`](crate::Conversation::wants_read)
    /// holds, and no answer, or piece of one, is longer than `answer` bytes.
    ///
    /// It is twice the content, since a buffer doubles when it grows. The answers in flight count
    /// once more, since they move to an outbound buffer that keeps its room until it is empty. The
    /// rest is what allocations are rounded up by.
    ///
    /// ```
    /// use zen_proto::{Limits, aphorism};
    ///
    /// // A server that reads 16 KiB at a time, and whose longest answer has 24 bytes.
    /// let limits = Limits::default();
    /// let bound = limits.memory_bound(&aphorism::framing(), 16 * 1024, 24);
    /// assert!(bound < 256 * 1024, "{bound} bytes for one conversation, however it behaves");
    /// ```
    pub fn memory_bound(&self, framing: &impl Framing, read: usize, answer: usize) -> usize {
        let inbound = framing.memory_bound(self.question_length).saturating_add(read);
        let outbound = self.outbound_high_water.saturating_add(answer);
        let in_flight = self.questions_in_flight.saturating_mul(answer.saturating_add(64));
        let write_ages = 257 * 24;
        let content = inbound.saturating_add(outbound).saturating_add(in_flight).saturating_add(write_ages);
        let pushed = self.pushed_bytes;
        content.saturating_mul(2).saturating_add(in_flight).saturating_add(pushed).saturating_add(4096)
    }
}

/// How much of a message its deadline is meant for, in bytes.
pub(crate) const FREE: u64 = 64 * 1024;

/// The start of a clock after `n` bytes have moved, which makes `moved` bytes in all: what is
/// beyond the first 64 KiB moves it on by the time that it takes at the least rate, but not beyond
/// `now`. So no peer can save up time by being fast at first.
pub(crate) fn advanced(since: Instant, n: u64, moved: u64, least_rate: u32, now: Instant) -> Instant {
    let beyond = n.min(moved.saturating_sub(FREE));
    // 18 GB at once count as a time without end.
    let nanos = beyond.checked_mul(1_000_000_000).map(|nanos| nanos / u64::from(least_rate.max(1)));
    let later = nanos.and_then(|nanos| since.checked_add(Duration::from_nanos(nanos)));
    later.map_or(now, |later| later.min(now)).max(since)
}

/// Limits under which no conversation could be held.
///
/// ```
/// use zen_proto::Limits;
///
/// let error = Limits::default().with_outbound_low_water(1 << 20).validate().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the outbound low water (1048576 bytes) must be below the high water (65536 bytes)"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// A limit is zero.
    #[error("the {limit} limit is zero, which would refuse everything; give it a value of at least 1")]
    Zero {
        /// Which one.
        limit: &'static str,
    },
    /// The low water is not below the high water.
    #[error("the outbound low water ({low} bytes) must be below the high water ({high} bytes)")]
    WaterMarks {
        /// The low water, in bytes.
        low: usize,
        /// The high water, in bytes.
        high: usize,
    },
}
