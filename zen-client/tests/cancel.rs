//! Cancellation: the async client's futures may be dropped at any point.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

mod common;

use std::future::{Future, poll_fn};
use std::io::Write;
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::Poll;
use std::time::Duration;

use common::{numbered, patient, read_question, read_to_end, serve, serve_echo};
use zen_client::{AsyncClient, ClientError};

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

/// Polls `future` once and returns whether it was ready.
async fn poll_once(mut future: Pin<&mut impl Future>) -> bool {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
}

/// A server that echoes byte by byte, so that a client is woken many times for one answer.
fn serve_slow_echo() -> std::net::SocketAddr {
    serve(|mut stream| {
        stream.set_nodelay(true).unwrap();
        loop {
            let question = read_question(&mut stream);
            let Some(text) = question.strip_suffix(b"?") else { break };
            for byte in text.iter().chain(b".") {
                stream.write_all(&[*byte]).unwrap();
                std::thread::sleep(Duration::from_micros(200));
            }
        }
    })
}

#[test]
fn after_a_dropped_ask_the_next_gets_its_own_answer() {
    run(async {
        let mut client = AsyncClient::connect(serve_slow_echo(), &patient()).await.unwrap();
        let mut cancelled = 0;
        for polls in (0..12).cycle().take(120) {
            let dropped = format!("drop after {polls}?");
            {
                let mut future = pin!(client.ask(&dropped));
                let mut ready = false;
                for _ in 0..polls {
                    ready = ready || poll_once(future.as_mut()).await;
                    tokio::time::sleep(Duration::from_micros(300)).await;
                    if ready {
                        break;
                    }
                }
                cancelled += u32::from(!ready);
            }
            let own = format!("own {polls}");
            assert_eq!(
                client.ask(format!("{own}?")).await.unwrap(),
                format!("{own}."),
                "after {polls} polls"
            );
        }
        assert!(cancelled > 0, "every question was answered before it could be dropped");
        client.finish().await.unwrap();
    });
}

#[test]
fn a_late_answer_is_discarded() {
    let (release, released) = mpsc::channel();
    let released = std::sync::Arc::new(std::sync::Mutex::new(released));
    let address = serve(move |mut stream| {
        read_question(&mut stream);
        released.lock().unwrap().recv().unwrap();
        stream.write_all(b"Late.").unwrap();
        read_question(&mut stream);
        stream.write_all(b"Own.").unwrap();
        read_to_end(&mut stream);
    });
    run(async move {
        let mut client = AsyncClient::connect(address, &patient()).await.unwrap();
        let waited = tokio::time::timeout(Duration::from_millis(30), client.ask("Slow?")).await;
        assert!(waited.is_err(), "the server answered before it was told to: {waited:?}");
        release.send(()).unwrap();
        assert_eq!(client.ask("Next?").await.unwrap(), "Own.");
        client.finish().await.unwrap();
    });
}

#[test]
fn an_ask_that_was_never_polled_asks_nothing() {
    run(async {
        let address = serve(|mut stream| {
            let question = read_question(&mut stream);
            stream.write_all(&[&question[..question.len() - 1], b"."].concat()).unwrap();
            read_to_end(&mut stream);
        });
        let mut client = AsyncClient::connect(address, &patient()).await.unwrap();
        drop(client.ask("Never?"));
        assert_eq!(client.ask("Ever?").await.unwrap(), "Ever.");
        client.finish().await.unwrap();
    });
}

/// The question is far longer than the kernel's buffers, so only a part of it is sent when it is
/// dropped.
#[test]
fn a_question_dropped_half_sent_is_sent_whole() {
    let (release, released) = mpsc::channel();
    let released = std::sync::Arc::new(std::sync::Mutex::new(released));
    let address = serve(move |stream| {
        released.lock().unwrap().recv().unwrap();
        let mut stream = std::io::BufReader::new(stream);
        loop {
            let mut question = Vec::new();
            std::io::BufRead::read_until(&mut stream, b'?', &mut question).unwrap();
            if question.is_empty() {
                break;
            }
            stream.get_mut().write_all(format!("{}.", question.len()).as_bytes()).unwrap();
        }
    });
    run(async move {
        let mut client = AsyncClient::connect(address, &patient()).await.unwrap();
        let long = vec![b'x'; 32 << 20];
        assert!(!poll_once(pin!(client.ask([&long[..], b"?"].concat()))).await);
        release.send(()).unwrap();
        // The two lengths show that the first question was sent whole and that its answer was
        // discarded.
        assert_eq!(client.ask("123?").await.unwrap(), "4.");
        let own = client.ask([&long[..], b"?"].concat()).await.unwrap();
        assert_eq!(own, format!("{}.", long.len() + 1));
        client.finish().await.unwrap();
    });
}

#[test]
fn dropping_next_loses_no_answer() {
    run(async {
        let (questions, expected) = numbered(50);
        let mut client = AsyncClient::connect(serve_slow_echo(), &patient()).await.unwrap();
        let mut answers = client.pipeline(&questions);
        let mut given = Vec::new();
        while given.len() < expected.len() {
            // Either branch may win; the future that loses is dropped while it waits.
            match tokio::time::timeout(Duration::from_millis(1), answers.next()).await {
                Ok(Some(answer)) => given.push(answer.unwrap()),
                Ok(None) => break,
                Err(_) => {}
            }
        }
        assert_eq!(given, expected);
        assert!(answers.next().await.is_none());
    });
}

#[test]
fn repeatedly_dropped_questions_do_not_pile_up() {
    let address = serve(|mut stream| read_to_end(&mut stream));
    run(async move {
        let mut options = patient();
        options.limits.questions_in_flight = 4;
        let mut client = AsyncClient::connect(address, &options).await.unwrap();
        let asked = std::cell::Cell::new(0);
        for _ in 0..50 {
            let question = Counted { asked: &asked };
            assert!(!poll_once(pin!(client.ask(question))).await);
        }
        assert_eq!(asked.get(), 4, "no more than the window were asked");
    });
}

/// A question that counts how often it is asked.
struct Counted<'a> {
    asked: &'a std::cell::Cell<usize>,
}

impl AsRef<[u8]> for Counted<'_> {
    fn as_ref(&self) -> &[u8] {
        self.asked.set(self.asked.get() + 1);
        b"Why?"
    }
}

#[test]
fn a_new_question_does_not_extend_the_deadline_of_a_dropped_one() {
    let address = serve(|mut stream| read_to_end(&mut stream));
    run(async move {
        let mut options = patient();
        options.limits.answer_deadline = Duration::from_millis(60);
        let mut client = AsyncClient::connect(address, &options).await.unwrap();
        assert!(!poll_once(pin!(client.ask("Dropped?"))).await);
        let error = client.ask("Next?").await.unwrap_err();
        assert!(matches!(error, ClientError::AnswerTimedOut { awaited: 2, .. }), "{error:?}");
    });
}

#[test]
fn the_deadline_runs_on_the_clock_of_the_runtime() {
    let address = serve(|mut stream| read_to_end(&mut stream));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let mut options = patient();
        options.limits.answer_deadline = Duration::from_secs(86_400);
        let mut client = AsyncClient::connect(address, &options).await.unwrap();
        // A paused clock jumps to the next timer when there is nothing else to do.
        tokio::time::pause();
        let error = client.ask("When?").await.unwrap_err();
        assert!(matches!(error, ClientError::AnswerTimedOut { awaited: 1, .. }), "{error:?}");
    });
}

#[test]
fn futures_may_move_to_another_thread() {
    fn is_send(_: &impl Send) {}
    run(async {
        let mut client = AsyncClient::connect(serve_echo(), &patient()).await.unwrap();
        let asking = client.ask("Where?");
        is_send(&asking);
        assert_eq!(asking.await.unwrap(), "Where.");
        let asking = client.ask_all(["Where?".to_owned()]);
        is_send(&asking);
        assert_eq!(asking.await.unwrap(), ["Where."]);
        let finishing = client.finish();
        is_send(&finishing);
        finishing.await.unwrap();
    });
}
