//! The gate: with an earlier report as the baseline, what passes and what does not.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Scratch, read, tiny, well, where_too_busy};
use crate::running::{Ended, run, zen};

/// How long this machine may be too busy to measure; the other tests take less.
const BUSY: Duration = Duration::from_secs(180);

/// A saved comparison as a machine with nothing else to do would make it: its runs count, and
/// agree.
///
/// It is complete, so comparing again measures nothing, and the outcome does not depend on how busy
/// this machine is.
fn measured(scratch: &Scratch) -> String {
    measured_with(scratch, &[])
}

fn measured_with(scratch: &Scratch, more: &[&str]) -> String {
    let out = scratch.path("results");
    let mut command = tiny(&["--repetitions=2", "--out", &out]);
    command.args(more);
    well(command);
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

/// The same report with the cost of each question multiplied by this factor.
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
fn only_a_regression_does_not_pass() {
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
    // They are in the order of the table, in which either may come first.
    assert!(sentence.contains("mio under saturate-1 (CPU/question)"), "{sentence}");

    // The page and the tables are written nevertheless; only the gate fails.
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

/// Compares a server called `mine`, which computes for this long at each answer, until its runs
/// count; other load on this machine makes some of them invalid. The server is full under this
/// load, so its costs do not depend on the load generator.
fn compared(work: &str, json: &str, more: &[&str]) -> Ended {
    let program = env!("CARGO_BIN_EXE_zen");
    let contender =
        format!("mine={program} serve 127.0.0.1:{{port}} --flavor mio --work {work} --work-kind spin");
    let began = Instant::now();
    loop {
        let mut command = zen(&["compare", "--quick", "--flavors=mio", "--scenarios=saturate-2"]);
        command
            .args(["--repetitions=4", "--window=60ms", "--against", &contender, "--json", json])
            .args(more);
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
    assert!(first.status.success() || where_too_busy(&first).is_some(), "{first:?}");

    let slower = compared("500us", &later, &["--baseline", &baseline, "--fail-on-regression=10"]);
    assert_eq!(slower.status.code(), Some(3), "{slower:?}");
    assert!(slower.stdout.contains("✗ saturate-2 mine: CPU/question "), "{}", slower.stdout);
    let sentence = slower.stderr.lines().last().unwrap();
    assert!(sentence.starts_with("zen: regressed, with 10 % allowed: "), "{sentence}");
    assert!(sentence.contains("mine under saturate-2 (") && sentence.contains("CPU/question)"), "{sentence}");

    let same = compared("50us", &later, &["--baseline", &baseline, "--fail-on-regression=400"]);
    // The runs of the others may be invalid, so the gate may be unable to judge; but it never
    // reports a regression.
    let undecided = same.stderr.contains("nothing could be judged: ") || where_too_busy(&same).is_some();
    assert_eq!(same.status.code(), Some(i32::from(undecided)), "{same:?}");
    assert!(same.stdout.contains(" metrics compared with the baseline: 0 worse"), "{}", same.stdout);
    assert!(!same.stderr.contains("regressed"), "{}", same.stderr);
}

#[test]
fn a_new_comparison_is_compared_with_the_baseline() {
    let scratch = Scratch::new("fresh");
    let out = measured(&scratch);
    let compared = run(tiny(&["--baseline", &out, "--fail-on-regression=10%"]));
    // A single run cannot be distinguished from another on any machine, and a gate that cannot
    // judge fails.
    assert_eq!(compared.status.code(), Some(1), "{compared:?}");
    assert!(compared.stdout.contains(" metrics compared with the baseline: 0 worse"), "{}", compared.stdout);
    let sentence = compared.stderr.lines().last().unwrap();
    assert!(sentence.starts_with("zen: nothing could be judged: "), "{sentence}");
    assert!(sentence.ends_with("it takes --repetitions 2 at least, for the baseline and here"), "{sentence}");
    let compared = run(tiny(&["--baseline", &out]));
    assert!(!compared.stderr.contains("judged"), "without a limit, nothing is judged: {compared:?}");
}

#[test]
fn a_server_that_became_invalid_does_not_pass() {
    let scratch = Scratch::new("broken");
    let program = env!("CARGO_BIN_EXE_zen");
    let good = format!("mine={program} serve 127.0.0.1:{{port}} --flavor mio");
    let baseline = measured_with(&scratch, &["--against", &good]);
    // The floor gives every question the same answer, which is wrong for any other contender.
    let wrong = format!("mine={program} floor 127.0.0.1:{{port}}");
    let mut command = tiny(&["--repetitions=2", "--against", &wrong, "--baseline", &baseline]);
    command.arg("--fail-on-regression=1000%");
    let regressed = run(command);
    assert_eq!(regressed.status.code(), Some(3), "{regressed:?}");
    assert!(
        regressed.stdout.contains("✗ saturate-1 mine: no run counts any more: wrong answers in "),
        "{}",
        regressed.stdout
    );
    let sentence = regressed.stderr.lines().last().unwrap();
    assert!(
        sentence.starts_with("zen: regressed, with 1000 % allowed: mine under saturate-1 (wrong answers)"),
        "{sentence}"
    );
}

#[test]
fn a_comparison_that_cannot_be_judged_does_not_pass() {
    let scratch = Scratch::new("unjudged");
    let out = measured(&scratch);
    let gate = ["--fail-on-regression=10%"];
    let edited = |name: &str, edit: &dyn Fn(&mut Value)| {
        let mut report = read(format!("{out}/report.json"));
        edit(&mut report);
        let directory = scratch.path(name);
        fs::create_dir(&directory).unwrap();
        fs::write(format!("{directory}/report.json"), report.to_string()).unwrap();
        directory
    };
    let invalid = edited("invalid", &|report| {
        for run in report["runs"].as_array_mut().unwrap() {
            run["invalid"] = json!([{"reason": "generator_starved", "share": 0.5}]);
        }
        for summary in report["summaries"].as_array_mut().unwrap() {
            (summary["valid_runs"], summary["standing"]) = (json!(0), json!("invalid"));
        }
    });
    let elsewhere = edited("elsewhere", &|report| {
        report["settings"]["scenarios"][0]["name"] = json!("other");
        for list in ["runs", "summaries"] {
            for one in report[list].as_array_mut().unwrap() {
                one["scenario"] = json!("other");
            }
        }
    });
    for (baseline, out, says) in [
        (&out, &invalid, "metrics are unclear, because fewer than two runs of them count; try again when"),
        (&invalid, &out, "metrics are unclear, because fewer than two runs of them count; try again when"),
        (&elsewhere, &out, "no contender was measured under the same scenario in the baseline and here"),
    ] {
        let closed = against(baseline, out, &gate);
        assert_eq!(closed.status.code(), Some(1), "{closed:?}");
        let sentence = closed.stderr.lines().last().unwrap();
        assert!(
            sentence.starts_with("zen: nothing could be judged: ") && sentence.contains(says),
            "{sentence}"
        );
    }

    let more = edited("more", &|report| {
        let summaries = report["summaries"].as_array_mut().unwrap();
        let mut gone = summaries[0].clone();
        gone["contender"] = json!("gone");
        summaries.push(gone);
    });
    let passed = against(&more, &out, &gate);
    assert_eq!(passed.status.code(), Some(0), "a contender that was not measured is no failure: {passed:?}");
    assert!(passed.stdout.contains("! contender gone is only in the baseline\n"), "{}", passed.stdout);
}

#[test]
fn a_bad_baseline_is_reported_before_anything_is_measured() {
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
