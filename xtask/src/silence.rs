//! Whether a server that reports its steps to nobody is the same machine code as one without the
//! lines that report them: both are built, and callgrind counts their instructions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Failure, Outcome, cargo, root};
use crate::tree;

/// The crates whose servers are counted.
const SERVERS: [&str; 3] = ["zen-server-sync", "zen-server-mio", "zen-server-async"];

/// How far the counts may lie apart, in instructions a question: less than one. Now and then a
/// server does something that is not for a question, and a runtime looks at its clock.
const APART: f64 = 0.5;

pub(crate) fn check() -> Result<Outcome, Failure> {
    let folder = root().join("target/silence");
    let (with, without) = (folder.join("with"), folder.join("without"));
    for copy in [&with, &without] {
        tree::copy(&root(), copy).map_err(|error| Failure::new(format!("{}: {error}", copy.display())))?;
    }
    let taken_out = take_out(&without)?;
    println!("{taken_out} lines that report steps are taken out of a copy of the tree.");
    println!("{:<12} {:>14} {:>14}  instructions a question", "flavor", "with them", "without");
    let mut different = Vec::new();
    for server in SERVERS {
        let counts = counts(&with, server)?.into_iter().zip(counts(&without, server)?);
        for ((flavor, with), (_, without)) in counts {
            println!("{flavor:<12} {with:>14.3} {without:>14.3}");
            if (with - without).abs() >= APART {
                different.push(flavor);
            }
        }
    }
    if different.is_empty() {
        Ok(Outcome::Passed)
    } else {
        Err(Failure::new(format!("the silent observer is not free in {}", different.join(", "))))
    }
}

/// Takes every line that reports a step out of the servers, and says how many these were.
fn take_out(tree: &Path) -> Result<usize, Failure> {
    let mut taken_out = 0;
    for server in SERVERS.into_iter().chain(["zen-server"]) {
        let sources = tree.join(server).join("src");
        let failed = |path: &PathBuf, error| Failure::new(format!("{}: {error}", path.display()));
        for file in tree::files(&sources).map_err(|error| failed(&sources, error))? {
            let path = sources.join(file);
            let text = fs::read_to_string(&path).map_err(|error| failed(&path, error))?;
            let kept: Vec<_> = text.lines().filter(|line| !reports(line)).collect();
            taken_out += text.lines().count() - kept.len();
            fs::write(&path, kept.join("\n") + "\n").map_err(|error| failed(&path, error))?;
        }
    }
    if taken_out == 0 {
        return Err(Failure::new("no line was found that reports a step"));
    }
    Ok(taken_out)
}

/// Whether the line does nothing but report a step.
fn reports(line: &str) -> bool {
    let line = line.trim_start();
    let receiver = line.split_once("observer.step").map(|(receiver, _)| receiver);
    line.ends_with(");")
        && receiver.is_some_and(|name| name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_')))
}

/// How many instructions a question costs each flavor of a crate.
fn counts(tree: &Path, server: &str) -> Result<Vec<(String, f64)>, Failure> {
    let failed =
        |what: String| Failure::new(format!("`cargo bench -p {server} --bench instructions`: {what}"));
    let output = Command::new(cargo())
        .current_dir(tree)
        .args(["bench", "--quiet", "--package", server, "--bench", "instructions"])
        .arg("--target-dir")
        .arg(tree.with_extension("target"))
        // With several units of code, the compiler divides the crate by the sizes of its functions,
        // and what it inlines changes with that by some instructions, up or down.
        .env("CARGO_PROFILE_BENCH_CODEGEN_UNITS", "1")
        // A line that is taken out leaves names that nobody uses.
        .env("RUSTFLAGS", "-A warnings")
        .output()
        .map_err(|error| failed(error.to_string()))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let counts: Option<Vec<_>> = printed
        .lines()
        .map(|line| {
            line.split_once(' ').and_then(|(name, count)| Some((name.to_owned(), count.parse().ok()?)))
        })
        .collect();
    match counts {
        Some(counts) if output.status.success() && !counts.is_empty() => Ok(counts),
        _ => Err(failed(format!("{}\n{printed}{}", output.status, String::from_utf8_lossy(&output.stderr)))),
    }
}

#[cfg(test)]
mod tests {
    use super::reports;

    #[test]
    fn only_whole_lines_are_taken_out() {
        for line in [
            "        self.observer.step(Step::Answering);",
            "observer.step_with(|| self.session.waits_for());",
            "            self.setup.observer.step(Step::Idle);",
        ] {
            assert!(reports(line), "{line}");
        }
        for line in
            ["    fn step(&self, step: Step);", "if x { observer.step(Step::Idle);", "/// observer.step(x);"]
        {
            assert!(!reports(line), "{line}");
        }
    }
}
