//! Connecting to the first of several addresses that replies. The attempts run side by side, which
//! the standard library's blocking `connect` cannot do.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use crate::ClientError;
use crate::dial::Dial;

/// Connects to one of the addresses within `timeout` from `began` on. The other attempts are broken
/// off.
pub(super) fn connect(
    addresses: Vec<SocketAddr>,
    began: Instant,
    timeout: Duration,
) -> Result<TcpStream, ClientError> {
    let mut dial = Dial::new(addresses, began, timeout);
    let mut poll = Poll::new().map_err(ClientError::socket("wait for a connection"))?;
    let mut events = Events::with_capacity(16);
    let mut attempts: Vec<Option<Attempt>> = Vec::new();
    loop {
        let now = Instant::now();
        while let Some(address) = dial.next(now) {
            match Attempt::begin(&poll, address, Token(attempts.len())) {
                Ok(attempt) => attempts.push(Some(attempt)),
                Err(error) => dial.failed(address, &error),
            }
        }
        if dial.is_over() {
            return Err(dial.failure());
        }
        match poll.poll(&mut events, dial.wake_at().map(|at| at.saturating_duration_since(now))) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                return Err(ClientError::socket("wait for a connection")(error));
            }
            _ => {}
        }
        for event in &events {
            let Some(slot) = attempts.get_mut(event.token().0) else { continue };
            let Some(attempt) = slot.take() else { continue };
            match attempt.state() {
                AttemptState::Open(attempt) => *slot = Some(attempt),
                AttemptState::Failed(address, error) => dial.failed(address, &error),
                AttemptState::Connected(address, stream) => {
                    let local = stream.local_addr().map_err(ClientError::socket("read the local address"))?;
                    if dial.reached(address, local) {
                        return attempt_to_blocking(&poll, stream);
                    }
                }
            }
        }
        // Only what has not succeeded by now, before the wait, is late.
        if events.is_empty() && dial.is_late(now) {
            return Err(dial.failure());
        }
    }
}

/// A connection under way.
struct Attempt {
    address: SocketAddr,
    stream: mio::net::TcpStream,
}

enum AttemptState {
    Open(Attempt),
    Failed(SocketAddr, io::Error),
    Connected(SocketAddr, mio::net::TcpStream),
}

impl Attempt {
    fn begin(poll: &Poll, address: SocketAddr, token: Token) -> io::Result<Self> {
        let mut stream = mio::net::TcpStream::connect(address)?;
        // Readable, too: some systems report a failure as that.
        poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { address, stream })
    }

    fn state(self) -> AttemptState {
        if let Err(error) | Ok(Some(error)) = self.stream.take_error() {
            return AttemptState::Failed(self.address, error);
        }
        match self.stream.peer_addr() {
            Ok(_) => AttemptState::Connected(self.address, self.stream),
            // An event that says nothing about the connection.
            Err(error) if error.kind() == ErrorKind::NotConnected => AttemptState::Open(self),
            Err(error) => AttemptState::Failed(self.address, error),
        }
    }
}

fn attempt_to_blocking(poll: &Poll, mut stream: mio::net::TcpStream) -> Result<TcpStream, ClientError> {
    let prepare = || {
        poll.registry().deregister(&mut stream)?;
        let stream = TcpStream::from(stream);
        stream.set_nonblocking(false)?;
        Ok(stream)
    };
    prepare().map_err(ClientError::socket("make the connection a blocking one"))
}
