//! Late answers: what is in the socket is never late, and giving up on one answer leaves the
//! connection to the next.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

#[macro_use]
mod common;

use std::io::Write;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use common::{Connect, patient, read_question, read_to_end, serve, with_deadline};
use zen_client::ClientError;

cases! {
    an_answer_in_the_socket_is_not_late,
    a_long_answer_in_the_socket_is_not_late,
    a_close_in_the_socket_is_not_late,
    answers_that_keep_coming_are_not_late,
    giving_up_on_an_answer_keeps_the_connection,
    giving_up_in_a_pipeline_keeps_the_connection,
    a_call_that_gives_up_reads_what_is_there_first,
    the_deadline_ends_the_connection_also_of_a_client_that_gives_up,
}

const DEADLINE: Duration = Duration::from_millis(400);

/// The client is busy elsewhere for longer than the deadline, while the answers lie in the socket.
fn an_answer_in_the_socket_is_not_late(connect: Connect) {
    let address = serve_slowly(Duration::from_millis(20));
    let mut client = connect(&[address], &with_deadline(DEADLINE)).unwrap();
    assert_eq!(client.take(&["1?", "2?", "3?"], 1).len(), 1);
    thread::sleep(DEADLINE + DEADLINE / 4);
    assert_eq!(client.ask(b"4?").unwrap(), "4.");
    client.finish().unwrap();
}

/// It takes many reads.
fn a_long_answer_in_the_socket_is_not_late(connect: Connect) {
    let mut options = with_deadline(DEADLINE);
    options.limits.answer_length = 1 << 20;
    let address = serve_slowly(Duration::from_millis(20));
    let mut client = connect(&[address], &options).unwrap();
    let long = "x".repeat(60_000) + "?";
    assert_eq!(client.take(&["1?", &long], 1).len(), 1);
    thread::sleep(DEADLINE + DEADLINE / 4);
    assert_eq!(client.ask(b"2?").unwrap(), "2.");
}

fn a_close_in_the_socket_is_not_late(connect: Connect) {
    let address = serve(|mut stream| {
        read_question(&mut stream);
        stream.write_all(b"One.").unwrap();
        read_question(&mut stream);
        thread::sleep(Duration::from_millis(20));
    });
    let mut client = connect(&[address], &with_deadline(DEADLINE)).unwrap();
    assert_eq!(client.take(&["1?", "2?"], 1).len(), 1);
    thread::sleep(DEADLINE + DEADLINE / 4);
    let error = client.ask(b"3?").unwrap_err();
    assert!(matches!(error, ClientError::ClosedEarly { .. }), "{error:?}");
}

/// Each answer takes half the deadline, and all of them three times the deadline.
fn answers_that_keep_coming_are_not_late(connect: Connect) {
    let questions: Vec<_> = (0..6).map(|n| format!("{n}?").into_bytes()).collect();
    let address = serve_slowly(DEADLINE / 2);
    let mut client = connect(&[address], &with_deadline(DEADLINE)).unwrap();
    assert_eq!(client.ask_all(&questions).unwrap(), ["0.", "1.", "2.", "3.", "4.", "5."]);
    client.finish().unwrap();
}

fn giving_up_on_an_answer_keeps_the_connection(connect: Connect) {
    let address = serve(|mut stream| {
        read_question(&mut stream);
        thread::sleep(DEADLINE);
        for answer in [&b"One."[..], b"Two.", b"Three."] {
            stream.write_all(answer).unwrap();
            read_question(&mut stream);
        }
    });
    let timeout = DEADLINE * 3 / 4;
    let mut client = connect(&[address], &patient().with_answer_timeout(timeout)).unwrap();
    let error = client.ask(b"1?").unwrap_err();
    assert!(
        matches!(error, ClientError::GaveUp { awaited: 1, timeout: given } if given == timeout),
        "{error:?}"
    );
    assert!(error.keeps_connection());
    assert_eq!(client.state(), (1, true));
    assert_eq!(client.ask(b"2?").unwrap(), "Two.");
    assert_eq!(client.state(), (0, true));
    assert_eq!(client.ask(b"3?").unwrap(), "Three.");
    client.finish().unwrap();
}

fn giving_up_in_a_pipeline_keeps_the_connection(connect: Connect) {
    let (release, released) = std::sync::mpsc::channel();
    let released = std::sync::Arc::new(std::sync::Mutex::new(released));
    let address = serve(move |mut stream| {
        for answer in [&b"One."[..], b"Two.", b"Three."] {
            read_question(&mut stream);
            if answer == b"Two." {
                released.lock().unwrap().recv().unwrap();
            }
            stream.write_all(answer).unwrap();
        }
        read_to_end(&mut stream);
    });
    let options = patient().with_answer_timeout(Duration::from_millis(100));
    let mut client = connect(&[address], &options).unwrap();
    let mut taken = client.take(&["1?", "2?"], 9).into_iter();
    assert_eq!(taken.next().unwrap().unwrap(), "One.");
    let error = taken.next().unwrap().unwrap_err();
    assert!(matches!(error, ClientError::GaveUp { awaited: 1, .. }), "{error:?}");
    assert!(taken.next().is_none(), "an error is the last item");
    release.send(()).unwrap();
    assert_eq!(client.ask(b"3?").unwrap(), "Three.");
}

/// Between two calls the answer has come. The second call's timeout is over before it looks.
fn a_call_that_gives_up_reads_what_is_there_first(connect: Connect) {
    let options = patient().with_answer_timeout(Duration::from_nanos(1));
    let mut client = connect(&[serve_slowly(Duration::from_millis(50))], &options).unwrap();
    let error = client.ask(b"1?").unwrap_err();
    assert!(error.keeps_connection(), "{error:?}");
    assert_eq!(client.state(), (1, true));
    thread::sleep(Duration::from_millis(300));
    let error = client.ask(b"2?").unwrap_err();
    assert!(matches!(error, ClientError::GaveUp { awaited: 1, .. }), "the first was not read: {error:?}");
}

fn the_deadline_ends_the_connection_also_of_a_client_that_gives_up(connect: Connect) {
    let address = serve(|mut stream| read_to_end(&mut stream));
    let options = with_deadline(DEADLINE).with_answer_timeout(DEADLINE / 4);
    let mut client = connect(&[address], &options).unwrap();
    let mut error = client.ask(b"1?").unwrap_err();
    assert!(error.keeps_connection(), "{error:?}");
    while error.keeps_connection() {
        error = client.ask(b"2?").unwrap_err();
    }
    assert!(matches!(error, ClientError::AnswerTimedOut { .. }), "{error:?}");
    assert!(!client.state().1);
}

/// Answers one question each `pace`.
fn serve_slowly(pace: Duration) -> SocketAddr {
    serve(move |mut stream| {
        loop {
            let question = read_question(&mut stream);
            let Some(text) = question.strip_suffix(b"?") else { break };
            thread::sleep(pace);
            stream.write_all(&[text, b"."].concat()).unwrap();
        }
    })
}
