//! Holds the cost of a question, in instructions, against the bars. callgrind counts, so a busy
//! machine changes nothing.
//!
//! Without valgrind this says so and passes, or fails if `ZEN_REQUIRE_PEERS=1` is in the
//! environment.
// Tests say what they expect by panicking, in their helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Instructions per question, 64 to a segment.
const BAR: f64 = 150.0;
/// Instructions per question, one to a segment: a whole turn of a driver.
const BAR_OF_A_TURN: f64 = 520.0;
/// Times those of a loop written by hand.
const BAR_BY_HAND: f64 = 2.0;

/// Builds the program that is counted, optimised, in a directory of its own.
fn build() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("instructions");
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--release",
            "--package",
            "zen-proto",
            "--example",
            "count",
            "--target-dir",
        ])
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        // Flags for instrumenting the outer build are not meant for this one.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the example `count` does not build");
    target.join("release/examples/count")
}

/// How many instructions the program executes for a number of segments.
fn instructions(program: &Path, contender: &str, questions: u32, segments: u32) -> f64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([contender, &questions.to_string(), &segments.to_string()])
        .output()
        .expect("valgrind runs");
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{log}");
    let counted = log.lines().find_map(|line| line.split_once("Collected : ")).expect("a count");
    counted.1.trim().parse().expect("a number")
}

/// Instructions per question. The program's start and end are not counted, since this is what twice
/// as many segments cost more.
fn per_question(program: &Path, contender: &str, questions: u32) -> f64 {
    let segments = 3200 / questions;
    let count = |segments| instructions(program, contender, questions, segments);
    (count(2 * segments) - count(segments)) / f64::from(segments * questions)
}

#[test]
fn a_question_costs_no_more_instructions_than_the_bars_allow() {
    let valgrind = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    if !valgrind.is_ok_and(|status| status.success()) {
        assert!(
            std::env::var_os("ZEN_REQUIRE_PEERS").is_none_or(|value| value != "1"),
            "valgrind is missing"
        );
        // Not `eprintln!`, which the test harness would hide.
        let _ = writeln!(std::io::stderr(), "SKIPPED: valgrind is missing, so no instructions were counted");
        return;
    }
    let program = build();
    println!("instructions per question  conversation  by hand  ratio");
    for questions in [64, 1] {
        let conversation = per_question(&program, "conversation", questions);
        let by_hand = per_question(&program, "by-hand", questions);
        let ratio = conversation / by_hand;
        println!("{questions:>2} to a segment            {conversation:>12.1} {by_hand:>8.1} {ratio:>6.2}");
        if questions == 64 {
            assert!(conversation <= BAR, "{conversation:.1} instructions per question, the bar is {BAR}");
            assert!(ratio <= BAR_BY_HAND, "{ratio:.2} times the loop by hand, the bar is {BAR_BY_HAND}");
        } else {
            assert!(conversation <= BAR_OF_A_TURN, "{conversation:.1} per turn, the bar is {BAR_OF_A_TURN}");
        }
    }
}

#[test]
fn a_conversation_stays_small() {
    let size = size_of::<zen_proto::Conversation<zen_proto::DelimiterFraming>>();
    println!("a conversation is {size} bytes");
    assert!(size <= 448, "{size} bytes for each idle connection");
}
