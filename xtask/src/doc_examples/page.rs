//! A page of the documentation: what it is about, and the words of its examples.

use std::collections::HashSet;

/// A type, a trait or a function, with the functions that belong to it.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Where it is defined. A type that is not public is not defined here, and has no page.
    defined: Option<String>,
    /// The functions, by name, with their places.
    functions: Vec<(String, String)>,
    /// Whether there is an example.
    has_example: bool,
    /// Every word of the examples.
    words: HashSet<String>,
}

impl Page {
    pub(super) fn define(&mut self, place: String) {
        self.defined.get_or_insert(place);
    }

    pub(super) fn add_function(&mut self, name: &str, place: String) {
        self.functions.push((name.to_owned(), place));
    }

    /// Adds the examples of a comment, which is given line by line.
    pub(super) fn add_examples(&mut self, comment: &[&str]) {
        // Whether the line is in a block of code, and whether that is compiled.
        let (mut inside, mut compiled) = (false, false);
        for line in comment.iter().map(|line| line.trim()) {
            if let Some(language) = line.strip_prefix("```") {
                inside = !inside;
                compiled = inside && is_compiled(language);
            } else if compiled && line != "#" && !line.starts_with("# ") {
                let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
                self.has_example |= !line.is_empty();
                self.words.extend(words.map(str::to_owned));
            }
        }
    }

    /// How many items are on the page.
    pub(super) fn len(&self) -> usize {
        if self.defined.is_some() { 1 + self.functions.len() } else { 0 }
    }

    /// The items of the page of this name that are in no example of it, with their places.
    pub(super) fn unshown<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        let page = self.defined.iter().filter(|_| !self.has_example).map(move |at| format!("{at}: {name}"));
        let functions = self.functions.iter().filter(|_| self.defined.is_some());
        let unshown = functions.filter(|(function, _)| !self.words.contains(function));
        page.chain(unshown.map(move |(function, at)| format!("{at}: {name}::{function}")))
    }
}

/// Whether rustdoc compiles a block of code with these words behind its fence.
fn is_compiled(language: &str) -> bool {
    let known = ["", "rust", "no_run", "should_panic", "compile_fail"];
    language.split(',').all(|word| known.contains(&word.trim()))
}
