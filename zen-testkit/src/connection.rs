//! The client's end of one connection: what it does and expects, over any link, and a record of
//! what was sent and received.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use crate::link::{Link, STUCK};
use crate::mismatch::Fault;
use crate::transcript::Trickle;

/// How many bytes a non-reader sends at most. A server that accepts this many and returns nothing
/// keeps them all in memory, and gets no more.
const FLOOD: usize = 8 << 20;

/// One connection, as seen by the client.
pub(crate) struct Connection<L> {
    link: L,
    timeout: Duration,
    /// Every byte that was sent.
    pub(crate) sent: Vec<u8>,
    /// Where the last send was cut.
    pub(crate) cuts: Vec<usize>,
    /// Every byte that was received.
    received: Vec<u8>,
    /// How many of the received bytes have been checked against an expectation.
    matched: usize,
    ended: bool,
    /// The start of the last send, or of the connection. A deadline that this send started cannot
    /// have started earlier.
    since: Instant,
}

impl<L: Link> Connection<L> {
    /// A connection that was begun at `since`.
    pub(crate) fn new(link: L, timeout: Duration, since: Instant) -> Self {
        Self {
            link,
            timeout,
            sent: Vec::new(),
            cuts: Vec::new(),
            received: Vec::new(),
            matched: 0,
            ended: false,
            since,
        }
    }

    /// Why the server has ended the conversation, if the link knows.
    pub(crate) fn reason(&mut self) -> Option<&'static str> {
        self.link.reason()
    }

    /// The received bytes that were expected, and those after them.
    pub(crate) fn split_received(&self) -> (&[u8], &[u8]) {
        self.received.split_at(self.matched)
    }

    /// Writes each segment with a write of its own. Reads only when the server has stopped reading.
    pub(crate) fn send(&mut self, segments: &[Vec<u8>], gap: Duration) -> Result<(), Fault> {
        self.since = self.link.now();
        self.cuts.clear();
        for (index, segment) in segments.iter().enumerate() {
            if index > 0 {
                self.cuts.push(self.sent.len());
                if !gap.is_zero() {
                    self.link.pause(gap);
                }
            }
            self.send_segment(segment)?;
        }
        Ok(())
    }

    fn send_segment(&mut self, mut segment: &[u8]) -> Result<(), Fault> {
        let mut alive = self.link.now();
        while !segment.is_empty() {
            match self.link.write(segment) {
                Ok(written) => {
                    self.sent.extend_from_slice(&segment[..written]);
                    segment = &segment[written..];
                    alive = self.link.now();
                }
                Err(error) if is_timeout(&error) => {
                    if self.read_what_is_there()? {
                        alive = self.link.now();
                    } else if self.link.since(alive) > self.timeout {
                        return Err(Fault::Stuck(self.timeout));
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    // Only for the report: an error of this read would hide the more useful one
                    // below.
                    let _ = self.read_what_is_there();
                    return Err(broken(error));
                }
            }
        }
        Ok(())
    }

    /// Half-closes.
    pub(crate) fn finish(&mut self) -> Result<(), Fault> {
        self.link.finish().map_err(broken)
    }

    /// Does nothing for this long.
    pub(crate) fn pause(&mut self, time: Duration) {
        self.link.pause(time);
    }

    /// The next bytes are exactly `expected`.
    pub(crate) fn expect(&mut self, expected: &[u8]) -> Result<(), Fault> {
        let mut checked = 0;
        loop {
            let beyond = &self.received[self.matched..];
            let common = beyond.len().min(expected.len());
            let differs = (checked..common).find(|&at| beyond[at] != expected[at]);
            if let Some(at) = differs {
                return Err(Fault::Differs { at });
            }
            checked = common;
            if common == expected.len() {
                self.matched += common;
                return Ok(());
            }
            if self.ended {
                return Err(Fault::Ended);
            }
            if !self.read_within(self.timeout)? {
                return Err(Fault::Silent(self.timeout));
            }
        }
    }

    /// A beginning of `answers` comes next, and then the server's FIN.
    pub(crate) fn expect_start_and_end(&mut self, answers: &[u8]) -> Result<(), Fault> {
        while !self.ended {
            if !self.read_within(self.timeout)? {
                return Err(Fault::StaysOpen(self.timeout));
            }
        }
        let rest = &self.received[self.matched..];
        let common = rest.iter().zip(answers).take_while(|(got, expected)| got == expected).count();
        if common < rest.len().min(answers.len()) {
            return Err(Fault::Differs { at: common });
        }
        self.matched += common;
        self.expect_no_more()
    }

    /// The server's FIN comes next.
    pub(crate) fn expect_end(&mut self) -> Result<(), Fault> {
        loop {
            self.expect_no_more()?;
            if self.ended {
                return Ok(());
            }
            if !self.read_within(self.timeout)? {
                return Err(Fault::StaysOpen(self.timeout));
            }
        }
    }

    /// All received bytes were expected by a step.
    pub(crate) fn expect_no_more(&self) -> Result<(), Fault> {
        if self.received.len() > self.matched { Err(Fault::Extra) } else { Ok(()) }
    }

    /// The connection was not reset after a FIN that has been seen.
    pub(crate) fn expect_no_reset(&mut self) -> Result<(), Fault> {
        match self.link.take_error() {
            Ok(None) => Ok(()),
            Ok(Some(error)) | Err(error) => Err(broken(error)),
        }
    }

    /// The server ends the connection by FIN or reset, and sends nothing before that.
    pub(crate) fn expect_drop(
        &mut self,
        not_before: Duration,
        trickle: Option<Trickle>,
    ) -> Result<(), Fault> {
        let start = self.link.now();
        let pace = trickle.map_or(self.timeout, |trickle| trickle.interval.min(self.timeout));
        let mut left = trickle.map_or(0, |trickle| trickle.at_most);
        loop {
            match self.read_within(pace) {
                Err(Fault::Reset) => self.ended = true,
                other => _ = other?,
            }
            self.expect_no_more()?;
            if self.ended {
                let after = self.link.since(self.since);
                return if after < not_before {
                    Err(Fault::DroppedEarly { after, not_before })
                } else {
                    Ok(())
                };
            }
            if self.link.since(start) >= self.timeout {
                return Err(Fault::StaysOpen(self.timeout));
            }
            if let Some(Trickle { byte, .. }) = trickle
                && left > 0
            {
                left -= 1;
                // A failure means that the server has closed. The next read reports that.
                if self.link.write(&[byte]).is_ok() {
                    self.sent.push(byte);
                }
            }
        }
    }

    /// The server ends the connection of a client that keeps sending `pattern` and reads almost
    /// nothing.
    pub(crate) fn expect_drop_of_non_reader(
        &mut self,
        pattern: &[u8],
        read_interval: Option<Duration>,
    ) -> Result<(), Fault> {
        let start = self.link.now();
        let mut last_read = start;
        let mut sent = 0;
        while self.link.since(start) < self.timeout {
            match self.link.take_error() {
                Ok(None) => {}
                Ok(Some(_)) | Err(_) => return Ok(()),
            }
            if sent < FLOOD && !pattern.is_empty() {
                // Continues where the last write stopped, so that the pattern stays whole.
                match self.link.write(&pattern[sent % pattern.len()..]) {
                    Ok(written) => sent += written,
                    Err(error) if is_timeout(&error) => {}
                    Err(_) => return Ok(()),
                }
            } else {
                self.link.pause(STUCK);
            }
            if read_interval.is_some_and(|pace| self.link.since(last_read) >= pace) {
                last_read = self.link.now();
                match self.link.read(&mut [0], STUCK) {
                    Ok(0) => return Ok(()),
                    Err(error) if !is_timeout(&error) => return Ok(()),
                    _ => {}
                }
            }
        }
        Err(Fault::StaysOpen(self.timeout))
    }

    /// Checks that no byte is left over, and chooses whether the server will see a close or a
    /// reset.
    pub(crate) fn prepare_to_leave(&mut self, reset: bool) -> Result<(), Fault> {
        self.expect_no_more()?;
        if reset {
            self.link.reset_when_dropped().map_err(Fault::Io)?;
        }
        Ok(())
    }

    /// Reads everything that is available without waiting; false if nothing new was received.
    fn read_what_is_there(&mut self) -> Result<bool, Fault> {
        let before = self.received.len();
        while !self.ended && self.read_within(Duration::ZERO)? {}
        Ok(self.received.len() > before)
    }

    /// Waits for bytes or for the end; false if neither arrives in time.
    fn read_within(&mut self, time: Duration) -> Result<bool, Fault> {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.link.read(&mut buffer, time) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(true);
                }
                Ok(read) => {
                    self.received.extend_from_slice(&buffer[..read]);
                    return Ok(true);
                }
                Err(error) if is_timeout(&error) => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(error)),
            }
        }
    }
}

/// A socket timeout is reported as one of two kinds, depending on the system.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn broken(error: io::Error) -> Fault {
    match error.kind() {
        // A broken pipe is a reset that arrived after the FIN.
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Fault::Reset,
        _ => Fault::Io(error),
    }
}
