//! The byte stream under a conversation, and the listener that yields it: TCP or a Unix socket.

use std::io::{self, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll, ready};

use socket2::{SockAddr, Socket};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use zen_proto::Address;
use zen_server::unix_address;

/// A listener that the runtime watches.
#[derive(Debug)]
pub(crate) struct Listener(AsyncFd<Socket>);

impl Listener {
    pub(crate) fn new(listener: zen_server::Listener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        watched(Socket::from(OwnedFd::from(listener)), Interest::READABLE).map(Self)
    }

    /// The next connection, and where it comes from.
    pub(crate) async fn accept(&self) -> io::Result<(Stream, Address)> {
        let (socket, remote) = self.0.async_io(Interest::READABLE, Socket::accept).await?;
        socket.set_nonblocking(true)?;
        Ok((Stream::new(socket)?, address(&remote)))
    }
}

fn address(address: &SockAddr) -> Address {
    address.as_socket().map_or_else(|| unix_address(address.as_pathname()), Address::Ip)
}

/// A connection that the runtime watches.
///
/// tokio's own streams take a short read for the end of what has come, which it is not when the
/// peer has sent urgent data: TCP leaves that out of the stream, and a read stops there. So this
/// asks to be told of urgent data, and reads on then.
#[derive(Debug)]
pub(crate) struct Stream(AsyncFd<Socket>);

impl Stream {
    /// A stream over a socket that does not wait.
    pub(crate) fn new(socket: Socket) -> io::Result<Self> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        // Only Linux announces urgent data apart from the rest.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let interest = interest | Interest::PRIORITY;
        watched(socket, interest).map(Self)
    }

    /// Waits until the runtime has heard that there is something to read.
    #[cfg(test)]
    pub(crate) async fn readable(&self) {
        let _readable = self.0.readable().await.expect("the runtime watches it");
    }

    /// Reads once, and returns how many bytes. A read that `looks` asks the socket itself when the
    /// runtime says that it is not ready: the runtime learns that only when it waits, and may not
    /// have waited since.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
        looks: bool,
    ) -> Poll<io::Result<usize>> {
        let mut socket = self.0.get_ref();
        loop {
            let readiness = self.0.poll_read_ready(cx);
            if looks && readiness.is_pending() {
                return unless_it_waits(socket.read(buffer));
            }
            let mut readable = ready!(readiness)?;
            match socket.read(buffer) {
                Ok(n) => {
                    // A short read has emptied the socket. Another would only say so.
                    if 0 < n && n < buffer.len() && !self.is_urgent() {
                        readable.clear_ready();
                    }
                    return Poll::Ready(Ok(n));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    readable.clear_ready();
                    self.forget_urgent();
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Writes once. A write that `looks` asks the socket itself, as a read does.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        looks: bool,
    ) -> Poll<io::Result<usize>> {
        let mut socket = self.0.get_ref();
        loop {
            let readiness = self.0.poll_write_ready(cx);
            if looks && readiness.is_pending() {
                return unless_it_waits(socket.write(bytes));
            }
            let mut writable = ready!(readiness)?;
            match socket.write(bytes) {
                Ok(n) => {
                    // The socket took what it had room for; the next write would only say so.
                    if 0 < n && n < bytes.len() {
                        writable.clear_ready();
                    }
                    return Poll::Ready(Ok(n));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => writable.clear_ready(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.get_ref().shutdown(how)
    }

    /// Whether the peer has sent urgent data since the socket was empty. Costs no system call.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn is_urgent(&self) -> bool {
        self.0.try_io(Interest::PRIORITY, |_| Ok(())).is_ok()
    }

    /// The socket is empty. If urgent data has come, it is still announced until the socket says
    /// once more that it is empty.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn forget_urgent(&self) {
        let look = |socket: &Socket| socket.peek(&mut [MaybeUninit::uninit()]);
        // The error says that the socket is empty, and an answer that it is not, which the next
        // read finds out.
        let _ = self.0.try_io(Interest::PRIORITY, look);
    }

    /// Elsewhere it is not known.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn is_urgent(&self) -> bool {
        true
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn forget_urgent(&self) {}
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}

// tokio deprecates this since an owner could change its descriptor. A `Socket` keeps the one it
// has.
#[allow(deprecated, reason = "what replaces it is `unsafe`")]
fn watched(socket: Socket, interest: Interest) -> io::Result<AsyncFd<Socket>> {
    AsyncFd::with_interest(socket, interest)
}

/// What a system call says that does not wait.
fn unless_it_waits(result: io::Result<usize>) -> Poll<io::Result<usize>> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Poll::Pending,
        result => Poll::Ready(result),
    }
}
