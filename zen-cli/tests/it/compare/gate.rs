//! The gate: an earlier report as the baseline, and what passes.

use std::fs;

use serde_json::{Value, json};

use super::{Scratch, read, tiny, well};
use crate::running::{Ended, run, zen};

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
    let said = "zen: regressed: 2 figures are worse than in the baseline by more than 10 %\n";
    assert!(regressed.stderr.ends_with(said), "{}", regressed.stderr);

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
