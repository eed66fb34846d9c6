//! The programs that some steps need: which versions, and where they are kept.
//!
//! They come from the package registries and stay in a folder outside of the workspace, so that
//! neither the tree nor your own tools change: `$ZEN_TOOLS`, or `~/.cache/zen-tools`.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::run::{Failure, Outcome, cargo, run};

/// A program that a step needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
    registry: Registry,
}

#[derive(Debug, Clone, Copy)]
enum Registry {
    /// Built here, without optimisation: that is quicker than what optimising would save.
    CratesIo,
    /// Comes built.
    PyPi,
}

/// Licences, sources, and duplicates of the dependencies.
pub(crate) const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2", registry: Registry::CratesIo };
/// One cargo command for each feature of each crate.
pub(crate) const HACK: Tool = Tool { name: "cargo-hack", version: "0.6.46", registry: Registry::CratesIo };
/// Spelling.
pub(crate) const TYPOS: Tool = Tool { name: "typos", version: "1.52.0", registry: Registry::PyPi };

/// Installs every tool that is not there yet in its version.
pub(crate) fn install() -> Result<(), Failure> {
    for tool in [DENY, HACK, TYPOS] {
        if tool.is_installed() {
            println!("{} {} is installed", tool.name, tool.version);
            continue;
        }
        let package = format!("{}=={}", tool.name, tool.version);
        match tool.registry {
            Registry::CratesIo => run(Command::new(cargo())
                .args(["install", "--locked", "--debug", "--root"])
                .arg(tool.folder())
                .arg(package.replace("==", "@"))
                .env("CARGO_PROFILE_DEV_DEBUG", "0"))?,
            Registry::PyPi => run(Command::new("python3")
                .args(["-m", "pip", "install", "--quiet", "--upgrade", "--target"])
                .arg(tool.folder())
                .arg(package))?,
        };
        if !tool.is_installed() {
            return Err(Failure::new(format!("{} was installed, but does not run", tool.name)));
        }
    }
    Ok(())
}

impl Tool {
    /// A command that runs this tool, or how the step ends without it: skipped, or failed where
    /// nothing may be skipped.
    pub(crate) fn command(self) -> Result<Command, Result<Outcome, Failure>> {
        if self.is_installed() {
            return Ok(self.invoked());
        }
        let why = format!("{} {} is not installed; `cargo xtask tools` installs it", self.name, self.version);
        Err(skip_unless_required(why, env::var_os("ZEN_REQUIRE_PEERS").is_some()))
    }

    fn is_installed(self) -> bool {
        let output = self.invoked().arg("--version").output();
        output.is_ok_and(|output| {
            String::from_utf8_lossy(&output.stdout).split_whitespace().any(|word| word == self.version)
        })
    }

    /// As cargo would start it, if it is one of cargo's subcommands.
    fn invoked(self) -> Command {
        let mut command = Command::new(self.folder().join("bin").join(self.name));
        command.args(self.name.strip_prefix("cargo-"));
        command
    }

    /// One folder for each: pip owns the whole of the folder that it is given.
    fn folder(self) -> PathBuf {
        let given = env::var_os("ZEN_TOOLS").map(PathBuf::from);
        let all = given.unwrap_or_else(|| env::home_dir().unwrap_or_default().join(".cache/zen-tools"));
        all.join(self.name)
    }
}

fn skip_unless_required(why: String, required: bool) -> Result<Outcome, Failure> {
    if required { Err(Failure::new(why)) } else { Ok(Outcome::Skipped(why)) }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, skip_unless_required};

    #[test]
    fn a_missing_tool_fails_its_step_only_where_it_is_required() {
        let skipped = skip_unless_required("gone".to_owned(), false);
        assert!(matches!(skipped, Ok(Outcome::Skipped(why)) if why == "gone"));
        assert!(skip_unless_required("gone".to_owned(), true).is_err());
    }
}
