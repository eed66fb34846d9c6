//! The bounds of the client half.

use std::time::Duration;

use crate::limits::LimitError;
use crate::setters::setters;

/// The bounds of an [`Asker`](crate::Asker).
///
/// None may be zero; see [`validate`](Self::validate). No value is too large: a number of
/// [`usize::MAX`] bounds nothing, and a deadline of [`Duration::MAX`] never comes.
///
/// ```
/// use std::time::Duration;
/// use zen_proto::ClientLimits;
///
/// let limits = ClientLimits::default().with_answer_deadline(Duration::from_secs(2));
/// assert!(limits.validate().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientLimits {
    /// The longest answer, in bytes on the wire. Default 65 536.
    ///
    /// The memory of an answer over 256 KiB is kept for the next one.
    pub answer_length: usize,
    /// How many questions may wait for their answers before
    /// [`Asker::wants_question`](crate::Asker::wants_question) says no. Default 32, as many as a
    /// server takes. More could fill the network in both directions while neither side reads.
    pub questions_in_flight: usize,
    /// How long an answer may take once it is due: after its question was asked, or after the
    /// answer before it has come, whichever is later. Default 30 s. A trickle of bytes does not
    /// extend it.
    pub answer_deadline: Duration,
    /// The rate at which a large question or answer must advance, in bytes a second, once the
    /// deadline is over. Default 16 384. What goes beyond its first 64 KiB puts the deadline off by
    /// the time that it takes at this rate, but never further than the whole deadline from now, as
    /// [`Limits::least_rate`](crate::Limits::least_rate) does on the other side.
    pub least_rate: u32,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            answer_length: 64 * 1024,
            questions_in_flight: 32,
            answer_deadline: Duration::from_secs(30),
            least_rate: 16 * 1024,
        }
    }
}

impl ClientLimits {
    setters! {
        with_answer_length sets answer_length: usize;
        with_questions_in_flight sets questions_in_flight: usize;
        with_answer_deadline sets answer_deadline: Duration;
        with_least_rate sets least_rate: u32;
    }

    /// Checks that a question can be asked and answered under these limits.
    ///
    /// # Errors
    /// [`LimitError::Zero`] names the first limit that is zero.
    pub fn validate(&self) -> Result<(), LimitError> {
        let positive = [
            ("answer length", self.answer_length > 0),
            ("questions in flight", self.questions_in_flight > 0),
            ("answer deadline", !self.answer_deadline.is_zero()),
            ("least rate", self.least_rate > 0),
        ];
        match positive.iter().find(|(_, holds)| !holds) {
            Some((limit, _)) => Err(LimitError::Zero { limit }),
            None => Ok(()),
        }
    }
}
