//! Each crate compiles from its own package, as crates.io would hand it out.
//!
//! `cargo package` can verify this itself, but takes a package of the same version from an earlier
//! run for the present one. So the packages are unpacked side by side here, into a workspace in
//! which each finds the others as it would find them on crates.io.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::run::{Failure, Outcome, cargo, root, run, run_cargo};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What every package holds besides its code.
const FILES: [&str; 3] = ["README.md", "LICENSE-MIT", "LICENSE-APACHE"];

/// Packages every crate that is to be published, and compiles each one alone.
pub(crate) fn check() -> Result<Outcome, Failure> {
    let (packed, unpacked) = (root().join("target/package"), root().join("target/unpacked"));
    prepare(&packed, &unpacked).map_err(|error| Failure::new(error.to_string()))?;
    run_cargo(
        "package --workspace --exclude examples --exclude xtask --no-verify --allow-dirty --locked --quiet",
    )?;
    let crates = unpack(&packed, &unpacked)?;
    write_workspace(&crates, &unpacked).map_err(|error| Failure::new(error.to_string()))?;
    for name in &crates {
        lacks_nothing(&unpacked.join(format!("{name}-{VERSION}")))?;
        run(Command::new(cargo())
            .current_dir(&unpacked)
            .args(["check", "--quiet", "-p", name, "--all-features", "--target-dir"])
            .arg(root().join("target")))?;
    }
    Ok(Outcome::Passed)
}

/// Removes what an earlier run has left.
fn prepare(packed: &Path, unpacked: &Path) -> io::Result<()> {
    for folder in [packed, unpacked] {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
    }
    Ok(())
}

/// Unpacks every package, and returns the names of the crates.
fn unpack(packed: &Path, unpacked: &Path) -> Result<Vec<String>, Failure> {
    let ending = format!("-{VERSION}.crate");
    let entries = fs::read_dir(packed).map_err(|error| Failure::new(error.to_string()))?;
    let files: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    let mut crates = Vec::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let Some(name) = name.strip_suffix(&ending) else { continue };
        crates.push(name.to_owned());
        // The files get the present time: in the package they are all of one day in 2006, and cargo
        // would take what it built from an earlier package for up to date.
        run(Command::new("tar").args(["-x", "-m", "-z", "-C"]).arg(unpacked).arg("-f").arg(&file))?;
    }
    if crates.is_empty() {
        return Err(Failure::new(format!("no package in {}", packed.display())));
    }
    crates.sort();
    Ok(crates)
}

/// The workspace of the packages. Its dependencies are those of `Cargo.lock`.
fn write_workspace(crates: &[String], unpacked: &Path) -> io::Result<()> {
    let mut manifest =
        String::from("[workspace]\nresolver = \"3\"\nmembers = [\"*\"]\n\n[patch.crates-io]\n");
    for name in crates {
        let _ = writeln!(manifest, "{name} = {{ path = \"{name}-{VERSION}\" }}");
    }
    fs::write(unpacked.join("Cargo.toml"), manifest)?;
    fs::copy(root().join("Cargo.lock"), unpacked.join("Cargo.lock"))?;
    Ok(())
}

fn lacks_nothing(package: &Path) -> Result<(), Failure> {
    for file in FILES {
        let text = fs::read_to_string(package.join(file)).unwrap_or_default();
        if text.trim().is_empty() {
            return Err(Failure::new(format!("{} has no {file}", package.display())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{FILES, lacks_nothing};
    use crate::run::root;

    #[test]
    fn a_package_without_its_licence_is_found() {
        let package = root().join("target/xtask-test-package");
        fs::create_dir_all(&package).expect("a folder");
        for file in FILES {
            fs::write(package.join(file), "text").expect("a file");
        }
        assert!(lacks_nothing(&package).is_ok());
        fs::write(package.join("LICENSE-MIT"), "").expect("a file");
        let failure = lacks_nothing(&package).expect_err("the licence is empty");
        assert!(failure.to_string().contains("LICENSE-MIT"), "{failure}");
        fs::remove_dir_all(&package).expect("removed");
    }
}
