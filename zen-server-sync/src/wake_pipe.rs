//! The wake pipe: ends the waits for quiet peers when the server is to stop.

use std::io::{self, ErrorKind, PipeReader, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use zen_server::StopHandle;

/// A pipe that becomes readable when the server stops, and stays so.
///
/// A blocked read can be ended only through its socket, by shutting down the side that reads. But
/// then the system answers whatever the peer still sends with RST, which destroys the answers that
/// the peer has not read yet. So a thread blocks in `read` no longer than a
/// [short while](crate::timeouts::QUIET). It waits for a peer that is quiet for longer in `poll`,
/// together with this pipe. Between questions that follow each other, this costs nothing.
#[derive(Debug)]
pub(crate) struct WakePipe {
    /// No thread ever reads it.
    reader: PipeReader,
}

impl WakePipe {
    /// A pipe that the stop handle writes to.
    pub(crate) fn new(stop: &StopHandle) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        // The write cannot fail: a pipe has room for one byte, and the reader is open as long as
        // this is.
        stop.on_stop(move || drop((&writer).write(&[0])));
        Ok(Self { reader })
    }

    /// Waits until the stream can be read.
    ///
    /// # Errors
    /// `TimedOut` when the deadline passed first, or the server stops. A conversation that drains
    /// already does not wait for the stop.
    pub(crate) fn wait(
        &self,
        stream: &TcpStream,
        deadline: Option<Instant>,
        now: Instant,
        draining: bool,
    ) -> io::Result<()> {
        let readable = |fd| PollFd::new(fd, PollFlags::POLLIN);
        let mut both = [readable(stream.as_fd()), readable(self.reader.as_fd())];
        let waited_for = if draining { &mut both[..1] } else { &mut both[..] };
        poll(waited_for, wait_time(deadline, now))?;
        // An error or a hang-up shows in the read.
        if both[0].any().unwrap_or(true) { Ok(()) } else { Err(ErrorKind::TimedOut.into()) }
    }
}

/// How long to wait, in milliseconds rounded up: a wait that ended before the deadline would be
/// repeated in a busy loop until the deadline.
fn wait_time(deadline: Option<Instant>, now: Instant) -> PollTimeout {
    deadline.map_or(PollTimeout::NONE, |at| {
        let millis = at.saturating_duration_since(now).as_micros().div_ceil(1000);
        PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
    })
}
