//! Playing a transcript against a server, step by step.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use crate::connection::Connection;
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
        let connect = || Connection::open(server, timeout, self.receive_buffer());
        let mut connection = connect().map_err(|fault| self.mismatch(0, "connecting", None, fault, None))?;
        for (index, step) in self.steps().iter().enumerate() {
            play(&mut connection, step).map_err(|fault| {
                self.mismatch(index + 1, doing(step), Some(step), fault, Some(&connection))
            })?;
            if let Step::Reconnect { .. } = step {
                drop(connection);
                connection =
                    connect().map_err(|fault| self.mismatch(index + 1, doing(step), None, fault, None))?;
            }
        }
        if matches!(self.steps().last(), Some(Step::ExpectDrop { .. } | Step::ExpectDropOfNonReader { .. })) {
            return Ok(());
        }
        connection
            .expect_no_more()
            .and_then(|()| connection.expect_no_reset())
            .map_err(|fault| self.mismatch(self.steps().len(), "leaving", None, fault, Some(&connection)))
    }

    fn mismatch(
        &self,
        step: usize,
        doing: &'static str,
        at: Option<&Step>,
        fault: Fault,
        connection: Option<&Connection>,
    ) -> Mismatch {
        let (matched, received) = connection.map_or((&[][..], &[][..]), Connection::split_received);
        Mismatch::from(Details {
            transcript: self.name().to_owned(),
            step,
            steps: self.steps().len(),
            doing,
            fault,
            sent: connection.map_or_else(Vec::new, |connection| connection.sent.clone()),
            expected: if let Some(Step::Expect(bytes)) = at { Some(bytes.clone()) } else { None },
            matched: matched.to_vec(),
            received: received.to_vec(),
        })
    }
}

fn play(connection: &mut Connection, step: &Step) -> Result<(), Fault> {
    match step {
        Step::Send { segments, gap } => connection.send(segments, *gap),
        Step::Expect(answers) => connection.expect(answers),
        Step::Pause(time) => {
            thread::sleep(*time);
            Ok(())
        }
        Step::FinishSending => connection.finish(),
        Step::ExpectEnd => connection.expect_end(),
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
        Step::ExpectDrop { .. } => "waiting to be dropped",
        Step::ExpectDropOfNonReader { .. } => "waiting to be dropped without reading",
        Step::Reconnect { .. } => "leaving and returning",
    }
}
