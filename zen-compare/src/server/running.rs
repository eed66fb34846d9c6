//! A started server: where it listens, what it last wrote, and how it is ended.

use std::io::{self, BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::process::{Child, ChildStderr, ChildStdout};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use super::start_error::READY_WITHIN;
use super::start_error::StartError;
use super::stop::StopFlag;

/// How long a server may take to end when asked to.
const STOP_WITHIN: Duration = Duration::from_secs(1);
/// How long to sleep before checking again.
const CHECK_INTERVAL: Duration = Duration::from_millis(2);
/// How long to wait for a server at a time, so that an interrupt is noticed.
const LISTEN_TO_OTHERS: Duration = Duration::from_millis(100);
/// The most bytes of a server's first line, and of its last words, that are kept.
const KEPT: usize = 2048;
/// How a server that picks its own port begins its announcement.
const LISTENING: &str = "listening on ";

/// A started server. Dropping it kills the process and all that it has started, and waits for its
/// end.
///
/// ```
/// use zen_compare::{Running, Stopped};
///
/// /// Ends a server, and says what is to be said of it.
/// fn end(server: Running) -> std::io::Result<()> {
///     println!("process {} at {}", server.pid(), server.address());
///     if let Some(status) = server.ended()? {
///         println!("it has ended: {status}; it said: {}", server.last_words());
///     }
///     if server.stop()? == Stopped::Killed {
///         println!("it had to be killed");
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Running {
    child: Child,
    address: SocketAddr,
    last_words: LastWords,
}

/// How a server ended when it was asked to.
///
/// ```
/// use zen_compare::Stopped;
///
/// /// Whether the server drains when it is asked to.
/// fn is_well_behaved(stopped: Stopped) -> bool {
///     stopped == Stopped::Willingly
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stopped {
    /// By itself, after SIGTERM or before.
    Willingly,
    /// It had to be killed.
    Killed,
}

impl Running {
    /// Waits until a new process is ready: until it can be connected to at `told`, or announces its
    /// address.
    pub(crate) fn await_ready(
        child: Child,
        told: Option<SocketAddr>,
        stop: &StopFlag,
    ) -> Result<Self, StartError> {
        let address = told.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
        let mut running = Self { child, address, last_words: LastWords::default() };
        if let Some(stderr) = running.child.stderr.take() {
            running.last_words.listen(stderr)?;
        }
        match (told, running.child.stdout.take()) {
            (None, Some(stdout)) => running.address = running.read_announcement(stdout, stop)?,
            _ => running.await_port(stop)?,
        }
        Ok(running)
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process's ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How the process ended, if it has. It stays a zombie until it is stopped or dropped, so that
    /// its ID is not given to another process in the meantime.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn ended(&self) -> io::Result<Option<String>> {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        Ok(match waitid(Id::Pid(self.process()), flags)? {
            WaitStatus::Exited(_, code) => Some(format!("exit status {code}")),
            WaitStatus::Signaled(_, signal, _) => Some(format!("killed by {signal}")),
            _ => None,
        })
    }

    /// The end of what the server wrote to standard error, escaped; empty when it wrote nothing.
    pub fn last_words(&self) -> String {
        self.last_words.text()
    }

    /// Ends the server: sends SIGTERM, and SIGKILL if it has not ended a second later.
    ///
    /// # Errors
    /// When the kernel does not tell what became of the process. It is killed all the same.
    pub fn stop(self) -> io::Result<Stopped> {
        let asked = Instant::now();
        // The group exists as long as its leader has not been waited for.
        let _ = killpg(self.process(), Signal::SIGTERM);
        while asked.elapsed() < STOP_WITHIN {
            if self.ended()?.is_some() {
                return Ok(Stopped::Willingly);
            }
            thread::sleep(CHECK_INTERVAL);
        }
        // Dropping `self` does the rest.
        Ok(Stopped::Killed)
    }

    fn process(&self) -> Pid {
        // Process IDs are far below 2^31; nix wants them signed.
        Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX))
    }

    fn read_announcement(&self, stdout: ChildStdout, stop: &StopFlag) -> Result<SocketAddr, StartError> {
        let (tell, told) = mpsc::channel();
        thread::Builder::new().name("first line".into()).spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut line = Vec::new();
            let _ = (&mut stdout).take(KEPT as u64).read_until(b'\n', &mut line);
            // The receiver is gone when the wait was given up.
            let _ = tell.send(line);
            // A server must not block on a full pipe, whatever else it writes.
            let _ = io::copy(&mut stdout, &mut io::sink());
        })?;
        let asked = Instant::now();
        let line = loop {
            match told.recv_timeout(LISTEN_TO_OTHERS) {
                Ok(line) if line.is_empty() => return Err(self.gone()),
                Ok(line) => break line,
                Err(_) if stop.is_stopped() => return Err(StartError::Interrupted),
                Err(RecvTimeoutError::Timeout) if asked.elapsed() < READY_WITHIN => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(StartError::NotReady { stderr: self.last_words() });
                }
            }
        };
        let text = String::from_utf8_lossy(&line);
        let address =
            text.trim_end().strip_prefix(LISTENING).and_then(|rest| rest.to_socket_addrs().ok()?.next());
        address.ok_or_else(|| StartError::NotAnnounced(line.trim_ascii_end().escape_ascii().to_string()))
    }

    fn await_port(&self, stop: &StopFlag) -> Result<(), StartError> {
        let asked = Instant::now();
        while asked.elapsed() < READY_WITHIN {
            if self.ended()?.is_some() {
                return Err(self.gone());
            }
            if TcpStream::connect_timeout(&self.address, LISTEN_TO_OTHERS).is_ok() {
                return Ok(());
            }
            if stop.is_stopped() {
                return Err(StartError::Interrupted);
            }
            thread::sleep(CHECK_INTERVAL);
        }
        Err(StartError::NotReady { stderr: self.last_words() })
    }

    /// The error for a server that has closed its output or ended.
    fn gone(&self) -> StartError {
        // Output closes a moment before the process has ended. Knowing how it ended is worth that
        // moment.
        let asked = Instant::now();
        loop {
            if let Ok(Some(status)) = self.ended() {
                self.last_words.wait_for_the_end();
                return StartError::Ended { status, stderr: self.last_words() };
            }
            if asked.elapsed() > Duration::from_secs(1) {
                return StartError::Silent;
            }
            thread::sleep(CHECK_INTERVAL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = killpg(self.process(), Signal::SIGKILL);
        // This returns soon: no process survives SIGKILL.
        let _ = self.child.wait();
    }
}

/// Keeps the end of what a process writes to standard error.
#[derive(Debug, Clone, Default)]
struct LastWords(Arc<Mutex<Words>>);

#[derive(Debug, Default)]
struct Words {
    tail: Vec<u8>,
    over: bool,
}

impl LastWords {
    fn listen(&self, mut stderr: ChildStderr) -> io::Result<()> {
        let words = Arc::clone(&self.0);
        thread::Builder::new().name("last words".into()).spawn(move || {
            let mut buffer = [0; 1024];
            loop {
                let count = stderr.read(&mut buffer).unwrap_or(0);
                let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
                if count == 0 {
                    words.over = true;
                    return;
                }
                words.tail.extend_from_slice(&buffer[..count]);
                let surplus = words.tail.len().saturating_sub(KEPT);
                words.tail.drain(..surplus);
            }
        })?;
        Ok(())
    }

    /// Waits until the process's standard error is closed; a second at most, as its children may
    /// still hold it open.
    fn wait_for_the_end(&self) {
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(1)
            && !self.0.lock().unwrap_or_else(PoisonError::into_inner).over
        {
            thread::sleep(CHECK_INTERVAL);
        }
    }

    fn text(&self) -> String {
        let words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines =
            words.tail.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
        let lines: Vec<String> = lines.map(|line| line.escape_ascii().to_string()).collect();
        lines.join(" / ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::contender::Contender;

    fn shell(script: &str) -> Contender {
        Contender::new("sh", "sh", ["-c", script])
    }

    #[test]
    fn a_server_that_ends_at_once_is_quoted() {
        let error = shell("echo 'no \u{1b}such flavor' >&2; exit 2").start(None).unwrap_err();
        let StartError::Ended { status, stderr } = &error else { panic!("{error}") };
        assert_eq!((status.as_str(), stderr.as_str()), ("exit status 2", "no \\x1bsuch flavor"));
        let error = Contender::new("told", "sh", ["-c", "exit 3", "{port}"]).start(None).unwrap_err();
        assert!(matches!(&error, StartError::Ended { status, .. } if status == "exit status 3"), "{error}");
    }

    #[test]
    fn an_unexpected_first_line_is_shown() {
        let error = shell("echo hello; sleep 600").start(None).unwrap_err();
        assert!(matches!(&error, StartError::NotAnnounced(line) if line == "hello"), "{error}");
    }

    #[test]
    fn a_server_that_will_never_announce_anything_is_not_waited_for() {
        let error = shell("exec sleep 600 > /dev/null").start(None).unwrap_err();
        assert!(matches!(error, StartError::Silent), "{error}");
    }

    #[test]
    fn an_announced_address_is_used() {
        let running = shell("echo listening on 127.0.0.1:1060; exec sleep 600").start(None).unwrap();
        assert_eq!(running.address(), "127.0.0.1:1060".parse().unwrap());
        assert_eq!(running.ended().unwrap(), None);
        assert_eq!(running.stop().unwrap(), Stopped::Willingly);
    }

    #[test]
    fn an_interrupt_ends_the_wait_for_a_server() {
        let stop = StopFlag::default();
        stop.stop();
        let told = Contender::new("told", "sh", ["-c", "exec sleep 600", "{port}"]);
        for contender in [shell("exec sleep 600"), told] {
            let error = contender.start_unless(&stop, None).unwrap_err();
            assert!(matches!(error, StartError::Interrupted), "{error}");
        }
    }

    fn lives(pid: i32) -> bool {
        // A zombie is dead: it only waits for the process that has adopted it.
        let stat = procfs::process::Process::new(pid).and_then(|process| process.stat());
        stat.is_ok_and(|stat| stat.state != 'Z')
    }

    fn wait_until(what: &str, condition: impl Fn() -> bool) {
        let asked = Instant::now();
        while !condition() {
            assert!(asked.elapsed() < Duration::from_secs(20), "gave up waiting for {what}");
            thread::sleep(CHECK_INTERVAL);
        }
    }

    #[test]
    fn nothing_outlives_its_contender() {
        // The shell ignores SIGTERM and has a child of its own, whose ID it prints.
        let running = shell("trap '' TERM; sleep 600 & echo $! >&2; echo listening on 127.0.0.1:1; wait")
            .start(None)
            .unwrap();
        wait_until("the ID of the server's child", || !running.last_words().is_empty());
        let leader = i32::try_from(running.pid()).unwrap();
        let child: i32 = running.last_words().parse().unwrap();
        assert!(lives(leader) && lives(child));
        drop(running);
        assert!(!lives(leader));
        wait_until("the end of the server's child", || !lives(child));
    }

    #[test]
    fn a_server_that_ignores_sigterm_is_killed() {
        let running = shell("trap '' TERM; echo listening on 127.0.0.1:1; while :; do sleep 1; done")
            .start(None)
            .unwrap();
        let leader = i32::try_from(running.pid()).unwrap();
        assert_eq!(running.stop().unwrap(), Stopped::Killed);
        assert!(!lives(leader));
    }
}
