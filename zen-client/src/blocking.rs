//! The client that blocks its thread, on the standard library alone.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use bytes::Bytes;
use zen_proto::{AskError, Asker, DelimiterFraming, Framing, aphorism};

use crate::dial::Dial;
use crate::script::{Script, Step};
use crate::{ClientError, ClientOptions};

/// The most that one read takes, in bytes.
const READ: usize = 16 * 1024;

/// How long a write, or a read while something is unsent, may block before it is the other's turn. A socket that blocks cannot wait for
/// both directions at once; when both are full they alternate, so that neither peer waits for the other for ever.
const TURN: Duration = Duration::from_millis(10);

/// A client that blocks its thread while it waits.
///
/// Memory: 16 KiB, and the questions and answers in flight.
#[derive(Debug)]
pub struct Client<F = DelimiterFraming> {
    stream: TcpStream,
    asker: Asker<F>,
    buffer: Box<[u8]>,
    /// The socket's read timeout, so that it is set only when it changes.
    read_timeout: Option<Duration>,
    /// The last write left something unsent: the server does not read, or not fast enough.
    stalled: bool,
    /// The last read took all it could, so there is probably more.
    flooded: bool,
    /// A write failed. Answers that came before may still be read.
    broken: bool,
    /// What the system said when the connection broke.
    lost: Option<io::Error>,
}

impl Client {
    /// Connects to a server that speaks zen's own protocol, within [`ClientOptions::connect_timeout`]. Each address is tried in turn.
    /// Looking a name up cannot be interrupted, but its time counts.
    ///
    /// # Errors
    /// [`ClientError::Refused`], [`ClientError::ConnectTimedOut`] or [`ClientError::Connect`] for the address that was tried last;
    /// [`ClientError::Resolve`] if there is none; [`ClientError::Options`]; [`ClientError::Socket`].
    pub fn connect(address: impl ToSocketAddrs, options: &ClientOptions) -> Result<Self, ClientError> {
        Self::connect_with(address, aphorism::client_framing(), options)
    }
}

impl<F: Framing> Client<F> {
    /// Like [`connect`](Client::connect), for a protocol of one's own: `framing` cuts answers and writes questions.
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
                    let local = stream.local_addr().map_err(socket("read the local address"))?;
                    if dial.reached(address, local) {
                        return Self::from_stream(stream, framing, options);
                    }
                }
                Err(error) => dial.failed(address, &error),
            }
        }
        Err(dial.failure())
    }

    /// A client on a connection that was made elsewhere. It must be in blocking mode; its timeouts are the client's from now on.
    ///
    /// # Errors
    /// [`ClientError::Options`], or [`ClientError::Socket`] when the socket cannot be prepared.
    pub fn from_stream(stream: TcpStream, framing: F, options: &ClientOptions) -> Result<Self, ClientError> {
        options.validate()?;
        if options.nodelay {
            stream.set_nodelay(true).map_err(socket("set TCP_NODELAY"))?;
        }
        stream.set_write_timeout(Some(TURN)).map_err(socket("set the write timeout"))?;
        stream.set_read_timeout(None).map_err(socket("set the read timeout"))?;
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

    /// Asks a question and waits for its answer, for as long as [`ClientLimits::answer_deadline`](crate::ClientLimits) allows.
    ///
    /// # Errors
    /// [`ClientError`] says for each error whether the client can be used on.
    pub fn ask(&mut self, question: impl AsRef<[u8]>) -> Result<Bytes, ClientError> {
        // One question has one answer or one error, so the other arm is never taken; if it were, it would be an early close.
        let closed = ClientError::ClosedEarly { awaited: 1, partial: false };
        self.pipeline([question]).next().unwrap_or(Err(closed))
    }

    /// Asks all questions, as many at once as the limits allow, and gives the answers in the order of the questions.
    ///
    /// # Errors
    /// The first error; the answers before it are lost. Use [`pipeline`](Self::pipeline) to keep them.
    pub fn ask_all<Q>(&mut self, questions: Q) -> Result<Vec<Bytes>, ClientError>
    where
        Q: IntoIterator<Item: AsRef<[u8]>>,
    {
        self.pipeline(questions).collect()
    }

    /// Asks all questions, as many at once as [`ClientLimits::questions_in_flight`](crate::ClientLimits) allows, and gives
    /// each answer when it is there, in the order of the questions. Questions are taken from the iterator when they are about to be sent.
    ///
    /// The first error is the last item. A question that cannot be sent comes in its turn, after the answers to those before it, and
    /// none behind it is asked. Dropping the iterator early does no harm: the crate's documentation says what becomes of
    /// the answers.
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

    /// Sends FIN and waits for the server's, which shows that it has seen everything: a clean end.
    ///
    /// # Errors
    /// [`ClientError::NotClosed`] when the server does not close; otherwise as for [`ask`](Self::ask).
    pub fn finish(mut self) -> Result<(), ClientError> {
        self.asker.abandon();
        self.asker.finish(Instant::now());
        loop {
            // Nobody waits for these; what cannot be thrown away is unasked, and fails.
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

    /// The address that the server sees.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    /// Moves bytes: writes once if there is something to write, then waits until something can be read, or the deadline.
    fn turn(&mut self) {
        // While the server has more to say than a read takes, its answers are what stands in the way of the questions.
        if self.is_unsent() && !(self.stalled && self.flooded) {
            self.write();
        }
        if self.asker.poll_shutdown() {
            // Fails only when the connection is gone, which the read is about to find out.
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
        let patience = if self.is_unsent() { Ok(Some(TURN)) } else { self.remaining() };
        // No time left: a zero timeout would be an error, and the deadline is about to be noticed.
        let Ok(patience) = patience else { return };
        if let Err(error) = self.wait_at_most(patience) {
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

    /// How long to wait for the next answer, `None` for ever; an error when it is late.
    fn remaining(&self) -> Result<Option<Duration>, Late> {
        let Some(at) = self.asker.poll_timeout() else { return Ok(None) };
        let left = at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Late);
        }
        // Up to the next millisecond: the deadline has then passed when the wait is over, and questions that are
        // asked right after each other wait equally long, which spares setting the timeout anew.
        let millis = left.as_nanos().div_ceil(1_000_000);
        Ok(Some(Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))))
    }

    fn wait_at_most(&mut self, patience: Option<Duration>) -> io::Result<()> {
        if self.read_timeout != patience {
            self.stream.set_read_timeout(patience)?;
            self.read_timeout = patience;
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

impl<F: Framing, I: Iterator<Item: AsRef<[u8]>>> Iterator for Answers<'_, F, I> {
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

/// Whether to simply try again: a signal came, or the time was up. On Windows only is the latter called "timed out"; elsewhere that means
/// that the network has given the connection up.
fn is_passing(error: &io::Error) -> bool {
    match error.kind() {
        ErrorKind::Interrupted | ErrorKind::WouldBlock => true,
        ErrorKind::TimedOut => cfg!(windows),
        _ => false,
    }
}

fn socket(doing: &'static str) -> impl Fn(io::Error) -> ClientError {
    move |error| ClientError::Socket { doing, error }
}
