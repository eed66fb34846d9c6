//! The wire: a blocking socket, and the moves of bytes between it and the asker.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use socket2::Socket;
use zen_proto::{Asker, Framing};

use crate::error::Lost;
use crate::layer::Layer;

/// How many bytes one read takes at most.
const READ: usize = 16 * 1024;

/// How long a write may block, and how long a read may block while something is unsent, before the
/// other direction gets its turn. A blocking socket cannot wait for both directions at once.
/// Alternating when both are full keeps the two peers from waiting for each other forever.
pub(super) const SLICE: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(super) struct Wire {
    stream: Socket,
    layer: Layer,
    buffer: Box<[u8]>,
    /// The socket's current read timeout, kept so that it is set only when it changes.
    read_timeout: Option<Duration>,
    /// The last write left something unsent: the server does not read, or does not read fast
    /// enough.
    stalled: bool,
    /// The last read filled the buffer, so there is probably more to read.
    flooded: bool,
    /// A write failed. Answers that arrived before it may still be read.
    broken: bool,
    /// Why the connection broke.
    lost: Option<Lost>,
}

impl Wire {
    /// `stream` has a write timeout of [`SLICE`] and no read timeout.
    pub(super) fn new(stream: Socket, layer: Layer) -> Self {
        Self {
            stream,
            layer,
            buffer: vec![0; READ].into_boxed_slice(),
            read_timeout: None,
            stalled: false,
            flooded: false,
            broken: false,
            lost: None,
        }
    }

    pub(super) fn stream(&self) -> &Socket {
        &self.stream
    }

    pub(super) fn lost(&self) -> Option<&Lost> {
        self.lost.as_ref()
    }

    /// Whether nothing can be asked yet.
    pub(super) fn is_handshaking(&self) -> bool {
        self.layer.is_handshaking()
    }

    /// Moves bytes: writes once if there is something to write, then waits until something can be
    /// read, the deadline has passed, or the caller wants to give up. Returns whether the caller
    /// gives up.
    pub(super) fn turn<F: Framing>(&mut self, asker: &mut Asker<F>, give_up: Option<Instant>) -> bool {
        self.layer.prepare(asker);
        // While the server sends more than one read takes, its unread answers keep it from reading
        // questions, so only read.
        if self.is_unsent(asker) && !(self.stalled && self.flooded) {
            self.write(asker);
        }
        if self.layer.poll_shutdown(asker) {
            // Fails only when the connection is gone, and the next read reports that.
            let _ = self.stream.shutdown(Shutdown::Write);
        }
        if !self.layer.wants_read(asker) {
            return false;
        }
        let now = Instant::now();
        let left = [asker.poll_timeout(), give_up].into_iter().flatten().min();
        let left = left.map(|at| at.saturating_duration_since(now));
        if left == Some(Duration::ZERO) {
            // What is in the socket already is not late.
            if !self.read_now(asker) {
                asker.handle_timeout(now);
                return give_up.is_some_and(|at| at <= now);
            }
        } else {
            self.read(asker, if self.is_unsent(asker) { Some(SLICE) } else { left.map(whole_millis) });
        }
        false
    }

    /// Reads what is in the socket, without waiting. Returns whether there was anything, the end
    /// included.
    pub(super) fn read_now<F: Framing>(&mut self, asker: &mut Asker<F>) -> bool {
        if let Err(error) = self.stream.set_nonblocking(true) {
            self.lose(asker, Lost::System(error));
            return true;
        }
        let found = self.read_once(asker);
        if let Err(error) = self.stream.set_nonblocking(false) {
            self.lose(asker, Lost::System(error));
        }
        found
    }

    fn is_unsent<F: Framing>(&self, asker: &Asker<F>) -> bool {
        !self.broken && !self.layer.transmit(asker).is_empty()
    }

    fn write<F: Framing>(&mut self, asker: &mut Asker<F>) {
        match self.stream.write(self.layer.transmit(asker)) {
            Ok(n) => self.layer.handle_sent(asker, n, Instant::now()),
            Err(error) if is_passing(&error) => {}
            Err(error) => {
                self.broken = true;
                self.lost = Some(Lost::System(error));
            }
        }
        self.stalled = self.is_unsent(asker);
    }

    fn read<F: Framing>(&mut self, asker: &mut Asker<F>, timeout: Option<Duration>) {
        if self.read_timeout != timeout {
            if let Err(error) = self.stream.set_read_timeout(timeout) {
                self.lose(asker, Lost::System(error));
                return;
            }
            self.read_timeout = timeout;
        }
        self.read_once(asker);
    }

    fn read_once<F: Framing>(&mut self, asker: &mut Asker<F>) -> bool {
        self.flooded = false;
        match self.stream.read(&mut self.buffer) {
            Ok(0) => {
                if let Err(lost) = self.layer.handle_eof(asker, Instant::now()) {
                    self.lose(asker, lost);
                }
            }
            Ok(n) => {
                self.flooded = n == self.buffer.len();
                if let Err(lost) = self.layer.handle_input(asker, &self.buffer[..n], Instant::now()) {
                    // What there still is to send says why. It may fail, since all is over.
                    let _ = self.stream.write(self.layer.transmit(asker));
                    self.lose(asker, lost);
                }
            }
            Err(error) if is_passing(&error) => return false,
            Err(error) => self.lose(asker, Lost::System(error)),
        }
        true
    }

    fn lose<F: Framing>(&mut self, asker: &mut Asker<F>, lost: Lost) {
        self.lost = Some(lost);
        asker.handle_lost(Instant::now());
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.broken || self.lost.is_some() {
            return;
        }
        let end = self.layer.announce_end();
        // A socket that has no room for it is not waited for.
        if !end.is_empty() && self.stream.set_nonblocking(true).is_ok() {
            let _ = self.stream.write(end);
        }
    }
}

/// Rounded up to the next millisecond, for two reasons: the time has passed when the wait ends, and
/// questions that follow each other at once wait equally long, so the timeout need not be set
/// again.
fn whole_millis(left: Duration) -> Duration {
    let millis = left.as_nanos().div_ceil(1_000_000);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// Whether to simply try again, because a signal arrived or the time was up. Only Windows reports
/// the latter as `TimedOut`; elsewhere `TimedOut` means that the network has given up the
/// connection.
fn is_passing(error: &io::Error) -> bool {
    match error.kind() {
        ErrorKind::Interrupted | ErrorKind::WouldBlock => true,
        ErrorKind::TimedOut => cfg!(windows),
        _ => false,
    }
}
