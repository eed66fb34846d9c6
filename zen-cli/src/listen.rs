//! Listening: binds a listener or says why not, and prints its address.

use std::fmt::{self, Display};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use zen_server::{Listener, SocketPath};

use crate::escape::escaped;
use crate::failure::Failure;
use crate::resolve::Address;

/// The longest time for resolving the address to listen on, which is one of this machine's.
const RESOLVE_WITHIN: Duration = Duration::from_millis(900);

/// Where a server listens: `HOST:PORT` or `unix:PATH`.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    Port(Address),
    Unix(PathBuf),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("unix:") {
            Some("") => Err("the path is missing; a Unix socket is unix:PATH, such as unix:/run/zen".into()),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Port),
        }
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", escaped(path.as_os_str().as_encoded_bytes())),
        }
    }
}

/// A listener, and where it is.
pub(crate) struct Listening {
    pub(crate) listener: Listener,
    /// As it is announced.
    pub(crate) address: String,
    /// A Unix socket's path, which goes when this is dropped.
    pub(crate) path: Option<SocketPath>,
}

/// A listener at the place.
pub(crate) fn listen_at(place: &Place, backlog: i32) -> Result<Listening, Failure> {
    match place {
        Place::Port(address) => {
            let (listener, address) = listen(address, backlog)?;
            Ok(Listening { listener: listener.into(), address: address.to_string(), path: None })
        }
        Place::Unix(path) => {
            let (listener, path) =
                Listener::bind_unix(path, backlog).map_err(|error| Failure::Failed(error.to_string()))?;
            Ok(Listening { listener, address: place.to_string(), path: Some(path) })
        }
    }
}

/// Prints the first line of standard output. It tells the program that started this one where to
/// connect, and that the server is ready.
pub(crate) fn announce(address: &dyn Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    Failure::from_output(writeln!(out, "listening on {address}").and_then(|()| out.flush()))
}

/// A listener on the first address that can be bound, and that address.
pub(crate) fn listen(address: &Address, backlog: i32) -> Result<(TcpListener, SocketAddr), Failure> {
    let mut failure = None;
    for candidate in address.resolve(RESOLVE_WITHIN)? {
        match bind(candidate, backlog) {
            Ok(listening) => return Ok(listening),
            Err(error) => failure = failure.or(Some(cannot_listen(address, &error))),
        }
    }
    Err(failure.unwrap_or_else(|| cannot_listen(address, &io::ErrorKind::AddrNotAvailable.into())))
}

fn bind(address: SocketAddr, backlog: i32) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restarted server must not wait until the system forgets the connections of the previous
    // one.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    let listener = TcpListener::from(socket);
    let address = listener.local_addr()?;
    Ok((listener, address))
}

fn cannot_listen(address: &Address, error: &io::Error) -> Failure {
    let what = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the port is in use; stop what holds it, or choose another (0 picks a free one)".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "this port needs privileges; choose one from 1024 up (0 picks a free one)".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address; 127.0.0.1 is this machine only, 0.0.0.0 all its addresses"
                .to_owned()
        }
        _ => error.to_string(),
    };
    Failure::Failed(format!("cannot listen on {address}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_be_bound_comes_with_advice() {
        let address: Address = "127.0.0.1:80".parse().unwrap();
        for (kind, says) in [
            (io::ErrorKind::AddrInUse, "choose another"),
            (io::ErrorKind::PermissionDenied, "from 1024 up"),
            (io::ErrorKind::AddrNotAvailable, "no such address"),
        ] {
            let Failure::Failed(line) = cannot_listen(&address, &kind.into()) else { panic!("usage") };
            assert!(line.starts_with("cannot listen on 127.0.0.1:80: ") && line.contains(says), "{line}");
        }
    }
}
