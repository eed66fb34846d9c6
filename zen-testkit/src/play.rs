//! Playing a transcript against a server, step by step.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use zen_proto::{Framing, Limits, Service};

use crate::connection::Connection;
use crate::link::{Link, SocketLink};
use crate::memory::{MemoryLink, Terms};
use crate::mismatch::{Details, Fault, Mismatch};
use crate::transcript::{Step, Transcript};

impl Transcript {
    /// Plays the transcript once against the server at this address, on the calling thread.
    ///
    /// # Errors
    /// The first [`Mismatch`] between the transcript and what happened.
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// use zen_testkit::{Fault, Transcript};
    ///
    /// // A server that closes at once.
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let server = listener.local_addr()?;
    /// std::thread::spawn(move || listener.accept());
    ///
    /// let mismatch = Transcript::new("a greeting").expect(b"hello").run(server).unwrap_err();
    /// assert!(matches!(mismatch.fault(), Fault::Ended));
    /// # Ok(())
    /// # }
    /// ```
    pub fn run(&self, server: SocketAddr) -> Result<(), Mismatch> {
        self.run_with_timeout(server, self.timeout())
    }

    pub(crate) fn run_with_timeout(&self, server: SocketAddr, timeout: Duration) -> Result<(), Mismatch> {
        self.play(|| {
            let since = Instant::now();
            let link = SocketLink::open(server, timeout, self.receive_buffer())?;
            Ok(Connection::new(link, timeout, since))
        })
    }

    /// Plays the transcript once against the core with this framing and service, without a socket.
    /// Time passes only on a clock of its own, so waiting for a deadline takes no time.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    ///
    /// ```
    /// use zen_proto::{Limits, aphorism};
    /// use zen_testkit::Transcript;
    ///
    /// let transcript = Transcript::new("an aphorism").ask(b"Simple is better than?", b"Complex.");
    /// let protocol = || (aphorism::framing(), aphorism::Aphorisms);
    /// transcript.run_in_memory(&Limits::default(), protocol)?;
    /// # Ok::<(), zen_testkit::Mismatch>(())
    /// ```
    pub fn run_in_memory<F: Framing, S: Service<F>>(
        &self,
        limits: &Limits,
        server: impl FnMut() -> (F, S),
    ) -> Result<(), Mismatch> {
        self.run_on(&Terms::roomy(limits), self.timeout(), server)
    }

    pub(crate) fn run_on<F: Framing, S: Service<F>>(
        &self,
        terms: &Terms,
        timeout: Duration,
        mut server: impl FnMut() -> (F, S),
    ) -> Result<(), Mismatch> {
        self.play(|| {
            let (framing, service) = server();
            let link = MemoryLink::open(framing, service, terms);
            let since = link.now();
            Ok(Connection::new(link, timeout, since))
        })
    }

    fn play<L: Link>(
        &self,
        mut connect: impl FnMut() -> Result<Connection<L>, Fault>,
    ) -> Result<(), Mismatch> {
        let mut connection =
            connect().map_err(|fault| self.mismatch::<L>(0, "connecting", None, fault, None))?;
        for (index, step) in self.steps().iter().enumerate() {
            play(&mut connection, step).map_err(|fault| {
                self.mismatch(index + 1, doing(step), Some(step), fault, Some(&mut connection))
            })?;
            if let Step::Reconnect { .. } = step {
                drop(connection);
                connection = connect()
                    .map_err(|fault| self.mismatch::<L>(index + 1, doing(step), None, fault, None))?;
            }
        }
        if matches!(self.steps().last(), Some(Step::ExpectDrop { .. } | Step::ExpectDropOfNonReader { .. })) {
            return Ok(());
        }
        connection
            .expect_no_more()
            .and_then(|()| connection.expect_no_reset())
            .map_err(|fault| self.mismatch(self.steps().len(), "leaving", None, fault, Some(&mut connection)))
    }

    fn mismatch<L: Link>(
        &self,
        step: usize,
        doing: &'static str,
        at: Option<&Step>,
        fault: Fault,
        mut connection: Option<&mut Connection<L>>,
    ) -> Mismatch {
        let reason = connection.as_mut().and_then(|connection| connection.reason());
        let connection = connection.as_deref();
        let (matched, received) = connection.map_or((&[][..], &[][..]), Connection::split_received);
        Mismatch::from(Details {
            transcript: self.name().to_owned(),
            step,
            steps: self.steps().len(),
            doing,
            fault,
            sent: connection.map_or_else(Vec::new, |connection| connection.sent.clone()),
            cuts: connection.map_or_else(Vec::new, |connection| connection.cuts.clone()),
            expected: match at {
                Some(Step::Expect(bytes) | Step::ExpectStartAndEnd(bytes)) => Some(bytes.clone()),
                _ => None,
            },
            reason,
            matched: matched.to_vec(),
            received: received.to_vec(),
        })
    }
}

fn play<L: Link>(connection: &mut Connection<L>, step: &Step) -> Result<(), Fault> {
    match step {
        Step::Send { segments, gap } => connection.send(segments, *gap),
        Step::Expect(answers) => connection.expect(answers),
        Step::Pause(time) => {
            connection.pause(*time);
            Ok(())
        }
        Step::FinishSending => connection.finish(),
        Step::ExpectEnd => connection.expect_end(),
        Step::ExpectStartAndEnd(answers) => connection.expect_start_and_end(answers),
        Step::ExpectDrop { not_before, trickle } => connection.expect_drop(*not_before, *trickle),
        Step::ExpectDropOfNonReader { pattern, read_interval } => {
            connection.expect_drop_of_non_reader(pattern, *read_interval)
        }
        // The caller owns the connection, so it makes the new one.
        Step::Reconnect { reset } => connection.prepare_to_leave(*reset),
    }
}

fn doing(step: &Step) -> &'static str {
    match step {
        Step::Send { .. } => "sending",
        Step::Expect(_) => "waiting for answers",
        Step::Pause(_) => "pausing",
        Step::FinishSending => "half-closing",
        Step::ExpectEnd => "waiting for the end",
        Step::ExpectStartAndEnd(_) => "waiting for answers and the end",
        Step::ExpectDrop { .. } => "waiting to be dropped",
        Step::ExpectDropOfNonReader { .. } => "waiting to be dropped without reading",
        Step::Reconnect { .. } => "leaving and returning",
    }
}
