//! A Unix socket to listen on, or why there is none; removed when the server ends.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

use crate::escape::escaped;
use crate::failure::Failure;

/// The path of a socket that this process has made. Dropping this removes it, so that the next
/// server finds the path free.
#[derive(Debug)]
pub(crate) struct OwnPath(PathBuf);

impl Drop for OwnPath {
    fn drop(&mut self) {
        // It may be gone already, and then there is nothing to do.
        let _ = fs::remove_file(&self.0);
    }
}

/// A listener at a path that did not exist before.
pub(crate) fn listen(path: &Path, backlog: i32) -> Result<(UnixListener, OwnPath), Failure> {
    bind(path, backlog).map_err(|error| Failure::Failed(cannot_listen(path, &error)))
}

fn bind(path: &Path, backlog: i32) -> io::Result<(UnixListener, OwnPath)> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let path = OwnPath(path.to_owned());
    socket.listen(backlog)?;
    Ok((socket.into(), path))
}

fn cannot_listen(path: &Path, error: &io::Error) -> String {
    let shown = escaped(path.as_os_str().as_encoded_bytes());
    let what = match error.kind() {
        ErrorKind::AddrInUse => return format!("cannot listen on unix:{shown}: {}", what_is_there(path)),
        ErrorKind::NotFound => "its directory does not exist; make it, or choose another path".to_owned(),
        ErrorKind::PermissionDenied => {
            "this user may not make files in its directory; choose another path".to_owned()
        }
        ErrorKind::InvalidInput => "the path is too long for a socket; choose a shorter one".to_owned(),
        _ => error.to_string(),
    };
    format!("cannot listen on unix:{shown}: {what}")
}

/// Why the path is not free.
fn what_is_there(path: &Path) -> String {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if !is_socket {
        return "there is a file of that name already; choose another path".to_owned();
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => format!(
            "the socket was left behind by a server that has ended; remove it with: rm {}",
            escaped(path.as_os_str().as_encoded_bytes())
        ),
        _ => "a server listens there already; stop it, or choose another path".to_owned(),
    }
}
