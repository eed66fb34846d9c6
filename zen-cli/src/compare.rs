//! `zen compare`: has the lab load every flavor, shows how far it is, saves each run, prints what came out.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use zen_compare::{CompareError, Contender, Expected, Observer, Plan, Report, Run, Stop, Upcoming, compare};

use crate::compare_args::CompareArgs;
use crate::failure::Failure;
use crate::flavor::Flavor;
use crate::self_test;
use crate::terminal;
use crate::units;
use crate::work::WorkKind;

/// The table's width where it is not a terminal that decides.
const WIDTH: u16 = 100;

pub(crate) fn run(args: &CompareArgs) -> Result<(), Failure> {
    if args.self_test {
        return self_test::run();
    }
    let plan = plan(args)?;
    let file = args.json.as_deref().filter(|file| *file != Path::new("-"));
    let mut progress = Progress::new(file)?;
    let report = compare(&plan, &mut progress).map_err(|error| explained(&error, args))?;
    let saved = progress.end();
    let printed = if args.json.is_some() && file.is_none() {
        report.write_json(io::stdout())
    } else {
        let color = terminal::wants_color(&io::stdout());
        write!(io::stdout(), "{}", report.to_table(terminal::width().unwrap_or(WIDTH), color))
    };
    Failure::from_output(printed)?;
    saved?;
    if plan.stop.is_stopped() {
        return Err(Failure::Failed(
            "interrupted; only what was measured until then is in the report".into(),
        ));
    }
    Ok(())
}

fn plan(args: &CompareArgs) -> Result<Plan, Failure> {
    if args.workers == Some(0) {
        return Err(Failure::Usage("--workers is zero; give it a value of at least 1".into()));
    }
    let program = std::env::current_exe().map_err(|error| {
        Failure::Failed(format!("cannot find this program, to start servers with: {error}"))
    })?;
    let mut contenders = vec![Contender::floor(&program, ["floor", "127.0.0.1:0"])];
    contenders.extend(
        args.flavors
            .iter()
            .map(|flavor| Contender::new(flavor.name(), &program, server_arguments(*flavor, args)))
            // Work that was asked for goes for all scenarios; those that bring their own are then left out.
            .map(|contender| if args.work.is_none() { contender.taking_work() } else { contender }),
    );
    contenders.extend(args.against.iter().cloned());
    let scenarios = args.scenarios.iter().flat_map(|named| named.0.clone()).collect();
    let mut plan = match (args.quick, args.full) {
        (true, _) => Plan::quick(contenders, scenarios),
        (_, true) => Plan::full(contenders, scenarios),
        _ => Plan::new(contenders, scenarios),
    };
    plan.repetitions = args.repetitions.unwrap_or(plan.repetitions);
    plan.window = args.window.unwrap_or(plan.window);
    plan.server_cores = args.server_cores;
    plan.stop =
        stop_on_signal().map_err(|error| Failure::Failed(format!("cannot listen for signals: {error}")))?;
    Ok(plan)
}

/// How a server of the flavor is started. All that this command has a say in is said, so that a variable cannot say otherwise.
fn server_arguments(flavor: Flavor, args: &CompareArgs) -> Vec<String> {
    let mut words = vec!["serve", "127.0.0.1:0", "--flavor", flavor.name(), "--log", "warn"];
    let (workers, work);
    if let Some(count) = args.workers.filter(|_| flavor.has_workers()) {
        workers = count.to_string();
        words.extend(["--workers", &workers]);
    }
    if let Some(time) = args.work {
        work = units::written(time);
        let kind = match args.work_kind {
            WorkKind::Spin => "spin",
            WorkKind::Sleep => "sleep",
        };
        words.extend(["--work", &work, "--work-kind", kind]);
    }
    words.into_iter().map(str::to_owned).collect()
}

/// The first signal ends the comparison after the run under way, so that no server is left behind.
fn stop_on_signal() -> io::Result<Stop> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(Stop::from(stop))
}

fn explained(error: &CompareError, args: &CompareArgs) -> Failure {
    match error {
        CompareError::Plan(_) => Failure::Usage(error.to_string()),
        CompareError::Cores(_) if args.server_cores.is_some() => {
            Failure::Usage(format!("--server-cores: {error}"))
        }
        CompareError::Contender { name, .. } if args.against.iter().any(|rival| rival.name() == name) => {
            Failure::Failed(format!("--against {error}"))
        }
        _ => Failure::Failed(error.to_string()),
    }
}

/// Shows on standard error how far it is, and saves what there is.
struct Progress {
    bar: ProgressBar,
    file: Option<PathBuf>,
    failed: Option<io::Error>,
}

impl Progress {
    /// Finds out at once whether `file` can be written.
    fn new(file: Option<&Path>) -> Result<Self, Failure> {
        if let Some(file) = file {
            let part = part_of(file);
            File::create(&part).map_err(|error| cannot_save(file, &error))?;
            // What is left behind is an empty file, and the first run replaces it.
            let _ = fs::remove_file(part);
        }
        // It draws only where there is a terminal, and only when told to: a thread that ticks would take CPU time
        // from what is measured.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len}  {msg}") {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Ok(Self { bar, file: file.map(Path::to_owned), failed: None })
    }

    /// Whether all could be saved.
    fn end(self) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        match (self.failed, self.file) {
            (Some(error), Some(file)) => Err(cannot_save(&file, &error)),
            _ => Ok(()),
        }
    }
}

impl Observer for Progress {
    fn planned(&mut self, expected: &Expected) {
        self.bar.set_length(expected.runs as u64);
        if self.bar.is_hidden() {
            let seconds = expected.time.as_secs().max(1);
            // Where nobody sees a bar, nobody may be there to read this either.
            let _ = writeln!(io::stderr(), "{} runs, about {seconds} s", expected.runs);
        }
    }

    fn run_started(&mut self, run: &Upcoming<'_>) {
        let (contender, scenario) = (run.contender, run.scenario);
        let left = run.remaining.as_secs().max(1);
        self.bar.set_message(format!("{contender} · {scenario} · {left} s to go"));
        self.bar.set_position(run.done as u64);
        self.bar.tick();
    }

    fn run_finished(&mut self, _: &Run, so_far: &Report) {
        if let Some(file) = &self.file
            && let Err(error) = save(file, so_far)
        {
            self.failed.get_or_insert(error);
        }
    }
}

/// Replaces `file` in one step, so that whenever this ends there is a whole report.
fn save(file: &Path, report: &Report) -> io::Result<()> {
    let part = part_of(file);
    let mut writer = BufWriter::new(File::create(&part)?);
    report.write_json(&mut writer)?;
    writer.flush()?;
    drop(writer);
    fs::rename(part, file)
}

/// Where the report is written before it is whole: beside its file, since only there can it be renamed.
fn part_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn cannot_save(file: &Path, error: &io::Error) -> Failure {
    let file = crate::escape::escaped(file.as_os_str().as_encoded_bytes()).to_string();
    Failure::Failed(format!("cannot save to {file}: {error}"))
}
