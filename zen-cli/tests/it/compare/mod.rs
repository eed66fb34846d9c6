//! `zen compare` and `zen floor`: short comparisons, and what they print, save and leave behind.

mod asked;
mod gate;
mod saving;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::running::{Ended, Running, run, serving, until, zen};

/// A directory that is removed at the end of the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("zen-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A path in the directory; the file need not exist.
    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A comparison that takes a second.
fn tiny(arguments: &[&str]) -> Command {
    let mut command = zen(&["compare", "--quick", "--flavors=mio", "--scenarios=saturate-1"]);
    command.args(["--repetitions=1", "--window=20ms"]).args(arguments);
    command
}

/// Runs the command, which must succeed as far as this machine permits: in a comparison of one
/// second, other load may make every run invalid. Everything else must be there nevertheless.
fn well(command: Command) -> Ended {
    let mut ended = run(command);
    match where_too_busy(&ended) {
        Some(said) => ended.stderr.truncate(said),
        None => assert_eq!(ended.status.code(), Some(0), "{ended:?}"),
    }
    ended
}

/// Where on standard error it says that this machine let too few runs count to compare anything.
fn where_too_busy(ended: &Ended) -> Option<usize> {
    let told = ["zen: no run counts, ", "zen: too few runs count "];
    let told = told.iter().find_map(|line| ended.stderr.find(line));
    told.filter(|_| ended.status.code() == Some(1))
}

fn read(file: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// The values of `field` in the runs of a report.
fn of_runs(report: &Value, field: &str) -> Vec<String> {
    let runs = report["runs"].as_array().expect("a report has runs");
    runs.iter().map(|run| run[field].as_str().expect(field).to_owned()).collect()
}

/// Starts a command whose child processes are to be watched.
fn started(mut command: Command) -> (u32, Running) {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    (child.id(), Running::new(child))
}

/// The running processes that `parent` has started; waits until there are some.
fn children(parent: u32) -> Vec<u32> {
    let of_task = |task: PathBuf| fs::read_to_string(task.join("children")).unwrap_or_default();
    until("a server runs", || {
        let tasks = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten();
        let lists: Vec<String> = tasks.map(|task| of_task(task.unwrap().path())).collect();
        let children = lists.iter().flat_map(|list| list.split_whitespace());
        let children: Vec<u32> = children.map(|id| id.parse().unwrap()).collect();
        (!children.is_empty()).then_some(children)
    })
}

/// Waits until all of these have ended. A process that was inherited by another may not have been
/// reaped yet.
fn all_end(processes: &[u32]) {
    for process in processes {
        until("the server's end", || {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            // The state follows the name, which is in brackets.
            let state = stat.rsplit(") ").next().unwrap_or_default();
            (stat.is_empty() || state.starts_with('Z')).then_some(())
        });
    }
}

#[test]
fn every_flavor_and_the_floor_are_in_the_table_and_all_runs_are_saved() {
    let scratch = Scratch::new("compare");
    let file = scratch.path("report.json");
    let mut command =
        zen(&["compare", "--scenarios", "saturate-2", "--repetitions", "1", "--window", "50ms"]);
    // A variable for the servers is no mistake for those that do not use it.
    command.env("ZEN_WORKERS", "2").env("ZEN_JSON_FILE", &file);
    let compared = well(command);
    let table: Vec<&str> = compared.stdout.lines().collect();
    assert!(table[0].starts_with("saturate-2 — 2 clients"), "{}", compared.stdout);
    let contenders = ["floor", "blocking", "threaded", "pool", "mio", "mio-multi", "async", "async-multi"];
    for contender in contenders {
        let row = |line: &&&str| line.split_whitespace().next() == Some(contender);
        assert!(table.iter().any(|line| row(&line)), "no {contender} in:\n{}", compared.stdout);
    }
    let (said, rest) = compared.stderr.split_once('\n').unwrap();
    assert!(said.starts_with("8 runs, about ") && said.contains("Ctrl-C ends early"), "{said}");
    assert_eq!(rest, "", "no bar where there is no terminal");

    let saved = read(&file);
    assert_eq!(of_runs(&saved, "contender"), contenders);
    assert_eq!(saved["complete"], true);
    let left: Vec<_> = fs::read_dir(&scratch.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["report.json"], "nothing half-written is left behind");
}

#[test]
fn the_report_can_be_printed_instead_of_the_table() {
    let contender = format!("mine={} serve 127.0.0.1:{{port}} --flavor mio", env!("CARGO_BIN_EXE_zen"));
    let mut command = tiny(&["--against", &contender, "--scenarios=saturate-1,saturate-1,churn", "--seed=7"]);
    command.args(["--server-cores=1", "--json=-"]);
    let compared = well(command);
    let report: Value = serde_json::from_str(&compared.stdout).unwrap();
    assert_eq!(of_runs(&report, "contender"), ["floor", "mio", "mine"].repeat(2));
    assert_eq!(report["settings"]["seed"], 7);
    let command = report["settings"]["contenders"][1]["command"].as_str().unwrap();
    assert!(command.ends_with("serve 127.0.0.1:0 --flavor mio --log warn"), "{command}");
}

#[test]
fn a_comparison_in_which_nothing_counts_has_failed() {
    let scratch = Scratch::new("nothing");
    let (out, file) = (scratch.path("out"), scratch.path("out/report.json"));
    well(tiny(&["--out", &out]));
    // The runs exist already, so the outcome does not depend on how busy this machine is.
    for (reason, advice) in [
        (json!({"reason": "generator_starved", "share": 0.5}), "try again when the machine is idle"),
        (json!({"reason": "closed_early", "conversations": 7}), "fix the servers first"),
    ] {
        let mut report = read(&file);
        for run in report["runs"].as_array_mut().unwrap() {
            let counts = run["contender"] == "floor";
            run["invalid"] = if counts { json!([]) } else { json!([reason]) };
        }
        fs::write(&file, report.to_string()).unwrap();
        let ended = run(tiny(&["--out", &out]));
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        let sentence = ended.stderr.lines().last().unwrap();
        assert!(sentence.starts_with("zen: no run counts, ") && sentence.contains(advice), "{sentence}");
        assert!(ended.stdout.starts_with("saturate-1 — 1 client"), "{}", ended.stdout);
    }
}

#[test]
fn an_interrupt_keeps_what_was_measured_and_leaves_no_server_behind() {
    let scratch = Scratch::new("interrupted");
    let file = scratch.path("report.json");
    let (id, mut running) = started(tiny(&["--repetitions=1000", "--json", &file]));
    until("a run is saved", || Path::new(&file).exists().then_some(()));
    let servers = children(id);
    running.signal(Signal::SIGINT);
    assert_eq!(running.wait().code(), Some(1));
    let said = running.stderr.end();
    assert!(said.ends_with("is in the report; with --out DIR it could be resumed\n"), "{said}");
    assert!(running.stdout.end().contains("! incomplete: "), "{}", running.stdout.so_far());
    assert_eq!(read(&file)["complete"], false);
    all_end(&servers);
}

#[test]
fn an_interrupt_does_not_promise_a_report_that_was_not_asked_for() {
    let (_, mut running) = started(tiny(&["--repetitions=1000"]));
    running.stderr.wait_for(" of 2000 runs, ");
    running.signal(Signal::SIGINT);
    assert_eq!(running.wait().code(), Some(1));
    let said = running.stderr.end();
    let expected = "interrupted; what was measured until then is in the tables; with --out DIR it could be saved and resumed\n";
    assert!(said.ends_with(expected), "{said}");
}

#[test]
fn an_interrupt_works_while_a_contender_is_waited_for() {
    for waited in ["x=sleep 600", "x=sleep 600 {port}"] {
        let (id, mut running) = started(tiny(&["--against", waited]));
        let sleeper = until("the contender runs", || {
            let named = |child: &u32| fs::read_to_string(format!("/proc/{child}/comm")).ok();
            children(id).into_iter().find(|child| named(child).as_deref() == Some("sleep\n"))
        });
        running.signal(Signal::SIGINT);
        assert_eq!(running.wait().code(), Some(1));
        let said = running.stderr.end();
        assert_eq!(said, "zen: interrupted before the end of the first run; nothing was measured\n");
        assert_eq!(running.stdout.end(), "");
        all_end(&[sleeper]);
    }
}

#[test]
fn no_server_outlives_a_comparison_that_is_killed() {
    let (id, mut running) = started(tiny(&["--window=20s"]));
    let servers = children(id);
    running.signal(Signal::SIGKILL);
    running.wait();
    all_end(&servers);
}

#[test]
fn the_floor_gives_every_question_the_same_answer() {
    let floor = serving(zen(&["floor", "127.0.0.1:0"]));
    let mut stream = floor.connect();
    stream.write_all(b"Simple is better than? Why?").unwrap();
    let mut answers = [0; 10];
    stream.read_exact(&mut answers).unwrap();
    assert_eq!(&answers, b"Ugly.Ugly.");
    assert!(!run(zen(&["--help"])).stdout.contains("floor"), "it is for the lab, not for people");
}
