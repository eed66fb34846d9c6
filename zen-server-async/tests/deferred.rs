//! Deferred answers: services that are `async fn`, and how they affect each other.

// Helpers say what they expect by panicking, like the tests they serve.
#![allow(clippy::expect_used)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zen_proto::{Decoded, Framing};
use zen_server_async::{CloseReason, Counters, Deferred, Limits, Options, Server, Service, StopHandle};

const TIMEOUT: Duration = Duration::from_secs(30);

struct Running {
    address: SocketAddr,
    stop: StopHandle,
    counters: Arc<Counters>,
    serving: JoinHandle<std::io::Result<()>>,
}

fn start(service: impl Service + Clone + Send + 'static, limits: Limits) -> Running {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server =
        Server::single(listener, service, Options::default().with_limits(limits)).expect("good options");
    let (stop, counters) = (server.stop_handle(), server.counters());
    Running { address, stop, counters, serving: tokio::spawn(server.serve()) }
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("connects")
}

async fn expect(client: &mut TcpStream, answer: &str) {
    let mut came = vec![0; answer.len()];
    timeout(TIMEOUT, client.read_exact(&mut came)).await.expect("in time").expect("an answer comes");
    assert_eq!(String::from_utf8_lossy(&came), answer);
}

async fn expect_end(client: &mut TcpStream) {
    let mut rest = Vec::new();
    timeout(TIMEOUT, client.read_to_end(&mut rest)).await.expect("in time").expect("closes");
    assert_eq!(String::from_utf8_lossy(&rest), "");
}

async fn closed(server: &Running, reason: CloseReason) {
    timeout(TIMEOUT, async {
        while server.counters.snapshot().closed(reason) == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("not {reason}: {:?}", server.counters.snapshot()));
}

/// A plain `async fn` is a service.
async fn echo(question: Bytes) -> Bytes {
    tokio::task::yield_now().await;
    question
}

#[tokio::test]
async fn an_async_fn_is_a_service() {
    let server = start(Deferred::new(echo), Limits::default());
    let mut client = connect(server.address).await;
    client.write_all(b"Who?Where?").await.expect("sends");
    expect(&mut client, "Who?Where?").await;
    client.shutdown().await.expect("half-closes");
    expect_end(&mut client).await;
    server.stop.stop();
    timeout(TIMEOUT, server.serving).await.expect("in time").expect("no panic").expect("drains");
}

#[tokio::test]
async fn a_slow_answer_delays_no_other_conversation() {
    let gate = Arc::new(Semaphore::new(0));
    let waiting = Arc::clone(&gate);
    let service = move |question: Bytes| {
        let gate = Arc::clone(&waiting);
        async move {
            if question == "Slow?" {
                gate.acquire().await.expect("never closed").forget();
            }
            question
        }
    };
    let server = start(Deferred::new(service), Limits::default());
    let mut slow = connect(server.address).await;
    slow.write_all(b"Slow?").await.expect("sends");
    for _ in 0..20 {
        let mut quick = connect(server.address).await;
        quick.write_all(b"Quick?").await.expect("sends");
        expect(&mut quick, "Quick?").await;
    }
    gate.add_permits(1);
    expect(&mut slow, "Slow?").await;
}

#[tokio::test]
async fn answers_leave_in_question_order_whenever_they_are_ready() {
    let gate = Arc::new(Semaphore::new(0));
    let finished = Arc::new(AtomicUsize::new(0));
    let (waiting, finishing) = (Arc::clone(&gate), Arc::clone(&finished));
    let service = move |question: Bytes| {
        let (gate, finished) = (Arc::clone(&waiting), Arc::clone(&finishing));
        async move {
            if question == "First?" {
                gate.acquire().await.expect("never closed").forget();
            }
            finished.fetch_add(1, Ordering::SeqCst);
            question
        }
    };
    let server = start(Deferred::new(service), Limits::default());
    let mut client = connect(server.address).await;
    client.write_all(b"First?Second?Third?").await.expect("sends");
    timeout(TIMEOUT, async {
        while finished.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the later questions are answered while the first waits");
    gate.add_permits(1);
    expect(&mut client, "First?Second?Third?").await;
}

#[tokio::test]
async fn a_panic_before_or_in_the_future_closes_its_own_conversation() {
    let service = |question: Bytes| {
        assert!(question != "At once?", "asked to panic before there is a future");
        async move {
            assert!(question != "Later?", "asked to panic in the future");
            question
        }
    };
    for question in ["At once?", "Later?"] {
        let server = start(Deferred::new(service), Limits::default());
        let mut other = connect(server.address).await;
        let mut client = connect(server.address).await;
        client.write_all(format!("Before?{question}After?").as_bytes()).await.expect("sends");
        expect(&mut client, "Before?").await;
        expect_end(&mut client).await;
        drop(client);
        closed(&server, CloseReason::ServiceFailed).await;
        other.write_all(b"And you?").await.expect("sends");
        expect(&mut other, "And you?").await;
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_breaks_the_answer_deadline() {
    let limits = Limits::default().with_answer_deadline(Duration::from_millis(100));
    let server = start(Deferred::new(|_| std::future::pending::<Bytes>()), limits);
    let mut client = connect(server.address).await;
    client.write_all(b"Ever?").await.expect("sends");
    expect_end(&mut client).await;
    closed(&server, CloseReason::AnswerDeadline).await;
}

#[tokio::test]
async fn a_conversation_that_ends_drops_its_unfinished_futures() {
    let alive = Arc::new(());
    let held = Arc::clone(&alive);
    let service = move |_: Bytes| {
        let held = Arc::clone(&held);
        async move {
            std::future::pending::<()>().await;
            drop(held);
            Bytes::new()
        }
    };
    let server = start(Deferred::new(service), Limits::default());
    // The service's own copy, the conversation's clone of it, and a future.
    let mut client = connect(server.address).await;
    client.write_all(b"Ever?").await.expect("sends");
    timeout(TIMEOUT, async {
        while Arc::strong_count(&alive) < 4 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        client.set_zero_linger().expect("resets instead of closing");
        drop(client);
        while Arc::strong_count(&alive) > 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("the future is dropped with its conversation");
    closed(&server, CloseReason::ConnectionLost).await;
}

#[tokio::test]
async fn the_in_flight_window_bounds_what_is_begun() {
    let begun = Arc::new(AtomicUsize::new(0));
    let beginning = Arc::clone(&begun);
    let service = move |_: Bytes| {
        beginning.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<Bytes>()
    };
    let server = start(Deferred::new(service), Limits::default().with_questions_in_flight(5));
    let mut client = connect(server.address).await;
    client.write_all(&b"Ever?".repeat(1000)).await.expect("sends");
    timeout(TIMEOUT, async {
        while begun.load(Ordering::SeqCst) < 5 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("five are begun");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(begun.load(Ordering::SeqCst), 5);
}

/// tokio lets a task poll only so often at a time. After that everything is pending, timers
/// included.
#[tokio::test]
async fn a_deadline_stands_though_a_handler_has_used_up_the_tasks_share() {
    let busy_then_lost = |_: Bytes| async {
        for _ in 0..1000 {
            tokio::task::consume_budget().await;
        }
        std::future::pending::<&str>().await
    };
    // Without an idle deadline there is no earlier alarm to be woken by.
    let limits =
        Limits::default().with_idle_deadline(Duration::MAX).with_answer_deadline(Duration::from_millis(100));
    let server = start(Deferred::new(busy_then_lost), limits);
    let mut client = connect(server.address).await;
    client.write_all(b"Why?").await.expect("sends");
    closed(&server, CloseReason::AnswerDeadline).await;
}

/// Questions that end with `?`, as text; `None` where they are none.
#[derive(Clone)]
struct Texts;

impl Framing for Texts {
    type Message<'a> = Option<&'a str>;
    type Error = std::convert::Infallible;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<Option<&'a str>, Self::Error> {
        let Some(end) = input.iter().position(|byte| *byte == b'?') else {
            return Decoded::Partial { start: 0, end: input.len() + 1 };
        };
        Decoded::Whole { start: 0, end: end + 1, message: std::str::from_utf8(&input[..end]).ok() }
    }
}

#[tokio::test]
async fn a_handler_of_decoded_messages_takes_what_it_needs_and_answers_later() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let handler = |question: Option<&str>| {
        let question = question.map(str::to_uppercase);
        async move {
            tokio::task::yield_now().await;
            question.unwrap_or_else(|| "no text".to_owned())
        }
    };
    let server = Server::single(listener, Deferred::typed(handler), Options::default());
    let server = server.expect("good options").with_framing(Texts);
    let (stop, serving) = (server.stop_handle(), tokio::spawn(server.serve()));
    let mut client = connect(address).await;
    client.write_all(b"why?\xff?who?").await.expect("sends");
    expect(&mut client, "WHYno textWHO").await;
    stop.stop();
    expect_end(&mut client).await;
    drop(client);
    serving.await.expect("no panic").expect("drains");
}
