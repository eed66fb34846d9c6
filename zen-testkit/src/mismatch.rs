//! The mismatch: where a server's behaviour differs from the transcript.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::escape::Escaped;

/// How many cuts are shown at most.
const CUTS_SHOWN: usize = 4;

/// What went wrong.
///
/// ```
/// use zen_testkit::{Fault, Mismatch};
///
/// /// Whether the server has failed, rather than answered wrongly.
/// fn is_down(mismatch: &Mismatch) -> bool {
///     matches!(mismatch.fault(), Fault::Connect(_) | Fault::Ended | Fault::Reset)
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No connection could be made.
    #[error("could not connect: {0}")]
    Connect(io::Error),
    /// The server sent other bytes than expected.
    #[error("the answers differ from byte {at} on")]
    Differs {
        /// The offset of the first byte that differs, from the start of the expected bytes.
        at: usize,
    },
    /// The server sent bytes where nothing was expected.
    #[error("the server sent more than was expected")]
    Extra,
    /// The rest of the answers did not arrive in time.
    #[error("the server sent nothing more for {0:?}")]
    Silent(Duration),
    /// The server ended the connection before all answers had arrived.
    #[error("the server closed the connection too early")]
    Ended,
    /// The server did not end the connection in time.
    #[error("the server did not close the connection for {0:?}")]
    StaysOpen(Duration),
    /// The server ended the connection before a deadline could have passed.
    #[error("the server closed the connection after {after:?}, before its deadline of {not_before:?}")]
    DroppedEarly {
        /// The least time for which the client had the connection.
        after: Duration,
        /// The least time for which the client should have had it.
        not_before: Duration,
    },
    /// The connection was reset, which destroys answers in flight.
    #[error("the server reset the connection")]
    Reset,
    /// The server accepted no more bytes, although its answers were being read.
    #[error("the server accepted no more bytes for {0:?}")]
    Stuck(Duration),
    /// The socket failed for another reason.
    #[error("the socket failed: {0}")]
    Io(io::Error),
}

/// The failure of one transcript: its name, the step, and what the connection had sent and
/// received.
///
/// Displayed, it takes a few lines. The peer's bytes are escaped, and long runs are shortened. A
/// bar shows where the input was cut, and a caret the first byte that is wrong or did not come:
///
/// ```text
/// two lines, cut after 2 bytes
///   step 2 of 4, waiting for answers: the answers differ from byte 3 on
///   sent      "ze" | "n\nof\n"
///   expected  "ZEN\nOF\n"
///   received  "ZENOF\n"
///                 ^
/// ```
///
/// ```
/// use zen_proto::{Limits, aphorism};
/// use zen_testkit::{Fault, Transcript};
///
/// let wrong = Transcript::new("an aphorism").ask(b"Simple is better than?", b"Complicated.");
/// let protocol = || (aphorism::framing(), aphorism::Aphorisms);
/// let mismatch = wrong.run_in_memory(&Limits::default(), protocol).unwrap_err();
/// assert!(matches!(mismatch.fault(), Fault::Differs { at: 5 }));
/// assert_eq!(mismatch.received(), b"Complex.");
/// // Its parts, for a report of your own.
/// assert_eq!((mismatch.transcript(), mismatch.step()), ("an aphorism", 2));
/// assert_eq!(mismatch.sent(), b"Simple is better than?");
/// assert_eq!(mismatch.expected(), Some(&b"Complicated."[..]));
/// ```
#[derive(Debug)]
pub struct Mismatch(Box<Details>);

/// Boxed, so that a successful result stays small.
#[derive(Debug)]
pub(crate) struct Details {
    pub(crate) transcript: String,
    pub(crate) step: usize,
    pub(crate) steps: usize,
    pub(crate) doing: &'static str,
    pub(crate) fault: Fault,
    pub(crate) sent: Vec<u8>,
    /// Where the last send was cut.
    pub(crate) cuts: Vec<usize>,
    pub(crate) expected: Option<Vec<u8>>,
    pub(crate) matched: Vec<u8>,
    pub(crate) received: Vec<u8>,
    /// Why the server has ended the conversation, if that is known.
    pub(crate) reason: Option<&'static str>,
}

impl From<Details> for Mismatch {
    fn from(details: Details) -> Self {
        Self(Box::new(details))
    }
}

impl Mismatch {
    /// The name of the transcript.
    pub fn transcript(&self) -> &str {
        &self.0.transcript
    }

    /// The number of the step that failed, from 1; 0 if no connection could be made.
    pub fn step(&self) -> usize {
        self.0.step
    }

    /// What went wrong.
    pub fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// Every byte that was sent on the connection.
    pub fn sent(&self) -> &[u8] {
        &self.0.sent
    }

    /// What the failed step expected, if it expected bytes.
    pub fn expected(&self) -> Option<&[u8]> {
        self.0.expected.as_deref()
    }

    /// The bytes received instead.
    pub fn received(&self) -> &[u8] {
        &self.0.received
    }

    /// The first of the expected bytes that is wrong, or did not come.
    fn wrong_byte(&self) -> Option<usize> {
        match self.0.fault {
            Fault::Differs { at } => Some(at),
            Fault::Silent(_) | Fault::Ended => Some(self.0.received.len()),
            _ => None,
        }
    }
}

impl Details {
    /// The cuts, unless there are so many that they would hide the bytes.
    fn few_cuts(&self) -> &[usize] {
        if self.cuts.len() <= CUTS_SHOWN { &self.cuts } else { &[] }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.wrong_byte();
        writeln!(f, "{}", self.0.transcript)?;
        writeln!(f, "  step {} of {}, {}: {}", self.0.step, self.0.steps, self.0.doing, self.0.fault)?;
        writeln!(f, "  sent      {}", Escaped::cut(&self.0.sent, self.0.few_cuts()))?;
        if !self.0.matched.is_empty() {
            writeln!(f, "  matched   {}", Escaped::end(&self.0.matched))?;
        }
        match &self.0.expected {
            Some(expected) => writeln!(f, "  expected  {}", Escaped::around(expected, at.unwrap_or(0)))?,
            None => writeln!(f, "  expected  nothing")?,
        }
        let received = Escaped::around(&self.0.received, at.unwrap_or(0));
        write!(f, "  received  {received}")?;
        if at.is_some() {
            write!(f, "\n            {:1$}^", "", received.column())?;
        }
        match self.0.reason {
            Some(reason) => write!(f, "\n  ended     {reason}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Mismatch {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0.fault)
    }
}
