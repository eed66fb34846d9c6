//! Greetings: a server's first words are never taken for the answer to a question.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

#[macro_use]
mod common;

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use common::{Connect, connect_to, impatient, patient, read_question, read_to_end, serve};
use zen_client::ClientError;

cases! {
    the_greeting_comes_before_the_answers,
    a_greeting_that_nobody_asks_for_is_not_an_answer,
    nothing_is_asked_before_the_greeting_has_come,
    an_unexpected_greeting_is_not_an_answer,
    a_greeting_that_does_not_come_is_a_timeout,
    a_client_that_gives_up_on_the_greeting_may_wait_again,
    finishing_waits_for_the_greeting,
}

/// Greets after `delay`, then answers each question.
fn serve_greeting(delay: Duration) -> SocketAddr {
    serve(move |mut stream| {
        std::thread::sleep(delay);
        stream.write_all(if asked_too_soon(&stream) { b"Rude." } else { b"Welcome." }).unwrap();
        loop {
            let question = read_question(&mut stream);
            let Some(text) = question.strip_suffix(b"?") else { break };
            stream.write_all(&[text, b"."].concat()).unwrap();
        }
    })
}

fn asked_too_soon(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let early = stream.peek(&mut [0]).map_err(|error| error.kind());
    stream.set_nonblocking(false).unwrap();
    early != Err(ErrorKind::WouldBlock)
}

fn the_greeting_comes_before_the_answers(connect: Connect) {
    let mut client =
        connect(&[serve_greeting(Duration::from_millis(20))], &patient().with_greeting(true)).unwrap();
    assert_eq!(client.state(), (1, true));
    assert_eq!(client.greeting().unwrap().as_deref(), Some(&b"Welcome."[..]));
    assert_eq!(client.greeting().unwrap(), None, "there is one greeting");
    assert_eq!(client.ask_all(&[b"1?".to_vec(), b"2?".to_vec()]).unwrap(), ["1.", "2."]);
    client.finish().unwrap();
}

fn a_greeting_that_nobody_asks_for_is_not_an_answer(connect: Connect) {
    let mut client =
        connect(&[serve_greeting(Duration::from_millis(20))], &patient().with_greeting(true)).unwrap();
    assert_eq!(client.ask(b"1?").unwrap(), "1.");
    assert_eq!(client.greeting().unwrap(), None, "it has come, and was discarded");
    client.finish().unwrap();
}

/// The server looks whether something was asked while it was silent.
fn nothing_is_asked_before_the_greeting_has_come(connect: Connect) {
    let address = serve(|mut stream| {
        std::thread::sleep(Duration::from_millis(100));
        stream.write_all(b"Welcome.").unwrap();
        let early = asked_too_soon(&stream);
        read_question(&mut stream);
        stream.write_all(if early { b"Rude." } else { b"Polite." }).unwrap();
        read_to_end(&mut stream);
    });
    let mut client = connect(&[address], &patient().with_greeting(true)).unwrap();
    assert_eq!(client.ask(b"How am I?").unwrap(), "Polite.");
}

fn an_unexpected_greeting_is_not_an_answer(connect: Connect) {
    let mut client = connect_to(connect, serve_greeting(Duration::ZERO));
    assert_eq!(client.greeting().unwrap(), None, "none is expected");
    std::thread::sleep(Duration::from_millis(100));
    for _ in 0..2 {
        let error = client.ask(b"1?").unwrap_err();
        assert!(matches!(error, ClientError::Unasked), "{error:?}");
        assert!(error.to_string().contains("greets"), "{error}");
        assert!(!error.keeps_connection());
    }
}

fn a_greeting_that_does_not_come_is_a_timeout(connect: Connect) {
    let address = serve(|mut stream| read_to_end(&mut stream));
    let mut client = connect(&[address], &impatient().with_greeting(true)).unwrap();
    for _ in 0..2 {
        let error = client.greeting().unwrap_err();
        assert!(matches!(error, ClientError::AnswerTimedOut { awaited: 1, .. }), "{error:?}");
    }
}

fn a_client_that_gives_up_on_the_greeting_may_wait_again(connect: Connect) {
    let options = patient().with_greeting(true).with_answer_timeout(Duration::from_millis(20));
    let mut client = connect(&[serve_greeting(Duration::from_millis(200))], &options).unwrap();
    let mut gave_up = 0;
    let greeting = loop {
        match client.greeting() {
            Ok(greeting) => break greeting,
            Err(ClientError::GaveUp { awaited: 1, .. }) => gave_up += 1,
            Err(error) => panic!("{error:?}"),
        }
    };
    assert_eq!(greeting.as_deref(), Some(&b"Welcome."[..]));
    assert!(gave_up > 0);
}

fn finishing_waits_for_the_greeting(connect: Connect) {
    let client =
        connect(&[serve_greeting(Duration::from_millis(20))], &patient().with_greeting(true)).unwrap();
    client.finish().unwrap();
}
