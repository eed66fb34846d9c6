//! One traced server: started, met by the clients, and ended; what it and they have noted,
//! together.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use zen_compare::{Contender, Running, StopFlag};
use zen_trace::outside::Watch;
use zen_trace::recording::{Conversation, Recording, Trace};

use super::clients::ClientRecords;
use crate::failure::Failure;
use crate::flavor::Flavor;
use crate::units::written;
use crate::work::{Work, WorkKind};

/// How often the processes are looked at.
const LOOK: Duration = Duration::from_millis(5);

/// How long a server may take to drain and to write its recording.
const END_WITHIN: Duration = Duration::from_secs(20);

/// A server to trace.
pub(super) enum Traced {
    /// One of ours, which records its own steps.
    Flavor(Flavor),
    /// Any other, which is watched from outside.
    Outside(Contender),
}

/// What the clients do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) clients: usize,
    pub(super) conversations: usize,
    pub(super) questions: usize,
    pub(super) think: Duration,
    pub(super) work: Option<Work>,
    pub(super) stop_after: Option<Duration>,
}

/// What became of one server.
pub(super) struct Outcome {
    pub(super) recording: Recording,
    pub(super) clients: ClientRecords,
    /// What the picture lacks, and why.
    pub(super) notes: Vec<String>,
}

impl Traced {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Flavor(flavor) => flavor.name(),
            Self::Outside(contender) => contender.name(),
        }
    }

    /// Traces the server under the load.
    pub(super) fn trace(&self, load: &Load, stop: &StopFlag) -> Result<Outcome, Failure> {
        match self {
            Self::Flavor(flavor) => trace_flavor(*flavor, load, stop),
            Self::Outside(contender) => trace_outside(contender, load, stop),
        }
        .map_err(|why| Failure::Failed(format!("{}: {why}", self.name())))
    }
}

fn trace_flavor(flavor: Flavor, load: &Load, stop: &StopFlag) -> Result<Outcome, String> {
    let file = RecordingFile::new()?;
    let mut words = vec!["traced".to_owned(), "127.0.0.1:0".into(), "--flavor".into(), flavor.name().into()];
    words.extend(["--log".to_owned(), "warn".into(), "--recording".into(), file.0.display().to_string()]);
    if let Some(Work { kind, time }) = load.work {
        let kind = if kind == WorkKind::Spin { "spin" } else { "sleep" };
        words.extend(["--work".to_owned(), written(time), "--work-kind".into(), kind.into()]);
    }
    let server = Contender::new(flavor.name(), own_program()?, words).start(None);
    let server = server.map_err(|error| error.to_string())?;
    let clients = meet(&server, load, stop, FirstToEnd::Server)?;
    end(server)?;
    let mut recording = file.read()?;
    flavor.name().clone_into(&mut recording.name);
    for (index, spans) in (1..).zip(&clients.conversations) {
        conversation(&mut recording, index).client_spans.clone_from(spans);
    }
    Ok(Outcome { recording, clients, notes: Vec::new() })
}

fn trace_outside(contender: &Contender, load: &Load, stop: &StopFlag) -> Result<Outcome, String> {
    let server = contender.start(None).map_err(|error| error.to_string())?;
    let watch = Watch::start(server.pid()).map_err(|error| format!("cannot watch it: {error}"))?;
    let clients = meet(&server, load, stop, FirstToEnd::Clients);
    let watched = watch.finish();
    let clients = clients?;
    let failed = |error| format!("cannot end it: {error}");
    server.stop().map_err(failed)?;
    let notes = watched.limits.clone();
    let mut recording = watched.into_recording(contender.name());
    for (index, spans) in (1..).zip(&clients.conversations) {
        conversation(&mut recording, index).client_spans.clone_from(spans);
    }
    Ok(Outcome { recording, clients, notes })
}

/// The conversation with this number, which the recording may not have: then the server never
/// accepted it, or said nothing.
fn conversation(recording: &mut Recording, number: u64) -> &mut Conversation {
    let known = recording.conversations.iter().position(|conversation| conversation.number == number);
    let index = known.unwrap_or_else(|| {
        recording.conversations.push(Conversation::new(number));
        recording.conversations.len() - 1
    });
    &mut recording.conversations[index]
}

fn own_program() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))
}

/// Who ends first when a trace is interrupted.
#[derive(Debug, Clone, Copy)]
enum FirstToEnd {
    Server,
    Clients,
}

/// Asks a process to end. It may have ended already.
fn ask_to_end(process: u32) {
    // Process numbers are far below 2^31.
    let _ = kill(Pid::from_raw(i32::try_from(process).unwrap_or(i32::MAX)), Signal::SIGTERM);
}

/// Runs the clients until they are done, the server ends, or the trace is interrupted.
fn meet(
    server: &Running,
    load: &Load,
    stop: &StopFlag,
    first_to_end: FirstToEnd,
) -> Result<ClientRecords, String> {
    let address = server.address().to_string();
    let mut command = Command::new(own_program()?);
    command.args(["clients", &address, "--think", &written(load.think)]);
    command.args(["--clients", &load.clients.to_string(), "--questions", &load.questions.to_string()]);
    command.args(["--conversations", &load.conversations.to_string()]);
    if let Some(after) = load.stop_after {
        command.args(["--stop-after", &written(after)]);
    }
    // Ctrl-C is for this process, which then asks the clients for what they have.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped());
    let child = command.spawn().map_err(|error| format!("cannot start the clients: {error}"))?;
    let mut clients = Clients { child, output: None };
    clients.listen();
    let mut asked: Option<Instant> = None;
    let mut told = false;
    loop {
        if clients.has_ended()? {
            break;
        }
        let ended = server.ended().map_err(|error| error.to_string())?;
        if let Some(how) = ended.as_ref().filter(|_| asked.is_none()) {
            let words = server.last_words();
            let said = if words.is_empty() { String::new() } else { format!("; it said: {words}") };
            return Err(format!("the server ended before its clients were done ({how}){said}"));
        }
        match asked {
            None if stop.is_stopped() => {
                asked = Some(Instant::now());
                // A server of ours ends first. If the clients went first, it would accept those who
                // still stand in line, and they would pass for served.
                match first_to_end {
                    FirstToEnd::Server => ask_to_end(server.pid()),
                    FirstToEnd::Clients => clients.ask_to_end(),
                }
            }
            Some(_) if ended.is_some() && !told => {
                told = true;
                clients.ask_to_end();
            }
            Some(asked) if asked.elapsed() > END_WITHIN => {
                return Err("the clients did not end when they were asked to".to_owned());
            }
            _ => {}
        }
        thread::sleep(LOOK);
    }
    let records = match clients.records() {
        // They were asked to end before they could note anything.
        Err(_) if asked.is_some() => ClientRecords::default(),
        records => records?,
    };
    match (&records.failure, records.answers) {
        (Some(why), 0) if asked.is_none() => Err(format!("no question was answered: {why}")),
        _ => Ok(records),
    }
}

/// Ends a server of ours, which drains and writes its recording first.
fn end(server: Running) -> Result<(), String> {
    // If it has ended by itself, the file tells what it has recorded.
    ask_to_end(server.pid());
    let asked = Instant::now();
    while server.ended().map_err(|error| error.to_string())?.is_none() && asked.elapsed() < END_WITHIN {
        thread::sleep(LOOK);
    }
    let stopped = server.stop();
    stopped.map(drop).map_err(|error| format!("cannot end it: {error}"))
}

/// The clients' process, which does not outlive this.
struct Clients {
    child: Child,
    output: Option<JoinHandle<String>>,
}

impl Clients {
    /// Reads what they print, so that no pipe fills up.
    fn listen(&mut self) {
        self.output = self.child.stdout.take().map(|mut stdout| {
            thread::spawn(move || {
                let mut text = String::new();
                // What was read until an error is all there is.
                let _ = stdout.read_to_string(&mut text);
                text
            })
        });
    }

    fn has_ended(&mut self) -> Result<bool, String> {
        let ended = self.child.try_wait().map_err(|error| format!("cannot wait for the clients: {error}"));
        ended.map(|status| status.is_some())
    }

    fn ask_to_end(&self) {
        ask_to_end(self.child.id());
    }

    fn records(mut self) -> Result<ClientRecords, String> {
        let text = self.output.take().and_then(|output| output.join().ok()).unwrap_or_default();
        serde_json::from_str(&text).map_err(|_| "the clients ended without saying what they did".to_owned())
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        // They have usually ended already; then both calls fail.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The file in which a traced server leaves its recording. It goes when this is dropped.
struct RecordingFile(PathBuf);

impl RecordingFile {
    fn new() -> Result<Self, String> {
        let folder = std::env::temp_dir();
        let process = std::process::id();
        for number in 0..1000 {
            let path = folder.join(format!("zen-trace-{process}-{number}.json"));
            match File::create_new(&path) {
                Ok(_) => return Ok(Self(path)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(format!("cannot write to {}: {error}", folder.display())),
            }
        }
        Err(format!("{} is full of files of this name", folder.display()))
    }

    fn read(&self) -> Result<Recording, String> {
        let failed = |why: String| format!("its recording cannot be read: {why}");
        let file = File::open(&self.0).map_err(|error| failed(error.to_string()))?;
        let trace = Trace::read_json(file).map_err(|error| failed(error.to_string()))?;
        trace.servers.into_iter().next().ok_or_else(|| failed("it is empty".to_owned()))
    }
}

impl Drop for RecordingFile {
    fn drop(&mut self) {
        // Whoever cleans the folder of temporary files may have been faster.
        let _ = fs::remove_file(&self.0);
    }
}
