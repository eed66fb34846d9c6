//! The process of the clients, `zen clients`, as the trace sees it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::clients::{ClientRecords, READY};
use super::process::{ask_to_end, own_program};
use crate::units::written;
use crate::work::Work;

/// How long the process may take to start.
const START_WITHIN: Duration = Duration::from_secs(20);

/// What the clients do, and what the server does for them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) clients: usize,
    pub(super) conversations: usize,
    pub(super) questions: usize,
    pub(super) think: Duration,
    pub(super) work: Option<Work>,
    /// The server's worker threads, for a flavor with a choice; `None` for its default.
    pub(super) workers: Option<usize>,
    pub(super) stop_after: Option<Duration>,
}

/// The clients' process, which does not outlive this.
pub(super) struct Crowd {
    child: Child,
    /// Where the server's address is written to.
    address: Option<ChildStdin>,
    output: Option<JoinHandle<String>>,
}

impl Crowd {
    /// Starts the process, and waits until it has. The clients begin when they are sent to a
    /// server, so that a trace does not show how they start.
    pub(super) fn start(load: &Load) -> Result<Self, String> {
        let mut command = Command::new(own_program()?);
        command.args(["clients", "--think", &written(load.think)]);
        command.args(["--clients", &load.clients.to_string(), "--questions", &load.questions.to_string()]);
        command.args(["--conversations", &load.conversations.to_string()]);
        if let Some(after) = load.stop_after {
            command.args(["--stop-after", &written(after)]);
        }
        // Ctrl-C is for this process, which then asks the clients for what they have.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("cannot start the clients: {error}"))?;
        let address = child.stdin.take();
        let (output, started) = listen(child.stdout.take());
        let crowd = Self { child, address, output: Some(output) };
        match started.recv_timeout(START_WITHIN) {
            Ok(()) => Ok(crowd),
            Err(_) => Err("the clients did not start".to_owned()),
        }
    }

    /// Sends the clients to the server.
    pub(super) fn meet(&mut self, server: SocketAddr) -> Result<(), String> {
        let Some(mut address) = self.address.take() else { return Ok(()) };
        writeln!(address, "{server}").map_err(|error| format!("cannot tell the clients the address: {error}"))
    }

    pub(super) fn has_ended(&mut self) -> Result<bool, String> {
        let ended = self.child.try_wait().map_err(|error| format!("cannot wait for the clients: {error}"));
        ended.map(|status| status.is_some())
    }

    pub(super) fn ask_to_end(&self) {
        ask_to_end(self.child.id());
    }

    /// What they have noted, once the process has ended.
    pub(super) fn records(mut self) -> Result<ClientRecords, String> {
        let text = self.output.take().and_then(|output| output.join().ok()).unwrap_or_default();
        serde_json::from_str(&text).map_err(|_| "the clients ended without saying what they did".to_owned())
    }
}

/// Reads what they print, so that no pipe fills up: a message once they have started, and the rest
/// at the end.
fn listen(stdout: Option<ChildStdout>) -> (JoinHandle<String>, Receiver<()>) {
    let (started, receiver) = channel();
    let output = thread::spawn(move || {
        let mut text = String::new();
        let Some(stdout) = stdout else { return text };
        let mut stdout = BufReader::new(stdout);
        if stdout.read_line(&mut text).is_ok() && text.trim() == READY {
            // Whoever started them may have given up.
            let _ = started.send(());
        }
        text.clear();
        // What was read until an error is all there is.
        let _ = stdout.read_to_string(&mut text);
        text
    });
    (output, receiver)
}

impl Drop for Crowd {
    fn drop(&mut self) {
        // They have usually ended already; then both calls fail.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
