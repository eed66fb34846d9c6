//! `zen compare` and `zen floor`: short comparisons, for what they print, save and leave behind.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::running::{Running, run, serving, until, zen};

/// A directory that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("zen-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The values of `field` in the runs of a report.
fn of_runs(report: &Value, field: &str) -> Vec<String> {
    let runs = report["runs"].as_array().expect("a report has runs");
    runs.iter().map(|run| run[field].as_str().expect(field).to_owned()).collect()
}

#[test]
fn every_flavor_is_in_the_table_beside_the_floor_and_all_runs_are_saved() {
    let scratch = Scratch::new("compare");
    let file = scratch.0.join("report.json");
    let mut command =
        zen(&["compare", "--scenarios", "saturate-2", "--repetitions", "1", "--window", "50ms"]);
    // A variable for the servers is no mistake for those that have no use for it.
    command.env("ZEN_WORKERS", "2").env("ZEN_JSON_FILE", &file);
    let compared = run(command);
    assert_eq!(compared.status.code(), Some(0), "{compared:?}");
    let table: Vec<&str> = compared.stdout.lines().collect();
    assert!(table[0].starts_with("saturate-2 — 2 clients"), "{}", compared.stdout);
    let contenders = ["floor", "blocking", "threaded", "pool", "mio", "mio-multi", "async", "async-multi"];
    for contender in contenders {
        let row = |line: &&&str| line.split_whitespace().next() == Some(contender);
        assert!(table.iter().any(|line| row(&line)), "no {contender} in:\n{}", compared.stdout);
    }
    // One line, and no bar where there is no terminal.
    let expected = compared.stderr.strip_prefix("8 runs, about ").and_then(|rest| rest.strip_suffix(" s\n"));
    assert!(expected.is_some_and(|time| time.parse::<u32>().is_ok()), "{:?}", compared.stderr);

    let saved: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(of_runs(&saved, "contender"), contenders);
    assert_eq!(saved["complete"], true);
    let left: Vec<_> = fs::read_dir(&scratch.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["report.json"], "nothing half-written is left behind");
}

#[test]
fn the_report_can_be_had_instead_of_the_table() {
    let rival = format!("mine={} serve 127.0.0.1:{{port}} --flavor mio", env!("CARGO_BIN_EXE_zen"));
    let compared = run(zen(&[
        "compare",
        "--flavors=mio",
        "--against",
        &rival,
        "--scenarios=saturate-1,churn",
        "--repetitions=1",
        "--window=50ms",
        "--work=1ms",
        "--work-kind=sleep",
        "--json=-",
    ]));
    assert_eq!(compared.status.code(), Some(0), "{compared:?}");
    let report: Value = serde_json::from_str(&compared.stdout).unwrap();
    assert_eq!(of_runs(&report, "contender"), ["floor", "mio", "mine"].repeat(2));
    let commands: Vec<_> = report["settings"]["contenders"].as_array().unwrap().iter().collect();
    let command = commands[1]["command"].as_str().unwrap();
    assert!(
        command.ends_with("serve 127.0.0.1:0 --flavor mio --log warn --work 1ms --work-kind sleep"),
        "{command}"
    );
}

/// The processes that `parent` has started and that have not ended.
fn children(parent: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten();
    let of_task = |task: PathBuf| fs::read_to_string(task.join("children")).unwrap_or_default();
    let children: Vec<String> = tasks.map(|task| of_task(task.unwrap().path())).collect();
    children.iter().flat_map(|list| list.split_whitespace()).map(|id| id.parse().unwrap()).collect()
}

#[test]
fn an_interrupt_keeps_what_was_measured_and_leaves_no_server_behind() {
    let arguments =
        ["compare", "--flavors=mio", "--scenarios=saturate-1", "--repetitions=1000", "--window=50ms"];
    let scratch = Scratch::new("interrupted");
    let file = scratch.0.join("report.json");
    let mut command = zen(&arguments);
    command.arg("--json").arg(&file).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let id = child.id();
    let mut running = Running::new(child);
    until("a run is saved", || file.exists().then_some(()));
    let servers = until("a server runs", || Some(children(id)).filter(|servers| !servers.is_empty()));
    running.signal(Signal::SIGINT);
    assert_eq!(running.wait().code(), Some(1));
    assert!(
        running
            .stderr
            .end()
            .ends_with("zen: interrupted; only what was measured until then is in the report\n")
    );
    assert!(running.stdout.end().contains("! incomplete: "), "{}", running.stdout.so_far());
    let saved: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(saved["complete"], false);
    for server in servers {
        assert!(!Path::new(&format!("/proc/{server}")).exists(), "a server was left behind");
    }
}

#[test]
fn the_floor_answers_everything_alike() {
    let floor = serving(zen(&["floor", "127.0.0.1:0"]));
    let mut stream = floor.connect();
    stream.write_all(b"Simple is better than? Why?").unwrap();
    let mut answers = [0; 10];
    stream.read_exact(&mut answers).unwrap();
    assert_eq!(&answers, b"Ugly.Ugly.");
    assert!(!run(zen(&["--help"])).stdout.contains("floor"), "it is for the lab, not for people");
}
