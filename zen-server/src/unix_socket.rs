//! A Unix socket to listen on, or why there is none; removed when the server ends.

use std::fmt::{self, Display, Write};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

/// The path of a socket that this process has made, with
/// [`Listener::bind_unix`](crate::Listener::bind_unix). Dropping this removes the path, so that the
/// next server finds it free.
///
/// ```
/// use zen_server::Listener;
///
/// let path = std::env::temp_dir().join(format!("zen-doc-own-{}", std::process::id()));
/// let (_listener, socket_path) = Listener::bind_unix(&path, 128)?;
/// assert_eq!(socket_path.as_ref(), path);
/// # Ok::<(), zen_server::UnixSocketError>(())
/// ```
#[derive(Debug)]
pub struct SocketPath(PathBuf);

impl Drop for SocketPath {
    fn drop(&mut self) {
        // It may be gone already, and then there is nothing to do.
        let _ = fs::remove_file(&self.0);
    }
}

impl AsRef<Path> for SocketPath {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

/// Why there is no listener at the path of a Unix socket. The message is one line that says what to
/// do. Whatever could control a terminal is escaped in it.
///
/// ```
/// use zen_server::{Listener, UnixSocketError};
///
/// let path = std::env::temp_dir().join(format!("zen-doc-stale-{}", std::process::id()));
/// // A server that was killed has left its socket behind.
/// drop(std::os::unix::net::UnixListener::bind(&path)?);
/// let error = Listener::bind_unix(&path, 128).unwrap_err();
/// assert!(matches!(error, UnixSocketError::Stale { .. }));
/// assert!(error.to_string().ends_with(&format!("remove it with: rm {}", path.display())));
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnixSocketError {
    /// A server listens there.
    #[error(
        "cannot listen on unix:{}: a server listens there already; stop it, or choose another path",
        Shown(path)
    )]
    InUse {
        /// The path.
        path: PathBuf,
    },
    /// A server has listened there, and has ended without removing its socket.
    #[error(
        "cannot listen on unix:{0}: the socket was left behind by a server that has ended; remove it with: rm {0}",
        Shown(path)
    )]
    Stale {
        /// The path.
        path: PathBuf,
    },
    /// There is something else than a socket.
    #[error(
        "cannot listen on unix:{}: there is a file of that name already; choose another path",
        Shown(path)
    )]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// The directory of the path does not exist.
    #[error(
        "cannot listen on unix:{}: its directory does not exist; make it, or choose another path",
        Shown(path)
    )]
    NoDirectory {
        /// The path.
        path: PathBuf,
    },
    /// The user of this process may not make the socket.
    #[error(
        "cannot listen on unix:{}: this user may not make files in its directory; choose another path",
        Shown(path)
    )]
    NotAllowed {
        /// The path.
        path: PathBuf,
    },
    /// The path is longer than the system allows for a socket: some 100 bytes.
    #[error("cannot listen on unix:{}: the path is too long for a socket; choose a shorter one", Shown(path))]
    TooLong {
        /// The path.
        path: PathBuf,
    },
    /// The system refuses it for another reason.
    #[error("cannot listen on unix:{}: {error}", Shown(path))]
    System {
        /// The path.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// A listener at a path that did not exist before.
pub(crate) fn bind(path: &Path, backlog: i32) -> Result<(UnixListener, SocketPath), UnixSocketError> {
    try_bind(path, backlog).map_err(|error| explained(path.to_owned(), error))
}

fn try_bind(path: &Path, backlog: i32) -> io::Result<(UnixListener, SocketPath)> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let path = SocketPath(path.to_owned());
    socket.listen(backlog)?;
    Ok((OwnedFd::from(socket).into(), path))
}

fn explained(path: PathBuf, error: io::Error) -> UnixSocketError {
    match error.kind() {
        ErrorKind::AddrInUse => what_is_there(path),
        ErrorKind::NotFound => UnixSocketError::NoDirectory { path },
        ErrorKind::PermissionDenied => UnixSocketError::NotAllowed { path },
        ErrorKind::InvalidInput => UnixSocketError::TooLong { path },
        _ => UnixSocketError::System { path, error },
    }
}

/// Why the path is not free.
fn what_is_there(path: PathBuf) -> UnixSocketError {
    if !fs::symlink_metadata(&path).is_ok_and(|found| found.file_type().is_socket()) {
        return UnixSocketError::NotASocket { path };
    }
    match UnixStream::connect(&path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => UnixSocketError::Stale { path },
        _ => UnixSocketError::InUse { path },
    }
}

/// A path on one line, with what could control a terminal escaped.
struct Shown<'a>(&'a Path);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.as_os_str().as_encoded_bytes().utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\'' | '"' | '\\' => f.write_char(c)?,
                    _ => write!(f, "{}", c.escape_debug())?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::Listener;

    /// A directory of the test's own, which is removed with what is in it.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("zen-server-{name}-{}", std::process::id()));
            fs::create_dir(&path).expect("a new directory");
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_socket_that_was_bound_accepts_and_goes_with_its_path() {
        let directory = Directory::new("binds");
        let path = directory.0.join("socket");
        for _ in 0..2 {
            let (listener, socket_path) = Listener::bind_unix(&path, 1).expect("the path is free");
            assert_eq!(socket_path.as_ref(), path);
            let Listener::Unix(listener) = listener else { panic!("{listener:?}") };
            let mut client = UnixStream::connect(&path).expect("it listens");
            drop(listener.accept().expect("a client has come"));
            assert_eq!(client.read(&mut [0]).expect("the end"), 0);
            drop(socket_path);
            assert!(!path.exists());
        }
    }

    #[test]
    fn what_is_in_the_way_is_named_and_left_alone() {
        let directory = Directory::new("in-the-way");
        let refused = |path: &Path| Listener::bind_unix(path, 1).map(drop).expect_err("it is not free");

        let path = directory.0.join("used");
        let _used = Listener::bind_unix(&path, 1).expect("the path is free");
        assert!(matches!(refused(&path), UnixSocketError::InUse { .. }));
        UnixStream::connect(&path).expect("the server that was there goes on");

        let path = directory.0.join("stale");
        drop(UnixListener::bind(&path).expect("the path is free"));
        assert!(matches!(refused(&path), UnixSocketError::Stale { .. }));
        assert!(path.exists());

        let path = directory.0.join("file");
        fs::write(&path, "precious").expect("written");
        assert!(matches!(refused(&path), UnixSocketError::NotASocket { .. }));
        assert_eq!(fs::read_to_string(&path).expect("it is still there"), "precious");

        let missing = refused(&directory.0.join("missing/socket"));
        assert!(matches!(missing, UnixSocketError::NoDirectory { .. }), "{missing}");
        let long = refused(&directory.0.join("long".repeat(40)));
        assert!(matches!(long, UnixSocketError::TooLong { .. }), "{long}");
    }

    #[test]
    fn a_permission_that_is_missing_is_named() {
        // A superuser may do everything, so the system's answer is not asked for.
        let denied = explained("/run/zen".into(), ErrorKind::PermissionDenied.into());
        assert!(matches!(denied, UnixSocketError::NotAllowed { .. }));
        let line = "cannot listen on unix:/run/zen: this user may not make files in its directory; choose another path";
        assert_eq!(denied.to_string(), line);
    }

    #[test]
    fn a_path_controls_no_terminal() {
        assert_eq!(Shown(Path::new("/a b/é'\"\\")).to_string(), "/a b/é'\"\\");
        assert_eq!(Shown(Path::new("\n\x1b[1m\u{202e}")).to_string(), "\\n\\u{1b}[1m\\u{202e}");
    }
}
