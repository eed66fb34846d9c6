//! Other uses of `zen compare`: advice on a user load, other servers, the schema, the self-test.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;
use zen_testkit::peers::{self, Python};

use super::{Scratch, started, tiny, well};
use crate::running::{TIME_LIMIT, run, zen};

#[test]
fn a_user_load_gets_advice() {
    let mut command = zen(&["compare", "--quick", "--flavors=mio,async", "--think=1ms", "--work=2ms"]);
    command.args(["--work-kind=sleep", "--clients=3", "--repetitions=1", "--window=60ms"]);
    let asked = well(command);
    let (table, advice) =
        asked.stdout.split_once("3 clients that think for 1ms").expect("the load is described");
    assert!(table.starts_with("yours — 3 clients"), "{table}");
    assert!(table.contains("floor left out: "), "{table}");
    assert!(advice.starts_with(", a handler that waits for 2ms, "), "{advice}");
    assert!(advice.contains("\n→ "), "{advice}");
}

#[test]
fn typed_options_override_variables() {
    let mut command = tiny(&["--json=-"]);
    command.envs([("ZEN_WORK", "5s"), ("ZEN_CLIENTS", "9"), ("ZEN_FULL", "1")]);
    let report: Value = serde_json::from_str(&well(command).stdout).unwrap();
    assert_eq!(report["settings"]["scenarios"][0]["name"], "saturate-1");
    // A server that had received the variable would not have answered.
    assert!(report["runs"][1]["answers"].as_u64().unwrap() > 0, "{}", report["runs"][1]);
    assert_eq!(report["settings"]["system_calls"], "not counted: it was not asked for");
}

#[test]
fn a_server_in_python_joins_the_table() {
    if Python::require().is_none() {
        return;
    }
    let scratch = Scratch::new("python");
    let script = scratch.path("server.py");
    fs::write(&script, peers::SERVER).unwrap();
    let told = format!("told=python3 -I '{script}' {{port}}");
    let telling = format!("telling=python3 -I '{script}' 0");
    let compared = well(tiny(&["--against", &told, "--against", &telling, "--json=-"]));
    let report: Value = serde_json::from_str(&compared.stdout).unwrap();
    let contenders = super::of_runs(&report, "contender");
    assert_eq!(contenders, ["floor", "mio", "told", "telling"]);
    for run in report["runs"].as_array().unwrap() {
        assert!(run["answers"].as_u64().unwrap() > 0, "{run}");
    }
}

#[test]
fn a_server_that_cannot_be_used_is_an_error_within_bounds() {
    let began = Instant::now();
    for (contender, says) in [
        ("x=sleep 600", "--against x: it was not ready within "),
        ("x=false {port}", "--against x: it ended at once (exit status 1)"),
        ("x=echo hello", "--against x: its first line was `hello` and not `listening on HOST:PORT`"),
    ] {
        let ended = run(tiny(&["--against", contender]));
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
    assert!(began.elapsed() < TIME_LIMIT * 2);
}

#[test]
fn the_schema_is_printed() {
    let schema: Value = serde_json::from_str(&well(zen(&["compare", "--schema"])).stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(schema["properties"]["runs"].is_object());
}

#[test]
fn the_self_test_prints_its_checks_one_by_one() {
    let (_, mut running) = started(zen(&["compare", "--self-test"]));
    // All checks take too long for a test of the command; the lab's own tests run them.
    let began = Instant::now();
    while running.stdout.so_far().lines().next().is_none() {
        assert!(running.is_running() && began.elapsed() < TIME_LIMIT * 3, "{}", running.stderr.so_far());
        std::thread::sleep(Duration::from_millis(20));
    }
    let line = running.stdout.so_far();
    assert!(line.contains("expected ") && line.contains("; saw "), "{line}");
    assert!(["pass: ", "FAIL: ", "undecided: "].iter().any(|word| line.starts_with(word)), "{line}");
    assert!(running.stderr.so_far().starts_with("the checks take about 45 seconds"));
    running.signal(Signal::SIGINT);
    // The check that has begun ends first, and takes long beside other tests.
    let asked = Instant::now();
    while running.is_running() {
        assert!(asked.elapsed() < TIME_LIMIT * 4, "{}", running.stderr.so_far());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!running.wait().success());
}
