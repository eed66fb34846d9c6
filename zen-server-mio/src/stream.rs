//! The byte stream under a conversation, and the listener that yields it: TCP or a Unix socket.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};

use mio::event::Source;
use mio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use mio::{Interest, Registry, Token};
use zen_proto::Address;
use zen_server::unix_address;

/// A listener that does not wait.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    pub(crate) fn new(listener: zen_server::Listener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        match listener {
            zen_server::Listener::Tcp(listener) => Ok(Self::Tcp(TcpListener::from_std(listener))),
            zen_server::Listener::Unix(listener) => Ok(Self::Unix(UnixListener::from_std(listener))),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The next connection, and where it comes from.
    pub(crate) fn accept(&self) -> io::Result<(Stream, Address)> {
        match self {
            Self::Tcp(listener) => {
                listener.accept().map(|(stream, address)| (Stream::Tcp(stream), address.into()))
            }
            Self::Unix(listener) => listener
                .accept()
                .map(|(stream, address)| (Stream::Unix(stream), unix_address(address.as_pathname()))),
        }
    }
}

/// A connection that does not wait.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown(how),
            Self::Unix(stream) => stream.shutdown(how),
        }
    }
}

impl Read for Stream {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

/// What mio watches.
macro_rules! source {
    ($Type:ident) => {
        impl Source for $Type {
            fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
                match self {
                    Self::Tcp(source) => source.register(registry, token, interests),
                    Self::Unix(source) => source.register(registry, token, interests),
                }
            }

            fn reregister(
                &mut self,
                registry: &Registry,
                token: Token,
                interests: Interest,
            ) -> io::Result<()> {
                match self {
                    Self::Tcp(source) => source.reregister(registry, token, interests),
                    Self::Unix(source) => source.reregister(registry, token, interests),
                }
            }

            fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
                match self {
                    Self::Tcp(source) => source.deregister(registry),
                    Self::Unix(source) => source.deregister(registry),
                }
            }
        }
    };
}

source!(Listener);
source!(Stream);
