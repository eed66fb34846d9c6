//! Connections of the generator: from which address, how many can be had, and what one is made with.

use crate::machine::open_files::raise_open_files;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mio::net::TcpStream;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

/// Idle connections that share one source address. An address has some 28 000 ports, and the kernel takes its time
/// to find a free one among many that are not.
const PER_SOURCE: usize = 4_096;
/// Source addresses that conversations take in turn. The kernel remembers an ended connection for a minute, and some
/// hundred thousand of them at the most: spread over so many addresses they leave nearly every port free.
const IN_TURN: usize = 128;
/// What a client that never reads has its kernel keep for it, in bytes; the least a kernel grants.
const NON_READER_BUFFER: usize = 2_304;
/// Descriptors left to the rest of the process.
const SPARE: u64 = 64;

/// Which loopback address a connection comes from. The loopback network has sixteen million, and the ports of one are
/// soon used up. So each server has addresses of its own to be called from, told by its port: a port stays taken for
/// a minute after its connection has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The one that the system picks.
    Any,
    /// That of this idle connection among all, as many share one.
    IdleConnections(usize),
    /// That of this conversation among all that come and go: another than that of the last.
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
        // A million idle connections are not to be expected.
        let last = u8::try_from(2 + which).ok()?;
        address.is_loopback().then_some(Ipv4Addr::new(127, high, low, last))
    }
}

/// A non-blocking connection on its way to `server`.
pub(super) fn connect(server: SocketAddr, source: Source) -> io::Result<TcpStream> {
    let socket = open(server)?;
    if let Some(address) = source.address(server) {
        // The port is found when connecting, where all are free that no connection to this server has. Found here, it
        // would have to be free for any server.
        setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
        socket.bind(&SockAddr::from(SocketAddr::from((address, 0))))?;
    }
    set_out(socket, server)
}

/// The same for a client that never reads, and keeps little of what it does not read.
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
    // Questions are small, and what is measured is the server, not Nagle's patience.
    socket.set_tcp_nodelay(true)?;
    // A congestion control that paces, as BBR does, holds questions back after they have been stamped; this one never
    // does, and every kernel has it. Where it may not be chosen, the machine's own has to do.
    let _ = SockRef::from(&socket).set_tcp_congestion(b"reno");
    match socket.connect(&SockAddr::from(server)) {
        Err(error) if error.raw_os_error() != Some(nix::libc::EINPROGRESS) => return Err(error),
        _ => {}
    }
    Ok(TcpStream::from_std(socket.into()))
}

/// How many connections this process can still have.
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
    fn sources_are_of_the_server_and_many() {
        let server: SocketAddr = "127.0.0.1:1060".parse().unwrap();
        // 1060 is 4 × 256 + 36.
        let last = |source: Source| source.address(server).map(|address| address.octets());
        assert_eq!(last(Source::IdleConnections(0)), Some([127, 4, 36, 2]));
        assert_eq!(last(Source::IdleConnections(9_999)), Some([127, 4, 36, 4]));
        assert_eq!(last(Source::InTurn(0)), Some([127, 4, 36, 2]));
        assert_eq!(last(Source::InTurn(127)), Some([127, 4, 36, 129]));
        assert_eq!(last(Source::InTurn(128)), Some([127, 4, 36, 2]));
        assert_eq!(last(Source::Any), None);
        // Elsewhere there is only one address to come from.
        assert_eq!(Source::IdleConnections(0).address("192.0.2.1:1060".parse().unwrap()), None);
        assert_eq!(Source::InTurn(0).address("[::1]:1060".parse().unwrap()), None);
    }

    #[test]
    fn connections_arrive_from_where_they_say() {
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
