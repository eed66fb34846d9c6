//! Independent peers: a client and a server in Python that use nothing but its standard library.
//!
//! A test that needs a missing program is skipped with a line on standard error. Where a skipped
//! test is not acceptable, set `ZEN_REQUIRE_PEERS=1`: the test then fails.
//!
//! ```
//! use zen_testkit::peers::Python;
//!
//! # fn main() -> Result<(), zen_testkit::peers::PeerError> {
//! let Some(python) = Python::require() else { return Ok(()) };
//! let server = python.serve()?;
//! python.ask_three(server.addr())?;
//! # Ok(())
//! # }
//! ```

use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

/// The client's source code, to be written to a file or passed to `python3 -c`.
pub const CLIENT: &str = include_str!("../peers/client.py");

/// The server's source code, to be written to a file or passed to `python3 -c`.
pub const SERVER: &str = include_str!("../peers/server.py");

/// What the client must print, in any order.
const CONVERSATION: [&str; 3] = [
    "Beautiful is better than? Ugly.",
    "Explicit is better than? Implicit.",
    "Simple is better than? Complex.",
];

/// Finds the program in `PATH`. If it is not there, returns `None` and prints a line to standard
/// error.
///
/// The line reaches the terminal even when the test harness captures the output of tests that pass.
///
/// # Panics
/// If the program is missing and `ZEN_REQUIRE_PEERS` is `1`.
///
/// ```
/// use zen_testkit::peers::require_program;
///
/// let Some(shell) = require_program("sh") else { return };
/// assert!(shell.is_absolute());
/// ```
#[must_use = "without the program the test must return"]
pub fn require_program(name: &str) -> Option<PathBuf> {
    let found = find_program(name, &env::var_os("PATH").unwrap_or_default());
    if found.is_none() {
        assert!(
            env::var_os("ZEN_REQUIRE_PEERS").is_none_or(|value| value != "1"),
            "{name} not found, although ZEN_REQUIRE_PEERS=1 requires it"
        );
        // Not `eprintln!`, which the harness captures. A closed standard error is no reason to
        // fail.
        let _ = writeln!(io::stderr(), "skipped: {name} not found");
    }
    found
}

fn find_program(name: &str, path: &OsStr) -> Option<PathBuf> {
    // A relative entry would depend on the test's working directory.
    let directories = env::split_paths(path).filter(|directory| directory.is_absolute());
    directories.map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// Why a peer failed.
///
/// ```
/// use std::net::SocketAddr;
/// use zen_testkit::peers::{PeerError, Python};
///
/// /// Says in a line how the server behaves towards the book's client.
/// fn check(python: &Python, server: SocketAddr) -> String {
///     match python.ask_three(server) {
///         Ok(()) => "it answers".to_owned(),
///         Err(PeerError::Client(output)) => format!("the client ended with {}", output.status),
///         Err(error) => error.to_string(),
///     }
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// The program could not be run.
    #[error("cannot run {program}: {error}")]
    Run {
        /// The program.
        program: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// The client ended with an error, or its output was wrong.
    #[error(
        "the client ended with {}, printed {:?}, and wrote {:?} to standard error",
        .0.status,
        String::from_utf8_lossy(&.0.stdout),
        String::from_utf8_lossy(&.0.stderr)
    )]
    Client(Output),
    /// The server did not say where it listens.
    #[error("the server did not say where it listens; its first line was {0:?}")]
    Server(String),
}

/// The Python interpreter that runs the peers.
///
/// ```
/// use std::net::SocketAddr;
/// use zen_testkit::peers::{PeerError, Python};
///
/// /// The book's client against a server of yours, and against the book's own.
/// fn check(server: SocketAddr) -> Result<(), PeerError> {
///     // Without Python this test says so and returns.
///     let Some(python) = Python::require() else { return Ok(()) };
///     python.ask_three(server)?;
///     python.ask_half(server)?;
///     assert!(python.client(&["--help"])?.status.success());
///     let book = python.serve()?;
///     python.ask_three(book.addr())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Python {
    program: PathBuf,
}

impl Python {
    /// Finds `python3`, as [`require_program`] does.
    ///
    /// # Panics
    /// If it is missing and `ZEN_REQUIRE_PEERS` is `1`.
    #[must_use = "without the program the test must return"]
    pub fn require() -> Option<Self> {
        require_program("python3").map(|program| Self { program })
    }

    /// Runs the client, which asks the three questions in random order, each after the previous
    /// answer, and checks every answer.
    ///
    /// # Errors
    /// [`PeerError::Client`] with the client's output, if an answer is wrong or the client fails;
    /// [`PeerError::Run`] if Python cannot be started.
    pub fn ask_three(&self, server: SocketAddr) -> Result<(), PeerError> {
        let output = self.client(&[&server.to_string()])?;
        let said = String::from_utf8_lossy(&output.stdout);
        let mut lines: Vec<_> = said.lines().collect();
        lines.sort_unstable();
        if output.status.success() && lines == CONVERSATION { Ok(()) } else { Err(PeerError::Client(output)) }
    }

    /// Runs the client, which sends half a question and closes.
    ///
    /// # Errors
    /// [`PeerError::Client`] if the client fails; [`PeerError::Run`] if Python cannot be started.
    pub fn ask_half(&self, server: SocketAddr) -> Result<(), PeerError> {
        let output = self.client(&["-e", &server.to_string()])?;
        if output.status.success() && output.stdout.is_empty() {
            Ok(())
        } else {
            Err(PeerError::Client(output))
        }
    }

    /// Runs the client with these arguments. The client gives up after 20 s without a byte from the
    /// server.
    ///
    /// # Errors
    /// [`PeerError::Run`] if Python cannot be started.
    pub fn client(&self, arguments: &[&str]) -> Result<Output, PeerError> {
        self.command(CLIENT).args(arguments).output().map_err(cannot_run)
    }

    /// Starts the server on a free port of the loopback interface. It serves one client at a time
    /// and answers one question at a time.
    ///
    /// # Errors
    /// [`PeerError::Run`] if Python cannot be started, [`PeerError::Server`] if it does not say
    /// where it listens.
    pub fn serve(&self) -> Result<PythonServer, PeerError> {
        let mut child =
            self.command(SERVER).args(["-q", "0"]).stdout(Stdio::piped()).spawn().map_err(cannot_run)?;
        let stdout = child.stdout.take();
        // From here on, dropping `server` ends the child.
        let mut server = PythonServer { child, addr: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let mut line = String::new();
        if let Some(stdout) = stdout {
            BufReader::new(stdout).read_line(&mut line).map_err(cannot_run)?;
        }
        match line.trim_end().strip_prefix("listening on ").and_then(|addr| addr.parse().ok()) {
            Some(addr) => server.addr = addr,
            None => return Err(PeerError::Server(line)),
        }
        Ok(server)
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new(&self.program);
        // Isolated: neither the environment nor the working directory can replace the standard
        // library.
        command.args(["-I", "-c", script]).stdin(Stdio::null());
        command
    }
}

fn cannot_run(error: io::Error) -> PeerError {
    PeerError::Run { program: "python3", error }
}

/// A running Python server. Dropping it ends the process.
///
/// ```
/// use zen_testkit::peers::Python;
/// use zen_testkit::{Suite, Transcript};
///
/// fn check() -> Result<(), zen_testkit::peers::PeerError> {
///     let Some(python) = Python::require() else { return Ok(()) };
///     let server = python.serve()?;
///     let asked = Transcript::new("one question").ask(b"Simple is better than?", b"Complex.");
///     Suite::new([asked]).run(server.addr()).assert_passed();
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct PythonServer {
    child: Child,
    addr: SocketAddr,
}

impl PythonServer {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for PythonServer {
    fn drop(&mut self) {
        // Both fail only if the process has already ended and been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::unwrap_used, reason = "a test may panic")]
    fn a_program_is_found_only_in_the_path() {
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let path = env::join_paths([here.join("src"), here.clone()]).unwrap();
        assert_eq!(find_program("Cargo.toml", &path), Some(here.join("Cargo.toml")));
        assert_eq!(find_program("src", &path), None, "a directory is not a program");
        assert_eq!(find_program("no-such-program", &path), None);
        assert_eq!(find_program("Cargo.toml", OsStr::new("")), None);
    }
}
