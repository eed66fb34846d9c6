//! `zen ask` against servers that are strange, silent, short or hostile.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use crate::running::{TIME_LIMIT, run, serve, zen};

/// A server for one conversation.
fn server(talk: impl FnOnce(TcpStream) + Send + 'static) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(TIME_LIMIT)).unwrap();
        talk(stream);
    });
    (address, serving)
}

/// Receives one question, and no byte of another.
fn question(stream: &mut TcpStream) -> String {
    let mut question = Vec::new();
    while !question.ends_with(b"?") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        question.extend(byte);
    }
    String::from_utf8(question).unwrap()
}

#[test]
fn output_of_a_hostile_server_is_escaped() {
    let attack = b"\x1b]0;owned\x07\x1b[2J\x1b[31mred\r\nzen: all is well\n\xc2\x9b5m\xff\xe2\x80\xae\x7f.";
    let shown = r"\x1b]0;owned\x07\x1b[2J\x1b[31mred\r\nzen: all is well\n\u{9b}5m\xff\u{202e}\x7f.";
    let talk = |mut stream: TcpStream| {
        question(&mut stream);
        stream.write_all(attack).unwrap();
    };

    let (address, serving) = server(talk);
    let asked = run(zen(&["ask", &address.to_string(), "Why?"]));
    serving.join().unwrap();
    assert_eq!(asked.stdout, format!("Why? {shown}\n"));

    let (address, serving) = server(talk);
    let asked = run(zen(&["ask", "--json", &address.to_string(), "Why?"]));
    serving.join().unwrap();
    assert_eq!(asked.stdout.lines().count(), 1);
    let dangerous = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    assert!(!asked.stdout.contains(dangerous), "{:?}", asked.stdout);
    let value: serde_json::Value = serde_json::from_str(&asked.stdout).unwrap();
    assert_eq!(value["answer"], String::from_utf8_lossy(attack).as_ref());
}

#[test]
fn questions_are_asked_one_after_the_other() {
    // Like the book's server, this one takes each piece that arrives for one question.
    let (address, serving) = server(|mut stream| {
        let mut piece = [0; 64];
        for expected in ["Why?", "What?"] {
            let n = stream.read(&mut piece).unwrap();
            assert_eq!(&piece[..n], expected.as_bytes());
            stream.write_all(b"Yes.").unwrap();
        }
    });
    let asked = run(zen(&["ask", &address.to_string(), "Why?", "What?"]));
    serving.join().unwrap();
    assert_eq!((asked.stdout.as_str(), asked.status.code()), ("Why? Yes.\nWhat? Yes.\n", Some(0)));
}

#[test]
fn what_was_answered_before_a_failure_is_printed() {
    let (address, serving) = server(|mut stream| {
        question(&mut stream);
        stream.write_all(b"Yes.").unwrap();
        question(&mut stream);
        stream.write_all(b"Half an ans").unwrap();
    });
    let asked = run(zen(&["ask", &address.to_string(), "Why?", "What?"]));
    serving.join().unwrap();
    assert_eq!((asked.stdout.as_str(), asked.status.code()), ("Why? Yes.\n", Some(1)));
    let line = asked.stderr.trim_end();
    assert!(line.starts_with("zen: ") && line.contains("closed") && !line.contains('\n'), "{line}");
}

#[test]
fn an_answer_without_end_is_an_error() {
    let (address, serving) = server(|mut stream| {
        question(&mut stream);
        // The client hangs up in the middle of it.
        while stream.write_all(&[b'a'; 4096]).is_ok() {}
    });
    let asked = run(zen(&["ask", &address.to_string(), "Why?"]));
    serving.join().unwrap();
    assert_eq!((asked.stdout.as_str(), asked.status.code()), ("", Some(1)));
    assert!(asked.stderr.contains("longer than 65536 bytes"), "{}", asked.stderr);
}

#[test]
fn a_silent_server_is_waited_for_until_the_timeout() {
    let (address, serving) = server(|mut stream| {
        question(&mut stream);
        // The client's timeout ends the stream.
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    });
    let mut command = zen(&["ask", &address.to_string(), "Why?"]);
    command.env("ZEN_TIMEOUT", "100ms");
    let asked = run(command);
    serving.join().unwrap();
    assert_eq!(asked.status.code(), Some(1));
    assert!(asked.stderr.contains("100ms") && asked.stderr.contains("--timeout"), "{}", asked.stderr);
}

#[test]
fn a_port_without_a_server_is_reported_at_once() {
    // A port that was free a moment ago, and is not assigned again so soon.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let asked = run(zen(&["ask", &free.to_string()]));
    assert_eq!(asked.status.code(), Some(1));
    assert!(asked.stderr.starts_with(&format!("zen: nothing listens on {free}; ")), "{}", asked.stderr);
    assert!(asked.stderr.contains(&format!("zen serve {free}")), "{}", asked.stderr);
}

#[test]
fn the_address_may_come_from_a_variable() {
    let server = serve(&[]);
    let mut command = zen(&["ask", "--json", "Simple is better than?"]);
    command.env("ZEN_ADDR", server.address.to_string());
    let asked = run(command);
    assert_eq!(asked.stdout, "{\"question\":\"Simple is better than?\",\"answer\":\"Complex.\"}\n");
}
