//! Small servers, and one trait for both clients.
#![allow(dead_code, unused_macros, reason = "each test file uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::Runtime;
use zen_client::{AsyncClient, Client, ClientError, ClientLimits, ClientOptions};
use zen_proto::{Answer, Conversation, DelimiterFraming, Limits, aphorism};

/// Runs each case with each client.
macro_rules! cases {
    ($($case:ident,)*) => {
        mod blocking {
            $(#[test] fn $case() { super::$case(super::common::blocking); })*
        }
        mod asynchronous {
            $(#[test] fn $case() { super::$case(super::common::asynchronous); })*
        }
    };
}

/// What both clients can do.
pub(crate) trait Asks {
    fn ask(&mut self, question: &[u8]) -> Result<Bytes, ClientError>;
    fn ask_all(&mut self, questions: &[Vec<u8>]) -> Result<Vec<Bytes>, ClientError>;
    /// Pipelines `questions` and takes at most `n` of the results.
    fn take(&mut self, questions: &[&str], n: usize) -> Vec<Result<Bytes, ClientError>>;
    fn greeting(&mut self) -> Result<Option<Bytes>, ClientError>;
    /// How many answers are owed, and whether the client can still be used.
    fn state(&self) -> (usize, bool);
    fn finish(self: Box<Self>) -> Result<(), ClientError>;
}

/// How one kind of client connects.
pub(crate) type Connect = fn(&[SocketAddr], &ClientOptions) -> Result<Box<dyn Asks>, ClientError>;

pub(crate) fn blocking(
    addresses: &[SocketAddr],
    options: &ClientOptions,
) -> Result<Box<dyn Asks>, ClientError> {
    Ok(Box::new(Client::connect(addresses, options)?))
}

impl Asks for Client {
    fn ask(&mut self, question: &[u8]) -> Result<Bytes, ClientError> {
        self.ask(question)
    }

    fn ask_all(&mut self, questions: &[Vec<u8>]) -> Result<Vec<Bytes>, ClientError> {
        self.ask_all(questions)
    }

    fn take(&mut self, questions: &[&str], n: usize) -> Vec<Result<Bytes, ClientError>> {
        self.pipeline(questions).take(n).collect()
    }

    fn greeting(&mut self) -> Result<Option<Bytes>, ClientError> {
        self.greeting()
    }

    fn state(&self) -> (usize, bool) {
        (self.awaited(), self.is_usable())
    }

    fn finish(self: Box<Self>) -> Result<(), ClientError> {
        Client::finish(*self)
    }
}

/// An async client with a runtime of its own.
struct InRuntime {
    client: AsyncClient,
    runtime: Runtime,
}

pub(crate) fn asynchronous(
    addresses: &[SocketAddr],
    options: &ClientOptions,
) -> Result<Box<dyn Asks>, ClientError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = runtime.block_on(AsyncClient::connect(addresses, options))?;
    Ok(Box::new(InRuntime { client, runtime }))
}

impl Asks for InRuntime {
    fn ask(&mut self, question: &[u8]) -> Result<Bytes, ClientError> {
        self.runtime.block_on(self.client.ask(question))
    }

    fn ask_all(&mut self, questions: &[Vec<u8>]) -> Result<Vec<Bytes>, ClientError> {
        self.runtime.block_on(self.client.ask_all(questions))
    }

    fn take(&mut self, questions: &[&str], n: usize) -> Vec<Result<Bytes, ClientError>> {
        self.runtime.block_on(async {
            let mut answers = self.client.pipeline(questions);
            let mut taken = Vec::new();
            while taken.len() < n {
                let Some(answer) = answers.next().await else { break };
                taken.push(answer);
            }
            taken
        })
    }

    fn greeting(&mut self) -> Result<Option<Bytes>, ClientError> {
        self.runtime.block_on(self.client.greeting())
    }

    fn state(&self) -> (usize, bool) {
        (self.client.awaited(), self.client.is_usable())
    }

    fn finish(self: Box<Self>) -> Result<(), ClientError> {
        self.runtime.block_on(self.client.finish())
    }
}

/// Options that make a test fail where it would otherwise hang.
pub(crate) fn patient() -> ClientOptions {
    with_deadline(Duration::from_secs(60))
}

/// Options under which a missing answer soon breaks its deadline.
pub(crate) fn impatient() -> ClientOptions {
    with_deadline(Duration::from_millis(60))
}

pub(crate) fn with_deadline(answer_deadline: Duration) -> ClientOptions {
    ClientOptions::default().with_limits(ClientLimits::default().with_answer_deadline(answer_deadline))
}

/// Connects to one address, patiently.
pub(crate) fn connect_to(connect: Connect, address: SocketAddr) -> Box<dyn Asks> {
    connect(&[address], &patient()).expect("a connection")
}

/// A server that gives each connection to `handle`, on a thread of its own.
pub(crate) fn serve(handle: impl Fn(TcpStream) + Send + Clone + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let handle = handle.clone();
            thread::spawn(move || handle(stream.unwrap()));
        }
    });
    address
}

/// A server that calls `what` after it has read a question, then keeps the connection open until
/// the client closes.
pub(crate) fn serve_after_question(what: impl Fn(&mut TcpStream) + Send + Clone + 'static) -> SocketAddr {
    serve(move |mut stream| {
        read_question(&mut stream);
        what(&mut stream);
        read_to_end(&mut stream);
    })
}

/// A correct server of zen's protocol.
pub(crate) fn serve_aphorisms() -> SocketAddr {
    serve(|stream| converse(stream, Limits::default(), &mut aphorism::Aphorisms))
}

/// A correct server that echoes each question, of any length, with its `?` replaced by a `.`.
///
/// It does not read while it writes, so a client that does not read while it writes blocks both
/// sides.
pub(crate) fn serve_echo() -> SocketAddr {
    let limits = Limits::default().with_question_length(1 << 20);
    serve(move |stream| converse(stream, limits.clone(), &mut echo))
}

pub(crate) fn echo(question: &[u8], answer: &mut Answer<'_>) {
    answer.put(&question[..question.len() - 1]);
    answer.put(b".");
}

fn converse(mut stream: TcpStream, limits: Limits, service: &mut impl zen_proto::Service) {
    let framing: DelimiterFraming = aphorism::framing();
    let mut conversation = Conversation::new(framing, limits, Instant::now());
    let mut buffer = [0; 4096];
    while conversation.closed().is_none() {
        conversation.answer_with(service, Instant::now());
        while !conversation.transmit().is_empty() {
            match stream.write(conversation.transmit()) {
                Ok(n) => conversation.handle_sent(n, Instant::now()),
                Err(_) => conversation.handle_lost(Instant::now()),
            }
        }
        if conversation.poll_shutdown() {
            let _ = stream.shutdown(Shutdown::Write);
        }
        if conversation.wants_read() {
            match stream.read(&mut buffer) {
                Ok(0) => conversation.handle_eof(Instant::now()),
                Ok(n) => conversation.handle_input(&buffer[..n], Instant::now()),
                Err(_) => conversation.handle_lost(Instant::now()),
            }
        }
    }
}

/// Reads up to a `?` and leaves the rest in the socket.
pub(crate) fn read_question(stream: &mut TcpStream) -> Vec<u8> {
    let mut question = Vec::new();
    let mut byte = [0];
    while !question.ends_with(b"?") && matches!(stream.read(&mut byte), Ok(1)) {
        question.push(byte[0]);
    }
    question
}

pub(crate) fn read_to_end(stream: &mut TcpStream) {
    let _ = io::copy(stream, &mut io::sink());
}

/// `n` distinct questions and their echoes.
pub(crate) fn numbered(n: usize) -> (Vec<Vec<u8>>, Vec<Bytes>) {
    (0..n).map(|i| (format!("question {i}?").into_bytes(), Bytes::from(format!("question {i}.")))).unzip()
}
