//! The wait in `poll`: for the peer, for another thread, or for the stop, whichever comes first.

use std::io::{self, ErrorKind, PipeReader, Write};
use std::os::fd::AsFd;
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::Socket;
use zen_server::StopHandle;

use crate::wake_up::{CHECK_INTERVAL, WakeUp};

/// A pipe that becomes readable when the server stops, and stays so.
///
/// A blocked read can be ended only through its socket, by shutting down the side that reads. But
/// then the system answers whatever the peer still sends with RST, which destroys the answers that
/// the peer has not read yet. So a thread blocks in `read` no longer than a
/// [short while](crate::timeouts::QUIET). It waits for a peer that is quiet for longer in `poll`,
/// together with this pipe. Between questions that follow each other, this costs nothing.
#[derive(Debug)]
pub(crate) struct StopPipe {
    /// No thread ever reads it.
    reader: PipeReader,
}

impl StopPipe {
    /// A pipe that the stop handle writes to.
    pub(crate) fn new(stop: &StopHandle) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        // The write cannot fail: a pipe has room for one byte, and the reader is open as long as
        // this is.
        stop.on_stop(move || drop((&writer).write(&[0])));
        Ok(Self { reader })
    }
}

/// What a thread waits for.
pub(crate) struct Wait<'a> {
    /// The peer, if anything that it sends is wanted.
    pub(crate) stream: Option<&'a Socket>,
    /// Another thread, if it may have something.
    pub(crate) wake_up: Option<&'a WakeUp>,
    /// The stop, unless the conversation drains already.
    pub(crate) stop: Option<&'a StopPipe>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) now: Instant,
}

impl Wait<'_> {
    /// Waits until the stream can be read.
    ///
    /// # Errors
    /// `TimedOut` when something else came first: another thread, the stop or the deadline.
    pub(crate) fn until_readable(&self) -> io::Result<()> {
        let stream = self.stream.map(AsFd::as_fd);
        let others = [
            self.wake_up.and_then(WakeUp::reader).map(AsFd::as_fd),
            self.stop.map(|stop| stop.reader.as_fd()),
        ];
        let waited_for = stream.into_iter().chain(others.into_iter().flatten());
        let mut polled: Vec<_> = waited_for.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        poll(&mut polled, self.time())?;
        if let Some(wake_up) = self.wake_up {
            wake_up.reset();
        }
        // An error or a hang-up shows in the read.
        if stream.is_some() && polled[0].any().unwrap_or(true) {
            Ok(())
        } else {
            Err(ErrorKind::TimedOut.into())
        }
    }

    /// How long to wait, in milliseconds rounded up: a wait that ended before the deadline would be
    /// repeated in a busy loop until the deadline.
    fn time(&self) -> PollTimeout {
        let unwoken = self.wake_up.is_some_and(|wake_up| wake_up.reader().is_none());
        let left = self.deadline.map(|at| at.saturating_duration_since(self.now));
        let left =
            if unwoken { Some(left.map_or(CHECK_INTERVAL, |left| left.min(CHECK_INTERVAL))) } else { left };
        left.map_or(PollTimeout::NONE, |left| {
            PollTimeout::try_from(left.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn wait(wake_up: &WakeUp, deadline: Option<Duration>) -> io::Result<()> {
        let now = Instant::now();
        let deadline = deadline.map(|after| now + after);
        Wait { stream: None, wake_up: Some(wake_up), stop: None, deadline, now }.until_readable()
    }

    #[test]
    fn a_wake_up_ends_one_wait() {
        let mut wake_up = WakeUp::default();
        let waker = wake_up.waker().clone();
        waker.wake_by_ref();
        waker.wake_by_ref();
        let start = Instant::now();
        assert_eq!(wait(&wake_up, None).map_err(|error| error.kind()), Err(ErrorKind::TimedOut));
        let deadline = Duration::from_millis(50);
        assert_eq!(wait(&wake_up, Some(deadline)).map_err(|error| error.kind()), Err(ErrorKind::TimedOut));
        assert!(start.elapsed() >= deadline, "the second wait was not ended by the wake-ups before it");
    }

    #[test]
    fn a_thread_that_cannot_be_woken_checks_now_and_then() {
        // As when there is no descriptor left for it.
        let never_made = WakeUp::default();
        assert_eq!(wait(&never_made, None).map_err(|error| error.kind()), Err(ErrorKind::TimedOut));
    }
}
