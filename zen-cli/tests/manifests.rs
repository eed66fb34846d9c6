//! What crates.io and docs.rs need to know of every crate that is published.

// Helpers say what they expect by panicking, like the tests they serve.
#![allow(clippy::expect_used)]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The crates that are published, as cargo sees their manifests.
fn published() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    // `publish = false` is an empty list of registries.
    packages.iter().filter(|package| package["publish"].is_null()).cloned().collect()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[test]
fn every_published_crate_can_be_found_and_shown() {
    let crates = published();
    assert!(crates.len() > 5, "{} crates", crates.len());
    for package in &crates {
        let name = package["name"].as_str().expect("a name");
        for key in ["description", "license", "repository", "rust_version"] {
            assert!(package[key].as_str().is_some_and(|text| !text.is_empty()), "{name} has no {key}");
        }
        assert_eq!(package["readme"], "README.md", "{name}");
        // crates.io's own bounds.
        let keywords = texts(&package["keywords"]);
        assert!((1..=5).contains(&keywords.len()), "{name}: {keywords:?}");
        assert!(keywords.iter().all(|word| word.len() <= 20 && !word.contains(' ')), "{name}: {keywords:?}");
        assert!((1..=5).contains(&texts(&package["categories"]).len()), "{name}'s categories");
        let docs = &package["metadata"]["docs"]["rs"];
        assert_eq!(docs["all-features"], true, "{name}");
        assert_eq!(texts(&docs["targets"]), ["x86_64-unknown-linux-gnu"], "{name}");
    }
}

#[test]
fn every_readme_states_the_rust_version_of_its_manifest() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut readmes = vec![(root.join("README.md"), env!("CARGO_PKG_RUST_VERSION").to_owned())];
    for package in published() {
        let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
        let version = package["rust_version"].as_str().expect("a version");
        readmes.push((manifest.with_file_name("README.md"), version.to_owned()));
    }
    for (readme, version) in readmes {
        let text = std::fs::read_to_string(&readme).expect("a README");
        let stated = text.lines().any(|line| line.contains("Rust") && line.contains(&version));
        assert!(stated, "{} does not say that it needs Rust {version}", readme.display());
    }
}

#[test]
fn every_published_crate_carries_both_licences() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    for package in published() {
        let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let here = std::fs::read(manifest.with_file_name(licence)).unwrap_or_default();
            let top = std::fs::read(root.join(licence)).expect("the licence");
            assert!(here == top, "{}'s {licence} is missing, or another one", package["name"]);
        }
    }
}
