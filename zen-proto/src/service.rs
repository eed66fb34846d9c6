//! The service: what to answer.

use std::{fmt, io};

use crate::framing::Output;

/// Answers questions.
///
/// A server gives each conversation a clone of its own, and answers through `&mut self`: a service may carry what one
/// conversation has said before. What all conversations share goes behind an [`Arc`](std::sync::Arc).
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
    /// Writes the answer to `question`, at once. For answers that have to be waited for, see
    /// [`Conversation::poll_question`](crate::Conversation::poll_question).
    ///
    /// A panic in here closes the conversation after the answers before it; what was written of this one is not sent.
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>);
}

impl<S: FnMut(&[u8], &mut Answer<'_>)> Service for S {
    #[inline]
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) {
        self(question, answer);
    }
}

/// Where a service writes its answer. Also an [`io::Write`] and a [`fmt::Write`], neither of which fails.
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
