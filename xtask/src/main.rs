//! What must pass before a change lands: `cargo xtask check`, or some of its steps by name.
//!
//! CI runs the same command. A step prints every command it runs, so that each can be repeated by
//! hand.
#![forbid(unsafe_code)]

mod comments;
mod doc_examples;
mod fuzz;
mod packages;
mod run;
mod silence;
mod simulate;
mod steps;
mod tools;
mod tree;

use std::env;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use run::{Failure, Outcome};
use steps::{EXTRAS, STEPS, Step};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words[..] {
        [] | ["help" | "--help" | "-h"] => {
            print!("{}", help());
            Ok(())
        }
        ["tools"] => tools::install(),
        ["fuzz", target] => fuzz::one(target, "60").map(drop),
        ["fuzz", target, seconds] => fuzz::one(target, seconds).map(drop),
        ["simulate"] => simulate::run(None).map(drop),
        ["simulate", seeds] => simulate::run(Some(seeds)).map(drop),
        ["check"] => run_all(&STEPS.iter().collect::<Vec<_>>()),
        _ => named(&words).and_then(|steps| run_all(&steps)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nerror: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn help() -> String {
    let check = ("check", "every step below, in this order");
    let tools = ("tools", "install the programs that some steps need, outside of this folder");
    let steps = STEPS.iter().map(|step| (step.name, step.what));
    let lines = [check, tools].into_iter().chain(steps);
    let line = |(word, what)| format!("  {word:<21} {what}\n");
    let simulate = line(("simulate [SEEDS]", "a server of numbers, one million seeds or as many as given"));
    let fuzz = line(("fuzz TARGET [SECONDS]", "one target, for a minute or as long as given"));
    let extras = EXTRAS.iter().map(|step| line((step.name, step.what))).chain([simulate, fuzz]);
    let (lines, extras): (String, String) = (lines.map(line).collect(), extras.collect());
    format!("usage: cargo xtask check | tools | STEP…\n\n{lines}\nNot part of check:\n\n{extras}")
}

/// The steps of these names, in the order they were given.
fn named(words: &[&str]) -> Result<Vec<&'static Step>, Failure> {
    words
        .iter()
        .map(|word| {
            STEPS
                .iter()
                .chain(EXTRAS)
                .find(|step| step.name == *word)
                .ok_or_else(|| Failure::new(format!("there is no step `{word}`; `cargo xtask` lists them")))
        })
        .collect()
}

/// Runs the steps up to the first that fails, then says how long each one took.
fn run_all(steps: &[&Step]) -> Result<(), Failure> {
    let mut ended: Vec<(&str, Duration, String)> = Vec::new();
    let mut result = Ok(());
    for step in steps {
        println!("\n== {}: {} ==", step.name, step.what);
        let begun = Instant::now();
        let (end, failure) = match (step.run)() {
            Ok(Outcome::Passed) => ("passed".to_owned(), None),
            Ok(Outcome::Skipped(why)) => {
                println!("SKIPPED: {why}");
                (format!("SKIPPED: {why}"), None)
            }
            Err(failure) => ("FAILED".to_owned(), Some(failure)),
        };
        ended.push((step.name, begun.elapsed(), end));
        if let Some(failure) = failure {
            result = Err(Failure::new(format!("{}: {failure}", step.name)));
            break;
        }
    }
    println!("\n== summary ==");
    for (name, took, end) in ended {
        println!("{name:<17} {:>6.1} s  {end}", took.as_secs_f64());
    }
    result
}

#[cfg(test)]
mod tests {
    use super::{help, named};
    use crate::steps::{EXTRAS, STEPS};

    #[test]
    fn every_step_is_in_the_help_under_a_name_of_its_own() {
        let steps: Vec<_> = STEPS.iter().chain(EXTRAS).collect();
        for (index, step) in steps.iter().enumerate() {
            assert!(help().contains(step.name), "{}", step.name);
            assert!(steps[..index].iter().all(|other| other.name != step.name), "{}", step.name);
        }
    }

    #[test]
    fn steps_run_in_the_order_in_which_they_were_named() {
        let steps = named(&["lints", "format"]).expect("both exist");
        assert_eq!(steps.iter().map(|step| step.name).collect::<Vec<_>>(), ["lints", "format"]);
    }

    #[test]
    fn an_unknown_word_is_an_error_that_names_it() {
        let failure = named(&["format", "lint"]).map(|_| ()).expect_err("there is no such step");
        assert!(failure.to_string().contains("`lint`"), "{failure}");
    }
}
