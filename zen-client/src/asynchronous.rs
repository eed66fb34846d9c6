//! The client that waits in a tokio runtime.

use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::time::{timeout, timeout_at};
use zen_proto::{AskError, Asker, ByteFraming, DelimiterFraming, aphorism};

use crate::dial::Dial;
use crate::script::{Script, Step};
use crate::{ClientError, ClientOptions};

/// How many bytes one read takes at most.
const READ: usize = 16 * 1024;

/// A client that waits in a tokio runtime.
///
/// Its futures may be dropped at any point, because the client, not the future, keeps what has
/// happened. The crate's documentation says what happens to the answers. Every method that waits
/// must be called in a tokio runtime with I/O and time enabled; it panics elsewhere. The deadlines
/// run on tokio's clock.
///
/// Memory: the questions and answers in flight.
#[derive(Debug)]
pub struct AsyncClient<F = DelimiterFraming> {
    stream: TcpStream,
    asker: Asker<F>,
    /// A write failed. Answers that arrived before it may still be read.
    broken: bool,
    /// What the system said when the connection broke.
    lost: Option<io::Error>,
}

impl AsyncClient {
    /// Connects to a server that speaks zen's own protocol. [`ClientOptions::connect_timeout`]
    /// covers the name lookup and all of the server's addresses, which are tried in turn.
    ///
    /// # Errors
    /// [`ClientError::Refused`], [`ClientError::ConnectTimedOut`] or [`ClientError::Connect`] for
    /// the address that was tried last; [`ClientError::Resolve`] if the name has no address;
    /// [`ClientError::Options`]; [`ClientError::Socket`].
    pub async fn connect(address: impl ToSocketAddrs, options: &ClientOptions) -> Result<Self, ClientError> {
        Self::connect_with(address, aphorism::client_framing(), options).await
    }
}

impl<F: ByteFraming> AsyncClient<F> {
    /// Like [`connect`](AsyncClient::connect), for a protocol of your own: `framing` cuts answers
    /// and writes questions.
    pub async fn connect_with(
        address: impl ToSocketAddrs,
        framing: F,
        options: &ClientOptions,
    ) -> Result<Self, ClientError> {
        options.validate()?;
        let began = now();
        let addresses = timeout(options.connect_timeout, tokio::net::lookup_host(address))
            .await
            .unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
            .map_err(|error| ClientError::Resolve { error })?;
        let mut dial = Dial::new(addresses.collect(), began, options.connect_timeout);
        while let Some((address, share)) = dial.next(now()) {
            let connected = timeout(share, TcpStream::connect(address)).await;
            match connected.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into())) {
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

    /// Wraps a connection that is already open.
    ///
    /// # Errors
    /// [`ClientError::Options`], or [`ClientError::Socket`] when the socket cannot be prepared.
    pub fn from_stream(stream: TcpStream, framing: F, options: &ClientOptions) -> Result<Self, ClientError> {
        options.validate()?;
        if options.nodelay {
            stream.set_nodelay(true).map_err(socket_error("set TCP_NODELAY"))?;
        }
        let asker = Asker::new(framing, options.limits.clone());
        Ok(Self { stream, asker, broken: false, lost: None })
    }

    /// Asks a question and waits for its answer, for at most
    /// [`ClientLimits::answer_deadline`](crate::ClientLimits::answer_deadline).
    ///
    /// If the future is dropped before its first poll, nothing is asked. If it is dropped later,
    /// the question is still sent, at the latest together with the next one, and its answer is
    /// discarded when it arrives.
    ///
    /// # Errors
    /// [`ClientError`] says for each error whether the client can still be used.
    pub async fn ask(&mut self, question: impl AsRef<[u8]>) -> Result<Bytes, ClientError> {
        // One question has one answer or one error, so this value is never used. If it were, the
        // cause would be an early close.
        let closed = ClientError::ClosedEarly { awaited: 1, partial: false };
        self.pipeline([question]).next().await.unwrap_or(Err(closed))
    }

    /// Asks all questions, as many at once as the limits allow, and returns the answers in the
    /// order of the questions.
    ///
    /// # Errors
    /// The first error. The answers before it are lost; use [`pipeline`](Self::pipeline) to keep
    /// them.
    pub async fn ask_all<Q>(&mut self, questions: Q) -> Result<Vec<Bytes>, ClientError>
    where
        Q: IntoIterator<Item: AsRef<[u8]>>,
    {
        let mut answers = self.pipeline(questions);
        let mut all = Vec::new();
        while let Some(answer) = answers.next().await {
            all.push(answer?);
        }
        Ok(all)
    }

    /// Asks all questions, as many at once as
    /// [`ClientLimits::questions_in_flight`](crate::ClientLimits::questions_in_flight) allows, and
    /// yields each answer when it arrives, in the order of the questions. A question is taken from
    /// the iterator just before it is sent.
    ///
    /// The first error is the last item. A question that cannot be sent yields its error in its
    /// turn, after the answers to the questions before it, and no later question is asked.
    ///
    /// ```no_run
    /// use zen_client::{AsyncClient, ClientOptions};
    ///
    /// # async fn example() -> Result<(), zen_client::ClientError> {
    /// let mut client = AsyncClient::connect("127.0.0.1:1060", &ClientOptions::default()).await?;
    /// let mut answers = client.pipeline(["Simple is better than?", "Why?"]);
    /// while let Some(answer) = answers.next().await {
    ///     println!("{}", answer?.escape_ascii());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn pipeline<Q>(&mut self, questions: Q) -> AsyncAnswers<'_, F, Q::IntoIter>
    where
        Q: IntoIterator<Item: AsRef<[u8]>>,
    {
        let script = Script::new(questions, &mut self.asker);
        AsyncAnswers { client: self, script }
    }

    /// Ends the conversation cleanly: sends FIN and waits for the server's FIN, which shows that
    /// the server has seen everything.
    ///
    /// # Errors
    /// [`ClientError::NotClosed`] when the server does not close; otherwise as for
    /// [`ask`](Self::ask).
    pub async fn finish(mut self) -> Result<(), ClientError> {
        self.asker.abandon();
        self.asker.finish(now());
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
            self.turn().await;
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

    /// Waits until bytes have moved or the deadline has passed.
    async fn turn(&mut self) {
        let deadline = self.asker.poll_timeout();
        let moved = std::future::poll_fn(|context| self.poll_move(context));
        match deadline {
            // It does not matter which of the two ended the wait: the asker looks at the clock.
            Some(at) => drop(timeout_at(at.into(), moved).await),
            None => moved.await,
        }
        self.asker.handle_timeout(now());
    }

    /// Moves bytes with one call in each direction. Ready when bytes have moved or the connection
    /// has changed.
    ///
    /// Everything read from the socket is in the asker when this returns, so dropping the future
    /// that polled loses nothing.
    fn poll_move(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let write = self.poll_write(context);
        let read = self.poll_read(context);
        if write.is_ready() { write } else { read }
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut stream = Pin::new(&mut self.stream);
        if !self.broken && !self.asker.transmit().is_empty() {
            match std::task::ready!(stream.as_mut().poll_write(context, self.asker.transmit())) {
                Ok(n) => self.asker.handle_sent(n, now()),
                Err(error) => {
                    self.broken = true;
                    self.lost = Some(error);
                }
            }
            return Poll::Ready(());
        }
        if self.asker.poll_shutdown() {
            // Completes at once. If it fails, the connection is gone, and the next read reports
            // that.
            return stream.poll_shutdown(context).map(drop);
        }
        Poll::Pending
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.asker.wants_read() {
            return Poll::Pending;
        }
        let mut space = [const { MaybeUninit::uninit() }; READ];
        let mut buffer = ReadBuf::uninit(&mut space);
        match std::task::ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer)) {
            Ok(()) if buffer.filled().is_empty() => self.asker.handle_eof(now()),
            Ok(()) => self.asker.handle_input(buffer.filled(), now()),
            Err(error) => {
                self.lost = Some(error);
                self.asker.handle_lost(now());
            }
        }
        Poll::Ready(())
    }
}

/// The answers to an [`AsyncClient::pipeline`] of questions.
#[derive(Debug)]
pub struct AsyncAnswers<'a, F, I: Iterator> {
    client: &'a mut AsyncClient<F>,
    script: Script<I>,
}

impl<F: ByteFraming, I: Iterator<Item: AsRef<[u8]>>> AsyncAnswers<'_, F, I> {
    /// The next answer; `None` after the last one or after an error. If this future is dropped
    /// before it is ready, no answer is lost: the next call returns it.
    pub async fn next(&mut self) -> Option<Result<Bytes, ClientError>> {
        loop {
            match self.script.step(&mut self.client.asker, now()) {
                Step::Answer(answer) => return Some(Ok(answer)),
                Step::Failed(error) => return Some(Err(ClientError::new(error, self.client.lost.as_ref()))),
                Step::Done => return None,
                Step::Move => self.client.turn().await,
            }
        }
    }
}

/// Tokio's clock. Its timeouts run on this clock, and tests may pause it.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn socket_error(doing: &'static str) -> impl Fn(io::Error) -> ClientError {
    move |error| ClientError::Socket { doing, error }
}
