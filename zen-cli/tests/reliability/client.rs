//! A plain client with a timeout on every wait.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

use crate::running::{Serving, TIME_LIMIT};

/// A question, and its answer.
pub(crate) const QUESTION: &[u8] = b"Simple is better than?";
pub(crate) const ANSWER: &[u8] = b"Complex.";

/// A plain client. What it does not get within [`TIME_LIMIT`] fails the test.
#[derive(Debug)]
pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) fn connect(server: &Serving) -> Self {
        Self::over(TcpStream::connect_timeout(&server.address, TIME_LIMIT).unwrap())
    }

    /// A client whose receive buffer is small, so that unread answers back up soon.
    pub(crate) fn through_a_small_window(address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect_timeout(&address.into(), TIME_LIMIT).unwrap();
        Self::over(socket.into())
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(TIME_LIMIT)).unwrap();
        stream.set_write_timeout(Some(TIME_LIMIT)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// Sends FIN, and can still read.
    pub(crate) fn half_close(&mut self) {
        self.0.shutdown(Shutdown::Write).unwrap();
    }

    pub(crate) fn expect(&mut self, answer: &[u8]) {
        let mut received = vec![0; answer.len()];
        let mut so_far = 0;
        while so_far < answer.len() {
            match self.0.read(&mut received[so_far..]) {
                Ok(0) => break,
                Ok(n) => so_far += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let got = String::from_utf8_lossy(&received[..so_far]);
                    panic!("{error} after {got:?}");
                }
            }
        }
        if received[..so_far] != *answer {
            // What comes first is enough to see what is wrong.
            let start = String::from_utf8_lossy(&received[..so_far.min(100)]);
            panic!("{so_far} bytes of {} came, from {start:?} on", answer.len());
        }
    }

    pub(crate) fn ask(&mut self) {
        self.send(QUESTION);
        self.expect(ANSWER);
    }

    /// Everything that arrives until the server closes.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).unwrap();
        rest
    }

    /// Whether the server has closed or reset the connection, without waiting. Takes what has
    /// arrived.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        let mut some = [0; 4096];
        let closed = loop {
            match self.0.read(&mut some) {
                Ok(0) => break true,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break true,
            }
        };
        self.0.set_nonblocking(false).unwrap();
        closed
    }
}
