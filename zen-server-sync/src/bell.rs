//! The bell: ends the waits for quiet peers when the server is to stop.

use std::io::{self, ErrorKind, PipeReader, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use zen_server::StopHandle;

/// Rung once, by the stop handle, and heard by every thread from then on.
///
/// A blocked read can be ended only through its socket, by shutting down the side that reads. But then the system answers whatever the
/// peer still sends with RST, which destroys the answers that it has not read yet. So a thread blocks in `read` no longer than
/// a [short while](crate::timeouts::QUIET), and then waits here for a peer that is quiet. Between questions that follow each other, it costs nothing.
#[derive(Debug)]
pub(crate) struct Bell {
    /// Readable once it was rung. Nobody reads it.
    rung: PipeReader,
    stop: StopHandle,
}

impl Bell {
    /// A bell that the stop handle rings.
    pub(crate) fn rung_by(stop: &StopHandle) -> io::Result<Self> {
        let (rung, clapper) = io::pipe()?;
        // A pipe has room for one byte, and while the bell is there it has a reader.
        stop.on_stop(move || drop((&clapper).write(&[0])));
        Ok(Self { rung, stop: stop.clone() })
    }

    /// Whether the server is to stop.
    #[inline]
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_stopped()
    }

    /// Waits until the stream can be read.
    ///
    /// # Errors
    /// `TimedOut` when the deadline passed first, or the bell was rung. A draining conversation has heard it, and hears it no more.
    pub(crate) fn wait(
        &self,
        stream: &TcpStream,
        deadline: Option<Instant>,
        now: Instant,
        draining: bool,
    ) -> io::Result<()> {
        let ear = |fd| PollFd::new(fd, PollFlags::POLLIN);
        let mut both = [ear(stream.as_fd()), ear(self.rung.as_fd())];
        let heard = if draining { &mut both[..1] } else { &mut both[..] };
        poll(heard, patience(deadline, now))?;
        // An error or a hang-up shows in the read.
        if both[0].any().unwrap_or(true) { Ok(()) } else { Err(ErrorKind::TimedOut.into()) }
    }
}

/// How long to wait, in whole milliseconds that do not end before the deadline: an early one would spin until it.
fn patience(deadline: Option<Instant>, now: Instant) -> PollTimeout {
    deadline.map_or(PollTimeout::NONE, |at| {
        let millis = at.saturating_duration_since(now).as_micros().div_ceil(1000);
        PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
    })
}
