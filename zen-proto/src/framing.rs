//! Framing: how a byte stream is cut into messages, and how messages are written into one.

use std::error::Error;

use crate::ending::Ending;
use crate::output::Output;

/// The longest question when neither the framing nor the limits say otherwise, in bytes.
pub(crate) const MESSAGE_LIMIT: usize = 1024;

/// What the unread input begins with; the result of [`Framing::decode`].
///
/// Every position counts from the first byte of the input.
///
/// ```
/// use std::convert::Infallible;
/// use zen_proto::Decoded;
///
/// /// Messages of four bytes. Zeros before one are padding.
/// fn decode(input: &[u8]) -> Decoded<&[u8], Infallible> {
///     let start = input.iter().take_while(|byte| **byte == 0).count();
///     let end = start + 4;
///     match input.get(start..end) {
///         Some(message) => Decoded::Whole { start, end, message },
///         None if start == input.len() => Decoded::nothing(start),
///         None => Decoded::Partial { start, end },
///     }
/// }
///
/// assert_eq!(decode(&[0, 0]), Decoded::nothing(2));
/// assert_eq!(decode(&[0, 7, 7]), Decoded::Partial { start: 1, end: 5 });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decoded<M, E> {
    /// Not a whole message yet.
    Partial {
        /// Where the message begins. The bytes before it belong to no message: they are discarded,
        /// and start no clock.
        start: usize,
        /// Where the message ends at the earliest; `start` when none has begun. A framing that
        /// reads a length up front says it here: a message over the limit is refused before its
        /// body arrives, and memory for the rest is taken in few steps as it arrives.
        end: usize,
    },
    /// A whole message.
    Whole {
        /// Where the message begins, as above.
        start: usize,
        /// Where the message ends. The message limit is compared with `end - start`.
        end: usize,
        /// What the service is given.
        message: M,
    },
    /// The input can never become a message, for this reason.
    ///
    /// A message over the limit is refused for its length. So that the reason does not depend on
    /// how the message arrives, a framing looks for faults no further than the limit (see
    /// [`Framing::configure`]), and reports a message that goes on behind it as partial.
    Malformed(E),
}

impl<M, E> Decoded<M, E> {
    /// A whole message, which is the first `end` bytes.
    ///
    /// ```
    /// use zen_proto::Decoded;
    ///
    /// let message = "hello";
    /// let written_out = Decoded::<_, ()>::Whole { start: 0, end: 6, message };
    /// assert_eq!(Decoded::whole(6, message), written_out);
    /// ```
    #[inline]
    pub const fn whole(end: usize, message: M) -> Self {
        Self::Whole { start: 0, end, message }
    }

    /// A message has begun with the first byte, and ends at `end` at the earliest.
    ///
    /// ```
    /// use zen_proto::Decoded;
    ///
    /// // Eleven bytes have come of a message that ends with a delimiter: at least one is missing.
    /// assert_eq!(Decoded::<&[u8], ()>::partial(12), Decoded::Partial { start: 0, end: 12 });
    /// ```
    #[inline]
    pub const fn partial(end: usize) -> Self {
        Self::Partial { start: 0, end }
    }

    /// No message has begun; all of the first `skipped` bytes belong to none.
    ///
    /// ```
    /// use zen_proto::Decoded;
    ///
    /// // Two line feeds between messages: they are dropped, and no deadline runs.
    /// assert_eq!(Decoded::<&[u8], ()>::nothing(2), Decoded::Partial { start: 2, end: 2 });
    /// ```
    #[inline]
    pub const fn nothing(skipped: usize) -> Self {
        Self::Partial { start: skipped, end: skipped }
    }
}

/// A message that the framing cannot write, with the reason: it is longer than a length field can
/// say, for instance, or lacks its delimiter.
///
/// ```
/// use zen_proto::{Output, Unsendable};
///
/// /// Ends a line, for [`Framing::end`](zen_proto::Framing::end).
/// fn end(output: &mut Output<'_>, start: usize) -> Result<(), Unsendable> {
///     if output.tail_mut(start).contains(&b'\n') {
///         return Err(Unsendable::new("a line feed inside a line"));
///     }
///     output.put(b"\n");
///     Ok(())
/// }
///
/// let mut bytes = b"two\nlines".to_vec();
/// let error = end(&mut Output::from(&mut bytes), 0).unwrap_err();
/// assert_eq!(error.to_string(), "a line feed inside a line");
/// assert_eq!(error.reason(), "a line feed inside a line");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unsendable {
    reason: &'static str,
}

impl Unsendable {
    /// `reason` says what is wrong with the message, as in "a line feed inside a line".
    pub const fn new(reason: &'static str) -> Self {
        Self { reason }
    }

    /// What is wrong with the message.
    pub const fn reason(self) -> &'static str {
        self.reason
    }
}

/// Cuts a byte stream into messages, and writes messages into one.
///
/// The server's half decodes questions and writes answers; the client's half decodes answers and
/// writes questions. A framing belongs to one connection. It may remember how far it has looked, so
/// that no byte is looked at twice, and it may be in a state that a service switches through
/// [`Answer::framing_mut`](crate::Answer::framing_mut).
///
/// A message must say itself where it ends, since a framing does not hear of the end of the input.
/// A message that ends only with the connection, as the answer of finger does (RFC 1288), is never
/// whole.
///
/// ```
/// use std::convert::Infallible;
/// use zen_proto::{Decoded, Framing};
///
/// /// Messages that end with a line feed, which is not part of the text.
/// #[derive(Default)]
/// struct Lines { seen: usize }
///
/// impl Framing for Lines {
///     type Message<'a> = &'a [u8];
///     type Error = Infallible;
///
///     fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<&'a [u8], Infallible> {
///         match input[self.seen..].iter().position(|byte| *byte == b'\n') {
///             Some(at) => {
///                 let end = self.seen + at;
///                 self.seen = 0;
///                 Decoded::whole(end + 1, &input[..end])
///             }
///             None => {
///                 self.seen = input.len();
///                 // The line lacks its line feed at least.
///                 Decoded::partial(input.len() + 1)
///             }
///         }
///     }
/// }
///
/// let mut lines = Lines::default();
/// assert_eq!(lines.decode(b"hel"), Decoded::partial(4));
/// assert_eq!(lines.decode(b"hello\nyou"), Decoded::whole(6, &b"hello"[..]));
/// ```
///
/// The other functions have defaults. Here is a framing that needs them all: on the wire, a message
/// is its length in one byte, and its text.
///
/// ```
/// use std::convert::Infallible;
/// use zen_proto::{Decoded, Ending, Framing, Output, Unsendable};
///
/// struct Short { limit: usize }
///
/// impl Framing for Short {
///     type Message<'a> = &'a [u8];
///     type Error = Infallible;
///
///     fn configure(&mut self, message_limit: Option<usize>) {
///         self.limit = message_limit.unwrap_or(256).min(256);
///     }
///
///     fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<&'a [u8], Infallible> {
///         let end = 1 + usize::from(input[0]);
///         input.get(1..end).map_or(Decoded::partial(end), |text| Decoded::whole(end, text))
///     }
///
///     fn begin(&mut self, output: &mut Output<'_>) {
///         // The length is filled in when it is known.
///         output.put(&[0]);
///     }
///
///     fn end(&mut self, output: &mut Output<'_>, start: usize) -> Result<(), Unsendable> {
///         let message = output.tail_mut(start);
///         let length = u8::try_from(message.len() - 1);
///         message[0] = length.map_err(|_| Unsendable::new("a message has at most 255 bytes"))?;
///         Ok(())
///     }
///
///     fn begin_stream(&mut self, length: u64, output: &mut Output<'_>) -> Result<(), Unsendable> {
///         let length = u8::try_from(length);
///         output.put(&[length.map_err(|_| Unsendable::new("a message has at most 255 bytes"))?]);
///         Ok(())
///     }
///
///     fn message_limit(&self, _: Option<usize>) -> usize {
///         self.limit
///     }
///
///     fn memory_bound(&self, configured: Option<usize>) -> usize {
///         self.message_limit(configured)
///     }
///
///     fn last_words(&mut self, ending: &Ending<'_, Infallible>, output: &mut Output<'_>) {
///         if matches!(ending, Ending::TooLong { .. }) {
///             output.put(b"\x08too long");
///         }
///     }
/// }
///
/// let (mut framing, mut bytes) = (Short { limit: 256 }, Vec::new());
/// let mut output = Output::from(&mut bytes);
/// framing.begin(&mut output);
/// output.put(b"hello");
/// framing.end(&mut output, 0)?;
/// assert_eq!(bytes, b"\x05hello");
/// assert_eq!(framing.decode(&bytes), Decoded::whole(6, &b"hello"[..]));
/// # Ok::<(), zen_proto::Unsendable>(())
/// ```
pub trait Framing {
    /// A decoded message. It may borrow from the input, or own what it had to assemble.
    type Message<'a>;

    /// Why input is malformed; [`Infallible`](std::convert::Infallible) if it never is.
    type Error: Error + Send;

    /// Says what `input` begins with.
    ///
    /// `input` is never empty. It starts at the first byte that no earlier call has reported as
    /// skipped or as part of a whole message. It only grows at its end until one of these is
    /// reported, so a framing may remember how far it has looked.
    ///
    /// A whole message takes at least one byte of the input and ends within it. A framing that says
    /// otherwise ends its conversation with
    /// [`CloseReason::ServiceFailed`](crate::CloseReason::ServiceFailed). Input that is neither
    /// skipped nor part of a whole message is too long once it exceeds the limit, whatever the
    /// framing says of it.
    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<Self::Message<'a>, Self::Error>;

    /// Told once, before anything else, what the longest message is that the operator allows, in
    /// bytes on the wire: [`Limits::question_length`](crate::Limits::question_length), if it is
    /// set; on the client's side
    /// [`ClientLimits::answer_length`](crate::ClientLimits::answer_length). For a framing that
    /// tells its peer (SMTP's SIZE), or answers what is too long by itself. By default nothing is
    /// kept of it.
    fn configure(&mut self, message_limit: Option<usize>) {
        let _ = message_limit;
    }

    /// Writes what goes before a message's text: a length that [`end`](Self::end) fills in, for
    /// instance.
    #[inline]
    fn begin(&mut self, output: &mut Output<'_>) {
        let _ = output;
    }

    /// Finishes the message that lies in `output` from `start` on, where [`begin`](Self::begin)
    /// began it.
    ///
    /// # Errors
    /// [`Unsendable`] when this framing cannot write the message, which is then taken back.
    #[inline]
    fn end(&mut self, output: &mut Output<'_>, start: usize) -> Result<(), Unsendable> {
        let _ = (output, start);
        Ok(())
    }

    /// Writes what goes before the text of a message that is sent piece by piece, and will be
    /// `length` bytes long. Neither [`begin`](Self::begin) nor [`end`](Self::end) is called for
    /// such a message. By default nothing is written, which suits a framing whose `begin` and `end`
    /// write nothing.
    ///
    /// # Errors
    /// [`Unsendable`] when this framing cannot write such a message.
    fn begin_stream(&mut self, length: u64, output: &mut Output<'_>) -> Result<(), Unsendable> {
        let _ = (length, output);
        Ok(())
    }

    /// The longest message that is accepted now, in bytes on the wire. `configured` is
    /// [`Limits::question_length`](crate::Limits::question_length), if the server's operator has
    /// set one. By default that, or else 1024.
    ///
    /// A protocol whose messages are large says so here, so that its users need not.
    #[inline]
    fn message_limit(&self, configured: Option<usize>) -> usize {
        configured.unwrap_or(MESSAGE_LIMIT)
    }

    /// The most memory that one message can take in any state of the framing, in bytes: the longest
    /// [`message_limit`](Self::message_limit), and what the framing owns beside it. By default the
    /// current message limit.
    fn memory_bound(&self, configured: Option<usize>) -> usize {
        self.message_limit(configured)
    }

    /// Writes the last message to a peer, exactly as it goes on the wire, before its conversation
    /// ends for another reason than the peer's own wish. The service is asked first
    /// ([`Service::last_words`](crate::Service::last_words)). By default nothing is written.
    fn last_words(&mut self, ending: &Ending<'_, Self::Error>, output: &mut Output<'_>) {
        let _ = (ending, output);
    }
}

/// A framing whose messages are byte slices. Every such framing implements this trait, which is
/// only a shorter way to write the bound.
///
/// ```
/// use zen_proto::{Answer, ByteFraming, Flow, Service};
///
/// /// Echoes in any framing of bytes.
/// struct Echo;
///
/// impl<F: ByteFraming> Service<F> for Echo {
///     fn answer(&mut self, question: &[u8], answer: &mut Answer<'_, F>) -> Flow {
///         answer.put(question);
///         Flow::Continue
///     }
/// }
/// ```
pub trait ByteFraming: for<'a> Framing<Message<'a> = &'a [u8]> {}

impl<F> ByteFraming for F where F: for<'a> Framing<Message<'a> = &'a [u8]> {}
