//! What crates.io and docs.rs need to know about every published crate.

// Helper functions panic with a message, like the tests that call them.
#![allow(clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The system for which docs.rs builds.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// What cargo knows about the workspace.
fn metadata(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The published crates, as cargo sees their manifests.
fn published() -> Vec<Value> {
    let metadata = metadata(&["--no-deps"]);
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
        // These are the limits of crates.io.
        let keywords = texts(&package["keywords"]);
        assert!((1..=5).contains(&keywords.len()), "{name}: {keywords:?}");
        assert!(keywords.iter().all(|word| word.len() <= 20 && !word.contains(' ')), "{name}: {keywords:?}");
        assert!((1..=5).contains(&texts(&package["categories"]).len()), "{name}'s categories");
        let docs = &package["metadata"]["docs"]["rs"];
        assert_eq!(docs["all-features"], true, "{name}");
        assert_eq!(texts(&docs["targets"]), [TARGET], "{name}");
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

/// A Rust version as numbers that can be compared; a package that states none builds with any
/// version.
fn rust_version(package: &Value) -> Vec<u32> {
    let stated = package["rust_version"].as_str().unwrap_or_default();
    let mut numbers: Vec<u32> = stated.split('.').filter_map(|number| number.parse().ok()).collect();
    numbers.resize(3, 0);
    numbers
}

#[test]
fn no_dependency_needs_a_newer_rust_than_the_crate_states() {
    let metadata = metadata(&["--all-features", "--filter-platform", TARGET]);
    let id = |value: &Value| value.as_str().expect("an id").to_owned();
    let packages: BTreeMap<String, &Value> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| (id(&package["id"]), package))
        .collect();
    // The packages with which each package is built. Those that only its tests need are left out.
    let needs: BTreeMap<String, Vec<String>> = metadata["resolve"]["nodes"]
        .as_array()
        .expect("a resolve graph")
        .iter()
        .map(|node| {
            let dependencies = node["deps"].as_array().expect("dependencies").iter();
            let built = dependencies.filter(|dependency| {
                let mut kinds = dependency["dep_kinds"].as_array().into_iter().flatten();
                kinds.any(|kind| kind["kind"] != "dev")
            });
            (id(&node["id"]), built.map(|dependency| id(&dependency["pkg"])).collect())
        })
        .collect();
    for package in published() {
        let (mut seen, mut open) = (BTreeSet::new(), vec![id(&package["id"])]);
        while let Some(next) = open.pop() {
            if seen.insert(next.clone()) {
                open.extend(needs[&next].iter().cloned());
            }
        }
        assert!(seen.len() > 3, "{} has hardly any dependency: {seen:?}", package["name"]);
        for dependency in seen.iter().map(|seen| packages[seen]) {
            assert!(
                rust_version(dependency) <= rust_version(&package),
                "{} states Rust {}, and {} needs {}",
                package["name"],
                package["rust_version"],
                dependency["name"],
                dependency["rust_version"]
            );
        }
    }
}
