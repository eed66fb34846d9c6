//! `zen serve unix:PATH` and `zen ask unix:PATH`: the server answers, it goes, and what is in its
//! way is named in one line.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::sys::signal::Signal;

use crate::running::{Running, run, until, zen};

/// A directory of the test's own, which is removed with what is in it.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("zen-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn address(&self, name: &str) -> (PathBuf, String) {
        let path = self.0.join(name);
        let address = format!("unix:{}", path.display());
        (path, address)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn serve(address: &str) -> Running {
    let mut command = zen(&["serve", address]);
    let server = Running::new(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    until("the server listens", || server.stdout.so_far().contains('\n').then_some(()));
    assert_eq!(server.stdout.so_far(), format!("listening on {address}\n"));
    server
}

fn ask(path: &Path) -> String {
    let mut client = UnixStream::connect(path).unwrap();
    client.write_all(b"Simple is better than?").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

/// The one line with which a server at `address` does not start.
fn refused(address: &str) -> String {
    let ended = run(zen(&["serve", address]));
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert_eq!(ended.stdout, "", "{ended:?}");
    ended.stderr
}

#[test]
fn a_unix_socket_answers_and_is_removed_with_its_server() {
    let directory = Directory::new("serves");
    let (path, address) = directory.address("socket");
    for _ in 0..2 {
        let mut server = serve(&address);
        assert_eq!(ask(&path), "Complex.");
        server.signal(Signal::SIGTERM);
        assert_eq!(server.wait().code(), Some(0));
        assert!(!path.exists(), "the next server finds the path free");
    }
}

#[test]
fn what_is_in_the_way_is_named() {
    let directory = Directory::new("in-the-way");
    let (path, address) = directory.address("used");
    let _server = serve(&address);
    let line = refused(&address);
    assert!(line.contains(&format!("cannot listen on {address}: a server listens there already")), "{line}");
    assert_eq!(ask(&path), "Complex.", "the server that was there goes on");

    let (path, address) = directory.address("stale");
    drop(UnixListener::bind(&path).unwrap());
    let line = refused(&address);
    assert!(
        line.contains(&format!(
            "left behind by a server that has ended; remove it with: rm {}",
            path.display()
        )),
        "{line}"
    );
    fs::remove_file(&path).unwrap();
    let _server = serve(&address);

    let (path, address) = directory.address("file");
    fs::write(&path, "precious").unwrap();
    assert!(refused(&address).contains("there is a file of that name"), "{address}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");

    let (_, address) = directory.address("missing/socket");
    assert!(refused(&address).contains("its directory does not exist"), "{address}");
    let (_, address) = directory.address(&"long".repeat(40));
    assert!(refused(&address).contains("too long for a socket"), "{address}");
    let ended = run(zen(&["serve", "unix:"]));
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.stderr.contains("the path is missing"), "{ended:?}");
}

#[test]
fn zen_asks_over_a_unix_socket_and_says_what_is_wrong_with_one() {
    let directory = Directory::new("ask");
    let (path, address) = directory.address("socket");
    let server = serve(&address);
    let ended = run(zen(&["ask", &address, "Simple is better than?"]));
    assert_eq!(ended.stdout, "Simple is better than? Complex.\n", "{ended:?}");
    drop(server);
    // What a server leaves behind that was killed.
    let _ = fs::remove_file(&path);
    drop(UnixListener::bind(&path).unwrap());
    let (_, missing) = directory.address("missing");
    for (address, says) in [(&address, "nothing listens on"), (&missing, "there is no socket")] {
        let ended = run(zen(&["ask", address]));
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert!(ended.stderr.contains(says) && ended.stderr.contains(address.as_str()), "{ended:?}");
        assert_eq!((ended.stderr.lines().count(), &ended.stdout[..]), (1, ""), "{ended:?}");
    }
}
