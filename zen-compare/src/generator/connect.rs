//! Connections of the generator: from which address, how many can be had, and what one is made with.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mio::net::TcpStream;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::client::Role;

/// Quiet connections that share one source address. An address has some 28 000 ports, and the kernel takes its time
/// to find a free one among many that are not.
const PER_SOURCE: usize = 4_096;
/// What a client that never reads has its kernel keep for it, in bytes; the least a kernel grants.
const NON_READER_BUFFER: usize = 2_304;
/// Descriptors left to the rest of the process.
const SPARE: u64 = 64;

/// A non-blocking connection on its way to `server`; `which` counts the clients of a role.
pub(super) fn connect(server: SocketAddr, role: Role, which: usize) -> io::Result<TcpStream> {
    let stream = match role {
        Role::Good | Role::Trickler => TcpStream::connect(server)?,
        Role::Quiet => connect_from(server, source(server, which), None)?,
        Role::NonReader => connect_from(server, None, Some(NON_READER_BUFFER))?,
    };
    // Questions are small, and what is measured is the server, not Nagle's patience.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The loopback network has sixteen million addresses, and the ports of one are soon used up. So each server has
/// addresses of its own, told by its port: a port stays taken for a minute after its connection has ended.
fn source(server: SocketAddr, which: usize) -> Option<Ipv4Addr> {
    let IpAddr::V4(address) = server.ip() else { return None };
    let [high, low] = server.port().to_be_bytes();
    // A herd of a million is not to be expected.
    let last = u8::try_from(2 + which / PER_SOURCE).ok()?;
    address.is_loopback().then_some(Ipv4Addr::new(127, high, low, last))
}

fn connect_from(
    server: SocketAddr,
    source: Option<Ipv4Addr>,
    receive_buffer: Option<usize>,
) -> io::Result<TcpStream> {
    let kind = Type::STREAM.nonblocking().cloexec();
    let socket = Socket::new(Domain::for_address(server), kind, Some(Protocol::TCP))?;
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    if let Some(source) = source {
        socket.bind(&SockAddr::from(SocketAddr::from((source, 0))))?;
    }
    match socket.connect(&SockAddr::from(server)) {
        Err(error) if error.raw_os_error() != Some(nix::libc::EINPROGRESS) => return Err(error),
        _ => {}
    }
    Ok(TcpStream::from_std(socket.into()))
}

/// Lets this process, and the servers that it starts from now on, have as many open files as the system permits
/// it; how many that are.
pub(crate) fn raise_open_files() -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_err() {
        // Some systems have a ceiling below what they call permitted.
        return Ok(soft);
    }
    Ok(hard)
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

    use super::*;

    #[test]
    fn a_herd_comes_from_several_addresses() {
        let server: SocketAddr = "127.0.0.1:1060".parse().unwrap();
        // 1060 is 4 × 256 + 36.
        assert_eq!(source(server, 0), Some(Ipv4Addr::new(127, 4, 36, 2)));
        assert_eq!(source(server, 9_999), Some(Ipv4Addr::new(127, 4, 36, 4)));
        // Elsewhere there is only one address to come from.
        assert_eq!(source("192.0.2.1:1060".parse().unwrap(), 0), None);
        assert_eq!(source("[::1]:1060".parse().unwrap(), 0), None);
    }

    #[test]
    fn connections_arrive_from_where_they_say() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let [high, low] = server.port().to_be_bytes();
        for (role, which, from) in [
            (Role::Good, 0, Ipv4Addr::LOCALHOST),
            (Role::Quiet, 3, Ipv4Addr::new(127, high, low, 2)),
            (Role::Quiet, PER_SOURCE, Ipv4Addr::new(127, high, low, 3)),
            (Role::NonReader, 0, Ipv4Addr::LOCALHOST),
        ] {
            let stream = connect(server, role, which).unwrap();
            let (_, peer) = listener.accept().unwrap();
            assert_eq!(peer.ip(), from, "{role:?}");
            assert_eq!(stream.local_addr().unwrap(), peer);
        }
    }

    #[test]
    fn there_is_room_for_fewer_than_the_limit() {
        let limit = raise_open_files().unwrap();
        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap().0, limit);
        assert!((room_for_connections().unwrap() as u64) < limit);
    }
}
