//! The listener: where a server accepts connections, of whatever kind.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;

use socket2::SockRef;
use zen_proto::Address;

use crate::unix_socket::{self, SocketPath, UnixSocketError};

/// Where a server accepts connections: a bound [`TcpListener`] or [`UnixListener`]. Every server
/// takes whatever can be turned into this.
///
/// ```
/// use std::net::TcpListener;
/// use zen_server::Listener;
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// let listener = Listener::from(listener);
/// assert_eq!(listener.local_address(), address.into());
///
/// // An event loop accepts through a handle that never blocks. Both handles are the same listener.
/// let accepting = listener.try_clone()?;
/// accepting.set_nonblocking(true)?;
/// let Listener::Tcp(accepting) = accepting else { panic!("a TCP port") };
/// assert_eq!(accepting.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Listener {
    /// A TCP port.
    Tcp(TcpListener),
    /// A Unix socket.
    ///
    /// A server does not remove its path from the file system. The program that has bound it must
    /// do that, for instance with the [`SocketPath`] of [`bind_unix`](Self::bind_unix).
    Unix(UnixListener),
}

impl Listener {
    /// Makes a Unix socket at `path`, which must not exist, and listens there. Up to `backlog`
    /// connections wait to be accepted, or as many as the system allows if that is fewer
    /// (`listen(2)`). The path is removed when the [`SocketPath`] is dropped, so
    /// keep it until the server has ended.
    ///
    /// ```
    /// use zen_server::Listener;
    ///
    /// let path = std::env::temp_dir().join(format!("zen-doc-{}", std::process::id()));
    /// let (listener, socket_path) = Listener::bind_unix(&path, 128)?;
    /// // Any server takes the listener.
    /// assert_eq!(listener.local_address().to_string(), format!("unix:{}", path.display()));
    /// drop(socket_path);
    /// assert!(!path.exists());
    /// # Ok::<(), zen_server::UnixSocketError>(())
    /// ```
    ///
    /// # Errors
    /// [`UnixSocketError`] says what is in the way: a server, a socket that a server has left
    /// behind, another file, a directory that does not exist or may not be written to.
    pub fn bind_unix(path: impl AsRef<Path>, backlog: i32) -> Result<(Self, SocketPath), UnixSocketError> {
        let (listener, path) = unix_socket::bind(path.as_ref(), backlog)?;
        Ok((Self::Unix(listener), path))
    }

    /// Where it listens; [`Address::Unknown`] if the system does not say.
    pub fn local_address(&self) -> Address {
        match self {
            Self::Tcp(listener) => listener.local_addr().map_or(Address::Unknown, Address::Ip),
            Self::Unix(listener) => {
                listener.local_addr().map_or(Address::Unknown, |address| unix_address(address.as_pathname()))
            }
        }
    }

    /// Another handle of the same listener. A server in which a thread waits for connections (all
    /// of `zen-server-sync`) shuts the listener down when it is stopped, and every handle with it.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(listener) => Self::Tcp(listener.try_clone()?),
            Self::Unix(listener) => Self::Unix(listener.try_clone()?),
        })
    }

    /// Whether accepting returns at once when no connection waits.
    ///
    /// # Errors
    /// When the system refuses it.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => listener.set_nonblocking(nonblocking),
            Self::Unix(listener) => listener.set_nonblocking(nonblocking),
        }
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

impl From<UnixListener> for Listener {
    fn from(listener: UnixListener) -> Self {
        Self::Unix(listener)
    }
}

impl From<Listener> for OwnedFd {
    fn from(listener: Listener) -> Self {
        match listener {
            Listener::Tcp(listener) => listener.into(),
            Listener::Unix(listener) => listener.into(),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(listener) => listener.as_fd(),
            Self::Unix(listener) => listener.as_fd(),
        }
    }
}

/// The address of a Unix socket that is bound to `path`, if it is bound to any.
///
/// ```
/// use std::path::Path;
/// use zen_server::unix_address;
///
/// assert_eq!(unix_address(Some(Path::new("/run/zen"))).to_string(), "unix:/run/zen");
/// assert_eq!(unix_address(None).to_string(), "unix");
/// ```
pub fn unix_address(path: Option<&Path>) -> Address {
    Address::Unix(path.map(Into::into))
}

/// The server's own address, as the peers of one listener have reached it.
///
/// ```
/// use std::net::TcpListener;
/// use zen_server::LocalAddress;
///
/// // One for each listener, from which `Setup::handle_accepted` finds the address of a connection.
/// let listener = TcpListener::bind("0.0.0.0:0")?;
/// let local = LocalAddress::new(&listener.into());
/// # drop(local);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct LocalAddress {
    listener: Address,
    /// The listener accepts on every address of the system, so each connection has its own.
    is_wildcard: bool,
}

impl LocalAddress {
    /// For the connections of this listener.
    pub fn new(listener: &Listener) -> Self {
        let listener = listener.local_address();
        let is_wildcard = matches!(&listener, Address::Ip(address) if address.ip().is_unspecified());
        Self { listener, is_wildcard }
    }

    /// The address for this connection. Finding it costs a system call if the listener accepts on
    /// every address of the system, and none otherwise.
    pub(crate) fn resolve(&self, stream: &impl AsFd) -> Address {
        if !self.is_wildcard {
            return self.listener.clone();
        }
        let address: Option<SocketAddr> =
            SockRef::from(stream).local_addr().ok().and_then(|address| address.as_socket());
        address.map_or(Address::Unknown, Address::Ip)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn the_local_address_is_never_a_wildcard() {
        for host in ["127.0.0.1:0", "0.0.0.0:0", "[::]:0"] {
            let tcp = TcpListener::bind(host).expect("a free port");
            let port = tcp.local_addr().expect("an address").port();
            let client = TcpStream::connect(("127.0.0.1", port)).expect("connects");
            let (stream, _) = tcp.accept().expect("accepts");
            let local = LocalAddress::new(&tcp.into()).resolve(&stream);
            let Address::Ip(local) = local else { panic!("{local}") };
            assert!(local.ip().to_canonical().is_loopback(), "{local}");
            assert_eq!(local.port(), client.peer_addr().expect("an address").port());
        }
    }
}
