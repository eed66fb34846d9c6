//! The bridges: `tokio_util` codecs and `tower` services, over real sockets.

// Helpers say what they expect by panicking, like the tests they serve.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::codec::{Decoder, Encoder, Framed, LengthDelimitedCodec, LinesCodec};
use zen_server_async::{
    Answer, CloseReason, Codec, CodecError, CodecFraming, Counters, DelimiterFraming, Framing, Limits,
    Options, Server, Service, StopHandle, Tower, aphorism,
};
use zen_testkit::Exchanges;

const TIMEOUT: Duration = Duration::from_secs(30);

struct Running {
    address: SocketAddr,
    stop: StopHandle,
    counters: Arc<Counters>,
    serving: JoinHandle<std::io::Result<()>>,
}

fn start<F>(service: impl Service<F> + Clone + Send + 'static, framing: F, limits: Limits) -> Running
where
    F: Framing + Clone + Send + 'static,
{
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let options = Options::default().with_limits(limits);
    let server = Server::single(listener, service, options).unwrap().with_framing(framing);
    let (stop, counters) = (server.stop_handle(), server.counters());
    Running { address, stop, counters, serving: tokio::spawn(server.serve()) }
}

impl Running {
    async fn client<C>(&self, codec: C) -> Framed<TcpStream, C> {
        Framed::new(TcpStream::connect(self.address).await.unwrap(), codec)
    }

    async fn end(self) {
        self.stop.stop();
        timeout(TIMEOUT, self.serving).await.expect("drains").unwrap().unwrap();
    }
}

fn zen_codec() -> Codec<DelimiterFraming> {
    Codec::new(aphorism::client_framing())
}

/// Sends the questions together.
async fn pipeline(client: &mut Framed<TcpStream, Codec<DelimiterFraming>>, questions: &[&str]) {
    for question in questions {
        client.feed(question).await.unwrap();
    }
    SinkExt::<&str>::flush(client).await.unwrap();
}

// Codecs of framings.

#[tokio::test]
async fn a_framing_serves_as_the_codec_of_a_client() {
    let server = start(aphorism::Aphorisms, aphorism::framing(), Limits::default());
    let mut client = server.client(zen_codec()).await;
    for (question, answer) in aphorism::TABLE {
        client.send(question).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), answer);
    }
    let error = client.send("no question").await.unwrap_err();
    assert!(matches!(error, CodecError::Unsendable(_)), "{error:?}");
    client.send("Why?").await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), aphorism::UNKNOWN);
    drop(client);
    server.end().await;
}

#[test]
fn a_codec_decodes_across_every_cut() {
    let wire = b" \na?bc?\t?\r\n";
    for cut in 0..=wire.len() {
        let mut codec = Codec::with_items(aphorism::framing(), <[u8]>::len);
        let (mut buffer, mut lengths) = (BytesMut::new(), Vec::new());
        for part in [&wire[..cut], &wire[cut..]] {
            buffer.extend_from_slice(part);
            while let Some(length) = codec.decode(&mut buffer).unwrap() {
                lengths.push(length);
            }
        }
        assert_eq!(lengths, [2, 3, 1], "cut at {cut}");
        assert!(buffer.is_empty());
    }
}

#[test]
fn a_codec_refuses_what_is_too_long_whole_or_not() {
    for wire in ["abcd?", "abcd"] {
        let mut codec = zen_question_codec().with_longest(4);
        let error = codec.decode(&mut BytesMut::from(wire)).unwrap_err();
        assert!(matches!(error, CodecError::TooLong { limit: 4 }), "{wire}: {error:?}");
    }
    assert!(zen_question_codec().with_longest(4).decode(&mut BytesMut::from("abc?")).unwrap().is_some());
}

fn zen_question_codec() -> Codec<DelimiterFraming> {
    Codec::new(aphorism::framing())
}

#[test]
fn what_cannot_be_sent_leaves_nothing_behind() {
    let (mut codec, mut wire) = (zen_codec(), BytesMut::new());
    codec.encode("a?", &mut wire).unwrap();
    codec.encode("b", &mut wire).unwrap_err();
    codec.encode("c?", &mut wire).unwrap();
    assert_eq!(wire, "a?c?");
}

// Framings of codecs.

type Lengths = CodecFraming<LengthDelimitedCodec>;

fn lengths(longest: usize) -> Lengths {
    CodecFraming::new(
        LengthDelimitedCodec::builder().length_field_length(2).max_frame_length(longest).new_codec(),
    )
}

fn upper(mut message: BytesMut, answer: &mut Answer<'_, Lengths>) {
    message.make_ascii_uppercase();
    answer.put(&message);
}

fn exchanges() -> Exchanges {
    Exchanges::new().answers("messages", b"\0\x03zen\0\0\0\x01a", b"\0\x03ZEN\0\0\0\x01A").closes(
        "a message that the codec refuses",
        b"\0\x01a\x01\0",
        b"\0\x01A",
    )
}

#[test]
fn a_codec_serves_as_a_framing_in_memory() {
    exchanges().suite().run_in_memory(&Limits::default(), || (lengths(200), upper)).assert_passed();
    let limits = Limits::default().with_question_length(8);
    Exchanges::new()
        .answers("a message at the limit", b"\0\x06123456", b"\0\x06123456")
        .closes("a message over the limit", b"\0\x071234567", b"")
        .suite()
        .run_in_memory(&limits, || (lengths(200), upper))
        .assert_passed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_codec_serves_as_a_framing_over_sockets() {
    let server = start(upper, lengths(200), Limits::default());
    let address = server.address;
    let report = tokio::task::spawn_blocking(move || exchanges().suite().run(address)).await.unwrap();
    report.assert_passed();
    server.end().await;
}

/// An encoder of text, whose line feed is no part of the message.
#[test]
fn a_codec_of_lines_serves_as_a_framing() {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let shout = |line: String, answer: &mut Answer<'_, CodecFraming<LinesCodec, _>>| {
        answer.put(line.to_uppercase().as_bytes());
    };
    Exchanges::new()
        .answers("lines", b"zen\r\n\nof\n", b"ZEN\n\nOF\n")
        .closes("a line that is no UTF-8", b"a\n\xff\n", b"A\n")
        .suite()
        .run_in_memory(&Limits::default(), || {
            (CodecFraming::with_outgoing(LinesCodec::new_with_max_length(64), text), shout)
        })
        .assert_passed();
}

// Services of tower.

fn zen() -> DelimiterFraming {
    aphorism::framing()
}

#[tokio::test]
async fn a_tower_service_answers_in_the_order_of_the_questions() {
    let service = tower::service_fn(|question: Bytes| async move {
        // The first answers are the last to be ready.
        let wait = 30 - u64::from(question[0] - b'0') * 10;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        Ok::<_, Infallible>(format!("{}.", question.escape_ascii()))
    });
    let server = start(Tower::new(service), zen(), Limits::default());
    let mut client = server.client(zen_codec()).await;
    pipeline(&mut client, &["0?", "1?", "2?"]).await;
    for answer in ["0?.", "1?.", "2?."] {
        assert_eq!(client.next().await.unwrap().unwrap(), answer);
    }
    drop(client);
    server.end().await;
}

/// Is ready when its gate is open, counts its calls, and panics when it is called without having
/// been ready.
#[derive(Clone)]
struct Gated {
    gate: Arc<tokio::sync::Semaphore>,
    waiting: Option<Arc<Waiting>>,
    ready: bool,
    calls: Arc<AtomicUsize>,
}

type Waiting = tokio::sync::Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>;

impl Gated {
    fn new(open: usize) -> Self {
        let gate = Arc::new(tokio::sync::Semaphore::new(open));
        Self { gate, waiting: None, ready: false, calls: Arc::default() }
    }
}

impl tower::Service<Bytes> for Gated {
    type Response = &'static str;
    type Error = Infallible;
    type Future = std::future::Ready<Result<&'static str, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        let gate = Arc::clone(&self.gate);
        let waiting = self.waiting.get_or_insert_with(|| {
            Arc::new(tokio::sync::Mutex::new(Box::pin(async move {
                gate.acquire_owned().await.unwrap().forget();
            })))
        });
        let mut waiting = waiting.try_lock().expect("nobody else polls this");
        std::task::ready!(waiting.as_mut().poll(context));
        drop(waiting);
        (self.waiting, self.ready) = (None, true);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Bytes) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called before it was ready");
        self.calls.fetch_add(1, SeqCst);
        std::future::ready(Ok("Yes."))
    }
}

#[tokio::test]
async fn a_service_that_is_not_ready_holds_the_questions_back() {
    let gated = Gated::new(0);
    let (gate, calls) = (Arc::clone(&gated.gate), Arc::clone(&gated.calls));
    let limits = Limits::default().with_questions_in_flight(4);
    let server = start(Tower::new(gated), zen(), limits);
    let mut client = server.client(zen_codec()).await;
    pipeline(&mut client, &["Ready?"; 100]).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(calls.load(SeqCst), 0);
    assert_eq!(server.counters.snapshot().questions, 4, "the conversation took more than its window");
    gate.add_permits(3);
    for _ in 0..3 {
        assert_eq!(client.next().await.unwrap().unwrap(), "Yes.");
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(calls.load(SeqCst), 3);
    gate.add_permits(1000);
    for _ in 3..100 {
        assert_eq!(client.next().await.unwrap().unwrap(), "Yes.");
    }
    drop(client);
    server.end().await;
}

#[tokio::test]
async fn a_limit_of_concurrency_holds_for_all_conversations() {
    let busy = Arc::new(AtomicUsize::new(0));
    let service = tower::service_fn(move |_: Bytes| {
        let busy = Arc::clone(&busy);
        async move {
            let now = busy.fetch_add(1, SeqCst) + 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
            busy.fetch_sub(1, SeqCst);
            Ok::<_, Infallible>(format!("{now}."))
        }
    });
    let limited = tower::limit::ConcurrencyLimit::new(service, 2);
    let server = start(Tower::new(limited), zen(), Limits::default());
    let clients = (0..4).map(|_| async {
        let mut client = server.client(zen_codec()).await;
        pipeline(&mut client, &["How many?"; 5]).await;
        for _ in 0..5 {
            let answer = client.next().await.unwrap().unwrap();
            assert!(answer == "1." || answer == "2.", "{answer:?} at once");
        }
    });
    timeout(TIMEOUT, futures_util::future::join_all(clients)).await.expect("answers");
    server.end().await;
}

#[tokio::test]
async fn an_error_of_the_service_ends_the_conversation_after_the_answers_before() {
    let service = tower::service_fn(|question: Bytes| async move {
        if question == "Trouble?" { Err("trouble") } else { Ok("No.") }
    });
    let server = start(Tower::new(service), zen(), Limits::default());
    let mut client = server.client(zen_codec()).await;
    pipeline(&mut client, &["Fine?", "Trouble?", "Fine?"]).await;
    assert_eq!(client.next().await.unwrap().unwrap(), "No.");
    assert!(client.next().await.is_none());
    drop(client);
    timeout(TIMEOUT, async {
        while server.counters.snapshot().closed(CloseReason::ServiceFailed) == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await
    .expect("the reason is counted");
    server.end().await;
}

#[tokio::test]
async fn requests_may_be_of_any_type() {
    let double = tower::service_fn(|number: Option<u64>| async move {
        Ok::<_, Infallible>(number.map_or("no number.".to_owned(), |number| format!("{}.", 2 * number)))
    });
    let number = |question: &[u8]| str::from_utf8(question.strip_suffix(b"?")?).ok()?.parse().ok();
    let server = start(Tower::with_requests(double, number), zen(), Limits::default());
    let mut client = server.client(zen_codec()).await;
    client.send("21?").await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), "42.");
    client.send("Why?").await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), "no number.");
    drop(client);
    server.end().await;
}
