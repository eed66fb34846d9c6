//! Deadlines as socket timeouts: a blocked thread's only clock.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A zero timeout is an error, and means "for ever" to the system; a late deadline is noticed after this instead.
const LEAST: Duration = Duration::from_millis(1);

/// A peer that has sent nothing for so long is quiet: its thread goes on waiting where it can hear the [wake pipe](crate::wake_pipe::WakePipe).
pub(crate) const QUIET: Duration = Duration::from_millis(100);

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
        if let Some(sooner) = sooner(&mut self.read, QUIET, deadline, now) {
            // It fails only on a socket that is broken already, which the read will tell.
            let _ = stream.set_read_timeout(Some(sooner));
        }
    }

    #[inline]
    pub(crate) fn before_write(&mut self, stream: &TcpStream, deadline: Option<Instant>, now: Instant) {
        if let Some(sooner) = sooner(&mut self.write, LOOK_UP, deadline, now) {
            // It fails only on a socket that is broken already, which the write will tell.
            let _ = stream.set_write_timeout(Some(sooner));
        }
    }

    /// The read's timeout has gone off: if a deadline had shortened it, the next one is set anew.
    pub(crate) fn read_timed_out(&mut self) {
        self.read = self.read.filter(|set| *set >= QUIET);
    }

    /// The write's timeout has gone off, likewise.
    pub(crate) fn write_timed_out(&mut self) {
        self.write = self.write.filter(|set| *set >= LOOK_UP);
    }
}

/// The timeout to be set, `most` or what is left until the deadline, if it is sooner than the one that is.
#[inline]
fn sooner(
    set: &mut Option<Duration>,
    most: Duration,
    deadline: Option<Instant>,
    now: Instant,
) -> Option<Duration> {
    let wanted = deadline.map_or(most, |at| at.saturating_duration_since(now).clamp(LEAST, most));
    if set.is_some_and(|set| set <= wanted) {
        return None;
    }
    *set = Some(wanted);
    *set
}

/// Whether a read or a write ended because its timeout went off: the systems do not agree on the word.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_set_when_a_deadline_comes_before_it_and_lengthened_when_it_has_gone_off() {
        let now = Instant::now();
        let at = |millis| Some(now + Duration::from_millis(millis));
        let mut timeouts = Timeouts::default();
        assert_eq!(sooner(&mut timeouts.read, QUIET, at(60_000), now), Some(QUIET));
        assert_eq!(sooner(&mut timeouts.read, QUIET, at(60_001), now), None);
        timeouts.read_timed_out();
        assert_eq!(sooner(&mut timeouts.read, QUIET, None, now), None, "nothing has shortened it");
        assert_eq!(sooner(&mut timeouts.read, QUIET, at(0), now), Some(LEAST));
        assert_eq!(sooner(&mut timeouts.read, QUIET, None, now), None, "it has not gone off yet");
        timeouts.read_timed_out();
        assert_eq!(sooner(&mut timeouts.read, QUIET, None, now), Some(QUIET));

        assert_eq!(sooner(&mut timeouts.write, LOOK_UP, at(7), now), Some(Duration::from_millis(7)));
        timeouts.write_timed_out();
        assert_eq!(sooner(&mut timeouts.write, LOOK_UP, at(9_000), now), Some(LOOK_UP));
    }
}
