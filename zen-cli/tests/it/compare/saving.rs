//! Saved results: every format, what an interrupt leaves, and resuming from there.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;

use super::{Scratch, children, read, started, tiny, well};
use crate::running::{run, until, zen};

const FILES: [&str; 6] = ["report.html", "report.json", "report.md", "runs.csv", "summary.csv", "trace.json"];

fn files(directory: &str) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_directory_gets_every_format_and_the_same_command_measures_nothing_again() {
    let scratch = Scratch::new("out");
    let out = scratch.path("new/results");
    let first = well(tiny(&["--out", &out]));
    assert_eq!(files(&out), FILES);
    assert!(
        first
            .stderr
            .ends_with(&format!("saved: {out}/report.html, and beside it as JSON, Markdown and CSV\n"))
    );
    let (page, trace) = (format!("{out}/report.html"), format!("{out}/trace.json"));
    let read_page = || fs::read_to_string(&page).unwrap();
    assert!(read_page().contains("saturate-1") && read_page().contains("mio"));
    let lanes = || read_page().matches("<div class=\"lane conversation\">").count();
    assert_eq!(lanes(), 8, "how mio works is in the page");
    let saved = read(format!("{out}/report.json"));
    let traced = fs::read(&trace).unwrap();

    let again = well(tiny(&["--out", &out]));
    assert!(again.stderr.starts_with("all of this was measured already"), "{}", again.stderr);
    assert_eq!(again.stdout, first.stdout);
    assert_eq!(read(format!("{out}/report.json")), saved);
    assert_eq!((fs::read(&trace).unwrap(), lanes()), (traced, 8), "drawn again, and not traced again");

    let refused = run(tiny(&["--out", &out, "--window=21ms"]));
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("window: 0.02 s there, 0.021 s here"), "{}", refused.stderr);
    assert_eq!(read(format!("{out}/report.json")), saved);
}

#[test]
fn without_its_trace_the_page_is_whole_and_a_line_says_why() {
    let scratch = Scratch::new("untraced");
    let out = scratch.path("results");
    let mut command = tiny(&["--out", &out]);
    // A traced server leaves its recording there.
    command.env("TMPDIR", scratch.path("missing"));
    let made = well(command);
    let said = "the page will not show how they work: mio: cannot write to ";
    assert_eq!(made.stderr.lines().filter(|line| line.starts_with(said)).count(), 1, "{}", made.stderr);
    assert_eq!(files(&out), FILES[..5]);
    let page = fs::read_to_string(format!("{out}/report.html")).unwrap();
    assert!(page.contains("saturate-1") && !page.contains("id=\"how\""));
}

/// The number of runs in each of the files of a directory; `None` when there are no files.
fn read_run_counts(directory: &Path) -> Option<[usize; 4]> {
    let text = |name: &str| fs::read_to_string(directory.join(name)).ok();
    let json: serde_json::Value = serde_json::from_str(&text("report.json")?).unwrap();
    let number_after = |text: &str, mark: &str| -> usize {
        let rest = text.split_once(mark).expect(mark).1;
        rest.split(' ').next().and_then(|number| number.parse().ok()).expect(mark)
    };
    Some([
        json["runs"].as_array().unwrap().len(),
        text("runs.csv")?.lines().count() - 1,
        number_after(&text("report.md")?, "incomplete: "),
        number_after(&text("report.html")?, "incomplete: "),
    ])
}

#[test]
fn after_each_run_all_files_include_that_run() {
    let scratch = Scratch::new("each");
    let (out, snapshots, script) = (scratch.path("results"), scratch.path("seen"), scratch.path("server.sh"));
    fs::create_dir(&snapshots).unwrap();
    // A contender that copies the saved files when it is started: at the beginning, and before each
    // of its runs.
    let keep = format!("seen=$(mktemp -d '{snapshots}/XXXXXX') && cp '{out}'/* \"$seen\" 2> /dev/null");
    let serve = format!("exec '{}' serve \"127.0.0.1:$1\" --flavor mio", env!("CARGO_BIN_EXE_zen"));
    fs::write(&script, format!("{keep}\n{serve}\n")).unwrap();
    let contender = format!("curious=sh {script} {{port}}");
    well(tiny(&["--against", &contender, "--repetitions=3", "--out", &out]));

    let seen = fs::read_dir(&snapshots).unwrap().map(|entry| entry.unwrap().path());
    let mut told: Vec<[usize; 4]> = seen.filter_map(|directory| read_run_counts(&directory)).collect();
    told.sort_unstable();
    // An invalid run is rerun, so some states may be seen twice.
    told.dedup();
    assert_eq!(told, [2, 5, 8].map(|runs| [runs; 4]));
}

#[test]
fn an_interrupted_comparison_can_be_resumed() {
    let scratch = Scratch::new("resume");
    let out = scratch.path("results");
    let report = format!("{out}/report.json");
    let (id, mut running) = started(tiny(&["--repetitions=4", "--out", &out]));
    let runs = || read(&report)["runs"].as_array().unwrap().len();
    until("two runs are saved", || (Path::new(&report).exists() && runs() >= 2).then_some(()));
    children(id);
    running.signal(Signal::SIGINT);
    let status = running.wait();
    let said = running.stderr.end();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("resume with: zen compare --resume {out}\n")), "{said}");
    assert_eq!(files(&out), FILES);
    let before = read(&report);
    assert_eq!(before["complete"], false);

    // This works even after the directory was moved.
    let moved = scratch.path("moved");
    fs::rename(&out, &moved).unwrap();
    let resumed = well(zen(&["compare", "--resume", &moved]));
    assert!(resumed.stderr.starts_with("resuming: zen compare --quick "), "{}", resumed.stderr);
    let after = read(format!("{moved}/report.json"));
    assert_eq!(after["complete"], true);
    let (before, after) = (before["runs"].as_array().unwrap(), after["runs"].as_array().unwrap());
    assert_eq!(after.len(), 8);
    assert_eq!(before[..], after[..before.len()], "what was measured is not measured again");
    assert!(!Path::new(&out).exists());
}

#[test]
fn problems_of_saving_and_resuming_are_reported_before_anything_is_measured() {
    let scratch = Scratch::new("refused");
    let notes = scratch.path("notes");
    fs::write(&notes, "mine").unwrap();
    let below = format!("{notes}/results");
    let empty = scratch.path("empty");
    fs::create_dir(&empty).unwrap();
    let broken = scratch.path("broken");
    fs::create_dir(&broken).unwrap();
    fs::write(format!("{broken}/report.json"), "{}").unwrap();
    for (arguments, says) in [
        (["--out", &below], format!("cannot save to {below}: ")),
        (["--json", &empty], format!("cannot save to {empty}: is a directory")),
        (["--json", &below], format!("cannot save to {below}: ")),
        (["--resume", &empty], format!("--resume {empty}: there is no comparison to resume")),
        (["--resume", &broken], "not a report of this program".to_owned()),
        (["--out", &broken], "not a report of this program".to_owned()),
    ] {
        let ended = run(zen(&[&["compare"][..], &arguments].concat()));
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(&says) && ended.stderr.lines().count() == 1, "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
    assert_eq!(fs::read(&notes).unwrap(), b"mine");
}
