//! A simple client with a timeout on every wait.

// A test reports a broken expectation by panicking.
#![allow(clippy::expect_used)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

use super::TIMEOUT;

/// A simple client with a timeout on every wait.
pub(super) struct Client(pub(super) TcpStream);

impl Client {
    pub(super) fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect_timeout(&address, TIMEOUT).expect("connects"))
    }

    /// A client whose receive buffer is small, so that unread answers back up soon.
    pub(super) fn through_a_small_window(address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a size");
        socket.connect_timeout(&address.into(), TIMEOUT).expect("connects");
        Self::over(socket.into())
    }

    pub(super) fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
        stream.set_write_timeout(Some(TIMEOUT)).expect("a timeout");
        Self(stream)
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("sends");
    }

    pub(super) fn expect(&mut self, answer: &[u8]) {
        let mut received = vec![0; answer.len()];
        self.0.read_exact(&mut received).expect("an answer arrives");
        assert_eq!(String::from_utf8_lossy(&received), String::from_utf8_lossy(answer));
    }

    pub(super) fn ask(&mut self) {
        self.send(b"Simple is better than?");
        self.expect(b"Complex.");
    }

    /// Everything that arrives until the server closes.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).expect("the server closes");
        rest
    }
}
