//! Checks any server of the protocol against the suite: `conformance 127.0.0.1:1060`.
//!
//! Exit status: 0 if every transcript passed, 1 if not, 2 if the server could not be tested.

use std::io::{self, IsTerminal, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use zen_testkit::{Expectations, zen_suite};

/// Check a question-and-answer server against the conformance suite.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:
  conformance 127.0.0.1:1060
  conformance 127.0.0.1:1060 --only 'too long' --verbose
  conformance 127.0.0.1:1060 --question-deadline-ms 300 --only deadline")]
struct Arguments {
    /// Where the server listens
    #[arg(value_name = "HOST:PORT")]
    server: String,
    /// The server's longest question, in bytes, including its question mark
    #[arg(long, value_name = "BYTES", default_value_t = 1024, value_parser = at_least_64)]
    question_limit: usize,
    /// The server's question deadline; its transcripts are run only if this is given
    #[arg(long, value_name = "MS")]
    question_deadline_ms: Option<u64>,
    /// The server's idle deadline; its transcripts are run only if this is given
    #[arg(long, value_name = "MS")]
    idle_deadline_ms: Option<u64>,
    /// The server's write deadline; its transcripts are run only if this is given
    #[arg(long, value_name = "MS")]
    write_deadline_ms: Option<u64>,
    /// Conversations at once; leave it at 1 for a server that serves one client at a time
    #[arg(long, value_name = "N", default_value_t = 1)]
    parallel: usize,
    /// Run only the transcripts whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Give up after this many failures
    #[arg(long, value_name = "N", default_value_t = 10)]
    give_up_after: usize,
    /// Print each transcript's name and outcome
    #[arg(long, short)]
    verbose: bool,
    /// Print the names of the transcripts and run none
    #[arg(long)]
    list: bool,
}

fn at_least_64(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(limit) if limit >= 64 => Ok(limit),
        _ => Err("must be a number, 64 or more".to_owned()),
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse(), &mut io::stdout(), &mut io::stderr()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::from(2)
        }
    }
}

/// Returns whether every transcript passed. Mismatches and the summary go to `out`, progress to
/// `err`.
fn run(arguments: &Arguments, out: &mut impl Write, err: &mut impl Write) -> Result<bool, String> {
    let ms = |ms: Option<u64>| ms.map(Duration::from_millis);
    let expectations = Expectations::default()
        .with_question_limit(arguments.question_limit)
        .with_question_deadline(ms(arguments.question_deadline_ms))
        .with_idle_deadline(ms(arguments.idle_deadline_ms))
        .with_write_deadline(ms(arguments.write_deadline_ms));
    let suite = zen_suite(&expectations)
        .only(&arguments.only)
        .with_parallelism(arguments.parallel)
        .give_up_after(arguments.give_up_after);
    let unwritable = |error: io::Error| format!("cannot write: {error}");
    if arguments.list {
        for transcript in suite.transcripts() {
            writeln!(out, "{}", transcript.name()).map_err(unwritable)?;
        }
        return Ok(true);
    }
    if suite.is_empty() {
        return Err(format!("no transcript has {:?} in its name; --list shows them all", arguments.only));
    }
    let server = reach(&arguments.server)?;
    let counting = io::stderr().is_terminal() && !arguments.verbose;
    let mut done = 0;
    let report = suite.run_with(server, |outcome| {
        done += 1;
        let mark = if outcome.result.is_ok() { "ok    " } else { "FAILED" };
        // A failure to show progress is not a reason to stop.
        if arguments.verbose {
            let _ = writeln!(err, "{mark} {:>6} ms  {}", outcome.took.as_millis(), outcome.name);
        } else if counting {
            let _ = write!(err, "\r{done} of {}", suite.len());
        }
    });
    if counting {
        let _ = write!(err, "\r\x1b[K");
    }
    writeln!(out, "{report}").map_err(unwritable)?;
    Ok(report.is_pass())
}

/// The server's address, if a connection to it succeeds.
fn reach(server: &str) -> Result<SocketAddr, String> {
    let unknown =
        |why: &str| format!("{server:?} is not an address ({why}); give HOST:PORT, such as 127.0.0.1:1060");
    let addr = server
        .to_socket_addrs()
        .map_err(|error| unknown(&error.to_string()))?
        .next()
        .ok_or_else(|| unknown("the name has no address"))?;
    match TcpStream::connect_timeout(&addr, Duration::from_secs(5)) {
        Ok(_) => Ok(addr),
        Err(error) => Err(format!("cannot connect to {addr}: {error}; is the server running?")),
    }
}
