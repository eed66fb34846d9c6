//! The steps of a check, the quick ones first.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::run::{Failure, Outcome, cargo, root, run, run_cargo, run_cargo_with};
use crate::tools::{DENY, HACK, TYPOS};
use crate::{comments, doc_examples, fuzz, packages, silence, tree};

/// One step of a check.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) run: fn() -> Result<Outcome, Failure>,
}

/// Every step, in the order in which `check` runs them.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "format", what: "rustfmt changes nothing", run: format },
    Step { name: "comments", what: "comment lines fit 100 columns", run: comment_lines },
    Step {
        name: "doc-examples",
        what: "every public function, type and trait of the libraries is in an example",
        run: documented,
    },
    Step { name: "spelling", what: "typos finds nothing", run: spelling },
    Step {
        name: "dependencies",
        what: "licences and sources are allowed ones, no crate comes twice",
        run: dependencies,
    },
    Step { name: "lints", what: "clippy finds nothing", run: lints },
    Step {
        name: "features",
        what: "each crate, each feature alone, with nothing else enabled",
        run: features,
    },
    Step {
        name: "docs",
        what: "no warnings, with each feature alone, and as docs.rs builds them",
        run: docs,
    },
    Step {
        name: "minimal-versions",
        what: "the oldest dependencies that the manifests allow are enough",
        run: minimal_versions,
    },
    Step {
        name: "rust-version",
        what: "the oldest Rust that the manifests state is enough",
        run: rust_version,
    },
    Step { name: "package", what: "each crate compiles from its own package", run: packages::check },
    Step { name: "tests", what: "every test and example", run: tests },
    Step { name: "loom", what: "what threads share holds in every order that they run in", run: loom },
    Step { name: "fuzz", what: "a minute of surprises for each protocol and the core", run: fuzz::check },
    Step { name: "soak", what: "a minute and a half of good and bad clients leave no drift", run: soak },
    Step { name: "compare", what: "the main job, quickly", run: compare },
];

/// Steps that `check` leaves out, because they take long and seldom find something.
pub(crate) const EXTRAS: &[Step] = &[Step {
    name: "silence",
    what: "a server that reports to nobody has the instructions of one that does not report",
    run: silence::check,
}];

fn format() -> Result<Outcome, Failure> {
    run_cargo("fmt --all --check")
}

fn comment_lines() -> Result<Outcome, Failure> {
    comments::check(&root())
}

fn documented() -> Result<Outcome, Failure> {
    doc_examples::check(&root())
}

fn spelling() -> Result<Outcome, Failure> {
    match TYPOS.command() {
        Ok(mut typos) => run(&mut typos),
        Err(end) => end,
    }
}

fn dependencies() -> Result<Outcome, Failure> {
    match DENY.command() {
        Ok(mut deny) => {
            // The check itself then needs no network.
            run_cargo("fetch --locked")?;
            run(deny
                .args(["--all-features", "--locked", "--offline", "check"])
                .args(["bans", "licenses", "sources"]))
        }
        Err(end) => end,
    }
}

fn lints() -> Result<Outcome, Failure> {
    run_cargo("clippy --workspace --all-targets --all-features --locked -- -D warnings")
}

/// One crate at a time: built together, a crate can use a feature that only another one asked for.
fn features() -> Result<Outcome, Failure> {
    match HACK.command() {
        Ok(mut hack) => run(hack
            .args(["clippy", "--workspace", "--each-feature", "--locked"])
            .args(["--", "-D", "warnings"])),
        Err(end) => end,
    }
}

fn docs() -> Result<Outcome, Failure> {
    let strictly = ("RUSTDOCFLAGS", "-D warnings");
    match HACK.command() {
        Ok(mut hack) => run(hack
            .args(["doc", "--workspace", "--each-feature", "--no-deps", "--locked"])
            .env(strictly.0, strictly.1))?,
        Err(end) => {
            run_cargo_with("doc --workspace --all-features --no-deps --locked", &[strictly])?;
            return end;
        }
    };
    // docs.rs shows which feature an item needs, and quotes examples. Only a nightly rustdoc may.
    // The lab and the command have neither, and are much to compile.
    run_cargo_with(
        "doc --workspace --exclude zen-compare --exclude zen-cli --exclude examples --exclude xtask \
         --all-features --no-deps --locked --target-dir target/docs-rs \
         -Zunstable-options -Zrustdoc-scrape-examples",
        &[("RUSTDOCFLAGS", "-D warnings --cfg docsrs"), ("RUSTC_BOOTSTRAP", "1")],
    )
}

/// Only what the manifests name is taken at its oldest: what the dependencies say about theirs is
/// not for us to mend. Works in a copy, because it rewrites `Cargo.lock`.
fn minimal_versions() -> Result<Outcome, Failure> {
    let copy = root().join("target/minimal-versions/tree");
    tree::copy(&root(), &copy).map_err(|error| Failure::new(format!("{}: {error}", copy.display())))?;
    // The option is not stable. Resolving is all that it is allowed for: the build does not see it.
    let resolve = ["update", "--quiet", "-Z", "direct-minimal-versions"];
    run(cargo_in(&copy).args(resolve).env("RUSTC_BOOTSTRAP", "1"))?;
    run(cargo_in(&copy)
        .args(["check", "--workspace", "--all-features", "--locked"])
        .args(["--target-dir", "../target"]))
}

/// Clippy's `incompatible_msrv` has already looked for items of the standard library that are too
/// new. Only a compiler of that version can look for the language.
fn rust_version() -> Result<Outcome, Failure> {
    let oldest = env!("CARGO_PKG_RUST_VERSION");
    let there = Command::new("rustup")
        .args(["run", oldest, "cargo", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !there.is_ok_and(|status| status.success()) {
        return Ok(Outcome::Skipped(format!(
            "no Rust {oldest} on this machine; `rustup toolchain install {oldest}` where it can be had"
        )));
    }
    run(Command::new("rustup")
        .args(["run", oldest, "cargo", "check", "--workspace", "--all-targets", "--all-features", "--locked"])
        .args(["--target-dir", "target/rust-version"]))
}

fn tests() -> Result<Outcome, Failure> {
    // One run is to tell all that fails.
    run_cargo("test --workspace --all-features --locked --no-fail-fast")
}

/// A crate apart: it compiles files of the others with loom's locks and atomics.
fn loom() -> Result<Outcome, Failure> {
    run_cargo("fmt --check --manifest-path loom/Cargo.toml")?;
    let there = "--manifest-path loom/Cargo.toml --target-dir target/loom --locked";
    run_cargo(&format!("clippy {there} --all-targets -- -D warnings"))?;
    run_cargo(&format!("test {there}"))
}

/// An event loop and threads: what they could leave behind differs. The programs are those of the
/// tests.
fn soak() -> Result<Outcome, Failure> {
    if !cfg!(target_os = "linux") {
        return Ok(Outcome::Skipped("what a process uses is known on Linux only".to_owned()));
    }
    run_cargo("build --locked -p zen-cli --bin zen")?;
    for (flavor, seconds, clients) in [("mio", 60, 1000), ("threaded", 30, 500)] {
        run_cargo(&format!(
            "run --locked -p zen-testkit --example soak -- --seconds {seconds} --clients {clients} -- \
             target/debug/zen serve 127.0.0.1:0 --flavor {flavor}"
        ))?;
    }
    Ok(Outcome::Passed)
}

fn compare() -> Result<Outcome, Failure> {
    run_cargo("run --release --locked -- compare --quick")
}

fn cargo_in(folder: &Path) -> Command {
    let mut command = Command::new(cargo());
    command.current_dir(folder);
    command
}
