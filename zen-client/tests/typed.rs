//! Any framing: both clients return what the caller makes of a decoded message, or the framing's
//! own error.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

mod common;

use std::future::Future;
use std::io::{Read, Write};
use std::net::SocketAddr;

use common::{patient, serve};
use zen_client::{AsyncClient, Client, ClientError};
use zen_proto::{Decoded, Framing, Output, Unsendable};

/// Key-value pairs, such as `name=zen;`.
#[derive(Debug)]
struct Pairs;

/// A message that borrows from the input.
#[derive(Debug)]
struct Pair<'a> {
    key: &'a str,
    value: Option<u64>,
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("no pair: {0:?}")]
struct NoPair(Vec<u8>);

impl Framing for Pairs {
    type Message<'a> = Pair<'a>;
    type Error = NoPair;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<Pair<'a>, NoPair> {
        let Some(at) = input.iter().position(|byte| *byte == b';') else {
            return Decoded::partial(input.len() + 1);
        };
        let text = str::from_utf8(&input[..at]).ok().and_then(|text| text.split_once('='));
        match text {
            Some((key, value)) => Decoded::whole(at + 1, Pair { key, value: value.parse().ok() }),
            None => Decoded::Malformed(NoPair(input[..at].to_vec())),
        }
    }

    fn end(&mut self, output: &mut Output<'_>, start: usize) -> Result<(), Unsendable> {
        if output.tail_mut(start).contains(&b';') {
            return Err(Unsendable::new("a semicolon inside a pair"));
        }
        output.put(b";");
        Ok(())
    }
}

/// Greets, and echoes. What is sent need not be a pair.
fn serve_pairs() -> SocketAddr {
    serve(|mut stream| {
        stream.write_all(b"version=2;").unwrap();
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = stream.read(&mut buffer) {
            stream.write_all(&buffer[..n]).unwrap();
        }
    })
}

#[test]
fn the_blocking_client_speaks_it() {
    let options = patient().with_greeting(true);
    let mut client = Client::connect_with(serve_pairs(), Pairs, &options).unwrap();
    assert_eq!(client.greeting_with(|pair| pair.value).unwrap(), Some(Some(2)));
    assert_eq!(client.ask_with("length=5", |pair| (pair.key.len(), pair.value)).unwrap(), (6, Some(5)));
    let error = client.ask_with("a;b", |pair| pair.value).unwrap_err();
    assert!(matches!(error, ClientError::Unsendable(_)), "{error:?}");
    let keys: Result<Vec<_>, _> =
        client.pipeline_with(["a=1", "b=x"], |pair| (pair.key.to_owned(), pair.value)).collect();
    assert_eq!(keys.unwrap(), [("a".to_owned(), Some(1)), ("b".to_owned(), None)]);
    let error = client.ask_with("nothing", |pair| pair.value).unwrap_err();
    let ClientError::Malformed { reason } = &error else { panic!("{error:?}") };
    assert!(reason.starts_with("no pair"), "{error}");
    assert!(!client.is_usable());
}

#[test]
fn the_async_client_speaks_it() {
    fn is_send<F: Future + Send>(future: F) -> F {
        future
    }
    let options = patient().with_greeting(true);
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut client = AsyncClient::connect_with(serve_pairs(), Pairs, &options).await.unwrap();
        assert_eq!(client.greeting_with(|pair| pair.value).await.unwrap(), Some(Some(2)));
        let asking = is_send(client.ask_with("length=5", |pair| (pair.key.len(), pair.value)));
        assert_eq!(asking.await.unwrap(), (6, Some(5)));
        let mut answers = client.pipeline_with(["a=1", "b=x"], |pair| (pair.key.to_owned(), pair.value));
        assert_eq!(answers.next().await.unwrap().unwrap(), ("a".to_owned(), Some(1)));
        assert_eq!(answers.next().await.unwrap().unwrap(), ("b".to_owned(), None));
        assert!(answers.next().await.is_none());
        let error = client.ask_with("nothing", |pair| pair.value).await.unwrap_err();
        assert!(matches!(error, ClientError::Malformed { .. }), "{error:?}");
        assert!(!client.is_usable());
    });
}

#[test]
fn discarded_answers_are_not_shown_to_the_caller() {
    let options = patient().with_greeting(true);
    let mut client = Client::connect_with(serve_pairs(), Pairs, &options).unwrap();
    let mut seen = Vec::new();
    drop(client.pipeline_with(["a=1", "b=2", "c=3"], |pair| pair.value).next());
    client.ask_with("d=4", |pair| seen.push(pair.key.to_owned())).unwrap();
    assert_eq!(seen, ["d"]);
}
