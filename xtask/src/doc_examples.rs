//! Every public function, type and trait of the libraries is used in an example.
//!
//! rustdoc gives each type, trait and function a page. A function that belongs to a type counts as
//! shown if any example on that page uses its name, so that one example can show what belongs
//! together. The sources are read line by line, as rustfmt leaves them.

mod page;
mod source;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::run::{Failure, Outcome};
use crate::tree;
use page::Page;

/// The crates whose documentation a user reads.
const LIBRARIES: &[&str] = &[
    "zen-proto",
    "zen-server",
    "zen-server-sync",
    "zen-server-mio",
    "zen-server-async",
    "zen-client",
    "zen-testkit",
    "zen-trace",
    "zen-compare",
];

/// Files whose items need no example, each with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[(
    "zen-testkit/src/flavor/",
    "each function is a whole test of a server, which `flavor_tests!` calls; its documentation has the example",
)];

/// Fails if a public item of the libraries below `folder` is in no example, and prints each one.
pub(crate) fn check(folder: &Path) -> Result<Outcome, Failure> {
    let unreadable = |path: &Path, error| Failure::new(format!("{}: {error}", path.display()));
    let files = tree::files(folder).map_err(|error| unreadable(folder, error))?;
    let (mut items, mut unshown) = (0, Vec::new());
    for library in LIBRARIES {
        let mut pages: BTreeMap<String, Page> = BTreeMap::new();
        for path in files.iter().filter(|path| is_source(path, library)) {
            let text = fs::read_to_string(folder.join(path)).map_err(|error| unreadable(path, error))?;
            source::read(&path.display().to_string(), &text, &mut pages);
        }
        items += pages.values().map(Page::len).sum::<usize>();
        unshown.extend(pages.iter().flat_map(|(name, page)| page.unshown(name)));
    }
    if items == 0 {
        return Err(Failure::new("no public item was found"));
    }
    if unshown.is_empty() {
        println!("{items} public items are in examples.");
        return Ok(Outcome::Passed);
    }
    for item in &unshown {
        println!("{item}");
    }
    Err(Failure::new(format!("{} of {items} public items are in no example", unshown.len())))
}

fn is_source(path: &Path, library: &str) -> bool {
    let inside = path.strip_prefix(Path::new(library).join("src"));
    inside.is_ok_and(|inside| {
        inside.extension().is_some_and(|extension| extension == "rs")
            && !inside
                .components()
                .any(|part| ["tests", "tests.rs", "main.rs"].map(AsRef::as_ref).contains(&part.as_os_str()))
    }) && !EXCEPTIONS.iter().any(|(prefix, _)| path.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The items that are in no example, of a library with this one file.
    fn unshown(text: &str) -> Vec<String> {
        let mut pages = BTreeMap::new();
        source::read("lib.rs", text, &mut pages);
        pages.iter().flat_map(|(name, page)| page.unshown(name)).collect()
    }

    #[test]
    fn an_item_needs_an_example_on_its_page() {
        assert_eq!(unshown("/// A.\npub fn a() {}\n"), ["lib.rs:2: a"]);
        assert_eq!(unshown("/// ```\n/// a();\n/// ```\npub fn a() {}\n"), [""; 0]);
        assert_eq!(unshown("/// A.\n#[derive(\n    Debug,\n)]\npub struct A;\n"), ["lib.rs:5: A"]);
        assert_eq!(unshown("/// ```\n/// A;\n/// ```\n#[must_use]\npub enum A {}\n"), [""; 0]);
        assert_eq!(unshown("pub(crate) fn a() {}\nfn b() {}\npub(super) struct C;\n"), [""; 0]);
    }

    #[test]
    fn only_an_example_that_is_compiled_and_shown_counts() {
        assert_eq!(unshown("/// ```text\n/// a\n/// ```\npub fn a() {}\n"), ["lib.rs:4: a"]);
        assert_eq!(unshown("/// ```ignore\n/// a\n/// ```\npub fn a() {}\n"), ["lib.rs:4: a"]);
        assert_eq!(unshown("/// ```\n/// # a();\n/// ```\npub fn a() {}\n"), ["lib.rs:4: a"]);
        assert_eq!(unshown("/// ```no_run\n/// a();\n/// ```\npub fn a() {}\n"), [""; 0]);
    }

    #[test]
    fn a_method_may_be_shown_anywhere_on_the_page_of_its_type() {
        let page = |example: &str| {
            format!(
                "/// ```\n/// A::new(){example};\n/// ```\npub struct A<F>(F);\n\n\
                 impl<F: Fn() -> u8> A<F>\nwhere\n    F: Copy,\n{{\n    /// New.\n    pub const fn new() {{}}\n\n\
                 \x20   /// B.\n    #[inline]\n    pub fn b(&self) {{}}\n\n    fn private() {{}}\n}}\n"
            )
        };
        assert_eq!(unshown(&page(".b()")), [""; 0]);
        assert_eq!(unshown(&page(".bb()")), ["lib.rs:15: A::b"]);
    }

    #[test]
    fn the_functions_of_a_trait_are_public_and_those_of_an_implementation_are_the_traits() {
        let text = "/// ```\n/// t.a();\n/// ```\npub trait T {\n    fn a(&self);\n    fn b(&self) {}\n}\n\n\
                    impl<S> T for S {\n    fn a(&self) {}\n}\n";
        assert_eq!(unshown(text), ["lib.rs:6: T::b"]);
    }

    #[test]
    fn what_is_hidden_or_for_tests_needs_none() {
        assert_eq!(unshown("/// A.\n#[doc(hidden)]\npub fn a() {}\n"), [""; 0]);
        assert_eq!(unshown("#[cfg(test)]\nmod tests {\n    pub fn a() {}\n}\n"), [""; 0]);
    }

    #[test]
    fn every_exception_is_there_and_has_its_reason() {
        for (prefix, reason) in EXCEPTIONS {
            assert!(crate::run::root().join(prefix).exists() && !reason.is_empty(), "{prefix}");
        }
    }
}
