//! A server that takes part: how its process is started, found and ended.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::UNIX_EPOCH;

use super::child;
use super::floor;
use super::running::Running;
use super::start_error::StartError;
use super::stop::StopFlag;
use crate::machine::open_files::raise_open_files;
use crate::machine::pin::Pinned;
use crate::scenario::Scenario;
use crate::scenario::Workload;

/// Stands in a command for the port that the server is to listen on.
const PORT: &str = "{port}";

/// A server process that can be started any number of times.
///
/// The lab finds it in one of two ways. A command that contains `{port}` gets a free port there,
/// and is ready when it can be connected to on 127.0.0.1. Any other command picks a port itself and
/// prints `listening on HOST:PORT` as its first line on standard output.
///
/// ```
/// use zen_compare::{Contender, Workload};
///
/// // A command that is told its port, and one that says which it has picked.
/// let told = Contender::from_command_line("nginx", "nginx -p conf -g 'listen {port};'")?;
/// let picks = Contender::new("mine", "./server", ["127.0.0.1:0"]).taking_work();
/// assert_eq!(picks.command_line(), "./server 127.0.0.1:0");
///
/// // The same server in another mode, beside the floor that everything is compared with.
/// let traced = picks.clone().named("traced").with_variable("TRACE", "1");
/// let floor = Contender::floor("zen", ["floor", "127.0.0.1:0"]);
/// assert_eq!((traced.name(), floor.is_floor()), ("traced", true));
///
/// // A server that gives the same answer to everything.
/// let constant = Contender::new("constant", "./constant", ["{port}"]);
/// let constant = constant.answering_constant(*b"Ugly.");
///
/// // This program itself, started again: see the module `child`.
/// let own = Contender::own("mine")?;
/// let its_floor = Contender::own_floor(b'\n', b"x\n")?;
/// let any_floor = Contender::own_floor_for(&Workload::aphorisms())?;
/// # drop((told, constant, own, its_floor, any_floor));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Contender {
    name: String,
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    constant_answer: Option<Vec<u8>>,
    floor: bool,
    takes_work: bool,
    /// What the program reads on its standard input.
    input: Arc<[u8]>,
}

impl Contender {
    /// A server started by `program` with `arguments`; see the type for how the lab finds it.
    pub fn new<A: Into<OsString>>(
        name: impl Into<String>,
        program: impl Into<OsString>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            constant_answer: None,
            floor: false,
            takes_work: false,
            input: Arc::default(),
        }
    }

    /// A server started by a command line, which is split as a shell would do it (no shell is
    /// involved).
    ///
    /// # Errors
    /// [`StartError::NotACommand`] when the line is empty or a quote is not closed.
    pub fn from_command_line(name: impl Into<String>, line: &str) -> Result<Self, StartError> {
        let words = shlex::split(line).filter(|words| !words.is_empty());
        let mut words = words.ok_or_else(|| StartError::NotACommand(line.to_owned()))?.into_iter();
        let program = words.next().unwrap_or_default();
        Ok(Self::new(name, program, words))
    }

    /// The [floor](crate::server::floor). All costs are also given as multiples of this
    /// contender's. Its program announces its address, and answers [`floor::ANSWER`] to everything.
    pub fn floor<A: Into<OsString>>(
        program: impl Into<OsString>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        Self { floor: true, ..Self::new("floor", program, arguments).answering_constant(floor::ANSWER) }
    }

    /// A server within this very program, which is started once more and told to play `role`. Its
    /// `main` has to call [`child::serve_if_asked`] before anything else.
    ///
    /// # Errors
    /// When the kernel does not tell which program this is.
    pub fn own(role: impl Into<String>) -> io::Result<Self> {
        let role = role.into();
        Ok(Self::new(role.clone(), std::env::current_exe()?, [""; 0]).with_variable(child::ROLE, role))
    }

    /// The [floor](crate::server::floor) for another protocol, within this very program as with
    /// [`Contender::own`]. It answers `answer` to each byte `delimiter`.
    ///
    /// # Errors
    /// When the kernel does not tell which program this is.
    pub fn own_floor(delimiter: u8, answer: &[u8]) -> io::Result<Self> {
        let floor = Self::floor(std::env::current_exe()?, [""; 0]).answering_constant(answer);
        Ok(floor.with_variable(child::ROLE, child::floor_role(delimiter, answer)))
    }

    /// The [floor](crate::server::floor) for the questions of a workload, of whatever protocol,
    /// within this very program as with [`Contender::own`]. It answers each with
    /// [`Floor::answer_to`](floor::Floor::answer_to) the workload.
    ///
    /// # Errors
    /// When the kernel does not tell which program this is.
    pub fn own_floor_for(workload: &Workload) -> io::Result<Self> {
        let answer = floor::Floor::answer_to(workload);
        let floor = Self::floor(std::env::current_exe()?, [""; 0]).answering_constant(answer);
        let input = serde_json::to_vec(workload)?.into();
        Ok(Self { input, ..floor.with_variable(child::ROLE, child::FLOOR_OF_INPUT) })
    }

    /// The same server, known to give the same answer to every question.
    #[must_use]
    pub fn answering_constant(self, answer: impl Into<Vec<u8>>) -> Self {
        Self { constant_answer: Some(answer.into()), ..self }
    }

    /// The same server, known to understand `--work TIME --work-kind spin|sleep` after its other
    /// arguments, as `zen serve` does. Servers that do not are left out of scenarios in which a
    /// handler has to work.
    #[must_use]
    pub fn taking_work(self) -> Self {
        Self { takes_work: true, ..self }
    }

    /// The same server, started with a variable in its environment.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The same server under another name.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// The same server as an ordinary contender, in case it is the floor.
    pub(crate) fn competing(self) -> Self {
        Self { floor: false, ..self }
    }

    /// What the contender is called in reports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is the floor.
    pub fn is_floor(&self) -> bool {
        self.floor
    }

    /// The command, for people to read.
    pub fn command_line(&self) -> String {
        let words = std::iter::once(&self.program).chain(&self.arguments);
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    /// When the program's file last changed. `None` when the program was not given as a path.
    pub(crate) fn changed_unix_ms(&self) -> Option<u64> {
        let path = Path::new(&self.program);
        // A bare name is looked up in the search path, which may find another file than this one.
        path.parent().filter(|folder| !folder.as_os_str().is_empty())?;
        let changed = path.metadata().ok()?.modified().ok()?;
        u64::try_from(changed.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
    }

    /// What this contender must answer to the plan's questions.
    pub(crate) fn workload(&self, asked: &Workload) -> Workload {
        match &self.constant_answer {
            Some(answer) => asked.answered_by_constant(answer),
            None => asked.clone(),
        }
    }

    /// What the scenario needs that this server cannot do; `None` when it can do everything.
    pub(crate) fn cannot(&self, scenario: &Scenario) -> Option<String> {
        let lacks =
            if self.floor { "it has no handler" } else { "it cannot be told to work for each answer" };
        (scenario.work.is_some() && !self.takes_work).then(|| lacks.to_owned())
    }

    /// Starts the server on the given cores, or with `None` wherever the kernel puts it. Waits
    /// until it is ready, ten seconds at most.
    ///
    /// ```no_run
    /// use zen_compare::Contender;
    ///
    /// let server = Contender::new("mine", "./server", ["127.0.0.1:0"]).start(Some(&[1]))?;
    /// println!("process {} listens on {}", server.pid(), server.address());
    /// server.stop()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See [`StartError`]. No process is left behind.
    pub fn start(&self, cores: Option<&[usize]>) -> Result<Running, StartError> {
        self.start_unless(&StopFlag::default(), cores)
    }

    /// The same, but fails with [`StartError::Interrupted`] as soon as `stop` is raised.
    ///
    /// ```no_run
    /// use zen_compare::{Contender, StopFlag};
    ///
    /// let stop = StopFlag::default();
    /// let server = Contender::new("mine", "./server", ["127.0.0.1:0"]).start_unless(&stop, None)?;
    /// server.stop()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See [`StartError`]. No process is left behind.
    pub fn start_unless(&self, stop: &StopFlag, cores: Option<&[usize]>) -> Result<Running, StartError> {
        self.start_with(&[], stop, cores)
    }

    /// The same, with the arguments that the scenario needs.
    pub(crate) fn start_for(
        &self,
        scenario: &Scenario,
        stop: &StopFlag,
        cores: Option<&[usize]>,
    ) -> Result<Running, StartError> {
        match scenario.work.filter(|_| self.takes_work) {
            Some(work) => self.start_with(&work.arguments(), stop, cores),
            None => self.start_unless(stop, cores),
        }
    }

    fn start_with(
        &self,
        more: &[String],
        stop: &StopFlag,
        cores: Option<&[usize]>,
    ) -> Result<Running, StartError> {
        // The server inherits this process's limit. A scenario that counts connections should not
        // count that limit instead.
        let _ = raise_open_files();
        let told = self.arguments.iter().any(|word| word.to_string_lossy().contains(PORT));
        let address = if told { Some(free_address()?) } else { None };
        let mut command = Command::new(&self.program);
        command.args(self.arguments.iter().map(|word| with_port(word, address))).args(more);
        // The lab's own settings are none of the server's.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"ZEN_"))
        {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.env(child::PARENT, std::process::id().to_string());
        // A process group of its own: an interrupt at the terminal reaches only the lab, and
        // processes that the server starts can be ended with it.
        command.process_group(0);
        command.stdin(if self.input.is_empty() { Stdio::null() } else { Stdio::piped() });
        command.stderr(Stdio::piped());
        command.stdout(if told { Stdio::null() } else { Stdio::piped() });
        let mut child = {
            let _pinned = cores.map(Pinned::pin_to).transpose()?;
            command.spawn().map_err(|source| StartError::CannotRun {
                program: self.program.to_string_lossy().into(),
                source,
            })?
        };
        if let Some(mut stdin) = child.stdin.take() {
            let input = Arc::clone(&self.input);
            // On a thread, since a program that does not read would hold up the lab. It ends with
            // the program at the latest, and that its input was not read is no error.
            thread::spawn(move || stdin.write_all(&input));
        }
        Running::await_ready(child, address, stop)
    }
}

/// An address that no process listens on. Another process may take it before the server does; the
/// server then fails to start and says so.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn with_port(word: &OsStr, address: Option<SocketAddr>) -> OsString {
    match (word.to_str(), address) {
        (Some(word), Some(address)) => word.replace(PORT, &address.port().to_string()).into(),
        _ => word.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::scenario::WorkKind;

    #[test]
    fn a_missing_program_is_named() {
        let error = Contender::new("none", "/nonexistent/zen", [""; 0]).start(None).unwrap_err();
        assert!(error.to_string().starts_with("/nonexistent/zen cannot be run"), "{error}");
    }

    #[test]
    fn contenders_that_cannot_work_are_left_out_and_others_are_told() {
        let [working, plain] = [Scenario::work(WorkKind::Sleep), Scenario::book()];
        let announce = "echo \"$*\" >&2; echo listening on 127.0.0.1:1; exec sleep 600";
        let contender = Contender::new("sh", "sh", ["-c", announce, "sh"]);
        assert!(contender.cannot(&working).is_some() && contender.cannot(&plain).is_none());
        let contender = contender.taking_work();
        assert_eq!(contender.cannot(&working), None);
        let running = contender.start_for(&working, &StopFlag::default(), None).unwrap();
        let asked = Instant::now();
        while running.last_words() != "--work 2ms --work-kind sleep" {
            assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", running.last_words());
            thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn commands_are_split_as_a_shell_does() {
        let contender = Contender::from_command_line("py", "python3 -c 'print(1)' --port={port}").unwrap();
        assert_eq!(contender.arguments, ["-c", "print(1)", "--port={port}"]);
        let word = with_port(&contender.arguments[2], Some("127.0.0.1:1060".parse().unwrap()));
        assert_eq!(word, "--port=1060");
        for wrong in ["", "  ", "python3 'open"] {
            assert!(
                matches!(Contender::from_command_line("x", wrong), Err(StartError::NotACommand(_))),
                "{wrong:?}"
            );
        }
    }
}
