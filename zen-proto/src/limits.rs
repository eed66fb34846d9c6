//! Limits: every bound a conversation obeys.

use std::time::Duration;

use crate::setters::setters;

/// Every bound of a conversation. All are on by default.
///
/// A conversation holds at most [`memory_bound`](Self::memory_bound) bytes of heap; each field says its part of it. A deadline of
/// [`Duration::MAX`] is none.
///
/// ```
/// use std::time::Duration;
/// use zen_proto::Limits;
///
/// let limits = Limits::default().with_idle_deadline(Duration::from_secs(5)).with_question_length(4096);
/// assert!(limits.validate().is_ok());
/// assert!(limits.with_questions_in_flight(0).validate().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest question, in bytes on the wire, its delimiter or header included. Default 1024 (nginx's header buffer).
    ///
    /// Memory: so many bytes of a question that is not whole yet, and one read of the driver's behind it.
    pub question_length: usize,
    /// How many questions may wait for a deferred answer before no more are handed out or read. Default 32 (memcached
    /// takes 20 requests an event).
    ///
    /// Memory: so many times a slot of 64 bytes and one answer, since answers that are given out of order wait for those before them.
    pub questions_in_flight: usize,
    /// At so many unsent bytes no further question is answered or read. Default 65 536 (rustls, redis).
    ///
    /// Memory: so many bytes and one answer: the check is made before each answer, not before each read.
    pub outbound_high_water: usize,
    /// Answering and reading go on once no more than so many bytes are unsent. Default 16 384. Less than the high water.
    ///
    /// Memory: none of its own.
    pub outbound_low_water: usize,
    /// How long a question may take from its first byte to its last. Default 10 s (`HAProxy`'s advice, hyper).
    /// A trickle of bytes does not extend it. The clock stands still while the server itself has stopped reading.
    ///
    /// Memory: none; it bounds how long a question that is not whole is kept.
    pub question_deadline: Duration,
    /// How long a conversation may go without a question when nothing is owed. Default 60 s (nginx: 75 s). White space between
    /// questions does not extend it.
    ///
    /// Memory: none; it bounds how long an idle conversation, which owns no heap, is kept.
    pub idle_deadline: Duration,
    /// How long the service may owe an answer. Default 30 s.
    ///
    /// Memory: none; it bounds how long the slots of `questions_in_flight` are kept.
    pub answer_deadline: Duration,
    /// The greatest age of the oldest unsent byte. Default 30 s (nginx's 60 s count from write to write, so
    /// that a reader who takes a byte at a time is never late; this one is).
    ///
    /// Bytes written within 1/256 of the deadline of each other count as written together, at the time of the first.
    /// Memory: at most 257 times 24 bytes.
    pub write_deadline: Duration,
    /// How long a lingering close reads and discards. Default 2 s (nginx: 5 s).
    ///
    /// Memory: none; what is discarded is not kept.
    pub linger_deadline: Duration,
    /// How much a lingering close discards, in bytes. Default 262 144.
    ///
    /// Memory: none; what is discarded is not kept.
    pub linger_bytes: usize,
    /// How long a drained conversation may take to answer and send what it owes. Default 15 s (redis: 10 s).
    ///
    /// Memory: none.
    pub drain_deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            question_length: 1024,
            questions_in_flight: 32,
            outbound_high_water: 64 * 1024,
            outbound_low_water: 16 * 1024,
            question_deadline: Duration::from_secs(10),
            idle_deadline: Duration::from_secs(60),
            answer_deadline: Duration::from_secs(30),
            write_deadline: Duration::from_secs(30),
            linger_deadline: Duration::from_secs(2),
            linger_bytes: 256 * 1024,
            drain_deadline: Duration::from_secs(15),
        }
    }
}

impl Limits {
    setters! {
        with_question_length sets question_length: usize;
        with_questions_in_flight sets questions_in_flight: usize;
        with_outbound_high_water sets outbound_high_water: usize;
        with_outbound_low_water sets outbound_low_water: usize;
        with_question_deadline sets question_deadline: Duration;
        with_idle_deadline sets idle_deadline: Duration;
        with_answer_deadline sets answer_deadline: Duration;
        with_write_deadline sets write_deadline: Duration;
        with_linger_deadline sets linger_deadline: Duration;
        with_linger_bytes sets linger_bytes: usize;
        with_drain_deadline sets drain_deadline: Duration;
    }

    /// Checks that a conversation can live under these limits.
    ///
    /// # Errors
    /// [`LimitError`] names the first limit that is zero, or a low water that is not below the high water.
    pub fn validate(&self) -> Result<(), LimitError> {
        let positive = [
            ("question length", self.question_length > 0),
            ("questions in flight", self.questions_in_flight > 0),
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

    /// The most heap that one conversation can own, in bytes, when its driver hands it at most `read` bytes a time while
    /// [`wants_read`](crate::Conversation::wants_read) holds, and no answer is longer than `answer` bytes.
    ///
    /// Twice the content, since a buffer that grows doubles; the answers in flight once more, since they move to an outbound buffer
    /// that keeps its room until it is empty; and what an allocation is rounded up to.
    pub fn memory_bound(&self, read: usize, answer: usize) -> usize {
        let inbound = self.question_length.saturating_add(read);
        let outbound = self.outbound_high_water.saturating_add(answer);
        let in_flight = self.questions_in_flight.saturating_mul(answer.saturating_add(64));
        let write_ages = 257 * 24;
        let content = inbound.saturating_add(outbound).saturating_add(in_flight).saturating_add(write_ages);
        content.saturating_mul(2).saturating_add(in_flight).saturating_add(4096)
    }
}

/// A limit that no conversation could live under.
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
