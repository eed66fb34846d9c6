//! The link: what carries a transcript's bytes to the server and back, a socket or memory.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, Type};

use crate::mismatch::Fault;

/// A write that takes longer than this is stuck: the server has stopped reading, so it is time to
/// read its answers. Until then the client reads nothing while it writes, and so acts as a late
/// reader.
pub(crate) const STUCK: Duration = Duration::from_millis(5);

/// The client's end of a connection.
pub(crate) trait Link {
    /// Writes some of `bytes`. `WouldBlock` or `TimedOut` after [`STUCK`].
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Reads what comes first, 0 bytes at the end. `WouldBlock` or `TimedOut` if nothing comes in
    /// time. A time of zero does not wait.
    fn read(&mut self, buffer: &mut [u8], time: Duration) -> io::Result<usize>;

    /// Half-closes.
    fn finish(&mut self) -> io::Result<()>;

    /// An error that has been noticed but not reported, such as a reset.
    fn take_error(&mut self) -> io::Result<Option<io::Error>>;

    /// Lets the server see a reset instead of a close.
    fn reset_when_dropped(&mut self) -> io::Result<()>;

    /// Does nothing for this long.
    fn pause(&mut self, time: Duration);

    /// The time on the link's clock.
    fn now(&self) -> Instant;

    fn since(&self, earlier: Instant) -> Duration {
        self.now().saturating_duration_since(earlier)
    }

    /// Why the server has ended the conversation, if the link knows. Called last.
    fn reason(&mut self) -> Option<&'static str> {
        None
    }
}

/// A TCP connection, with Nagle's algorithm off.
pub(crate) struct SocketLink {
    stream: TcpStream,
}

impl SocketLink {
    pub(crate) fn open(
        server: SocketAddr,
        timeout: Duration,
        receive_buffer: Option<usize>,
    ) -> Result<Self, Fault> {
        let connect = || -> io::Result<TcpStream> {
            let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)?;
            if let Some(bytes) = receive_buffer {
                socket.set_recv_buffer_size(bytes)?;
            }
            socket.connect_timeout(&server.into(), timeout)?;
            let stream = TcpStream::from(socket);
            stream.set_nodelay(true)?;
            stream.set_write_timeout(Some(STUCK))?;
            Ok(stream)
        };
        Ok(Self { stream: connect().map_err(Fault::Connect)? })
    }
}

impl Link for SocketLink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn read(&mut self, buffer: &mut [u8], time: Duration) -> io::Result<usize> {
        if time.is_zero() {
            self.stream.set_nonblocking(true)?;
            let read = self.stream.read(buffer);
            self.stream.set_nonblocking(false)?;
            return read;
        }
        self.stream.set_read_timeout(Some(time.max(Duration::from_millis(1))))?;
        self.stream.read(buffer)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown(std::net::Shutdown::Write)
    }

    fn take_error(&mut self) -> io::Result<Option<io::Error>> {
        self.stream.take_error()
    }

    fn reset_when_dropped(&mut self) -> io::Result<()> {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))
    }

    fn pause(&mut self, time: Duration) {
        thread::sleep(time);
    }

    fn now(&self) -> Instant {
        Instant::now()
    }
}
