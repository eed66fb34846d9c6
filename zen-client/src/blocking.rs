//! The client that blocks its thread. It needs only the standard library.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use bytes::Bytes;
use zen_proto::{AskError, Asker, ByteFraming, DelimiterFraming, aphorism};

use crate::dial::Dial;
use crate::script::{Script, Step};
use crate::{ClientError, ClientOptions};

/// How many bytes one read takes at most.
const READ: usize = 16 * 1024;

/// How long a write may block, and how long a read may block while something is unsent, before the
/// other direction gets its turn. A blocking socket cannot wait for both directions at once.
/// Alternating when both are full keeps the two peers from waiting for each other forever.
const SLICE: Duration = Duration::from_millis(10);

/// A client that blocks its thread while it waits.
///
/// Memory: 16 KiB, plus the questions and answers in flight.
#[derive(Debug)]
pub struct Client<F = DelimiterFraming> {
    stream: TcpStream,
    asker: Asker<F>,
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
    /// What the system said when the connection broke.
    lost: Option<io::Error>,
}

impl Client {
    /// Connects to a server that speaks zen's own protocol, within
    /// [`ClientOptions::connect_timeout`]. The server's addresses are tried in turn. The name
    /// lookup cannot be interrupted, but its time counts.
    ///
    /// # Errors
    /// [`ClientError::Refused`], [`ClientError::ConnectTimedOut`] or [`ClientError::Connect`] for
    /// the address that was tried last; [`ClientError::Resolve`] if the name has no address;
    /// [`ClientError::Options`]; [`ClientError::Socket`].
    pub fn connect(address: impl ToSocketAddrs, options: &ClientOptions) -> Result<Self, ClientError> {
        Self::connect_with(address, aphorism::client_framing(), options)
    }
}

impl<F: ByteFraming> Client<F> {
    /// Like [`connect`](Client::connect), for a protocol of your own: `framing` cuts answers and
    /// writes questions.
    pub fn connect_with(
        address: impl ToSocketAddrs,
        framing: F,
        options: &ClientOptions,
    ) -> Result<Self, ClientError> {
        options.validate()?;
        let began = Instant::now();
        let addresses = address.to_socket_addrs().map_err(|error| ClientError::Resolve { error })?;
        let mut dial = Dial::new(addresses.collect(), began, options.connect_timeout);
        while let Some((address, timeout)) = dial.next(Instant::now()) {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => {
                    let local = stream.local_addr().map_err(socket_error("read the local address"))?;
                    if dial.reached(address, local) {
                        return Self::from_stream(stream, framing, options);
                    }
                }
                Err(error) => dial.failed(address, &error),
            }
        }
        Err(dial.failure())
    }

    /// Wraps a connection that is already open. It must be in blocking mode. From now on the client
    /// sets its timeouts.
    ///
    /// # Errors
    /// [`ClientError::Options`], or [`ClientError::Socket`] when the socket cannot be prepared.
    pub fn from_stream(stream: TcpStream, framing: F, options: &ClientOptions) -> Result<Self, ClientError> {
        options.validate()?;
        if options.nodelay {
            stream.set_nodelay(true).map_err(socket_error("set TCP_NODELAY"))?;
        }
        stream.set_write_timeout(Some(SLICE)).map_err(socket_error("set the write timeout"))?;
        stream.set_read_timeout(None).map_err(socket_error("set the read timeout"))?;
        Ok(Self {
            stream,
            asker: Asker::new(framing, options.limits.clone()),
            buffer: vec![0; READ].into_boxed_slice(),
            read_timeout: None,
            stalled: false,
            flooded: false,
            broken: false,
            lost: None,
        })
    }

    /// Asks a question and waits for its answer, for at most
    /// [`ClientLimits::answer_deadline`](crate::ClientLimits::answer_deadline).
    ///
    /// # Errors
    /// [`ClientError`] says for each error whether the client can still be used.
    pub fn ask(&mut self, question: impl AsRef<[u8]>) -> Result<Bytes, ClientError> {
        // One question has one answer or one error, so this value is never used. If it were, the
        // cause would be an early close.
        let closed = ClientError::ClosedEarly { awaited: 1, partial: false };
        self.pipeline([question]).next().unwrap_or(Err(closed))
    }

    /// Asks all questions, as many at once as the limits allow, and returns the answers in the
    /// order of the questions.
    ///
    /// # Errors
    /// The first error. The answers before it are lost; use [`pipeline`](Self::pipeline) to keep
    /// them.
    pub fn ask_all<Q>(&mut self, questions: Q) -> Result<Vec<Bytes>, ClientError>
    where
        Q: IntoIterator<Item: AsRef<[u8]>>,
    {
        self.pipeline(questions).collect()
    }

    /// Asks all questions, as many at once as
    /// [`ClientLimits::questions_in_flight`](crate::ClientLimits::questions_in_flight) allows, and
    /// yields each answer when it arrives, in the order of the questions. A question is taken from
    /// the iterator just before it is sent.
    ///
    /// The first error is the last item. A question that cannot be sent yields its error in its
    /// turn, after the answers to the questions before it, and no later question is asked. The
    /// iterator may be dropped early; the crate's documentation says what happens to the answers.
    ///
    /// ```no_run
    /// use zen_client::{Client, ClientOptions};
    ///
    /// let mut client = Client::connect("127.0.0.1:1060", &ClientOptions::default())?;
    /// for answer in client.pipeline(["Simple is better than?", "Why?"]) {
    ///     println!("{}", answer?.escape_ascii());
    /// }
    /// # Ok::<(), zen_client::ClientError>(())
    /// ```
    pub fn pipeline<Q>(&mut self, questions: Q) -> Answers<'_, F, Q::IntoIter>
    where
        Q: IntoIterator<Item: AsRef<[u8]>>,
    {
        let script = Script::new(questions, &mut self.asker);
        Answers { client: self, script }
    }

    /// Ends the conversation cleanly: sends FIN and waits for the server's FIN, which shows that
    /// the server has seen everything.
    ///
    /// # Errors
    /// [`ClientError::NotClosed`] when the server does not close; otherwise as for
    /// [`ask`](Self::ask).
    pub fn finish(mut self) -> Result<(), ClientError> {
        self.asker.abandon();
        self.asker.finish(Instant::now());
        loop {
            // No caller waits for these answers. A message that answers no question is not
            // discarded: it fails the conversation.
            while self.asker.poll_answer().is_some() {}
            if let Some(error) = self.asker.failed() {
                return Err(ClientError::new(AskError::Failed(error.clone()), self.lost.as_ref()));
            }
            if self.asker.is_closed() {
                return Ok(());
            }
            self.turn();
        }
    }

    /// The server's address.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }

    /// The client's own address, as the server sees it.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    /// Moves bytes: writes once if there is something to write, then waits until something can be
    /// read or the deadline has passed.
    fn turn(&mut self) {
        // While the server sends more than one read takes, its unread answers keep it from reading
        // questions, so only read.
        if self.is_unsent() && !(self.stalled && self.flooded) {
            self.write();
        }
        if self.asker.poll_shutdown() {
            // Fails only when the connection is gone, and the next read reports that.
            let _ = self.stream.shutdown(Shutdown::Write);
        }
        if self.asker.wants_read() {
            self.read();
        }
        self.asker.handle_timeout(Instant::now());
    }

    fn is_unsent(&self) -> bool {
        !self.broken && !self.asker.transmit().is_empty()
    }

    fn write(&mut self) {
        match self.stream.write(self.asker.transmit()) {
            Ok(n) => self.asker.handle_sent(n, Instant::now()),
            Err(error) if is_passing(&error) => {}
            Err(error) => {
                self.broken = true;
                self.lost = Some(error);
            }
        }
        self.stalled = self.is_unsent();
    }

    fn read(&mut self) {
        self.flooded = false;
        let timeout = if self.is_unsent() { Ok(Some(SLICE)) } else { self.remaining() };
        // No time is left. A zero timeout would be an error, and the caller is about to check the
        // deadline.
        let Ok(timeout) = timeout else { return };
        if let Err(error) = self.wait_at_most(timeout) {
            self.lose(error);
            return;
        }
        match self.stream.read(&mut self.buffer) {
            Ok(0) => self.asker.handle_eof(Instant::now()),
            Ok(n) => {
                self.flooded = n == self.buffer.len();
                self.asker.handle_input(&self.buffer[..n], Instant::now());
            }
            Err(error) if is_passing(&error) => {}
            Err(error) => self.lose(error),
        }
    }

    /// How long to wait for the next answer; `None` means without limit. An error if the answer is
    /// late already.
    fn remaining(&self) -> Result<Option<Duration>, Late> {
        let Some(at) = self.asker.poll_timeout() else { return Ok(None) };
        let left = at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Late);
        }
        // Rounded up to the next millisecond, for two reasons: the deadline has passed when the
        // wait ends, and questions that follow each other at once wait equally long, so the timeout
        // need not be set again.
        let millis = left.as_nanos().div_ceil(1_000_000);
        Ok(Some(Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))))
    }

    fn wait_at_most(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if self.read_timeout != timeout {
            self.stream.set_read_timeout(timeout)?;
            self.read_timeout = timeout;
        }
        Ok(())
    }

    fn lose(&mut self, error: io::Error) {
        self.lost = Some(error);
        self.asker.handle_lost(Instant::now());
    }
}

/// The answers to a [`Client::pipeline`] of questions.
#[derive(Debug)]
pub struct Answers<'a, F, I: Iterator> {
    client: &'a mut Client<F>,
    script: Script<I>,
}

impl<F: ByteFraming, I: Iterator<Item: AsRef<[u8]>>> Iterator for Answers<'_, F, I> {
    type Item = Result<Bytes, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.script.step(&mut self.client.asker, Instant::now()) {
                Step::Answer(answer) => return Some(Ok(answer)),
                Step::Failed(error) => return Some(Err(ClientError::new(error, self.client.lost.as_ref()))),
                Step::Done => return None,
                Step::Move => self.client.turn(),
            }
        }
    }
}

/// The deadline has passed.
struct Late;

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

fn socket_error(doing: &'static str) -> impl Fn(io::Error) -> ClientError {
    move |error| ClientError::Socket { doing, error }
}
