//! Where the built examples are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// The path of the built example. `cargo test` builds the examples beside this test. If cargo was
/// told to build only some targets, the example may be missing or old, so this builds it.
pub(crate) fn built(package: &str, name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    let program = profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let examples = packages.join(package).join("examples");
    if changed(&program) < newest(&examples.join(name)).max(changed(&examples.join(format!("{name}.rs")))) {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", package, "--example", name]);
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        cargo.arg("--target-dir").arg(profile.parent().unwrap());
        assert!(cargo.status().unwrap().success(), "{name} does not build");
    }
    program
}

fn changed(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|metadata| metadata.modified()).ok()
}

/// When a file in the directory was changed last.
fn newest(directory: &Path) -> Option<SystemTime> {
    let entries = directory.read_dir().ok()?.map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { newest(&path) } else { changed(&path) }).max()?
}
