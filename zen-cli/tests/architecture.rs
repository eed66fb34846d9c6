//! Which crate may depend on which, checked against cargo's own dependency graph.

// Helper functions panic with a message, like the tests that call them.
#![allow(clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Every crate of the workspace, and the workspace crates that it may depend on. Tests may also use
/// the testkit.
const ARROWS: [(&str, &[&str]); 12] = [
    ("zen-proto", &[]),
    ("zen-server", &["zen-proto"]),
    ("zen-server-sync", &["zen-proto", "zen-server"]),
    ("zen-server-mio", &["zen-proto", "zen-server"]),
    ("zen-server-async", &["zen-proto", "zen-server"]),
    ("zen-client", &["zen-proto"]),
    ("zen-testkit", &["zen-proto", "zen-server"]),
    ("zen-trace", &["zen-proto", "zen-server"]),
    ("zen-compare", &["zen-proto", "zen-trace"]),
    (
        "zen-cli",
        &[
            "zen-proto",
            "zen-server",
            "zen-server-sync",
            "zen-server-mio",
            "zen-server-async",
            "zen-client",
            "zen-trace",
            "zen-compare",
        ],
    ),
    (
        "examples",
        &[
            "zen-proto",
            "zen-server",
            "zen-server-sync",
            "zen-server-mio",
            "zen-server-async",
            "zen-client",
            "zen-compare",
            "zen-trace",
        ],
    ),
    // xtask checks the others from outside.
    ("xtask", &[]),
];

/// Packages that these crates must not depend on, not even through another crate.
const LEAN: [(&str, &[&str]); 4] = [
    ("zen-proto", &["tokio", "mio", "socket2", "nix", "tracing"]),
    ("zen-server", &["tokio", "mio"]),
    ("zen-server-sync", &["tokio", "mio"]),
    ("zen-server-mio", &["tokio"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

fn metadata() -> Value {
    let version = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let version = String::from_utf8(version.stdout).expect("text");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--filter-platform", host])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

/// The workspace's crates with their dependencies: `(normal, dev)` names.
fn ours(metadata: &Value) -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let members: BTreeSet<_> =
        metadata["workspace_members"].as_array().expect("members").iter().map(text).collect();
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .filter(|package| members.contains(&text(&package["id"])))
        .map(|package| {
            let (mut normal, mut dev) = (BTreeSet::new(), BTreeSet::new());
            for dependency in package["dependencies"].as_array().expect("dependencies") {
                let kind = if dependency["kind"] == "dev" { &mut dev } else { &mut normal };
                kind.insert(text(&dependency["name"]));
            }
            (text(&package["name"]), (normal, dev))
        })
        .collect()
}

#[test]
fn no_crate_depends_on_one_that_is_not_listed() {
    let crates = ours(&metadata());
    let drawn: BTreeMap<_, _> = ARROWS.into_iter().collect();
    assert_eq!(
        crates.keys().map(String::as_str).collect::<Vec<_>>(),
        drawn.keys().copied().collect::<Vec<_>>()
    );
    for (name, (normal, dev)) in &crates {
        let allowed = drawn[name.as_str()];
        let own = |names: &BTreeSet<String>| {
            names.iter().filter(|n| drawn.contains_key(n.as_str())).cloned().collect::<Vec<_>>()
        };
        for other in own(normal) {
            assert!(allowed.contains(&other.as_str()), "{name} must not depend on {other}");
        }
        for other in own(dev) {
            assert!(
                other == "zen-testkit" || other == *name || allowed.contains(&other.as_str()),
                "{name}'s tests must not depend on {other}"
            );
        }
    }
}

#[test]
fn the_servers_stay_lean() {
    let metadata = metadata();
    let nodes = metadata["resolve"]["nodes"].as_array().expect("a resolve graph");
    let names: BTreeMap<String, String> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| (text(&package["id"]), text(&package["name"])))
        .collect();
    // The packages that each package links to. Dependencies of only its tests or its build are left
    // out.
    let links: BTreeMap<String, Vec<String>> = nodes
        .iter()
        .map(|node| {
            let dependencies = node["deps"].as_array().expect("dependencies");
            let normal = dependencies.iter().filter(|dependency| {
                dependency["dep_kinds"].as_array().expect("kinds").iter().any(|kind| kind["kind"].is_null())
            });
            (text(&node["id"]), normal.map(|dependency| text(&dependency["pkg"])).collect())
        })
        .collect();
    for (name, banned) in LEAN {
        let start =
            names.iter().find(|(_, n)| *n == name).map(|(id, _)| id.clone()).expect("a crate of ours");
        let (mut seen, mut open) = (BTreeSet::new(), vec![start]);
        while let Some(id) = open.pop() {
            if seen.insert(id.clone()) {
                open.extend(links[&id].iter().cloned());
            }
        }
        for id in &seen {
            assert!(!banned.contains(&names[id].as_str()), "{name} brings in {}", names[id]);
        }
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn the_core_has_no_io_no_clock_and_no_threads() {
    for file in sources(&root().join("zen-proto/src")) {
        let source = std::fs::read_to_string(&file).expect("a source file");
        // Tests below the code and examples in comments may use a clock.
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for banned in [
                "std::net",
                "std::os",
                "std::thread",
                "std::fs",
                "Condvar",
                "Instant::now",
                "SystemTime",
                "sleep(",
            ] {
                assert!(!line.contains(banned), "{}: {banned} in: {line}", file.display());
            }
        }
    }
}

#[test]
fn what_servers_share_re_exports_nothing_of_the_core() {
    for file in sources(&root().join("zen-server/src")) {
        let source = std::fs::read_to_string(&file).expect("a source file");
        assert!(!source.contains("pub use zen_proto"), "{} re-exports from zen-proto", file.display());
    }
}

#[test]
fn every_crate_forbids_unsafe_code_itself() {
    for (name, _) in ARROWS {
        let folder = root().join(name).join("src");
        let tops = ["lib.rs", "main.rs"].map(|top| folder.join(top));
        let mut found = false;
        for top in tops.iter().filter(|top| top.exists()) {
            found = true;
            let source = std::fs::read_to_string(top).expect("a source file");
            assert!(
                source.contains("#![forbid(unsafe_code)]"),
                "{} does not forbid unsafe code",
                top.display()
            );
        }
        assert!(found, "{name} has neither lib.rs nor main.rs");
    }
}
