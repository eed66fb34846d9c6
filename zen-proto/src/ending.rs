//! The ending: why a peer is told something before its conversation ends.

use crate::CloseReason;

/// Why a conversation ends, for [`Service::last_words`](crate::Service::last_words) and
/// [`Framing::last_words`](crate::Framing::last_words). `E` is the framing's error.
///
/// ```
/// use zen_proto::{Ending, Output};
///
/// /// The last words of a protocol of lines, whose framing calls this.
/// fn last_words<E: std::error::Error>(ending: &Ending<'_, E>, output: &mut Output<'_>) {
///     let words = match ending {
///         Ending::TooLong { limit } => format!("ERR a line has at most {limit} bytes\n"),
///         Ending::Malformed(error) => format!("ERR {error}\n"),
///         Ending::Drained => "BYE the server stops\n".to_owned(),
///         // Whatever else there is: the connection ends without a word.
///         _ => return,
///     };
///     output.put(words.as_bytes());
/// }
///
/// let mut sent = Vec::new();
/// let ending: Ending<'_, std::fmt::Error> = Ending::TooLong { limit: 512 };
/// last_words(&ending, &mut Output::from(&mut sent));
/// assert_eq!(sent, b"ERR a line has at most 512 bytes\n");
/// ```
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending<'a, E> {
    /// The peer's message is longer than the limit.
    TooLong {
        /// The limit, in bytes on the wire.
        limit: usize,
    },
    /// The peer's bytes can never become a message.
    Malformed(&'a E),
    /// The peer or the service was late.
    Deadline(CloseReason),
    /// The server stops. Everything that was received whole is answered.
    Drained,
    /// The service or the framing has panicked or broken its contract, or an answer was given up.
    /// Only the framing is asked for these words, since the service is in no state to say any.
    /// Inside a streamed message none are said, since the peer would take them for a part of it.
    Failed,
}

impl<E> Clone for Ending<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Ending<'_, E> {}

/// What the service is still to be told and may say something to, kept until the answers before it
/// are written: an ending, or that TLS has started.
#[derive(Debug)]
pub(crate) enum Pending<E> {
    TlsStarted,
    TooLong { limit: usize },
    Malformed(E),
    Deadline(CloseReason),
    Drained,
    Failed,
}

impl<E> Pending<E> {
    pub(crate) fn ending(&self) -> Option<Ending<'_, E>> {
        Some(match self {
            Self::TlsStarted => return None,
            Self::TooLong { limit } => Ending::TooLong { limit: *limit },
            Self::Malformed(error) => Ending::Malformed(error),
            Self::Deadline(reason) => Ending::Deadline(*reason),
            Self::Drained => Ending::Drained,
            Self::Failed => Ending::Failed,
        })
    }
}
