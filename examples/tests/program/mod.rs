//! Examples that are servers, as running processes.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::built::built;

/// A running example server, as its users start it. It is killed if it has not ended when this is
/// dropped.
pub(crate) struct Program {
    /// All zeros if it listens on a Unix socket.
    pub(crate) address: SocketAddr,
    child: Child,
    printed: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts the example with these arguments, and waits until it says where it listens.
    pub(crate) fn start(name: &str, arguments: &[impl AsRef<OsStr>]) -> Self {
        let mut command = Command::new(built(env!("CARGO_PKG_NAME"), name));
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut printed = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = printed.next().unwrap().unwrap();
        let place = first.strip_prefix("listening on ").unwrap();
        let address = if place.starts_with("unix:") { ([0; 4], 0).into() } else { place.parse().unwrap() };
        Self { address, child, printed }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it with SIGTERM, which must drain it, and returns the lines that it has printed since
    /// it said where it listens.
    pub(crate) fn end(mut self) -> Vec<String> {
        kill(Pid::from_raw(self.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        self.printed.by_ref().map(Result::unwrap).collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only if the process has already ended and been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
