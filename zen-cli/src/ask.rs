//! `zen ask`: asks its questions one after another, and prints each with its answer.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, ErrorKind, Write};

use serde::Serialize;
use zen_client::{Client, ClientError, ClientLimits, ClientOptions, ClientTls};
use zen_proto::aphorism;

use crate::args::AskArgs;
use crate::escape::{escaped, inert_json};
use crate::failure::Failure;
use crate::listen::Place;

pub(crate) fn run(args: &AskArgs) -> Result<(), Failure> {
    let (address, questions) = args.understood()?;
    let questions = if questions.is_empty() { the_three() } else { questions };
    let limits = ClientLimits::default().with_answer_deadline(args.timeout);
    let options = ClientOptions::default().with_limits(limits).with_connect_timeout(args.timeout);
    options
        .validate()
        .map_err(|_| Failure::Usage("--timeout is zero; give it a value of at least 1ms".into()))?;
    let options = options.with_tls(tls(args, &address)?);
    let failed = |error: ClientError| explained(&error, &address);
    let mut client = match &address {
        Place::Port(port) => Client::connect(&port.resolve(args.timeout)?[..], &options),
        Place::Unix(path) => Client::connect_unix(path, &options),
    }
    .map_err(failed)?;
    // One after another, as the book's client does: the book's server takes only one question at a
    // time.
    for question in questions {
        let answer = client.ask(&question).map_err(failed)?;
        let line = if args.json { json(&question, &answer) } else { text(&question, &answer) };
        Failure::from_output(writeln!(io::stdout(), "{line}"))?;
    }
    Ok(())
}

/// What TLS needs, if it is wanted.
fn tls(args: &AskArgs, address: &Place) -> Result<Option<ClientTls>, Failure> {
    if !args.tls {
        return Ok(None);
    }
    let name = match (&args.tls_name, address) {
        (Some(name), _) => name,
        (None, Place::Port(port)) => port.host(),
        (None, Place::Unix(_)) => {
            let line = "a Unix socket has no name for the certificate to be for; give one with --tls-name";
            return Err(Failure::Usage(line.into()));
        }
    };
    let tls = match &args.tls_ca {
        Some(file) => ClientTls::trusting(file, name),
        None => ClientTls::trusting_the_system(name),
    };
    tls.map(Some).map_err(|error| Failure::Failed(escaped(error.to_string().as_bytes()).to_string()))
}

/// The table's questions in random order, as in the book.
fn the_three() -> Vec<String> {
    let mut questions = aphorism::TABLE.map(|(question, _)| question.to_owned());
    // The keys of a hasher are random enough for this.
    let chance = RandomState::new().build_hasher().finish();
    questions.rotate_left(usize::try_from(chance % 3).unwrap_or(0));
    if chance & (1 << 40) != 0 {
        questions.swap(1, 2);
    }
    questions.into()
}

fn text(question: &str, answer: &[u8]) -> String {
    format!("{} {}", escaped(question.as_bytes()), escaped(answer))
}

/// A question with its answer, as in JSON. Bytes that are not UTF-8 become U+FFFD.
#[derive(Serialize)]
struct Answered<'a> {
    question: &'a str,
    answer: &'a str,
}

fn json(question: &str, answer: &[u8]) -> String {
    let answered = Answered { question, answer: &String::from_utf8_lossy(answer) };
    // Two strings always serialize.
    inert_json(&serde_json::to_string(&answered).unwrap_or_default())
}

fn explained(error: &ClientError, address: &Place) -> Failure {
    Failure::Failed(match error {
        ClientError::Refused { .. } => {
            format!(
                "nothing listens on {address}; check the address, or start a server with: zen serve {address}"
            )
        }
        ClientError::AnswerTimedOut { .. } | ClientError::ConnectTimedOut { .. } => {
            format!("{address}: {error} (--timeout)")
        }
        ClientError::ConnectUnix { error, .. } if error.kind() == ErrorKind::NotFound => {
            format!(
                "there is no socket {address}; check the path, or start a server with: zen serve {address}"
            )
        }
        ClientError::ConnectUnix { error, .. } if error.kind() == ErrorKind::ConnectionRefused => {
            format!("nothing listens on {address}; the server that made the socket has ended")
        }
        ClientError::ConnectUnix { error, .. } => format!("cannot connect to {address}: {error}"),
        ClientError::Untrusted { reason } => format!(
            "{address}: the server's certificate is not trusted: {}; name the CA that has issued it with --tls-ca",
            escaped(reason.as_bytes())
        ),
        ClientError::WrongName { reason } => format!(
            "{address}: the server's certificate is for another name: {}; give the right one with --tls-name",
            escaped(reason.as_bytes())
        ),
        ClientError::NotTls { reason } => {
            format!(
                "{address}: the server does not speak TLS: {reason}; leave --tls out, or check the address"
            )
        }
        _ => format!("{address}: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_order_of_the_three_comes_up() {
        // An order is missing from 1000 draws with probability (5/6)^1000, which is practically
        // zero.
        let orders: HashSet<_> = (0..1000).map(|_| the_three()).collect();
        assert_eq!(orders.len(), 6);
    }

    #[test]
    fn an_answer_cannot_pass_for_two_lines() {
        assert_eq!(text("Why?", b"Be\ncause\x1b[1m."), r"Why? Be\ncause\x1b[1m.");
        let json = json("\"?", b"\x1b]0;\xff\xc2\x9b.");
        assert_eq!(json, r#"{"question":"\"?","answer":"\u001b]0;�\u009b."}"#);
    }
}
