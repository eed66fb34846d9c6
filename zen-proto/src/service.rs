//! The service: what to answer.

use std::{fmt, io};

use crate::framing::Output;

/// Answers questions.
///
/// A server gives each conversation its own clone and calls it through `&mut self`, so a service
/// may keep the state of one conversation. Put what all conversations share behind an
/// [`Arc`](std::sync::Arc).
///
/// Any `FnMut(&[u8], &mut Answer)` is a service.
///
/// ```
/// use zen_proto::{Answer, Service};
///
/// /// Numbers the questions of its conversation.
/// #[derive(Clone, Default)]
/// struct Numbered { asked: u64 }
///
/// impl Service for Numbered {
///     fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) {
///         use std::fmt::Write;
///         self.asked += 1;
///         let _ = write!(answer, "{}: {} bytes.", self.asked, question.len());
///     }
/// }
/// ```
pub trait Service {
    /// Writes the answer to `question` before it returns. For answers that come later, see
    /// [`Conversation::poll_question`](crate::Conversation::poll_question).
    ///
    /// A panic in here closes the conversation once the earlier answers are sent. What was written
    /// of this answer is not sent.
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>);
}

impl<S: FnMut(&[u8], &mut Answer<'_>)> Service for S {
    #[inline]
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) {
        self(question, answer);
    }
}

/// Where a service writes its answer. Also an [`io::Write`] and a [`fmt::Write`], neither of which
/// fails.
#[derive(Debug)]
pub struct Answer<'a> {
    output: Output<'a>,
}

impl<'a> Answer<'a> {
    pub(crate) fn new(output: Output<'a>) -> Self {
        Self { output }
    }

    /// Appends to the answer.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.output.put(bytes);
    }
}

impl io::Write for Answer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Write for Answer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}
