//! Runs the binary: to its end, or as a server that is ended with the test, however the test ends.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Far longer than anything here takes on a busy machine.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Every flavor.
pub(crate) const FLAVORS: [&str; 7] =
    ["blocking", "threaded", "pool", "mio", "mio-multi", "async", "async-multi"];

/// The binary, without the variables for it that the caller's environment may have.
pub(crate) fn zen(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zen"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ZEN_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The output and the status of a command that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command until it ends by itself.
pub(crate) fn run(mut command: Command) -> Ended {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut running = Running::new(child);
    let status = running.wait();
    Ended { status, stdout: running.stdout.end(), stderr: running.stderr.end() }
}

/// A process that does not outlive the test.
pub(crate) struct Running {
    child: Child,
    pub(crate) stdout: Heard,
    pub(crate) stderr: Heard,
}

impl Running {
    pub(crate) fn new(mut child: Child) -> Self {
        let stdout = Heard::from(child.stdout.take());
        let stderr = Heard::from(child.stderr.take());
        Self { child, stdout, stderr }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(self.id().try_into().unwrap());
        kill(id, signal).unwrap();
    }

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until the process ends.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        until("the process ends", || self.child.try_wait().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has usually ended already; then both calls fail.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process has written to one of its streams so far.
pub(crate) struct Heard {
    text: Arc<Mutex<String>>,
    listener: Option<JoinHandle<()>>,
}

impl Heard {
    fn from<R: Read + Send + 'static>(stream: Option<R>) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&text);
        let listener = stream.map(|stream| {
            thread::spawn(move || {
                let mut stream = BufReader::new(stream);
                let mut line = Vec::new();
                while stream.read_until(b'\n', &mut line).unwrap() > 0 {
                    heard.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
                    line.clear();
                }
            })
        });
        Self { text, listener }
    }

    pub(crate) fn so_far(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// Waits until the process has written `what`.
    pub(crate) fn wait_for(&self, what: &str) {
        until(what, || self.so_far().contains(what).then_some(()));
    }

    /// Everything that the process wrote. Call it only after the process has ended.
    pub(crate) fn end(&mut self) -> String {
        if let Some(listener) = self.listener.take() {
            listener.join().unwrap();
        }
        self.so_far()
    }
}

/// A server that has printed where it listens.
pub(crate) struct Serving {
    pub(crate) running: Running,
    pub(crate) address: SocketAddr,
}

/// Starts `zen serve` on a free port with these options.
pub(crate) fn serve(options: &[&str]) -> Serving {
    let mut command = zen(&["serve", "127.0.0.1:0"]);
    command.args(options);
    serving(command)
}

/// Starts a command that serves, and waits for its first line.
pub(crate) fn serving(mut command: Command) -> Serving {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut running = Running::new(child);
    let address = until("the first line", || {
        let said = running.stdout.so_far();
        assert!(!said.is_empty() || running.is_running(), "it did not start: {}", running.stderr.so_far());
        let line = said.lines().next()?.strip_prefix("listening on ").expect("the first line says where");
        Some(line.parse().unwrap())
    });
    Serving { running, address }
}

impl Serving {
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(TIME_LIMIT)).unwrap();
        stream.set_write_timeout(Some(TIME_LIMIT)).unwrap();
        stream
    }

    /// Tells it to stop, and returns the status and the log.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        self.running.signal(Signal::SIGTERM);
        let status = self.running.wait();
        (status, self.running.stderr.end())
    }
}

/// Polls `look` until it returns something.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    while start.elapsed() < TIME_LIMIT {
        if let Some(found) = look() {
            return found;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("this did not happen: {what}");
}
