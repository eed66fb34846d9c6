//! The kit works for other protocols: here a length-prefixed one with a greeting.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use zen_testkit::{Fault, Suite, Transcript, every_cut};

/// Greets, then returns each message (a length byte and that many bytes) reversed. A length of 255
/// ends the conversation.
fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            // A client that leaves ends only its own conversation.
            let _ = reverse(client.unwrap());
        }
    });
    addr
}

fn reverse(mut client: TcpStream) -> io::Result<()> {
    client.write_all(b"\x05hello")?;
    loop {
        let mut length = [0];
        client.read_exact(&mut length)?;
        if length[0] == 255 {
            return Ok(());
        }
        let mut message = vec![0; usize::from(length[0])];
        client.read_exact(&mut message)?;
        message.reverse();
        client.write_all(&[&length[..], &message].concat())?;
    }
}

fn greeted(name: impl Into<String>) -> Transcript {
    Transcript::new(name).expect(b"\x05hello")
}

#[test]
fn a_length_prefixed_server_passes_a_suite_of_its_own() {
    let messages = b"\x03abc\x00\x02xy";
    let mut suite: Suite = every_cut(messages.len(), 3)
        .into_iter()
        .map(|at| {
            greeted(format!("cut at {at:?}"))
                .send_cut_at(messages, &at)
                .expect(b"\x03cba\x00\x02yx")
                .stays_open(b"\x01z", b"\x01z")
        })
        .collect();
    suite.extend([
        greeted("half-close after a message").send(b"\x02no").finish().expect(b"\x02on").ends(),
        greeted("half-close inside a message").send(b"\x02n").finish_and_end(),
        greeted("the client says goodbye").ask(b"\x01a", b"\x01a").send(b"\xff").ends(),
        greeted("reset, and greeted again").send(b"\x02n").reset_and_return().expect(b"\x05hello"),
    ]);
    assert_eq!(suite.len(), 21 + 4);
    suite.run(start()).assert_passed();
}

#[test]
fn an_unexpected_greeting_is_a_mismatch() {
    let mismatch = Transcript::new("no greeting").ask(b"\x01a", b"\x01a").run(start()).unwrap_err();
    assert!(matches!(mismatch.fault(), Fault::Differs { at: 0 }), "{mismatch}");
}
