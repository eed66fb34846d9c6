//! One traced server: started, met by the clients, and ended; what it and they have noted,
//! together.

use std::fs::{self, File};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use zen_compare::{Contender, Running, StopFlag};
use zen_trace::outside::Watch;
use zen_trace::recording::{Recording, Trace};

use super::clients::ClientRecords;
use super::crowd::{Crowd, Load};
use super::matching::add_clients;
use super::process::{ask_to_end, own_program};
use crate::failure::Failure;
use crate::flavor::Flavor;
use crate::units::written;
use crate::work::{Work, WorkKind};

/// How often the processes are looked at.
const LOOK: Duration = Duration::from_millis(5);

/// How often to look whether a server has ended whose clients say that it has closed.
const ENDED_WITHIN_LOOKS: u32 = 20;

/// How long a server may take to drain and to write its recording.
const END_WITHIN: Duration = Duration::from_secs(20);

/// A server to trace.
pub(super) enum Traced {
    /// One of ours, which records its own steps.
    Flavor(Flavor),
    /// Any other, which is watched from outside.
    Outside(Contender),
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
    let clients = Crowd::start(load)?;
    let mut words = vec!["traced".to_owned(), "127.0.0.1:0".into(), "--flavor".into(), flavor.name().into()];
    words.extend(["--log".to_owned(), "warn".into(), "--recording".into(), file.0.display().to_string()]);
    if let Some(Work { kind, time }) = load.work {
        let kind = if kind == WorkKind::Spin { "spin" } else { "sleep" };
        words.extend(["--work".to_owned(), written(time), "--work-kind".into(), kind.into()]);
    }
    if let Some(workers) = load.workers.filter(|_| flavor.has_workers()) {
        words.extend(["--workers".to_owned(), workers.to_string()]);
    }
    let server = Contender::new(flavor.name(), own_program()?, words).start(None);
    let server = server.map_err(|error| error.to_string())?;
    // Where the system does not tell them, the picture shows how long threads ran, and not when.
    let switches = Watch::start_switches(server.pid()).ok();
    let clients = meet(clients, &server, stop, FirstToEnd::Server);
    let ended = end(server);
    let switches = switches.map(Watch::finish);
    let clients = clients?;
    ended?;
    let mut recording = file.read()?;
    flavor.name().clone_into(&mut recording.name);
    let notes = switches.map(|watched| watched.add_switches(&mut recording)).unwrap_or_default();
    add_clients(&mut recording, &clients.conversations);
    Ok(Outcome { recording, clients, notes })
}

fn trace_outside(contender: &Contender, load: &Load, stop: &StopFlag) -> Result<Outcome, String> {
    let clients = Crowd::start(load)?;
    let server = contender.start_unless(stop, None).map_err(|error| error.to_string())?;
    let watch = Watch::start(server.pid()).map_err(|error| format!("cannot watch it: {error}"))?;
    let clients = meet(clients, &server, stop, FirstToEnd::Clients);
    let watched = watch.finish();
    let clients = clients?;
    let failed = |error| format!("cannot end it: {error}");
    server.stop().map_err(failed)?;
    let notes = watched.limits.clone();
    let mut recording = watched.into_recording(contender.name());
    add_clients(&mut recording, &clients.conversations);
    Ok(Outcome { recording, clients, notes })
}

/// Who ends first when a trace is interrupted.
#[derive(Debug, Clone, Copy)]
enum FirstToEnd {
    Server,
    Clients,
}

/// Lets the clients meet the server until they are done, the server ends, or the trace is
/// interrupted.
fn meet(
    mut clients: Crowd,
    server: &Running,
    stop: &StopFlag,
    first_to_end: FirstToEnd,
) -> Result<ClientRecords, String> {
    clients.meet(server.address())?;
    let mut asked: Option<Instant> = None;
    let mut told = false;
    loop {
        if clients.has_ended()? {
            break;
        }
        let ended = server.ended().map_err(|error| error.to_string())?;
        if let Some(how) = ended.as_ref().filter(|_| asked.is_none()) {
            return Err(ended_early(server, how));
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
    // Clients notice the end of a server's process before its parent does.
    for _ in 0..ENDED_WITHIN_LOOKS {
        if records.failure.is_none() || asked.is_some() {
            break;
        }
        if let Some(how) = server.ended().map_err(|error| error.to_string())? {
            return Err(ended_early(server, &how));
        }
        thread::sleep(LOOK);
    }
    match (&records.failure, records.answers) {
        (Some(why), 0) if asked.is_none() => Err(format!("no question was answered: {why}")),
        _ => Ok(records),
    }
}

fn ended_early(server: &Running, how: &str) -> String {
    let words = server.last_words();
    let said = if words.is_empty() { String::new() } else { format!("; it said: {words}") };
    format!("the server ended before its clients were done ({how}){said}")
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
