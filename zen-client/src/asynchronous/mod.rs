//! The client that waits in a tokio runtime.

mod connect;
mod stream;
mod wire;

use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::time::timeout;
use zen_proto::{AskError, ByteFraming, DelimiterFraming, Framing, aphorism};

use crate::layer::Layer;
use crate::script::{Script, Step};
use crate::state::State;
use crate::{ClientError, ClientOptions};
use stream::Stream;
use wire::Wire;

/// A client that waits in a tokio runtime.
///
/// Its futures may be dropped at any point, because the client, not the future, keeps what has
/// happened. The crate's documentation says what happens to the answers. Every method that waits
/// must be called in a tokio runtime with I/O and time enabled; it panics elsewhere. The deadlines
/// run on tokio's clock.
///
/// Memory: the questions and answers in flight.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// # runtime.block_on(async {
/// # use std::io::{Read, Write};
/// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
/// # let address = listener.local_addr()?;
/// # std::thread::spawn(move || {
/// #     let (mut stream, _) = listener.accept().unwrap();
/// #     stream.write_all(b"").unwrap();
/// #     let answers: &[&[u8]] = &[b"Complex."];
/// #     for answer in answers {
/// #         let mut byte = [0];
/// #         while byte != *b"?" { stream.read_exact(&mut byte).unwrap(); }
/// #         stream.write_all(answer).unwrap();
/// #     }
/// #     stream.read(&mut [0]).unwrap();
/// # });
/// use zen_client::{AsyncClient, ClientOptions};
///
/// let mut client = AsyncClient::connect(address, &ClientOptions::default()).await?;
/// assert_eq!(client.ask("Simple is better than?").await?, "Complex.");
/// client.finish().await?;
/// # Ok(())
/// # })
/// # }
/// ```
#[derive(Debug)]
pub struct AsyncClient<F = DelimiterFraming> {
    wire: Wire,
    state: State<F>,
}

impl AsyncClient {
    /// Connects to a server that speaks zen's own protocol, within
    /// [`ClientOptions::connect_timeout`], the name lookup included.
    ///
    /// If the server has several addresses, IPv6 and IPv4 take turns. An attempt that has not
    /// succeeded after 250 ms goes on beside the next one, and the first that succeeds wins
    /// (RFC 8305, "Happy Eyeballs").
    ///
    /// # Errors
    /// [`ClientError::Refused`], [`ClientError::ConnectTimedOut`] or [`ClientError::Connect`] for
    /// the address that failed last; [`ClientError::Resolve`] if the name has no address;
    /// [`ClientError::Options`]; [`ClientError::Socket`].
    pub async fn connect(address: impl ToSocketAddrs, options: &ClientOptions) -> Result<Self, ClientError> {
        Self::connect_with(address, aphorism::client_framing(), options).await
    }

    /// The same, to a Unix socket.
    ///
    /// ```no_run
    /// use zen_client::{AsyncClient, ClientOptions};
    ///
    /// # async fn example() -> Result<(), zen_client::ClientError> {
    /// // The same server as `zen serve unix:/run/zen`.
    /// let mut client = AsyncClient::connect_unix("/run/zen", &ClientOptions::default()).await?;
    /// println!("{}", client.ask("Simple is better than?").await?.escape_ascii());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ClientError::ConnectUnix`]; otherwise as for [`connect`](Self::connect).
    #[cfg(unix)]
    pub async fn connect_unix(path: impl AsRef<Path>, options: &ClientOptions) -> Result<Self, ClientError> {
        Self::connect_unix_with(path, aphorism::client_framing(), options).await
    }
}

impl<F: Framing> AsyncClient<F> {
    /// Like [`connect`](AsyncClient::connect), for a protocol of your own: `framing` cuts answers
    /// and writes questions. [`ClientOptions::greeting`] says whether the server greets.
    ///
    /// ```no_run
    /// use zen_client::{AsyncClient, ClientOptions};
    /// use zen_proto::DelimiterFraming;
    ///
    /// # async fn example() -> Result<(), zen_client::ClientError> {
    /// // Answers of this server end with an exclamation mark.
    /// let framing = DelimiterFraming::new(b'!').send_until(b'?');
    /// let options = ClientOptions::default();
    /// let mut client = AsyncClient::connect_with("127.0.0.1:1060", framing, &options).await?;
    /// client.ask("Why?").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As for [`connect`](AsyncClient::connect).
    pub async fn connect_with(
        address: impl ToSocketAddrs,
        framing: F,
        options: &ClientOptions,
    ) -> Result<Self, ClientError> {
        options.validate()?;
        let began = now();
        let addresses = timeout(options.connect_timeout, tokio::net::lookup_host(address))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|error| ClientError::Resolve { error })?;
        let stream = connect::connect(addresses.collect(), began, options.connect_timeout).await?;
        let mut client = Self::from_stream(stream, framing, options)?;
        client.handshake(began, options).await?;
        Ok(client)
    }

    /// Like [`connect_with`](Self::connect_with), to a Unix socket.
    ///
    /// ```no_run
    /// use zen_client::{AsyncClient, ClientOptions};
    /// use zen_proto::DelimiterFraming;
    ///
    /// # async fn example() -> Result<(), zen_client::ClientError> {
    /// let lines = DelimiterFraming::new(b'\n').send_until(b'\n');
    /// let options = ClientOptions::default();
    /// let mut client = AsyncClient::connect_unix_with("/run/lines", lines, &options).await?;
    /// client.ask("hello\n").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ClientError::ConnectUnix`]; otherwise as for [`connect`](AsyncClient::connect).
    #[cfg(unix)]
    pub async fn connect_unix_with(
        path: impl AsRef<Path>,
        framing: F,
        options: &ClientOptions,
    ) -> Result<Self, ClientError> {
        options.validate()?;
        let (began, path) = (now(), path.as_ref());
        let stream = timeout(options.connect_timeout, UnixStream::connect(path))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|error| ClientError::ConnectUnix { path: path.to_owned(), error })?;
        let mut client = Self::over(Stream::Unix(stream), framing, options)?;
        client.handshake(began, options).await?;
        Ok(client)
    }

    /// Wraps a connection that is already open.
    ///
    /// ```no_run
    /// use zen_client::{AsyncClient, ClientOptions};
    /// use zen_proto::aphorism;
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// // A connection that was prepared in another way, through a proxy for instance.
    /// let stream = tokio::net::TcpStream::connect("127.0.0.1:1060").await?;
    /// let options = ClientOptions::default();
    /// let client = AsyncClient::from_stream(stream, aphorism::client_framing(), &options)?;
    /// println!("{} asks {}", client.local_addr()?, client.peer_addr()?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ClientError::Options`], or [`ClientError::Socket`] when the socket cannot be prepared.
    pub fn from_stream(stream: TcpStream, framing: F, options: &ClientOptions) -> Result<Self, ClientError> {
        options.validate()?;
        if options.nodelay {
            stream.set_nodelay(true).map_err(ClientError::socket("set TCP_NODELAY"))?;
        }
        Self::over(Stream::Tcp(stream), framing, options)
    }

    fn over(stream: Stream, framing: F, options: &ClientOptions) -> Result<Self, ClientError> {
        let wire = Wire::new(stream, Layer::new(options)?);
        Ok(Self { wire, state: State::new(framing, options, now()) })
    }

    /// Waits for TLS until `began` is longer ago than the options allow.
    async fn handshake(&mut self, began: Instant, options: &ClientOptions) -> Result<(), ClientError> {
        let until = began.checked_add(options.connect_timeout);
        while self.wire.is_handshaking() {
            let late = self.wire.turn(&mut self.state.asker, until).await;
            if let Some(error) = self.state.asker.failed() {
                return Err(ClientError::new(AskError::Failed(error.clone()), self.wire.lost()));
            }
            if late {
                return Err(ClientError::no_handshake(options.connect_timeout));
            }
        }
        Ok(())
    }

    /// Waits for the server's greeting and returns what `take` makes of it. Returns `None` if none
    /// is expected ([`ClientOptions::greeting`]) or it has come already: a client that asks first
    /// waits for the greeting, and discards it.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use zen_client::{AsyncClient, ClientError};
    /// # use zen_proto::{Decoded, Framing};
    /// # struct Counts;
    /// # impl Framing for Counts {
    /// #     type Message<'a> = u64;
    /// #     type Error = Infallible;
    /// #     fn decode(&mut self, _: &[u8]) -> Decoded<u64, Infallible> { Decoded::nothing(0) }
    /// # }
    /// /// The messages of this framing are numbers, and the server begins with its version.
    /// async fn version(client: &mut AsyncClient<Counts>) -> Result<Option<u64>, ClientError> {
    ///     client.greeting_with(|version| version).await
    /// }
    /// ```
    ///
    /// # Errors
    /// As for [`ask`](Self::ask).
    pub async fn greeting_with<T>(
        &mut self,
        take: impl FnMut(F::Message<'_>) -> T,
    ) -> Result<Option<T>, ClientError> {
        if !self.state.asker.awaits_greeting() {
            return Ok(None);
        }
        AsyncAnswers { client: self, script: Script::greeting(), take }.next().await.transpose()
    }

    /// Asks a question and returns what `take` makes of the answer. Waits for at most
    /// [`ClientLimits::answer_deadline`](crate::ClientLimits::answer_deadline), and no longer than
    /// [`ClientOptions::answer_timeout`].
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use zen_client::{AsyncClient, ClientError};
    /// # use zen_proto::{Decoded, Framing};
    /// # struct Counts;
    /// # impl Framing for Counts {
    /// #     type Message<'a> = u64;
    /// #     type Error = Infallible;
    /// #     fn decode(&mut self, _: &[u8]) -> Decoded<u64, Infallible> { Decoded::nothing(0) }
    /// # }
    /// /// The messages of this framing are numbers.
    /// async fn double(client: &mut AsyncClient<Counts>) -> Result<u64, ClientError> {
    ///     client.ask_with("how many?", |count| 2 * count).await
    /// }
    /// ```
    ///
    /// If the future is dropped before its first poll, nothing is asked. If it is dropped later,
    /// the question is still sent, at the latest together with the next one, and its answer is
    /// discarded when it arrives.
    ///
    /// # Errors
    /// [`ClientError::keeps_connection`] says for each error whether the client can still be used.
    pub async fn ask_with<T>(
        &mut self,
        question: impl AsRef<[u8]>,
        take: impl FnMut(F::Message<'_>) -> T,
    ) -> Result<T, ClientError> {
        // One question has one answer or one error, so this value is never used. If it were, the
        // cause would be an early close.
        let closed = ClientError::ClosedEarly { awaited: 1, partial: false };
        self.pipeline_with([question], take).next().await.unwrap_or(Err(closed))
    }

    /// Asks all questions, as many at once as
    /// [`ClientLimits::questions_in_flight`](crate::ClientLimits::questions_in_flight) allows, and
    /// yields what `take` makes of each answer when it arrives, in the order of the questions. A
    /// question is taken from the iterator just before it is sent.
    ///
    /// The first error is the last item. A question that cannot be sent yields its error in its
    /// turn, after the answers to the questions before it, and no later question is asked.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use zen_client::{AsyncClient, ClientError};
    /// # use zen_proto::{Decoded, Framing};
    /// # struct Counts;
    /// # impl Framing for Counts {
    /// #     type Message<'a> = u64;
    /// #     type Error = Infallible;
    /// #     fn decode(&mut self, _: &[u8]) -> Decoded<u64, Infallible> { Decoded::nothing(0) }
    /// # }
    /// /// The messages of this framing are numbers.
    /// async fn sum(client: &mut AsyncClient<Counts>, words: &[&str]) -> Result<u64, ClientError> {
    ///     let (mut counts, mut sum) = (client.pipeline_with(words, |count| count), 0);
    ///     while let Some(count) = counts.next().await {
    ///         sum += count?;
    ///     }
    ///     Ok(sum)
    /// }
    /// ```
    pub fn pipeline_with<Q, T, C>(&mut self, questions: Q, take: C) -> AsyncAnswers<'_, F, Q::IntoIter, C>
    where
        Q: IntoIterator<Item: AsRef<[u8]>>,
        C: FnMut(F::Message<'_>) -> T,
    {
        if self.state.take_fresh() {
            self.wire.read_now(&mut self.state.asker);
        }
        let script = Script::new(questions, &mut self.state.asker);
        AsyncAnswers { client: self, script, take }
    }

    /// Sets [`ClientOptions::answer_timeout`] for the calls from now on. With a timeout of zero, a
    /// call returns only what has arrived already.
    ///
    /// ```
    /// use std::time::Duration;
    /// use zen_client::{AsyncClient, ClientError};
    ///
    /// /// A question that is a hard one.
    /// async fn ask_patiently(client: &mut AsyncClient) -> Result<bytes::Bytes, ClientError> {
    ///     client.set_answer_timeout(Some(Duration::from_secs(5)));
    ///     let answer = client.ask("Why?").await;
    ///     // How many late answers will be discarded when they come.
    ///     eprintln!("{} outstanding", client.awaited());
    ///     answer
    /// }
    /// ```
    pub fn set_answer_timeout(&mut self, timeout: Option<Duration>) {
        self.state.set_answer_timeout(timeout);
    }

    /// How many answers the server owes, including those whose caller has stopped waiting. They
    /// come before the answer to the next question.
    /// [`set_answer_timeout`](Self::set_answer_timeout) has an example.
    pub fn awaited(&self) -> usize {
        self.state.asker.awaited()
    }

    /// Whether the client can still be used, as far as it knows: no error has ended the
    /// conversation, and the server's end has not been read.
    ///
    /// ```
    /// use zen_client::{AsyncClient, ClientError, ClientOptions};
    ///
    /// /// Asks through the client of a pool, or through a new one if that has failed meanwhile.
    /// async fn ask(client: &mut AsyncClient, word: &str) -> Result<bytes::Bytes, ClientError> {
    ///     if !client.is_usable() {
    ///         *client = AsyncClient::connect("127.0.0.1:1060", &ClientOptions::default()).await?;
    ///     }
    ///     client.ask(word).await
    /// }
    /// ```
    pub fn is_usable(&self) -> bool {
        self.state.is_usable()
    }

    /// Ends the conversation cleanly: sends FIN and waits for the server's FIN, which shows that
    /// the server has seen everything.
    ///
    /// # Errors
    /// [`ClientError::NotClosed`] when the server does not close; otherwise as for
    /// [`ask`](Self::ask).
    pub async fn finish(mut self) -> Result<(), ClientError> {
        self.state.finish(now());
        loop {
            if let Some(finished) = self.state.poll_finished(self.wire.lost()) {
                return finished;
            }
            self.wire.turn(&mut self.state.asker, None).await;
        }
    }

    /// The server's address. [`from_stream`](Self::from_stream) has an example.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] for a Unix socket, which has no address of this kind;
    /// otherwise what the system says.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.wire.stream().peer_addr()
    }

    /// The client's own address, as the server sees it.
    ///
    /// # Errors
    /// As for [`peer_addr`](Self::peer_addr).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.wire.stream().local_addr()
    }
}

/// Answers as [`Bytes`], for framings whose messages are byte slices.
impl<F: ByteFraming> AsyncClient<F> {
    /// Waits for the server's greeting. Returns `None` if none is expected or it has come already;
    /// see [`greeting_with`](Self::greeting_with).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # runtime.block_on(async {
    /// # use std::io::{Read, Write};
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = listener.local_addr()?;
    /// # std::thread::spawn(move || {
    /// #     let (mut stream, _) = listener.accept().unwrap();
    /// #     stream.write_all(b"Welcome.").unwrap();
    /// #     let answers: &[&[u8]] = &[b"Because."];
    /// #     for answer in answers {
    /// #         let mut byte = [0];
    /// #         while byte != *b"?" { stream.read_exact(&mut byte).unwrap(); }
    /// #         stream.write_all(answer).unwrap();
    /// #     }
    /// #     stream.read(&mut [0]).unwrap();
    /// # });
    /// use zen_client::{AsyncClient, ClientOptions};
    ///
    /// let options = ClientOptions::default().with_greeting(true);
    /// let mut client = AsyncClient::connect(address, &options).await?;
    /// assert_eq!(client.greeting().await?.as_deref(), Some(&b"Welcome."[..]));
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`ask`](Self::ask).
    pub async fn greeting(&mut self) -> Result<Option<Bytes>, ClientError> {
        self.greeting_with(Bytes::copy_from_slice).await
    }

    /// Asks a question and waits for its answer, for at most
    /// [`ClientLimits::answer_deadline`](crate::ClientLimits::answer_deadline), and no longer than
    /// [`ClientOptions::answer_timeout`].
    ///
    /// The future may be dropped, as that of [`ask_with`](Self::ask_with).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # runtime.block_on(async {
    /// # use std::io::{Read, Write};
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = listener.local_addr()?;
    /// # std::thread::spawn(move || {
    /// #     let (mut stream, _) = listener.accept().unwrap();
    /// #     stream.write_all(b"").unwrap();
    /// #     let answers: &[&[u8]] = &[b"Because.", b"So."];
    /// #     for answer in answers {
    /// #         let mut byte = [0];
    /// #         while byte != *b"?" { stream.read_exact(&mut byte).unwrap(); }
    /// #         stream.write_all(answer).unwrap();
    /// #     }
    /// #     stream.read(&mut [0]).unwrap();
    /// # });
    /// use std::time::Duration;
    /// use tokio::time::timeout;
    /// use zen_client::{AsyncClient, ClientOptions};
    ///
    /// let mut client = AsyncClient::connect(address, &ClientOptions::default()).await?;
    /// // Dropping the future gives up on its answer only: the next question gets its own.
    /// let _ = timeout(Duration::ZERO, client.ask("Why?")).await;
    /// assert_eq!(client.ask("How?").await?, "So.");
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ClientError::keeps_connection`] says for each error whether the client can still be used.
    pub async fn ask(&mut self, question: impl AsRef<[u8]>) -> Result<Bytes, ClientError> {
        self.ask_with(question, Bytes::copy_from_slice).await
    }

    /// Asks all questions, as many at once as the limits allow, and returns the answers in the
    /// order of the questions.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # runtime.block_on(async {
    /// # use std::io::{Read, Write};
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = listener.local_addr()?;
    /// # std::thread::spawn(move || {
    /// #     let (mut stream, _) = listener.accept().unwrap();
    /// #     stream.write_all(b"").unwrap();
    /// #     let answers: &[&[u8]] = &[b"Because.", b"So."];
    /// #     for answer in answers {
    /// #         let mut byte = [0];
    /// #         while byte != *b"?" { stream.read_exact(&mut byte).unwrap(); }
    /// #         stream.write_all(answer).unwrap();
    /// #     }
    /// #     stream.read(&mut [0]).unwrap();
    /// # });
    /// use zen_client::{AsyncClient, ClientOptions};
    ///
    /// let mut client = AsyncClient::connect(address, &ClientOptions::default()).await?;
    /// assert_eq!(client.ask_all(["Why?", "How?"]).await?, ["Because.", "So."]);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
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

    /// Asks all questions and yields each answer when it arrives, like
    /// [`pipeline_with`](Self::pipeline_with).
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
        self.pipeline_with(questions, Bytes::copy_from_slice)
    }
}

/// The answers to an [`AsyncClient::pipeline`] of questions, each made by `C` from the decoded
/// message.
///
/// ```
/// use zen_client::{AsyncClient, ClientError};
///
/// /// Prints each answer as soon as it has come.
/// async fn print(client: &mut AsyncClient, questions: &[&str]) -> Result<(), ClientError> {
///     let mut answers = client.pipeline(questions);
///     while let Some(answer) = answers.next().await {
///         println!("{}", answer?.escape_ascii());
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct AsyncAnswers<'a, F, I: Iterator, C = fn(&[u8]) -> Bytes> {
    client: &'a mut AsyncClient<F>,
    script: Script<I>,
    take: C,
}

impl<F, I, C, T> AsyncAnswers<'_, F, I, C>
where
    F: Framing,
    I: Iterator<Item: AsRef<[u8]>>,
    C: FnMut(F::Message<'_>) -> T,
{
    /// The next answer; `None` after the last one or after an error. If this future is dropped
    /// before it is ready, no answer is lost: the next call returns it.
    pub async fn next(&mut self) -> Option<Result<T, ClientError>> {
        let AsyncClient { wire, state } = &mut *self.client;
        let give_up = state.give_up_at(now());
        loop {
            match self.script.step(&mut state.asker, now(), &mut self.take) {
                Step::Answer(answer) => return Some(Ok(answer)),
                Step::Failed(error) => return Some(Err(ClientError::new(error, wire.lost()))),
                Step::Done => return None,
                Step::Move => {
                    if wire.turn(&mut state.asker, give_up).await {
                        self.script.give_up();
                        return Some(Err(state.gave_up()));
                    }
                }
            }
        }
    }
}

/// Tokio's clock. Its timeouts run on this clock, and tests may pause it.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
