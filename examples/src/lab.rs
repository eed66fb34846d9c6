//! The lab on an example's protocol: `--compare` measures the server under every flavor.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use zen_compare::{Contender, Expected, Observer, Plan, Scenario, Upcoming, Workload, WorkloadError};
use zen_compare::{child, compare, output};

use crate::failure::Failure;
use crate::flavor::Flavor;

/// The arguments are not those of a comparison.
#[derive(Debug, thiserror::Error)]
#[error(
    "usage: --compare [--flavor FLAVOR]... [--against NAME=COMMAND]... [--repetitions N] [--out DIRECTORY] [--briefly]"
)]
struct Usage;

/// The table's width, in columns.
const WIDTH: u16 = 100;

/// What the lab asks a server, under which loads, and beside which other servers.
#[derive(Debug)]
pub struct Lab {
    workload: Workload,
    scenarios: Vec<Scenario>,
    others: Vec<(String, Vec<OsString>)>,
}

impl Lab {
    /// The questions of this workload, under these loads.
    pub fn new(workload: Workload, scenarios: impl IntoIterator<Item = Scenario>) -> Self {
        Self { workload, scenarios: scenarios.into_iter().collect(), others: Vec::new() }
    }

    /// The same with one more server: this program, started with other arguments. It must print
    /// `listening on HOST:PORT`.
    #[must_use]
    pub fn beside<A: Into<OsString>>(mut self, name: &str, arguments: impl IntoIterator<Item = A>) -> Self {
        self.others.push((name.into(), arguments.into_iter().map(Into::into).collect()));
        self
    }

    /// The plan that a command line asks for.
    fn plan(self, options: &Options) -> Result<Plan, Failure> {
        let program = std::env::current_exe()?;
        let serving = |flavor: &Flavor| {
            let arguments = ["127.0.0.1:0", "--flavor", flavor.name()];
            Contender::new(flavor.name(), &program, arguments)
        };
        let mut contenders = vec![Contender::own_floor_for(&self.workload)?];
        contenders.extend(options.flavors.iter().map(serving));
        let others = self.others.into_iter();
        contenders.extend(others.map(|(name, arguments)| Contender::new(name, &program, arguments)));
        contenders.extend(options.against.iter().cloned());
        let mut plan = Plan::quick(contenders, self.scenarios);
        plan.workload = self.workload;
        plan.repetitions = options.repetitions.unwrap_or(plan.repetitions);
        if options.briefly {
            plan.repetitions = 1;
            (plan.warmup, plan.window) = (Duration::from_millis(30), Duration::from_millis(100));
        }
        Ok(plan)
    }
}

/// Compares the flavors of this program, if its command line begins with `--compare`. Also serves
/// as the lab's floor, if the lab has started this program for that. Returns `None` if neither is
/// the case. Call it first in `main`.
///
/// `lab` says what is measured.
///
/// # Errors
/// When the command line is wrong, or the comparison cannot be made.
pub fn compare_if_asked(
    lab: impl FnOnce() -> Result<Lab, WorkloadError>,
) -> Result<Option<ExitCode>, Failure> {
    child::end_with_the_lab();
    let no_role = |role: &str, _: TcpListener| Err(format!("no such role: {role}"));
    if let Some(code) = child::serve_if_asked(no_role) {
        return Ok(Some(code));
    }
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some("--compare") {
        return Ok(None);
    }
    let options = Options::parse(arguments)?;
    let plan = lab()?.plan(&options)?;
    let mut progress = Progress { terminal: io::stderr().is_terminal() };
    let report = compare(&plan, &mut progress);
    progress.clear();
    let report = report?;
    print!("{}", report.to_table(WIDTH, io::stdout().is_terminal()));
    if let Some(directory) = options.out {
        for file in output::write_all(&report, directory)? {
            println!("saved: {}", file.display());
        }
    }
    Ok(Some(ExitCode::SUCCESS))
}

/// What the command line says after `--compare`.
#[derive(Debug)]
struct Options {
    flavors: Vec<Flavor>,
    against: Vec<Contender>,
    repetitions: Option<u32>,
    out: Option<PathBuf>,
    /// One short run each: it shows whether the lab works, not how fast the servers are.
    briefly: bool,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut options =
            Self { flavors: Vec::new(), against: Vec::new(), repetitions: None, out: None, briefly: false };
        while let Some(option) = arguments.next() {
            if option == "--briefly" {
                options.briefly = true;
                continue;
            }
            let value = arguments.next().ok_or(Usage)?;
            match option.as_str() {
                "--flavor" => options.flavors.push(value.parse()?),
                "--against" => {
                    let (name, command) = value.split_once('=').ok_or(Usage)?;
                    options.against.push(Contender::from_command_line(name, command)?);
                }
                "--repetitions" => options.repetitions = Some(value.parse()?),
                "--out" => options.out = Some(value.into()),
                _ => return Err(Usage.into()),
            }
        }
        if options.flavors.is_empty() {
            options.flavors = Flavor::ALL.into();
        }
        Ok(options)
    }
}

/// Says on standard error what is measured.
struct Progress {
    terminal: bool,
}

impl Progress {
    fn clear(&self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }
}

impl Observer for Progress {
    fn planned(&mut self, expected: &Expected) {
        eprintln!("{} runs, about {} s", expected.runs, expected.time.as_secs().max(1));
    }

    fn run_started(&mut self, run: &Upcoming<'_>) {
        if self.terminal {
            self.clear();
            eprint!("{}/{} {}: {}", run.done + 1, run.runs, run.scenario, run.contender);
            // What cannot be shown is not missed.
            let _ = io::stderr().flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options, Failure> {
        Options::parse(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn all_flavors_are_compared_unless_some_are_named() {
        assert_eq!(parse(&[]).unwrap().flavors, Flavor::ALL);
        let options = parse(&[
            "--flavor",
            "mio",
            "--briefly",
            "--flavor",
            "pool",
            "--out",
            "here",
            "--repetitions",
            "9",
        ])
        .unwrap();
        assert_eq!(options.flavors, [Flavor::Mio, Flavor::Pool]);
        assert!(options.briefly && options.out == Some("here".into()));
        assert_eq!(options.repetitions, Some(9));
        let options = parse(&["--against", "redis=redis-server --port {port}"]).unwrap();
        assert_eq!(options.against[0].name(), "redis");
    }

    #[test]
    fn a_wrong_command_line_is_refused() {
        for wrong in [&["--out"][..], &["--against", "redis-server"], &["--fast", "yes"], &["mio"]] {
            assert_eq!(format!("{:?}", parse(wrong).unwrap_err()), Usage.to_string(), "{wrong:?}");
        }
        assert!(format!("{:?}", parse(&["--flavor", "fast"]).unwrap_err()).contains("fast"));
    }

    #[test]
    fn the_floor_and_other_servers_take_part() {
        let workload = Workload::new([("ping", "pong")]).unwrap();
        let lab = Lab::new(workload, [Scenario::saturate(1)]).beside("by-hand", ["--by-hand"]);
        let options = parse(&["--flavor", "mio", "--against", "other=true {port}"]).unwrap();
        let plan = lab.plan(&options).unwrap();
        let names: Vec<_> = plan.contenders.iter().map(Contender::name).collect();
        assert_eq!(names, ["floor", "mio", "by-hand", "other"]);
        assert!(plan.contenders[0].is_floor());
    }
}
