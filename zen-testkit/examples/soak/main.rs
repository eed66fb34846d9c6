//! Holds many good and bad clients against a server of zen's protocol, for as long as asked, and
//! fails if what the server uses, or how long it takes, drifts.
//!
//! `soak --seconds 60 --clients 1000 -- zen serve 127.0.0.1:0 --flavor mio` starts a server. `soak
//! --address 127.0.0.1:1060 --process 4711` takes one that runs. The first third of the time is for
//! warming up; then the second third is compared with the last.

mod client;
mod process;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;

use client::{Client, Kind, Seen};
use process::{Started, Use};

/// Holds good and bad clients against a server, and reports drift.
#[derive(Debug, Parser)]
struct Arguments {
    /// How long, in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(9..))]
    seconds: u64,
    /// How many clients.
    #[arg(long, default_value_t = 1000)]
    clients: usize,
    /// Where a server listens that runs already.
    #[arg(long, requires = "process", conflicts_with = "command")]
    address: Option<SocketAddr>,
    /// The number of that server's process.
    #[arg(long)]
    process: Option<u32>,
    /// The command that starts a server, which says `listening on HOST:PORT` first.
    #[arg(last = true)]
    command: Vec<String>,
}

/// One sample: what the server used, and the longest wait but for one in a hundred.
#[derive(Debug, Clone, Copy)]
struct Sample {
    server: Use,
    late: Duration,
}

/// What of a sample is compared.
type Measure = fn(&Sample) -> u64;

fn main() -> ExitCode {
    match soak(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn soak(arguments: &Arguments) -> Result<(), String> {
    let (_started, address, process) =
        if let (Some(address), Some(process)) = (arguments.address, arguments.process) {
            (None, address, process)
        } else {
            let (started, address) = Started::start(&arguments.command)?;
            let process = started.process();
            (Some(started), address, process)
        };
    let begun = Instant::now();
    let end = begun + Duration::from_secs(arguments.seconds);
    let mut clients: Vec<Client> =
        Kind::MIX.iter().cycle().take(arguments.clients).map(|kind| Client::new(*kind)).collect();
    // They begin one after another, so that no two keep step.
    let mut due: BinaryHeap<_> = (0..clients.len())
        .map(|index| Reverse((begun + Duration::from_micros(1000 * index as u64), index)))
        .collect();
    let (mut samples, mut seen, mut next_sample) = (Vec::new(), Seen::default(), begun);
    let mut answers = 0;
    println!("seconds   answers      KiB  descriptors  threads  p99 ms");
    while Instant::now() < end {
        let now = Instant::now();
        while let Some(Reverse((at, index))) = due.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            due.pop();
            let again = clients[index].step(address, Instant::now(), &mut seen);
            due.push(Reverse((again.max(at), index)));
            if let Some(wrong) = &seen.wrong {
                return Err(wrong.clone());
            }
        }
        if now >= next_sample {
            next_sample += Duration::from_secs(1);
            let server = Use::of(process).ok_or("the server has ended")?;
            let Seen { answers: more, waits, .. } = std::mem::take(&mut seen);
            answers += more;
            let late = percentile(waits);
            samples.push(Sample { server, late });
            println!(
                "{:>7} {answers:>9} {:>8} {:>12} {:>8} {:>7.1}",
                (now - begun).as_secs(),
                server.kilobytes,
                server.descriptors,
                server.threads,
                late.as_secs_f64() * 1000.0
            );
        }
        thread::sleep(Duration::from_micros(300));
    }
    if answers == 0 {
        return Err("no question was answered".to_owned());
    }
    judge(&samples)
}

/// The wait that one in a hundred is longer than.
fn percentile(mut waits: Vec<Duration>) -> Duration {
    waits.sort_unstable();
    waits.get(waits.len() * 99 / 100).copied().unwrap_or_default()
}

/// Compares the second third of the samples with the last.
fn judge(samples: &[Sample]) -> Result<(), String> {
    let third = samples.len() / 3;
    let (before, after) = (&samples[third..2 * third], &samples[2 * third..]);
    // What a busy machine or another mix of the moment may add, beside a quarter.
    let measures: [(&str, Measure, u64); 4] = [
        ("KiB of memory", |sample| sample.server.kilobytes, 2048),
        ("descriptors", |sample| sample.server.descriptors, 50),
        ("threads", |sample| sample.server.threads, 50),
        ("ms until an answer", |sample| u64::try_from(sample.late.as_millis()).unwrap_or(u64::MAX), 250),
    ];
    let mut drifts = Vec::new();
    for (name, measure, slack) in measures {
        let (was, is) = (median(before, measure), median(after, measure));
        println!("{name}: {was}, then {is}");
        if is > was + was / 4 + slack {
            drifts.push(format!("{name} grew from {was} to {is}"));
        }
    }
    if drifts.is_empty() { Ok(()) } else { Err(drifts.join("; ")) }
}

fn median(samples: &[Sample], measure: Measure) -> u64 {
    let mut values: Vec<u64> = samples.iter().map(measure).collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}
