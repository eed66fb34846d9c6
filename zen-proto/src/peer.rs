//! The peer: who is at the other end of a conversation.

use core::net::SocketAddr;
use std::fmt;
use std::path::PathBuf;

/// Who is at the other end of a conversation; the argument of
/// [`Service::open`](crate::Service::open).
///
/// ```
/// use zen_proto::{Address, Peer};
///
/// let (remote, local) = (([127, 0, 0, 1], 52_000), ([127, 0, 0, 1], 1060));
/// let peer = Peer::new(Address::Ip(remote.into()), Address::Ip(local.into()), 1);
/// assert_eq!(peer.remote.to_string(), "127.0.0.1:52000");
///
/// // For the test of a service that can start TLS.
/// let offered = peer.with_tls(zen_proto::Tls::Offered);
/// assert_eq!(offered.connection, 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Peer {
    /// The peer's address.
    pub remote: Address,
    /// The server's own address that the peer has connected to.
    pub local: Address,
    /// The number of the connection: unique in its server, counted from 1 in the order of
    /// acceptance.
    pub connection: u64,
    /// Whether the conversation is under TLS, or can be.
    pub tls: Tls,
}

impl Peer {
    /// The peer of the server's connection number `connection`, without TLS.
    pub fn new(remote: Address, local: Address, connection: u64) -> Self {
        Self { remote, local, connection, tls: Tls::Unavailable }
    }

    /// Sets [`tls`](Self::tls).
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }
}

/// Whether a conversation is under TLS, or can be.
///
/// ```
/// use zen_proto::{Peer, Tls};
///
/// /// Whether a password may be asked for: nobody else must read it.
/// fn is_private(peer: &Peer) -> bool {
///     peer.tls == Tls::Active
/// }
///
/// assert!(!is_private(&Peer::default()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// It is in plain text, and the server has no TLS.
    #[default]
    Unavailable,
    /// It is in plain text, and its service may start TLS with
    /// [`Flow::StartTls`](crate::Flow::StartTls).
    Offered,
    /// It is under TLS.
    Active,
}

/// An address of one end of a connection.
///
/// ```
/// use zen_proto::Address;
///
/// /// Whether the peer is on the same machine.
/// fn is_near(address: &Address) -> bool {
///     match address {
///         Address::Ip(address) => address.ip().is_loopback(),
///         Address::Unix(_) => true,
///         _ => false,
///     }
/// }
///
/// assert!(is_near(&Address::Unix(None)));
/// assert_eq!(Address::Unix(Some("/run/zen".into())).to_string(), "unix:/run/zen");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Address {
    /// Not known: the connection is not a socket's, or the system does not say.
    #[default]
    Unknown,
    /// An IP address and a port.
    Ip(SocketAddr),
    /// A Unix socket, by its path if it has one.
    Unix(Option<PathBuf>),
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Ip(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Ip(address) => address.fmt(f),
            Self::Unix(Some(path)) => write!(f, "unix:{}", path.display()),
            Self::Unix(None) => f.write_str("unix"),
        }
    }
}
