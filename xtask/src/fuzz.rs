//! Fuzzing: libFuzzer under the stable compiler, which only lacks a name for what it needs.

use std::fs;
use std::process::Command;
use std::thread;

use crate::run::{Failure, Outcome, cargo, root, run};

/// What is fuzzed, and a file of `fuzz/targets` each.
const TARGETS: [&str; 7] = ["framing", "conversation", "client", "escaping", "redis", "mail", "blob"];

/// How long each target runs as a step of the check, in seconds.
const SECONDS: &str = "60";

/// What tells libFuzzer which way the code goes. `cargo fuzz` sets the same.
const COVERAGE: &str = "-C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=4 \
    -C llvm-args=-sanitizer-coverage-inline-8bit-counters -C llvm-args=-sanitizer-coverage-pc-table \
    -C codegen-units=1";

/// A target of its own, so that build scripts and macros are compiled without all this.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// Every target, two at a time, with the committed corpora.
pub(crate) fn check() -> Result<Outcome, Failure> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return Ok(Outcome::Skipped(format!("fuzzing is set up for {TRIPLE} only")));
    }
    build()?;
    for pair in TARGETS.chunks(2) {
        thread::scope(|scope| {
            let runs: Vec<_> = pair.iter().map(|target| scope.spawn(|| fuzz(target, SECONDS))).collect();
            let ends = runs.into_iter().map(|run| match run.join() {
                Ok(end) => end,
                Err(_) => Err(Failure::new("a run has panicked")),
            });
            ends.collect::<Result<Vec<_>, _>>()
        })?;
    }
    Ok(Outcome::Passed)
}

/// One target for so many seconds.
pub(crate) fn one(target: &str, seconds: &str) -> Result<Outcome, Failure> {
    if !TARGETS.contains(&target) {
        return Err(Failure::new(format!("there is no target `{target}`; there are {}", TARGETS.join(", "))));
    }
    build()?;
    fuzz(target, seconds)
}

fn build() -> Result<Outcome, Failure> {
    run(Command::new(cargo()).env("RUSTFLAGS", COVERAGE).args([
        "build",
        "--release",
        "--locked",
        "--manifest-path=fuzz/Cargo.toml",
        "--target-dir=target/fuzz",
        "--target",
        TRIPLE,
    ]))
}

/// What is new is kept outside of the tree; `-merge=1` brings it into the corpus.
fn fuzz(target: &str, seconds: &str) -> Result<Outcome, Failure> {
    let target_folder = root().join("target/fuzz");
    let (found, crashes) = (target_folder.join("found").join(target), target_folder.join("crashes/"));
    for folder in [&found, &crashes] {
        fs::create_dir_all(folder).map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    }
    run(Command::new(target_folder.join(TRIPLE).join("release").join(target))
        .arg(format!("-max_total_time={seconds}"))
        .args(["-max_len=4096", "-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=0", "-verbosity=1"])
        .arg(format!("-artifact_prefix={}/", crashes.display()))
        .arg(found)
        .arg(root().join("fuzz/corpus").join(target)))
}
