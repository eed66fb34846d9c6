//! The gate: an earlier report as the baseline, and what passes.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Scratch, read, tiny, well};
use crate::running::{Ended, run, zen};

/// How long this machine may be too busy with other things; the other tests take less.
const BUSY: Duration = Duration::from_secs(180);

/// A comparison on disk, as it would be on a machine with nothing else to do: its runs count, and agree.
///
/// It is whole, so that to compare again is to look at it, and the outcome does not hang on how busy this machine is.
fn measured(scratch: &Scratch) -> String {
    let out = scratch.path("results");
    well(tiny(&["--repetitions=2", "--out", &out]));
    let file = format!("{out}/report.json");
    let mut report = read(&file);
    for run in report["runs"].as_array_mut().unwrap() {
        run["invalid"] = json!([]);
    }
    for summary in report["summaries"].as_array_mut().unwrap() {
        summary["valid_runs"] = json!(2);
        summary["invalid"] = json!([]);
        summary["throughput_is_lower_bound"] = json!(false);
        if summary["standing"] == "invalid" {
            summary["standing"] = json!(if summary["contender"] == "floor" { "floor" } else { "best" });
        }
        for figure in summary.as_object_mut().unwrap().values_mut().filter(|figure| figure["median"].is_f64())
        {
            (figure["low"], figure["high"]) = (figure["median"].clone(), figure["median"].clone());
        }
    }
    fs::write(&file, report.to_string()).unwrap();
    out
}

/// The same with what each question costs multiplied by so much.
fn costing(times: f64, out: &str, scratch: &Scratch) -> String {
    let mut report = read(format!("{out}/report.json"));
    for summary in report["summaries"].as_array_mut().unwrap() {
        for end in ["median", "low", "high"] {
            let value: &mut Value = &mut summary["cpu_per_question_ns"][end];
            *value = json!(value.as_f64().unwrap() * times);
        }
    }
    let file = scratch.path(&format!("baseline-{times}.json"));
    fs::write(&file, report.to_string()).unwrap();
    file
}

fn against(baseline: &str, out: &str, more: &[&str]) -> Ended {
    let mut command = tiny(&["--repetitions=2", "--out", out, "--baseline", baseline]);
    command.args(more);
    run(command)
}

#[test]
fn only_what_has_become_worse_does_not_pass() {
    let scratch = Scratch::new("gate");
    let out = measured(&scratch);
    let better_once = costing(0.2, &out, &scratch);
    let worse_once = costing(5.0, &out, &scratch);
    let gate = ["--fail-on-regression=10%"];

    let regressed = against(&better_once, &out, &gate);
    assert_eq!(regressed.status.code(), Some(3), "{regressed:?}");
    assert!(regressed.stdout.contains("✗ saturate-1 mio: CPU/question "), "{}", regressed.stdout);
    let sentence = regressed.stderr.lines().last().unwrap();
    assert!(sentence.starts_with("zen: regressed, with 10 % allowed: "), "{sentence}");
    // In the order of the table, in which one may stand before the other.
    assert!(sentence.contains("mio under saturate-1 (CPU/question)"), "{sentence}");

    // The page and the figures are there all the same; only the gate is closed.
    assert!(regressed.stdout.starts_with("saturate-1 — 1 client"), "{}", regressed.stdout);
    for (baseline, gate, shown) in [
        (&worse_once, &gate[..], "✓ saturate-1 mio: CPU/question "),
        (&out, &gate, "0 worse"),
        (&better_once, &["--fail-on-regression=500"], "0 worse"),
        (&better_once, &[], "✗ saturate-1 mio"),
    ] {
        let passed = against(baseline, &out, gate);
        assert_eq!(passed.status.code(), Some(0), "{baseline} {gate:?}: {passed:?}");
        assert!(passed.stdout.contains(shown), "{}", passed.stdout);
    }

    let json = against(&better_once, &out, &["--fail-on-regression=10%", "--json=-"]);
    assert_eq!(json.status.code(), Some(3), "{json:?}");
    assert!(serde_json::from_str::<Value>(&json.stdout).is_ok(), "nothing but JSON is on standard output");
    assert!(json.stderr.contains("✗ saturate-1 mio"), "{}", json.stderr);
}

/// Compares a server called `mine`, which computes for so long at each answer, until its runs count; what else this machine does
/// spoils some of them. It is full under this load, so that the costs do not hang on the load generator.
fn compared(work: &str, json: &str, more: &[&str]) -> Ended {
    let program = env!("CARGO_BIN_EXE_zen");
    let rival =
        format!("mine={program} serve 127.0.0.1:{{port}} --flavor mio --work {work} --work-kind spin");
    let began = Instant::now();
    loop {
        let mut command = zen(&["compare", "--quick", "--flavors=mio", "--scenarios=saturate-2"]);
        command.args(["--repetitions=4", "--window=60ms", "--against", &rival, "--json", json]).args(more);
        let ended = run(command);
        let report = read(json);
        let summaries = report["summaries"].as_array().unwrap();
        let mine = summaries.iter().find(|summary| summary["contender"] == "mine").unwrap();
        if mine["valid_runs"].as_u64() >= Some(2) {
            return ended;
        }
        assert!(began.elapsed() < BUSY, "this machine is too busy to measure anything: {}", mine["invalid"]);
    }
}

#[test]
fn a_server_that_has_become_slower_does_not_pass() {
    let scratch = Scratch::new("slower");
    let [baseline, later] = ["baseline.json", "later.json"].map(|name| scratch.path(name));
    let first = compared("50us", &baseline, &[]);
    assert_eq!(first.status.code(), Some(0), "{first:?}");

    let slower = compared("500us", &later, &["--baseline", &baseline, "--fail-on-regression=10"]);
    assert_eq!(slower.status.code(), Some(3), "{slower:?}");
    assert!(slower.stdout.contains("✗ saturate-2 mine: CPU/question "), "{}", slower.stdout);
    let sentence = slower.stderr.lines().last().unwrap();
    assert!(sentence.starts_with("zen: regressed, with 10 % allowed: "), "{sentence}");
    assert!(sentence.contains("mine under saturate-2 (") && sentence.contains("CPU/question)"), "{sentence}");

    let same = compared("50us", &later, &["--baseline", &baseline, "--fail-on-regression=400"]);
    assert_eq!(same.status.code(), Some(0), "{same:?}");
    assert!(same.stdout.contains(" figures beside the baseline: 0 worse"), "{}", same.stdout);
    assert!(!same.stderr.contains("regressed"), "{}", same.stderr);
}

#[test]
fn a_fresh_comparison_is_held_against_the_baseline() {
    let scratch = Scratch::new("fresh");
    let out = measured(&scratch);
    let compared = run(tiny(&["--baseline", &out, "--fail-on-regression=10%"]));
    // One run is too few to be told apart from another, on whatever machine.
    assert_eq!(compared.status.code(), Some(0), "{compared:?}");
    assert!(compared.stdout.contains(" figures beside the baseline: 0 worse"), "{}", compared.stdout);
}

#[test]
fn what_is_no_baseline_is_said_before_anything_is_measured() {
    let scratch = Scratch::new("baseline");
    let nowhere = scratch.path("nowhere.json");
    let notes = scratch.path("notes");
    fs::write(&notes, "mine").unwrap();
    let future = scratch.path("future.json");
    fs::write(&future, r#"{"schema": "zen-compare/99"}"#).unwrap();
    for (file, says) in [
        (&nowhere, "No such file"),
        (&notes, "not a report of this program"),
        (&future, "the report's format is `zen-compare/99`"),
    ] {
        let ended = run(zen(&["compare", "--baseline", file]));
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert!(ended.stderr.starts_with(&format!("zen: --baseline {file}: ")), "{}", ended.stderr);
        assert!(ended.stderr.contains(says) && ended.stderr.lines().count() == 1, "{}", ended.stderr);
    }
}
