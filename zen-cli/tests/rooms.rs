//! The structure inside two crates: which room of the lab may import which, and that no files
//! import each other in a circle.
//!
//! The test reads the sources. It counts every path that leads to another file of the crate: in
//! `use` lines, in code and in strings of attributes, but not in comments. A re-export stands for
//! the file that it names. Test code may import upwards, so that a room's tests can use what is
//! built on it.

// Helper functions panic with a message, like the tests that call them.
#![allow(clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Every room of the lab, and the rooms that it may import.
const ROOMS: [(&str, &[&str]); 13] = [
    ("units", &["stats"]),
    ("stats", &[]),
    ("machine", &[]),
    ("scenario", &["units"]),
    ("results", &["machine", "scenario", "stats"]),
    ("server", &["machine", "scenario"]),
    ("generator", &["machine", "results", "scenario"]),
    ("observe", &["generator", "machine", "results"]),
    ("plan", &["results", "scenario", "server"]),
    ("analysis", &["plan", "results", "scenario", "stats", "units"]),
    ("output", &["analysis", "results", "scenario", "stats", "units"]),
    (
        "runner",
        &["analysis", "generator", "machine", "observe", "plan", "results", "scenario", "server", "stats"],
    ),
    (
        "selftest",
        &[
            "analysis",
            "generator",
            "machine",
            "observe",
            "plan",
            "results",
            "runner",
            "scenario",
            "server",
            "stats",
        ],
    ),
];

#[test]
fn the_labs_rooms_import_downwards_only() {
    let lab = Sources::read("zen-compare");
    let allowed: BTreeMap<_, _> = ROOMS.into_iter().collect();
    let rooms: BTreeSet<&str> = lab.files.keys().filter_map(|file| room(file)).collect();
    assert_eq!(rooms, allowed.keys().copied().collect(), "every room has its line");
    let mut broken = Vec::new();
    for (file, imports) in lab.imports() {
        let Some(own) = room(&file) else { continue };
        for import in imports {
            let other = room(&import).expect("nothing imports the root");
            if own != other && !allowed[own].contains(&other) {
                broken.push(format!("{file} imports {import}, and {own} must not know {other}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_allowed_import_is_used() {
    let lab = Sources::read("zen-compare");
    let mut seen = BTreeSet::new();
    for (file, imports) in lab.imports() {
        seen.extend(
            imports.iter().filter_map(|import| Some((room(&file)?.to_owned(), room(import)?.to_owned()))),
        );
    }
    for (own, others) in ROOMS {
        for other in others {
            assert!(seen.contains(&(own.to_owned(), (*other).to_owned())), "{own} does not import {other}");
        }
    }
}

#[test]
fn the_rooms_have_an_order() {
    assert_eq!(circle(&ROOMS.map(|(room, others)| (room.to_owned(), names(others))).into()), None);
}

#[test]
fn no_files_of_the_lab_import_each_other_in_a_circle() {
    assert_eq!(circle(&Sources::read("zen-compare").imports()), None);
}

#[test]
fn no_files_of_the_command_import_each_other_in_a_circle() {
    assert_eq!(circle(&Sources::read("zen-cli").imports()), None);
}

/// The room of a file: its directory below `src`, or the file itself. The crate's root is no room,
/// and neither is a file that only its tests use.
fn room(file: &str) -> Option<&str> {
    let name = file.split('/').next()?.trim_end_matches(".rs");
    (!["lib", "main", "testing"].contains(&name)).then_some(name)
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// The sources of one crate, without test code.
struct Sources {
    /// The text of each file, by its path below `src`.
    files: BTreeMap<String, String>,
    /// The file of each module, by the module's path: `["server", "stop"]`.
    modules: BTreeMap<Vec<String>, String>,
    /// What a module re-exports: the module and the name, with the path that it stands for.
    exports: BTreeMap<(Vec<String>, String), Vec<String>>,
}

impl Sources {
    fn read(package: &str) -> Self {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join(package).join("src");
        let mut sources = Self { files: BTreeMap::new(), modules: BTreeMap::new(), exports: BTreeMap::new() };
        for path in rust_files(&folder) {
            let name = path.strip_prefix(&folder).expect("below it").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a source file");
            if !name.contains("tests") && !name.starts_with("testing") {
                sources.modules.insert(module(&name), name.clone());
                sources
                    .files
                    .insert(name, text.split("#[cfg(test)]\nmod tests {").next().expect("a part").to_owned());
            }
        }
        for (name, text) in &sources.files {
            let own = module(name);
            for path in uses(text).filter(|line| line.exported).flat_map(|line| paths(line.tree)) {
                let path = absolute(&own, &path);
                let (last, _) = path.split_last().expect("a path has a part");
                sources.exports.insert((own.clone(), last.clone()), path);
            }
        }
        sources
    }

    /// The files that each file imports, other than itself.
    fn imports(&self) -> BTreeMap<String, BTreeSet<String>> {
        let imports = self.files.iter().map(|(name, text)| {
            let own = module(name);
            let used = uses(text).filter(|line| !line.exported).flat_map(|line| paths(line.tree));
            let all = used.chain(inline(text)).map(|path| self.file(absolute(&own, &path)));
            (name.clone(), all.flatten().filter(|file| file != name).collect())
        });
        imports.collect()
    }

    /// The file that a path leads to, through any re-exports. `None` when it is the crate's root.
    fn file(&self, mut path: Vec<String>) -> Option<String> {
        // A chain of re-exports is short; a circle of them does not compile.
        for _ in 0..10 {
            let known = (0..=path.len()).rev().find(|&length| self.modules.contains_key(&path[..length]));
            let (module, rest) = path.split_at(known?);
            let export = rest.first().and_then(|name| self.exports.get(&(module.to_vec(), name.clone())));
            match export {
                Some(target) => path = [target, &rest[1..]].concat(),
                None if module.is_empty() => return None,
                None => return self.modules.get(module).cloned(),
            }
        }
        None
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The path of the module that a file is: `server/mod.rs` is `["server"]`.
fn module(name: &str) -> Vec<String> {
    let parts = name.trim_end_matches(".rs").split('/');
    parts.filter(|part| !["mod", "lib", "main"].contains(part)).map(str::to_owned).collect()
}

/// A `use` line.
struct Use<'a> {
    /// What follows `use`: `super::a::{b, c}`.
    tree: &'a str,
    /// Whether it re-exports what it names.
    exported: bool,
}

fn uses(text: &str) -> impl Iterator<Item = Use<'_>> {
    let lines = text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line))
    });
    lines.filter_map(|(start, line)| {
        let code = line.trim_start();
        let visible = code.strip_prefix("pub").map(|rest| rest.split_once(' ').map_or("", |(_, rest)| rest));
        let tree = visible.unwrap_or(code).strip_prefix("use ")?;
        // The whole statement, which may continue over several lines.
        let start = start + (line.len() - code.len()) + (code.len() - tree.len());
        Some(Use { tree: text[start..].split(';').next()?, exported: visible.is_some() })
    })
}

/// All paths of a tree: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn paths(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    let Some((head, body)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().expect("a part");
        return vec![path.split("::").map(|part| part.trim().to_owned()).collect()];
    };
    let head: Vec<String> =
        head.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let body = body.trim_end().trim_end_matches('}');
    let (mut depth, mut parts) = (0_usize, vec![String::new()]);
    for char in body.chars() {
        match char {
            ',' if depth == 0 => parts.push(String::new()),
            _ => {
                depth = if char == '{' { depth + 1 } else { depth - usize::from(char == '}') };
                parts.last_mut().expect("one at least").push(char);
            }
        }
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty()).flat_map(|part| paths(part));
    parts.map(|tail| if tail == ["self"] { head.clone() } else { [head.clone(), tail].concat() }).collect()
}

/// Paths in code and in attributes. Most lead to a type or another crate, and so to no file other
/// than this one.
fn inline(text: &str) -> impl Iterator<Item = Vec<String>> {
    let is_path = |char: char| char.is_alphanumeric() || char == '_' || char == ':';
    let code =
        text.lines().filter(|line| uses(line).next().is_none() && !line.trim_start().starts_with("//"));
    let words = code.flat_map(move |line| line.split(move |char| !is_path(char)));
    words
        .filter(|word| word.contains("::"))
        .map(|path| path.trim_end_matches(':').split("::").map(str::to_owned).collect())
}

/// The path from the crate's root. A path into another crate stays as it is, and leads to no file
/// here.
fn absolute(own: &[String], path: &[String]) -> Vec<String> {
    let mut base = match path[0].as_str() {
        "crate" => return path[1..].to_vec(),
        "self" => own.to_vec(),
        "super" => own[..own.len().saturating_sub(1)].to_vec(),
        // A child of this module, or another crate.
        _ => return [own, path].concat(),
    };
    for part in &path[1..] {
        match part.as_str() {
            "super" => base.truncate(base.len().saturating_sub(1)),
            _ => base.push(part.clone()),
        }
    }
    base
}

/// The first circle, if there is one.
fn circle(imports: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut done = BTreeSet::new();
    imports.keys().find_map(|file| walk(file, imports, &mut Vec::new(), &mut done))
}

fn walk(
    file: &str,
    imports: &BTreeMap<String, BTreeSet<String>>,
    way: &mut Vec<String>,
    done: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    if let Some(at) = way.iter().position(|seen| seen == file) {
        return Some(way[at..].to_vec());
    }
    if done.contains(file) {
        return None;
    }
    way.push(file.to_owned());
    let found =
        imports.get(file).and_then(|others| others.iter().find_map(|other| walk(other, imports, way, done)));
    if found.is_none() {
        way.pop();
        done.insert(file.to_owned());
    }
    found
}

#[test]
fn everything_that_a_use_line_names_is_read() {
    let text = "use a;\npub(crate) use crate::b::{\n    c::{self, D as E},\n    f,\n};\n";
    let read: Vec<_> = uses(text).map(|line| (line.exported, paths(line.tree))).collect();
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
    let expected = [
        (false, vec![path("a")]),
        (true, ["crate::b::c", "crate::b::c::D", "crate::b::f"].map(path).to_vec()),
    ];
    assert_eq!(read, expected);
    let own = path("a::b");
    let found: Vec<_> =
        inline("#[serde(with = \"crate::c::d\")]\n/// [`x`](crate::x)\nlet e = super::super::E;")
            .map(|path| absolute(&own, &path))
            .collect();
    assert_eq!(found, [path("c::d"), path("E")]);
}

#[test]
fn a_circle_is_found() {
    let graph =
        |edges: &[(&str, &[&str])]| edges.iter().map(|(from, to)| ((*from).to_owned(), names(to))).collect();
    assert_eq!(circle(&graph(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])])), None);
    let found = circle(&graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["d", "b"])])).expect("b and c");
    assert_eq!(found, ["b", "c"]);
}
