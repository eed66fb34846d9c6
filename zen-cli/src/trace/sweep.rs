//! `zen trace --sweep`: measured points beside theory.

use std::io::{self, Write};
use std::time::Duration;

use zen_compare::StopFlag;
use zen_trace::model::{Measured, ServerSweep, Station, Sweep};
use zen_trace::{Terminal, whole_file};

use super::crowd::Load;
use super::saying::{interrupted, not_written, say, wrote};
use super::server::Traced;
use crate::args::TraceArgs;
use crate::failure::Failure;
use crate::files::{is_stdout, shown};
use crate::flavor::Flavor;
use crate::work::{Work, WorkKind};

/// The think times, in milliseconds.
const THINK: [u64; 5] = [0, 1, 10, 40, 100];

/// How many clients.
const CLIENTS: [usize; 3] = [1, 8, 64];

/// The least time that a point takes.
const LEAST: Duration = Duration::from_millis(400);

/// How many times a client thinks in a point, at least: what a server does once, when it starts and
/// ends, must not look like the cost of its questions.
const ROUNDS: u32 = 20;

fn time_of(think: Duration) -> Duration {
    LEAST.max(think * ROUNDS)
}

pub(super) fn run(
    args: &TraceArgs,
    work: Option<Work>,
    terminal: Terminal,
    stop: &StopFlag,
) -> Result<(), Failure> {
    let flavors = args.flavors();
    let points = THINK.len() * CLIENTS.len() * flavors.len();
    let thinks = THINK.map(|think| time_of(Duration::from_millis(think)).as_secs_f64());
    let runs = u32::try_from(CLIENTS.len() * flavors.len()).unwrap_or(u32::MAX);
    // Starting and ending a server takes a fifth of the shortest time.
    let seconds = (thinks.iter().sum::<f64>() + LEAST.as_secs_f64()) * f64::from(runs);
    say(&format!("{points} points, about {seconds:.0} s"));
    let mut servers = Vec::new();
    for flavor in flavors {
        let measured = measure(flavor, work, stop)?;
        let sweep = ServerSweep::new(flavor.name(), station(flavor, work), &measured);
        servers.push(sweep.ok_or_else(|| {
            Failure::Failed(format!("{}: no question was answered in the first point", flavor.name()))
        })?);
        if stop.is_stopped() {
            break;
        }
    }
    let sweep = Sweep::new(servers);
    let prints_json = is_stdout(args.json.as_deref());
    let text = if prints_json { sweep.to_json() } else { sweep.to_table(terminal) };
    Failure::from_output(io::stdout().lock().write_all(text.as_bytes()))?;
    if let Some(file) = args.json.as_deref().filter(|_| !prints_json) {
        whole_file::write(file, |out| out.write_all(sweep.to_json().as_bytes()))
            .map_err(|error| not_written(&error))?;
        say(&format!("wrote {}", shown(file)));
    }
    if let Some(folder) = &args.out {
        let files = sweep.write_all(folder).map_err(|error| not_written(&error))?;
        wrote(&files);
    }
    if stop.is_stopped() { Err(interrupted()) } else { Ok(()) }
}

fn measure(flavor: Flavor, work: Option<Work>, stop: &StopFlag) -> Result<Vec<Measured>, Failure> {
    let mut points = Vec::new();
    for think in THINK {
        for clients in CLIENTS {
            if stop.is_stopped() && !points.is_empty() {
                return Ok(points);
            }
            let load = Load {
                clients,
                conversations: 1,
                questions: usize::MAX,
                think: Duration::from_millis(think),
                work,
                workers: None,
                stop_after: Some(time_of(Duration::from_millis(think))),
            };
            let traced = Traced::Flavor(flavor).trace(&load, stop)?;
            let window = (traced.clients.from_ns, traced.clients.to_ns);
            let seconds = Duration::from_millis(think).as_secs_f64();
            let measured = Measured::new(&traced.recording, window, seconds, clients);
            points.push(measured.with_blocked(blocked(flavor, work)));
        }
    }
    Ok(points)
}

/// For how long a handler that sleeps holds its thread. The async flavors await it instead, and the
/// model has it in the round.
fn blocked(flavor: Flavor, work: Option<Work>) -> f64 {
    match work {
        Some(Work { kind: WorkKind::Sleep, time }) if !flavor.is_async() => time.as_secs_f64(),
        _ => 0.0,
    }
}

/// The flavor as the model knows it: on how many questions it works at the same time, and how many
/// conversations it holds.
fn station(flavor: Flavor, work: Option<Work>) -> Station {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let sleeps = blocked(flavor, work) > 0.0;
    match flavor {
        Flavor::Blocking => Station::new(1, Some(1)),
        Flavor::Pool => {
            let workers = zen_server::defaults::POOL_WORKERS;
            Station::new(if sleeps { workers } else { workers.min(cores) }, Some(workers))
        }
        Flavor::Threaded if sleeps => Station::new(zen_server::defaults::CONNECTIONS_WITH_THREADS, None),
        Flavor::Threaded | Flavor::MioMulti | Flavor::AsyncMulti => Station::new(cores, None),
        Flavor::Mio | Flavor::Async => Station::new(1, None),
    }
}
