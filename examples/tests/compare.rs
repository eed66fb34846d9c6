//! `--compare` of the examples: the lab measures each protocol beside its own floor.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

mod built;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

use built::built;
use zen_compare::{Invalid, Report, Run};

/// One comparison at a time: each takes the whole machine.
static MACHINE: Mutex<()> = Mutex::new(());

fn run(example: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(built(env!("CARGO_PKG_NAME"), example));
    command.arg("--compare").args(arguments).output().unwrap()
}

/// Compares briefly, and checks that each server has answered, and has not failed.
fn compare(example: &str, contenders: &[&str]) -> Report {
    let _machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("compare-{example}"));
    let arguments = ["--briefly", "--flavor", "mio", "--out", out.to_str().unwrap()];
    let output = run(example, &arguments);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    let report = Report::read_json(File::open(out.join("report.json")).unwrap()).unwrap();
    let asked: BTreeSet<_> = report.runs.iter().map(|run| run.contender.as_str()).collect();
    assert_eq!(asked, contenders.iter().copied().collect(), "{printed}");
    for run in &report.runs {
        let Run { contender, scenario, answers, invalid, .. } = run;
        // What else this machine does may make a run invalid, but no server may.
        assert!(!invalid.iter().any(Invalid::is_contenders_fault), "{contender}, {scenario}: {invalid:?}");
        assert!(*answers > 0, "{contender} answers nothing:\n{printed}");
    }
    assert_times_floor(&report, &printed);
    assert_speaks_of_nothing_else(&printed);
    for page in ["report.html", "report.md"] {
        assert_speaks_of_nothing_else(&fs::read_to_string(out.join(page)).unwrap());
    }
    report
}

/// Each contender whose runs count has its costs beside those of the floor.
fn assert_times_floor(report: &Report, printed: &str) {
    assert!(printed.contains("× floor"), "{printed}");
    let counts = |contender: &str, scenario: &str| {
        let mut runs = report.runs.iter();
        runs.any(|run| run.contender == contender && run.scenario == scenario && run.invalid.is_empty())
    };
    for summary in &report.summaries {
        let (contender, scenario) = (&summary.contender, &summary.scenario);
        if counts(contender, scenario) && counts("floor", scenario) {
            assert!(summary.times_floor.is_some(), "{contender}, {scenario}: no × floor");
        }
    }
}

/// The lab's own protocol is not that of the example.
fn assert_speaks_of_nothing_else(text: &str) {
    for word in ["aphorism", "Beautiful", "Ugly"] {
        assert!(!text.contains(word), "{word:?} in:\n{text}");
    }
}

#[test]
fn redis_is_compared() {
    let report = compare("redis", &["floor", "mio"]);
    assert!(report.settings.scenarios.iter().any(|scenario| scenario.depth > 1));
}

#[test]
fn mail_is_compared() {
    compare("mail", &["floor", "mio"]);
}

#[test]
fn blob_is_compared() {
    compare("blob", &["floor", "mio", "by-hand"]);
}

#[test]
fn own_protocol_is_compared() {
    compare("own_protocol", &["floor", "mio"]);
}

#[test]
fn slow_upstream_is_compared() {
    compare("slow_upstream", &["floor", "mio"]);
}

#[test]
fn a_wrong_command_line_is_refused() {
    let output = run("redis", &["--out"]);
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("usage: --compare"));
}
