//! The listener of an example server: a TCP port or a Unix socket.

use std::io;
use std::net::TcpListener;

use zen_server::{Listener, SocketPath, UnixSocketError};

/// How many connections may wait to be accepted at a Unix socket.
const BACKLOG: i32 = 1024;

/// A listener, and the path of its socket if it has one. Dropping the path removes the socket.
pub(crate) struct Listening {
    pub(crate) listener: Listener,
    pub(crate) path: Option<SocketPath>,
}

/// Why there is no listener.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    #[error("cannot listen on {address}: {error}")]
    Port { address: String, error: io::Error },
    #[error(transparent)]
    Unix(#[from] UnixSocketError),
}

/// Listens on `HOST:PORT` or `unix:PATH`. A path must not exist.
pub(crate) fn listen(address: &str) -> Result<Listening, ListenError> {
    if let Some(path) = address.strip_prefix("unix:") {
        let (listener, path) = Listener::bind_unix(path, BACKLOG)?;
        return Ok(Listening { listener, path: Some(path) });
    }
    let listener = TcpListener::bind(address)
        .map_err(|error| ListenError::Port { address: address.to_owned(), error })?;
    Ok(Listening { listener: listener.into(), path: None })
}
