//! `zen trace`: traces one server after the other under the same clients, and shows where the time
//! of each has gone.

pub(crate) mod clients;
mod crowd;
mod matching;
mod process;
mod saying;
mod server;
pub(crate) mod short;
mod sweep;

use std::io::{self, Write};

use zen_trace::recording::Trace;
use zen_trace::{LEAST_WIDTH, Sums, Terminal, whole_file};

use self::crowd::Load;
use self::saying::{cannot_write, interrupted, not_written, note_on, say, wrote};
use self::server::Traced;
use crate::args::TraceArgs;
use crate::failure::Failure;
use crate::files::{is_stdout, shown};
use crate::signals::stop_on_signal;
use crate::terminal::{is_plain, wants_color, width};
use crate::work::Work;

/// The questions of a conversation, as in the book.
const QUESTIONS: usize = 3;

/// The width of the pictures where there is no terminal.
const WIDTH: u16 = 100;

pub(crate) fn run(args: &TraceArgs) -> Result<(), Failure> {
    for (count, option) in [(args.clients, "--clients"), (args.conversations, "--conversations")] {
        if count == 0 {
            return Err(Failure::Usage(format!("{option} is 0: there is nothing to trace; give at least 1")));
        }
    }
    let terminal = terminal(args)?;
    let json = args.json.as_deref();
    if let Some(folder) = &args.out {
        let first = folder.join(if args.sweep { "sweep.json" } else { "steps.json" });
        let made = std::fs::create_dir_all(folder).and_then(|()| whole_file::check(&first));
        made.map_err(|error| cannot_write(folder, &error))?;
    }
    if let Some(file) = json.filter(|_| !is_stdout(json)) {
        whole_file::check(file).map_err(|error| cannot_write(file, &error))?;
    }
    let stop = stop_on_signal()?;
    let work = args.work.filter(|time| !time.is_zero()).map(|time| Work { kind: args.work_kind, time });
    if args.sweep {
        return sweep::run(args, work, terminal, &stop);
    }
    let load = Load {
        clients: args.clients,
        conversations: args.conversations,
        questions: QUESTIONS,
        think: args.think,
        work,
        workers: None,
        stop_after: None,
    };
    let servers = args.flavors().into_iter().map(Traced::Flavor);
    let servers = servers.chain(args.against.iter().cloned().map(Traced::Outside));
    let mut servers: Vec<(usize, Traced)> = servers.enumerate().collect();
    // Those of others may not start. The sooner that is said, the better.
    servers.sort_by_key(|(_, server)| matches!(server, Traced::Flavor(_)));
    let (mut recordings, mut failure) = (Vec::new(), None);
    for (place, server) in servers {
        if stop.is_stopped() && !recordings.is_empty() {
            break;
        }
        match server.trace(&load, &stop) {
            Ok(traced) => {
                for note in &traced.notes {
                    note_on(server.name(), note);
                }
                if let Some(why) = traced.clients.failure.as_ref().filter(|_| !stop.is_stopped()) {
                    note_on(server.name(), &format!("a client gave up: {why}"));
                }
                recordings.push((place, traced.recording));
            }
            // One that fails leaves the others in.
            Err(failed) => {
                failed.report();
                failure = Some(Failure::Told);
            }
        }
    }
    if recordings.is_empty() {
        return Err(failure.unwrap_or_else(|| Failure::Failed("interrupted; nothing was traced".to_owned())));
    }
    recordings.sort_by_key(|(place, _)| *place);
    let recordings = recordings.into_iter().map(|(_, recording)| recording).collect();
    show(args, &Trace::new(recordings), terminal)?;
    if stop.is_stopped() {
        return Err(interrupted());
    }
    failure.map_or(Ok(()), Err)
}

/// Prints and writes everything that was asked for.
fn show(args: &TraceArgs, trace: &Trace, terminal: Terminal) -> Result<(), Failure> {
    let sums = Sums::new(trace);
    let prints_json = is_stdout(args.json.as_deref());
    let mut out = io::stdout().lock();
    let printed = if prints_json {
        out.write_all(sums.to_json().as_bytes())
    } else {
        let listing = match &trace.servers[..] {
            [alone] => alone.to_listing(terminal),
            _ => String::new(),
        };
        let parts = [listing, trace.to_time_line(terminal), sums.to_table(terminal)];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        out.write_all(parts.join("\n").as_bytes())
    };
    Failure::from_output(printed)?;
    if let Some(file) = args.json.as_deref().filter(|_| !prints_json) {
        whole_file::write(file, |out| out.write_all(sums.to_json().as_bytes()))
            .map_err(|error| not_written(&error))?;
        say(&format!("wrote {}", shown(file)));
    }
    if let Some(folder) = &args.out {
        let files = trace.write_all(folder).map_err(|error| not_written(&error))?;
        wrote(&files);
    }
    Ok(())
}

/// How standard output wants its text.
fn terminal(args: &TraceArgs) -> Result<Terminal, Failure> {
    let prints_pictures = !is_stdout(args.json.as_deref());
    let width = width().unwrap_or(WIDTH);
    if prints_pictures && width < LEAST_WIDTH {
        return Err(Failure::Failed(format!(
            "the terminal has {width} columns, and the pictures need {LEAST_WIDTH}: make it wider, or use --json -"
        )));
    }
    let color = wants_color(&io::stdout()) && !is_plain();
    Ok(Terminal::new(width).with_color(color).with_ascii(is_plain()))
}
