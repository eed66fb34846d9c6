//! Answers a number of segments and does nothing else, so that instructions can be counted.
//!
//! Run `valgrind --tool=callgrind target/release/examples/count conversation 64 1000`, then the
//! same with 2000. The difference is what 1000 segments of 64 questions cost.
//! `tests/instructions.rs` does that.

#[path = "../benches/contenders/mod.rs"]
mod contenders;

use std::process::ExitCode;

use contenders::{ByHand, Contender, Core, answered, segment};

fn run(contender: &mut impl Contender, questions: usize, segments: usize) {
    let (segment, answered) = (segment(questions), answered(questions));
    for _ in 0..segments {
        assert_eq!(contender.turn(&segment), answered);
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [contender, questions, segments] = &arguments[..]
        && let (Ok(questions), Ok(segments)) = (questions.parse(), segments.parse())
    {
        match contender.as_str() {
            "conversation" => run(&mut Core::default(), questions, segments),
            "by-hand" => run(&mut ByHand::default(), questions, segments),
            _ => return usage(),
        }
        return ExitCode::SUCCESS;
    }
    usage()
}

fn usage() -> ExitCode {
    eprintln!("usage: count conversation|by-hand QUESTIONS-PER-SEGMENT SEGMENTS");
    ExitCode::from(2)
}
