//! The generator's connections: their source addresses, how many there can be, and their socket
//! options.

use crate::machine::open_files::raise_open_files;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mio::net::TcpStream;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

/// How many idle connections share one source address. An address has some 28 000 ports, and the
/// kernel needs time to find a free one when many are taken.
const PER_SOURCE: usize = 4_096;
/// Source addresses that conversations take in turn. The kernel remembers an ended connection for a
/// minute, and some hundred thousand of them at most. Spread over this many addresses, they leave
/// nearly every port free.
const IN_TURN: usize = 128;
/// Receive buffer of a client that never reads, in bytes: the least that a kernel grants.
const NON_READER_BUFFER: usize = 2_304;
/// Descriptors left to the rest of the process.
const SPARE: u64 = 64;

/// The loopback address that a connection comes from. The loopback network has sixteen million, but
/// the ports of a single one are soon used up: a port stays taken for a minute after its connection
/// has ended. So each server is called from addresses of its own, which follow from its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The one that the system picks.
    Any,
    /// The address of the idle connection with this number; many share one.
    IdleConnections(usize),
    /// The address of the conversation with this number, where conversations come and go. The
    /// conversation before it has a different one.
    InTurn(usize),
}

impl Source {
    fn address(self, server: SocketAddr) -> Option<Ipv4Addr> {
        let which = match self {
            Self::Any => return None,
            Self::IdleConnections(which) => which / PER_SOURCE,
            Self::InTurn(which) => which % IN_TURN,
        };
        let IpAddr::V4(address) = server.ip() else { return None };
        let [high, low] = server.port().to_be_bytes();
        // Fails only for more than a million idle connections, which are not expected.
        let last = u8::try_from(2 + which).ok()?;
        address.is_loopback().then_some(Ipv4Addr::new(127, high, low, last))
    }
}

/// Starts a non-blocking connection to `server`.
pub(super) fn connect(server: SocketAddr, source: Source) -> io::Result<TcpStream> {
    let socket = open(server)?;
    if let Some(address) = source.address(server) {
        // The port is found when connecting, where all ports are free that no connection to this
        // server has. Found here, it would have to be free for every server.
        setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
        socket.bind(&SockAddr::from(SocketAddr::from((address, 0))))?;
    }
    set_out(socket, server)
}

/// The same for a client that never reads, with a small receive buffer.
pub(super) fn connect_deaf(server: SocketAddr) -> io::Result<TcpStream> {
    let socket = open(server)?;
    socket.set_recv_buffer_size(NON_READER_BUFFER)?;
    set_out(socket, server)
}

fn open(server: SocketAddr) -> io::Result<Socket> {
    let kind = Type::STREAM.nonblocking().cloexec();
    Socket::new(Domain::for_address(server), kind, Some(Protocol::TCP))
}

fn set_out(socket: Socket, server: SocketAddr) -> io::Result<TcpStream> {
    // Questions are small, and the server is what is measured, not Nagle's algorithm.
    socket.set_tcp_nodelay(true)?;
    // A congestion control that paces, as BBR does, holds questions back after they were
    // timestamped. Reno never does, and every kernel has it. Where it may not be chosen, the
    // machine's default is used.
    let _ = SockRef::from(&socket).set_tcp_congestion(b"reno");
    match socket.connect(&SockAddr::from(server)) {
        Err(error) if error.raw_os_error() != Some(nix::libc::EINPROGRESS) => return Err(error),
        _ => {}
    }
    Ok(TcpStream::from_std(socket.into()))
}

/// How many more connections this process can open.
pub(super) fn room_for_connections() -> io::Result<usize> {
    let limit = raise_open_files()?;
    let open = fs::read_dir("/proc/self/fd")?.count() as u64;
    Ok(usize::try_from(limit.saturating_sub(open + SPARE)).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use nix::sys::resource::{Resource, getrlimit};

    use super::*;

    #[test]
    fn each_server_has_many_source_addresses_of_its_own() {
        let server: SocketAddr = "127.0.0.1:1060".parse().unwrap();
        // 1060 is 4 × 256 + 36.
        let last = |source: Source| source.address(server).map(|address| address.octets());
        assert_eq!(last(Source::IdleConnections(0)), Some([127, 4, 36, 2]));
        assert_eq!(last(Source::IdleConnections(9_999)), Some([127, 4, 36, 4]));
        assert_eq!(last(Source::InTurn(0)), Some([127, 4, 36, 2]));
        assert_eq!(last(Source::InTurn(127)), Some([127, 4, 36, 129]));
        assert_eq!(last(Source::InTurn(128)), Some([127, 4, 36, 2]));
        assert_eq!(last(Source::Any), None);
        // Outside this network there is only one source address.
        assert_eq!(Source::IdleConnections(0).address("192.0.2.1:1060".parse().unwrap()), None);
        assert_eq!(Source::InTurn(0).address("[::1]:1060".parse().unwrap()), None);
    }

    #[test]
    fn connections_come_from_their_source_addresses() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let [high, low] = server.port().to_be_bytes();
        for (stream, from) in [
            (connect(server, Source::Any), Ipv4Addr::LOCALHOST),
            (connect(server, Source::IdleConnections(3)), Ipv4Addr::new(127, high, low, 2)),
            (connect(server, Source::IdleConnections(PER_SOURCE)), Ipv4Addr::new(127, high, low, 3)),
            (connect(server, Source::InTurn(5)), Ipv4Addr::new(127, high, low, 7)),
            (connect_deaf(server), Ipv4Addr::LOCALHOST),
        ] {
            let stream = stream.unwrap();
            let (_, peer) = listener.accept().unwrap();
            assert_eq!(peer.ip(), from);
            assert_eq!(stream.local_addr().unwrap(), peer);
            assert!(stream.nodelay().unwrap());
        }
    }

    #[test]
    fn there_is_room_for_fewer_than_the_limit() {
        let limit = raise_open_files().unwrap();
        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap().0, limit);
        assert!((room_for_connections().unwrap() as u64) < limit);
    }
}
