//! The mismatch: where a server's side of the story parted from the transcript.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::escape::Escaped;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No connection could be made.
    #[error("could not connect: {0}")]
    Connect(io::Error),
    /// Other bytes came than were expected.
    #[error("the answers differ from byte {at} on")]
    Differs {
        /// The first byte that differs, counted from the start of what was expected.
        at: usize,
    },
    /// Bytes came where nothing was expected.
    #[error("more came than was expected")]
    Extra,
    /// The rest of the answers did not come in time.
    #[error("nothing more came for {0:?}")]
    Silent(Duration),
    /// The server ended the connection before all answers had come.
    #[error("the server closed the connection too early")]
    Ended,
    /// The server did not end the connection in time.
    #[error("the server did not close the connection for {0:?}")]
    StaysOpen(Duration),
    /// The server ended the connection before a deadline could have passed.
    #[error("the server closed the connection after {after:?}, before its deadline of {not_before:?}")]
    DroppedEarly {
        /// How long the client had the connection, at the least.
        after: Duration,
        /// How long it should have had it.
        not_before: Duration,
    },
    /// The connection was reset, which destroys answers on their way.
    #[error("the server reset the connection")]
    Reset,
    /// The server took no more bytes, though its answers were being read.
    #[error("the server took no more bytes for {0:?}")]
    Stuck(Duration),
    /// The socket failed in another way.
    #[error("the socket failed: {0}")]
    Io(io::Error),
}

/// One transcript failed: which, where, and what the connection had seen by then.
///
/// Displayed, it takes a few lines; a peer's bytes are escaped and a flood is shortened.
#[derive(Debug)]
pub struct Mismatch(Box<Story>);

/// Boxed, since a result should not take the room of a failure when it is none.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) transcript: String,
    pub(crate) step: usize,
    pub(crate) steps: usize,
    pub(crate) doing: &'static str,
    pub(crate) fault: Fault,
    pub(crate) sent: Vec<u8>,
    pub(crate) expected: Option<Vec<u8>>,
    pub(crate) before: Vec<u8>,
    pub(crate) came: Vec<u8>,
}

impl From<Story> for Mismatch {
    fn from(story: Story) -> Self {
        Self(Box::new(story))
    }
}

impl Mismatch {
    /// The name of the transcript.
    pub fn transcript(&self) -> &str {
        &self.0.transcript
    }

    /// The step that failed, from 1; 0 if there was no connection to begin with.
    pub fn step(&self) -> usize {
        self.0.step
    }

    /// What went wrong.
    pub fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// All that was sent on the connection.
    pub fn sent(&self) -> &[u8] {
        &self.0.sent
    }

    /// What the failed step expected, if it expected bytes.
    pub fn expected(&self) -> Option<&[u8]> {
        self.0.expected.as_deref()
    }

    /// What came in its place.
    pub fn came(&self) -> &[u8] {
        &self.0.came
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if let Fault::Differs { at } = self.0.fault { at } else { 0 };
        writeln!(f, "{}", self.0.transcript)?;
        writeln!(f, "  step {} of {}, {}: {}", self.0.step, self.0.steps, self.0.doing, self.0.fault)?;
        writeln!(f, "  sent      {}", Escaped::start(&self.0.sent))?;
        if !self.0.before.is_empty() {
            writeln!(f, "  had come  {}", Escaped::end(&self.0.before))?;
        }
        match &self.0.expected {
            Some(expected) => writeln!(f, "  expected  {}", Escaped::around(expected, at))?,
            None => writeln!(f, "  expected  nothing")?,
        }
        write!(f, "  came      {}", Escaped::around(&self.0.came, at))
    }
}

impl std::error::Error for Mismatch {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0.fault)
    }
}
