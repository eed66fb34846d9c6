//! Whether a server that reports its steps to nobody is the same machine code as one without the
//! lines that report them: both are built, and callgrind counts their instructions.
//!
//! Both are built in one folder, and with one unit of code a crate (`codegen-units = 1`). With
//! several, the compiler deals a crate's functions to the units by their sizes before it has seen
//! that a silent step is nothing, and a function that lands in another unit than its caller is not
//! inlined there. So any line more or less moves what is inlined where: with the four units of the
//! release profile, a question costs `mio` 1429 instructions with the lines and 1401 without, since
//! `Connection::drive` is inlined into the event loop in one and not in the other, while `async` is
//! cheaper with them, by four. With one unit nothing is dealt. The core knows no observer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::{Failure, Outcome, cargo, root};
use crate::tree;

/// The crates whose servers are counted.
const SERVERS: [&str; 3] = ["zen-server-sync", "zen-server-mio", "zen-server-async"];

/// How far the counts may lie apart, in instructions a question: less than one, since some are not
/// for a question.
const APART: f64 = 0.5;

pub(crate) fn check() -> Result<Outcome, Failure> {
    let folder = root().join("target/silence");
    let tree = folder.join("tree");
    tree::copy(&root(), &tree).map_err(|error| Failure::new(format!("{}: {error}", tree.display())))?;
    let with = build(&tree, &folder.join("with"))?;
    let taken_out = take_out(&tree)?;
    println!("{taken_out} lines that report steps are taken out of a copy of the tree.");
    let without = build(&tree, &folder.join("without"))?;
    println!("{:<12} {:>14} {:>14}  instructions a question", "flavor", "with them", "without");
    let mut different = Vec::new();
    for (with, without) in with.iter().zip(&without) {
        for ((flavor, with), (_, without)) in counts(with)?.into_iter().zip(counts(without)?) {
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

/// Builds the programs that count, a crate after the other, and keeps them in `kept`.
fn build(tree: &Path, kept: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |what: String| Failure::new(format!("the build of the servers: {what}"));
    let mut command = Command::new(cargo());
    command.current_dir(tree).args(["bench", "--bench", "instructions", "--no-run"]);
    command.args(SERVERS.iter().flat_map(|server| ["--package", server]));
    command.args(["--message-format", "json-render-diagnostics", "--target-dir", "../target"]);
    command.env("CARGO_PROFILE_BENCH_CODEGEN_UNITS", "1");
    // A line that is taken out leaves names that nobody uses.
    command.env("RUSTFLAGS", "-A warnings").stderr(Stdio::inherit());
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    fs::create_dir_all(kept).map_err(|error| failed(error.to_string()))?;
    let keep = |server: &&str| {
        let built = executable(&messages, server).ok_or_else(|| failed(format!("no program of {server}")))?;
        let copy = kept.join(server);
        fs::copy(built, &copy).map_err(|error| failed(error.to_string()))?;
        Ok(copy)
    };
    SERVERS.iter().map(keep).collect()
}

/// The program of a crate in cargo's messages, each of which is a line of JSON.
fn executable(messages: &str, package: &str) -> Option<PathBuf> {
    let folder = format!("/{package}#");
    let mut built = messages.lines().filter(|message| message.contains(&folder));
    // Neither the workspace's folder nor cargo's names have quotes in them.
    built.find_map(|message| {
        let (path, _) = message.split_once("\"executable\":\"")?.1.split_once('"')?;
        Some(PathBuf::from(path))
    })
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
fn counts(program: &Path) -> Result<Vec<(String, f64)>, Failure> {
    let failed = |what: String| Failure::new(format!("{}: {what}", program.display()));
    let output = Command::new(program).output().map_err(|error| failed(error.to_string()))?;
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
    use std::path::Path;

    use super::{executable, reports};

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
    #[test]
    fn the_program_of_a_crate_is_found_in_cargos_messages() {
        let messages = "{\"package_id\":\"path+file:///a/b#0.1.0\",\"executable\":null}\n\
                        {\"package_id\":\"path+file:///a/b#0.1.0\",\"executable\":\"/a/target/b-1\"}\n\
                        {\"package_id\":\"path+file:///a/c#0.1.0\",\"executable\":\"/a/target/c-1\"}\n";
        assert_eq!(executable(messages, "c").as_deref(), Some(Path::new("/a/target/c-1")));
        assert_eq!(executable(messages, "b").as_deref(), Some(Path::new("/a/target/b-1")));
        assert_eq!(executable(messages, "d"), None);
    }
}
