//! Running a command where its reader can see it, and how a step ends.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How a step ended that found nothing wrong.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Everything was checked.
    Passed,
    /// Nothing was checked, for this reason.
    Skipped(String),
}

/// What a step found wrong.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The cargo that started this program.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Runs cargo in the workspace's folder, with these words for its arguments.
pub(crate) fn run_cargo(words: &str) -> Result<Outcome, Failure> {
    run_cargo_with(words, &[])
}

/// The same, with environment variables.
pub(crate) fn run_cargo_with(words: &str, environment: &[(&str, &str)]) -> Result<Outcome, Failure> {
    let mut command = Command::new(cargo());
    command.args(words.split_whitespace()).envs(environment.iter().copied());
    run(&mut command)
}

/// Prints the command and runs it in the workspace's folder, unless it has a folder of its own.
pub(crate) fn run(command: &mut Command) -> Result<Outcome, Failure> {
    if command.get_current_dir().is_none() {
        command.current_dir(root());
    }
    let line = in_words(command);
    println!("$ {line}");
    match command.status() {
        Ok(status) if status.success() => Ok(Outcome::Passed),
        Ok(status) => Err(Failure::new(format!("`{line}`: {status}"))),
        Err(error) => Err(Failure::new(format!("`{line}` cannot be started: {error}"))),
    }
}

/// The command as one would type it.
fn in_words(command: &Command) -> String {
    let mut words: Vec<String> = command
        .get_envs()
        .filter_map(|(name, value)| {
            Some(format!("{}='{}'", name.to_string_lossy(), value?.to_string_lossy()))
        })
        .collect();
    let program = Path::new(command.get_program());
    words.push(program.file_name().unwrap_or_default().to_string_lossy().into_owned());
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{in_words, run};

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(in_words(&command), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
    }

    #[test]
    fn a_command_that_fails_is_named_in_the_failure() {
        let failure = run(Command::new("false").arg("word")).expect_err("`false` fails");
        assert!(failure.to_string().contains("`false word`"), "{failure}");
        let failure = run(&mut Command::new("zen-no-such-program")).expect_err("no such program");
        assert!(failure.to_string().contains("cannot be started"), "{failure}");
    }
}
