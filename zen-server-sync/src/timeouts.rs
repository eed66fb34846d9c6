//! Timeouts: a deadline as a socket timeout, which is the only clock of a blocked thread.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use socket2::Socket;

/// The shortest timeout that is set. Zero would mean "for ever" to the system, and is an error to
/// the standard library.
const LEAST: Duration = Duration::from_millis(1);

/// A peer that has sent nothing for this long is quiet. Its thread then waits in `poll`, where the
/// [stop pipe](crate::wait::StopPipe) can end the wait.
pub(crate) const QUIET: Duration = Duration::from_millis(100);

/// The longest a write waits before the thread checks whether the server is to stop. Only a thread
/// whose peer does not read pays for it.
const STOP_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The timeouts that are set on a socket. They are remembered so that they are set again only when
/// that matters.
///
/// A timeout that is too short costs one early turn, which does nothing. One that is too long
/// breaks a deadline. So a timeout is shortened when a deadline comes before it, and lengthened
/// only after it has gone off. To set it for every question would cost a system call for every
/// question.
#[derive(Debug, Default)]
pub(crate) struct Timeouts {
    read: Option<Duration>,
    write: Option<Duration>,
}

impl Timeouts {
    #[inline]
    pub(crate) fn before_read(&mut self, stream: &Socket, deadline: Option<Instant>, now: Instant) {
        if let Some(sooner) = sooner(&mut self.read, QUIET, deadline, now) {
            // This fails only on a socket that is broken already, and then the read says so.
            let _ = stream.set_read_timeout(Some(sooner));
        }
    }

    #[inline]
    pub(crate) fn before_write(&mut self, stream: &Socket, deadline: Option<Instant>, now: Instant) {
        if let Some(sooner) = sooner(&mut self.write, STOP_CHECK_INTERVAL, deadline, now) {
            // This fails only on a socket that is broken already, and then the write says so.
            let _ = stream.set_write_timeout(Some(sooner));
        }
    }

    /// The timeout of a read has gone off. If a deadline had shortened it, the next read sets a new
    /// one.
    pub(crate) fn read_timed_out(&mut self) {
        self.read = self.read.filter(|set| *set >= QUIET);
    }

    /// The timeout of a write has gone off. If a deadline had shortened it, the next write sets a
    /// new one.
    pub(crate) fn write_timed_out(&mut self) {
        self.write = self.write.filter(|set| *set >= STOP_CHECK_INTERVAL);
    }
}

/// Returns the timeout that has to be set: `most`, or the time until the deadline if that is
/// shorter. `None` if the one that is set is no longer than that.
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

/// Whether a read or a write ended because its timeout went off. Systems report this in different
/// ways.
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

        assert_eq!(
            sooner(&mut timeouts.write, STOP_CHECK_INTERVAL, at(7), now),
            Some(Duration::from_millis(7))
        );
        timeouts.write_timed_out();
        assert_eq!(
            sooner(&mut timeouts.write, STOP_CHECK_INTERVAL, at(9_000), now),
            Some(STOP_CHECK_INTERVAL)
        );
    }
}
