//! The client that blocks its thread.

mod connect;
mod wire;

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::fd::OwnedFd;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
#[cfg(unix)]
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use socket2::Socket;
use zen_proto::{AskError, ByteFraming, DelimiterFraming, Framing, aphorism};

use crate::layer::Layer;
use crate::script::{Script, Step};
use crate::state::State;
use crate::{ClientError, ClientOptions};
use wire::{SLICE, Wire};

/// A client that blocks its thread while it waits.
///
/// Memory: 16 KiB, plus the questions and answers in flight.
///
/// Dropping a client ends the conversation at once, and the server sees a regular end: FIN, and
/// under TLS a `close_notify` before it, unless the socket has no room for one.
/// [`finish`](Self::finish) waits until the server has seen everything.
///
/// ```
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
/// use zen_client::{Client, ClientError, ClientOptions};
///
/// let mut client = Client::connect(address, &ClientOptions::default())?;
/// match client.ask("Simple is better than?") {
///     Ok(answer) => assert_eq!(answer, "Complex."),
///     Err(error) if error.keeps_connection() => println!("ask again: {error}"),
///     Err(error) => println!("connect again: {error}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Client<F = DelimiterFraming> {
    wire: Wire,
    state: State<F>,
}

impl Client {
    /// Connects to a server that speaks zen's own protocol, within
    /// [`ClientOptions::connect_timeout`]. The name lookup cannot be interrupted, but its time
    /// counts.
    ///
    /// If the server has several addresses, IPv6 and IPv4 take turns. An attempt that has not
    /// succeeded after 250 ms goes on beside the next one, and the first that succeeds wins
    /// (RFC 8305, "Happy Eyeballs").
    ///
    /// # Errors
    /// [`ClientError::Refused`], [`ClientError::ConnectTimedOut`] or [`ClientError::Connect`] for
    /// the address that failed last; [`ClientError::Resolve`] if the name has no address;
    /// [`ClientError::Options`]; [`ClientError::Socket`].
    pub fn connect(address: impl ToSocketAddrs, options: &ClientOptions) -> Result<Self, ClientError> {
        Self::connect_with(address, aphorism::client_framing(), options)
    }

    /// The same, to a Unix socket.
    ///
    /// ```no_run
    /// use zen_client::{Client, ClientOptions};
    ///
    /// // The same server as `zen serve unix:/run/zen`.
    /// let mut client = Client::connect_unix("/run/zen", &ClientOptions::default())?;
    /// println!("{}", client.ask("Simple is better than?")?.escape_ascii());
    /// # Ok::<(), zen_client::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::ConnectUnix`]; otherwise as for [`connect`](Self::connect).
    #[cfg(unix)]
    pub fn connect_unix(path: impl AsRef<Path>, options: &ClientOptions) -> Result<Self, ClientError> {
        Self::connect_unix_with(path, aphorism::client_framing(), options)
    }
}

impl<F: Framing> Client<F> {
    /// Like [`connect`](Client::connect), for a protocol of your own: `framing` cuts answers and
    /// writes questions. [`ClientOptions::greeting`] says whether the server greets.
    ///
    /// ```
    /// # use std::io::{Read, Write};
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = listener.local_addr()?;
    /// # std::thread::spawn(move || {
    /// #     let (mut stream, _) = listener.accept().unwrap();
    /// #     stream.write_all(b"").unwrap();
    /// #     let answers: &[&[u8]] = &[b"Because!"];
    /// #     for answer in answers {
    /// #         let mut byte = [0];
    /// #         while byte != *b"?" { stream.read_exact(&mut byte).unwrap(); }
    /// #         stream.write_all(answer).unwrap();
    /// #     }
    /// #     stream.read(&mut [0]).unwrap();
    /// # });
    /// use zen_client::{Client, ClientOptions};
    /// use zen_proto::DelimiterFraming;
    ///
    /// // Answers of this server end with an exclamation mark.
    /// let framing = DelimiterFraming::new(b'!').send_until(b'?');
    /// let mut client = Client::connect_with(address, framing, &ClientOptions::default())?;
    /// assert_eq!(client.ask("Why?")?, "Because!");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As for [`connect`](Client::connect).
    pub fn connect_with(
        address: impl ToSocketAddrs,
        framing: F,
        options: &ClientOptions,
    ) -> Result<Self, ClientError> {
        options.validate()?;
        let began = Instant::now();
        let addresses = address.to_socket_addrs().map_err(|error| ClientError::Resolve { error })?;
        let stream = connect::connect(addresses.collect(), began, options.connect_timeout)?;
        let mut client = Self::from_stream(stream, framing, options)?;
        client.handshake(began, options)?;
        Ok(client)
    }

    /// Like [`connect_with`](Self::connect_with), to a Unix socket.
    ///
    /// ```no_run
    /// use zen_client::{Client, ClientOptions};
    /// use zen_proto::DelimiterFraming;
    ///
    /// let lines = DelimiterFraming::new(b'\n').send_until(b'\n');
    /// let mut client = Client::connect_unix_with("/run/lines", lines, &ClientOptions::default())?;
    /// client.ask("hello\n")?;
    /// # Ok::<(), zen_client::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::ConnectUnix`]; otherwise as for [`connect`](Client::connect).
    #[cfg(unix)]
    pub fn connect_unix_with(
        path: impl AsRef<Path>,
        framing: F,
        options: &ClientOptions,
    ) -> Result<Self, ClientError> {
        options.validate()?;
        let (began, path) = (Instant::now(), path.as_ref());
        let stream = UnixStream::connect(path)
            .map_err(|error| ClientError::ConnectUnix { path: path.to_owned(), error })?;
        let mut client = Self::over(OwnedFd::from(stream).into(), framing, options)?;
        client.handshake(began, options)?;
        Ok(client)
    }

    /// Wraps a connection that is already open. It must be in blocking mode. From now on the client
    /// sets its timeouts.
    ///
    /// ```
    /// # use std::io::{Read, Write};
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = listener.local_addr()?;
    /// # std::thread::spawn(move || {
    /// #     let (mut stream, _) = listener.accept().unwrap();
    /// #     stream.read_exact(&mut [0; 4]).unwrap();
    /// #     stream.write_all(b"Because.").unwrap();
    /// #     stream.read(&mut [0]).unwrap();
    /// # });
    /// use std::net::TcpStream;
    /// use zen_client::{Client, ClientOptions};
    /// use zen_proto::aphorism;
    ///
    /// // A connection that was prepared in another way, through a proxy for instance.
    /// let stream = TcpStream::connect(address)?;
    /// let options = ClientOptions::default();
    /// let mut client = Client::from_stream(stream, aphorism::client_framing(), &options)?;
    /// assert_eq!(client.peer_addr()?, address);
    /// assert!(client.local_addr()?.ip().is_loopback());
    /// assert_eq!(client.ask("Why?")?, "Because.");
    /// assert!(client.is_usable());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::Options`], or [`ClientError::Socket`] when the socket cannot be prepared.
    pub fn from_stream(stream: TcpStream, framing: F, options: &ClientOptions) -> Result<Self, ClientError> {
        options.validate()?;
        if options.nodelay {
            stream.set_nodelay(true).map_err(ClientError::socket("set TCP_NODELAY"))?;
        }
        Self::over(stream.into(), framing, options)
    }

    fn over(stream: Socket, framing: F, options: &ClientOptions) -> Result<Self, ClientError> {
        stream.set_write_timeout(Some(SLICE)).map_err(ClientError::socket("set the write timeout"))?;
        stream.set_read_timeout(None).map_err(ClientError::socket("set the read timeout"))?;
        let wire = Wire::new(stream, Layer::new(options)?);
        Ok(Self { wire, state: State::new(framing, options, Instant::now()) })
    }

    /// Waits for TLS until `began` is longer ago than the options allow.
    fn handshake(&mut self, began: Instant, options: &ClientOptions) -> Result<(), ClientError> {
        let until = began.checked_add(options.connect_timeout);
        while self.wire.is_handshaking() {
            let late = self.wire.turn(&mut self.state.asker, until);
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
    /// # use zen_client::{Client, ClientError};
    /// # use zen_proto::{Decoded, Framing};
    /// # struct Counts;
    /// # impl Framing for Counts {
    /// #     type Message<'a> = u64;
    /// #     type Error = Infallible;
    /// #     fn decode(&mut self, _: &[u8]) -> Decoded<u64, Infallible> { Decoded::nothing(0) }
    /// # }
    /// /// The messages of this framing are numbers, and the server begins with its version.
    /// fn version(client: &mut Client<Counts>) -> Result<Option<u64>, ClientError> {
    ///     client.greeting_with(|version| version)
    /// }
    /// ```
    ///
    /// # Errors
    /// As for [`ask`](Self::ask).
    pub fn greeting_with<T>(
        &mut self,
        take: impl FnMut(F::Message<'_>) -> T,
    ) -> Result<Option<T>, ClientError> {
        if !self.state.asker.awaits_greeting() {
            return Ok(None);
        }
        Answers { client: self, script: Script::greeting(), take }.next().transpose()
    }

    /// Asks a question and returns what `take` makes of the answer. Waits for at most
    /// [`ClientLimits::answer_deadline`](crate::ClientLimits::answer_deadline), and no longer than
    /// [`ClientOptions::answer_timeout`].
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use zen_client::{Client, ClientError};
    /// # use zen_proto::{Decoded, Framing};
    /// # struct Counts;
    /// # impl Framing for Counts {
    /// #     type Message<'a> = u64;
    /// #     type Error = Infallible;
    /// #     fn decode(&mut self, _: &[u8]) -> Decoded<u64, Infallible> { Decoded::nothing(0) }
    /// # }
    /// /// The messages of this framing are numbers.
    /// fn double(client: &mut Client<Counts>) -> Result<u64, ClientError> {
    ///     client.ask_with("how many?", |count| 2 * count)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ClientError::keeps_connection`] says for each error whether the client can still be used.
    pub fn ask_with<T>(
        &mut self,
        question: impl AsRef<[u8]>,
        take: impl FnMut(F::Message<'_>) -> T,
    ) -> Result<T, ClientError> {
        // One question has one answer or one error, so this value is never used. If it were, the
        // cause would be an early close.
        let closed = ClientError::ClosedEarly { awaited: 1, partial: false };
        self.pipeline_with([question], take).next().unwrap_or(Err(closed))
    }

    /// Asks all questions, as many at once as
    /// [`ClientLimits::questions_in_flight`](crate::ClientLimits::questions_in_flight) allows, and
    /// yields what `take` makes of each answer when it arrives, in the order of the questions. A
    /// question is taken from the iterator just before it is sent.
    ///
    /// The first error is the last item. A question that cannot be sent yields its error in its
    /// turn, after the answers to the questions before it, and no later question is asked. The
    /// iterator may be dropped early; the crate's documentation says what happens to the answers.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use zen_client::{Client, ClientError};
    /// # use zen_proto::{Decoded, Framing};
    /// # struct Counts;
    /// # impl Framing for Counts {
    /// #     type Message<'a> = u64;
    /// #     type Error = Infallible;
    /// #     fn decode(&mut self, _: &[u8]) -> Decoded<u64, Infallible> { Decoded::nothing(0) }
    /// # }
    /// /// The messages of this framing are numbers.
    /// fn sum(client: &mut Client<Counts>, questions: &[&str]) -> Result<u64, ClientError> {
    ///     client.pipeline_with(questions, |count| count).sum()
    /// }
    /// ```
    pub fn pipeline_with<Q, T, C>(&mut self, questions: Q, take: C) -> Answers<'_, F, Q::IntoIter, C>
    where
        Q: IntoIterator<Item: AsRef<[u8]>>,
        C: FnMut(F::Message<'_>) -> T,
    {
        if self.state.take_fresh() {
            self.wire.read_now(&mut self.state.asker);
        }
        let script = Script::new(questions, &mut self.state.asker);
        Answers { client: self, script, take }
    }

    /// Sets [`ClientOptions::answer_timeout`] for the calls from now on. With a timeout of zero, a
    /// call returns only what has arrived already.
    ///
    /// ```
    /// # use std::io::{Read, Write};
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = listener.local_addr()?;
    /// # std::thread::spawn(move || {
    /// #     let (mut stream, _) = listener.accept().unwrap();
    /// #     stream.write_all(b"").unwrap();
    /// #     let answers: &[&[u8]] = &[b"Because."];
    /// #     for answer in answers {
    /// #         let mut byte = [0];
    /// #         while byte != *b"?" { stream.read_exact(&mut byte).unwrap(); }
    /// #         stream.write_all(answer).unwrap();
    /// #     }
    /// #     stream.read(&mut [0]).unwrap();
    /// # });
    /// use std::time::Duration;
    /// use zen_client::{Client, ClientOptions};
    ///
    /// let mut client = Client::connect(address, &ClientOptions::default())?;
    /// // This question is a hard one.
    /// client.set_answer_timeout(Some(Duration::from_secs(5)));
    /// assert_eq!(client.ask("Why?")?, "Because.");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_answer_timeout(&mut self, timeout: Option<Duration>) {
        self.state.set_answer_timeout(timeout);
    }

    /// How many answers the server owes, including those whose caller has stopped waiting. They
    /// come before the answer to the next question.
    ///
    /// ```
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
    /// use zen_client::{Client, ClientOptions};
    ///
    /// let mut client = Client::connect(address, &ClientOptions::default())?;
    /// let first = client.pipeline(["Why?", "How?"]).next().expect("an answer is due")?;
    /// assert_eq!(first, "Because.");
    /// // The other answers are not waited for, and are discarded when they come.
    /// assert!(client.awaited() <= 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn awaited(&self) -> usize {
        self.state.asker.awaited()
    }

    /// Whether the client can still be used, as far as it knows: no error has ended the
    /// conversation, and the server's end has not been read.
    ///
    /// ```no_run
    /// use zen_client::{Client, ClientError, ClientOptions};
    ///
    /// /// Asks through the client of a pool, or through a new one if that has failed meanwhile.
    /// fn ask(client: &mut Client, question: &str) -> Result<bytes::Bytes, ClientError> {
    ///     if !client.is_usable() {
    ///         *client = Client::connect("127.0.0.1:1060", &ClientOptions::default())?;
    ///     }
    ///     client.ask(question)
    /// }
    /// ```
    pub fn is_usable(&self) -> bool {
        self.state.is_usable()
    }

    /// Ends the conversation cleanly: sends FIN and waits for the server's FIN, which shows that
    /// the server has seen everything.
    ///
    /// ```
    /// # use std::io::{Read, Write};
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = listener.local_addr()?;
    /// # std::thread::spawn(move || {
    /// #     let (mut stream, _) = listener.accept().unwrap();
    /// #     stream.write_all(b"").unwrap();
    /// #     let answers: &[&[u8]] = &[b"Because."];
    /// #     for answer in answers {
    /// #         let mut byte = [0];
    /// #         while byte != *b"?" { stream.read_exact(&mut byte).unwrap(); }
    /// #         stream.write_all(answer).unwrap();
    /// #     }
    /// #     stream.read(&mut [0]).unwrap();
    /// # });
    /// use zen_client::{Client, ClientOptions};
    ///
    /// let mut client = Client::connect(address, &ClientOptions::default())?;
    /// client.ask("Why?")?;
    /// // Returns when the server has closed, too, so it has seen everything.
    /// client.finish()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::NotClosed`] when the server does not close; otherwise as for
    /// [`ask`](Self::ask).
    pub fn finish(mut self) -> Result<(), ClientError> {
        self.state.finish(Instant::now());
        loop {
            if let Some(finished) = self.state.poll_finished(self.wire.lost()) {
                return finished;
            }
            self.wire.turn(&mut self.state.asker, None);
        }
    }

    /// The server's address. [`from_stream`](Self::from_stream) has an example.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] for a Unix socket, which has no address of this kind;
    /// otherwise what the system says.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.wire.stream().peer_addr()?.as_socket().ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    /// The client's own address, as the server sees it.
    ///
    /// # Errors
    /// As for [`peer_addr`](Self::peer_addr).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.wire.stream().local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::Unsupported.into())
    }
}

/// Answers as [`Bytes`], for framings whose messages are byte slices.
impl<F: ByteFraming> Client<F> {
    /// Waits for the server's greeting. Returns `None` if none is expected or it has come already;
    /// see [`greeting_with`](Self::greeting_with).
    ///
    /// ```
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
    /// use zen_client::{Client, ClientOptions};
    ///
    /// let options = ClientOptions::default().with_greeting(true);
    /// let mut client = Client::connect(address, &options)?;
    /// assert_eq!(client.greeting()?.as_deref(), Some(&b"Welcome."[..]));
    /// assert_eq!(client.ask("Why?")?, "Because.");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As for [`ask`](Self::ask).
    pub fn greeting(&mut self) -> Result<Option<Bytes>, ClientError> {
        self.greeting_with(Bytes::copy_from_slice)
    }

    /// Asks a question and waits for its answer, for at most
    /// [`ClientLimits::answer_deadline`](crate::ClientLimits::answer_deadline), and no longer than
    /// [`ClientOptions::answer_timeout`].
    ///
    /// ```
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
    /// use zen_client::{Client, ClientOptions};
    ///
    /// let mut client = Client::connect(address, &ClientOptions::default())?;
    /// assert_eq!(client.ask("Simple is better than?")?, "Complex.");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::keeps_connection`] says for each error whether the client can still be used.
    pub fn ask(&mut self, question: impl AsRef<[u8]>) -> Result<Bytes, ClientError> {
        self.ask_with(question, Bytes::copy_from_slice)
    }

    /// Asks all questions, as many at once as the limits allow, and returns the answers in the
    /// order of the questions.
    ///
    /// ```
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
    /// use zen_client::{Client, ClientOptions};
    ///
    /// let mut client = Client::connect(address, &ClientOptions::default())?;
    /// assert_eq!(client.ask_all(["Why?", "How?"])?, ["Because.", "So."]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    /// Asks all questions and yields each answer when it arrives, like
    /// [`pipeline_with`](Self::pipeline_with).
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
        self.pipeline_with(questions, Bytes::copy_from_slice)
    }
}

/// The answers to a [`Client::pipeline`] of questions, each made by `C` from the decoded message.
///
/// ```
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
/// use zen_client::{Client, ClientOptions};
///
/// let mut client = Client::connect(address, &ClientOptions::default())?;
/// // An iterator: each answer is there as soon as it has come.
/// for answer in client.pipeline(["Why?", "How?"]) {
///     println!("{}", answer?.escape_ascii());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Answers<'a, F, I: Iterator, C = fn(&[u8]) -> Bytes> {
    client: &'a mut Client<F>,
    script: Script<I>,
    take: C,
}

impl<F, I, C, T> Iterator for Answers<'_, F, I, C>
where
    F: Framing,
    I: Iterator<Item: AsRef<[u8]>>,
    C: FnMut(F::Message<'_>) -> T,
{
    type Item = Result<T, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Client { wire, state } = &mut *self.client;
        let give_up = state.give_up_at(Instant::now());
        loop {
            match self.script.step(&mut state.asker, Instant::now(), &mut self.take) {
                Step::Answer(answer) => return Some(Ok(answer)),
                Step::Failed(error) => return Some(Err(ClientError::new(error, wire.lost()))),
                Step::Done => return None,
                Step::Move => {
                    if wire.turn(&mut state.asker, give_up) {
                        self.script.give_up();
                        return Some(Err(state.gave_up()));
                    }
                }
            }
        }
    }
}
