//! The listener of an example server: a TCP port or a Unix socket.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use zen_server::Listener;

/// A listener, and the path of its socket if it has one.
pub(crate) struct Listening {
    pub(crate) listener: Listener,
    pub(crate) path: Option<OwnPath>,
}

/// The path of a Unix socket that this process has made. Dropping this removes it.
pub(crate) struct OwnPath(PathBuf);

impl Drop for OwnPath {
    fn drop(&mut self) {
        // It may be gone already, and then there is nothing to do.
        let _ = fs::remove_file(&self.0);
    }
}

/// Why there is no listener.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {error}")]
pub(crate) struct ListenError {
    address: String,
    error: io::Error,
}

/// Listens on `HOST:PORT` or `unix:PATH`. A path must not exist.
pub(crate) fn listen(address: &str) -> Result<Listening, ListenError> {
    bind(address).map_err(|error| ListenError { address: address.to_owned(), error })
}

fn bind(address: &str) -> io::Result<Listening> {
    Ok(match address.strip_prefix("unix:") {
        Some(path) => {
            let listener = UnixListener::bind(path)?.into();
            Listening { listener, path: Some(OwnPath(path.into())) }
        }
        None => Listening { listener: TcpListener::bind(address)?.into(), path: None },
    })
}
