//! `zen serve`: binds, prints the address, serves until a signal, and drains.

use std::fs::File;
use std::io::{self, BufWriter};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;
use tracing::info;
use zen_compare::child::end_with_the_lab;
use zen_server::rustls::ServerConfig;
use zen_server::{Observer, Options, OptionsError, Silent, Snapshot, StopHandle, tls_config};
use zen_trace::Recorder;
use zen_trace::recording::Trace;

use crate::args::{ServeArgs, TracedArgs};
use crate::escape::escaped;
use crate::failure::Failure;
use crate::flavor::{self, Flavor};
use crate::listen::{Listening, announce, listen_at};
use crate::logging;
use crate::work::Work;

pub(crate) fn run(args: &ServeArgs) -> Result<(), Failure> {
    serve(args, Silent)
}

/// The same, with a recorder, whose recording is written when the server has ended, however it
/// ended. The server has a thread of its own, so that what the recording costs is not taken for
/// the server's.
pub(crate) fn run_recorded(args: &TracedArgs) -> Result<(), Failure> {
    let recorder = Recorder::new(args.steps);
    let result = thread::scope(|scope| {
        let server = thread::Builder::new().name("main".to_owned());
        let server = server.spawn_scoped(scope, || serve(&args.serve, recorder.clone()));
        let server = server.map_err(|error| Failure::Failed(format!("cannot start a thread: {error}")))?;
        let panicked = || Failure::Failed("the server panicked; its recording ends there".to_owned());
        server.join().unwrap_or_else(|_| Err(panicked()))
    });
    let trace = Trace::new(vec![recorder.recording(args.serve.flavor.name())]);
    let file = File::create(&args.recording).and_then(|file| trace.write_json(BufWriter::new(file)));
    file.map_err(|error| Failure::Failed(format!("cannot write the recording: {error}")))?;
    result
}

fn serve(args: &ServeArgs, observer: impl Observer) -> Result<(), Failure> {
    end_with_the_lab();
    let options = checked(args)?;
    logging::start(&args.log)?;
    let tls = tls(args)?;
    let signals =
        signals().map_err(|error| Failure::Failed(format!("cannot listen for signals: {error}")))?;
    let Listening { listener, address, path: _path } = listen_at(&args.address, args.server.backlog)?;
    // Work of zero length is no work, and then the service is not wrapped.
    let work = args.work.filter(|time| !time.is_zero()).map(|time| Work { kind: args.work_kind, time });
    let server = flavor::server(args.flavor, listener, work, tls, options, observer)
        .map_err(|error| refused(&error, args.server.connections.is_some()))?;
    drain_on_signal(signals, server.stop);
    announce(&address)?;
    info!(flavor = args.flavor.name(), %address, "serving");
    let result = (server.run)();
    summarize(&server.counters.snapshot());
    result.map_err(|error| Failure::Failed(format!("the server failed: {error}")))
}

/// What TLS needs, if it is wanted.
fn tls(args: &ServeArgs) -> Result<Option<Arc<ServerConfig>>, Failure> {
    let (Some(certificate), Some(key)) = (&args.tls_cert, &args.tls_key) else { return Ok(None) };
    let config = tls_config(certificate, key);
    config.map(Some).map_err(|error| Failure::Failed(escaped(error.to_string().as_bytes()).to_string()))
}

/// The options, if a server of this flavor can run with them.
fn checked(args: &ServeArgs) -> Result<Options, Failure> {
    let options = args.server.options();
    options.validate().map_err(|error| Failure::Usage(error.to_string()))?;
    if options.workers.is_some() && !args.flavor.has_workers() {
        return Err(Failure::Usage(format!(
            "--workers means nothing to the flavor {}: leave it out, or choose {}, {} or {}",
            args.flavor.name(),
            Flavor::Pool.name(),
            Flavor::MioMulti.name(),
            Flavor::AsyncMulti.name(),
        )));
    }
    Ok(options)
}

/// A usage error, except when the machine has no room for the default cap: that is a failure.
fn refused(error: &OptionsError, cap_was_given: bool) -> Failure {
    match error {
        OptionsError::ConnectionCap { .. } if !cap_was_given => Failure::Failed(error.to_string()),
        _ => Failure::Usage(error.to_string()),
    }
}

/// Catches SIGTERM and SIGINT. The second one ends the process from within the signal handler,
/// whatever the threads are doing.
fn signals() -> io::Result<Signals> {
    let draining = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        // The order matters: the signal that sets the flag must not find it set.
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&draining))?;
        flag::register(signal, Arc::clone(&draining))?;
    }
    Signals::new([SIGTERM, SIGINT])
}

fn drain_on_signal(mut signals: Signals, stop: StopHandle) {
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            info!("draining; a second signal exits at once");
            stop.stop();
        }
    });
}

fn summarize(total: &Snapshot) {
    let closes: Vec<String> = total.closes().map(|(reason, n)| format!("{reason}={n}")).collect();
    info!(
        accepted = total.accepted,
        open = total.open,
        questions = total.questions,
        bytes_in = total.bytes_in,
        bytes_out = total.bytes_out,
        accept_errors = total.accept_errors,
        closes = closes.join(","),
        "served"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_cap_that_was_given_is_a_mistake_of_the_caller() {
        let error = OptionsError::ConnectionCap { cap: 9, open_files: 8, most: 0 };
        assert!(matches!(refused(&error, true), Failure::Usage(_)));
        assert!(matches!(refused(&error, false), Failure::Failed(_)));
    }
}
