//! Deadlines as socket timeouts: a blocked thread's only clock.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A zero timeout is an error, and means "for ever" to the system; a late deadline is noticed after this instead.
const LEAST: Duration = Duration::from_millis(1);

/// A write that waits wakes up so often to see whether the server is stopping. Only a thread whose peer does not read pays for it.
const LOOK_UP: Duration = Duration::from_secs(1);

/// The timeouts that are set on a socket, so that they are set again only when it matters.
///
/// A timeout that is too short costs one early turn, which does nothing; one that is too long breaks a deadline. So it is shortened when
/// a deadline comes before it, and lengthened only after it has gone off: setting it for every question would be a system call for
/// every question.
#[derive(Debug, Default)]
pub(crate) struct Timeouts {
    read: Option<Duration>,
    write: Option<Duration>,
}

impl Timeouts {
    #[inline]
    pub(crate) fn before_read(&mut self, stream: &TcpStream, deadline: Option<Instant>, now: Instant) {
        let wanted = deadline.map(|at| at.saturating_duration_since(now).max(LEAST));
        if let Some(wanted) = wanted
            && self.read.is_none_or(|set| wanted < set)
        {
            // It fails only on a socket that is broken already, which the read will tell.
            let _ = stream.set_read_timeout(Some(wanted));
            self.read = Some(wanted);
        }
    }

    /// The read's timeout has gone off: the next one is set anew.
    pub(crate) fn read_timed_out(&mut self) {
        self.read = None;
    }

    #[inline]
    pub(crate) fn before_write(&mut self, stream: &TcpStream, deadline: Option<Instant>, now: Instant) {
        let wanted = deadline.map_or(LOOK_UP, |at| at.saturating_duration_since(now).clamp(LEAST, LOOK_UP));
        if self.write.is_none_or(|set| wanted < set) {
            // It fails only on a socket that is broken already, which the write will tell.
            let _ = stream.set_write_timeout(Some(wanted));
            self.write = Some(wanted);
        }
    }
}

/// Whether a read or a write ended because its timeout went off: the systems do not agree on the word.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
