//! The document's listings: files and commands.

/// What a reader of the document does next.
#[derive(Debug, PartialEq)]
pub(crate) enum Part<'a> {
    /// Writes a file. The line before a listing names it.
    File { path: &'a str, text: String },
    /// Types a command, and compares what it prints.
    Command { line: &'a str, printed: Printed<'a> },
}

/// What a command prints.
#[derive(Debug, PartialEq)]
pub(crate) enum Printed<'a> {
    /// These lines.
    Exactly(Vec<&'a str>),
    /// These lines among others, in any order (` ```console any order `).
    Among(Vec<&'a str>),
    /// The same, with other figures (` ```console any figures `).
    AnyFigures(Vec<&'a str>),
}

/// The parts in the document's order. Every listing is one of them, except for plain text.
pub(crate) fn parts(document: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut lines = document.lines();
    let mut title = "";
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            if !line.is_empty() {
                title = line;
            }
            continue;
        };
        let listing: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match kind {
            "text" => {}
            "console" => parts.extend(commands(&listing, Printed::Exactly)),
            "console any order" => parts.extend(commands(&listing, Printed::Among)),
            "console any figures" => parts.extend(commands(&listing, Printed::AnyFigures)),
            _ => {
                let path = title.strip_prefix("**`").and_then(|title| title.strip_suffix("`**"));
                let path = path.unwrap_or_else(|| panic!("a listing without a file's name: {listing:#?}"));
                parts.push(Part::File { path, text: listing.join("\n") + "\n" });
            }
        }
    }
    parts
}

fn commands<'a>(listing: &[&'a str], printed: fn(Vec<&'a str>) -> Printed<'a>) -> Vec<Part<'a>> {
    let commands = listing.chunk_by(|_, next| !next.starts_with("$ "));
    let commands = commands.map(|lines| {
        let line = lines[0].strip_prefix("$ ").expect("a listing of a console begins with a command");
        Part::Command { line, printed: printed(lines[1..].to_vec()) }
    });
    commands.collect()
}

impl Printed<'_> {
    /// Panics if the command has printed something else.
    pub(crate) fn compare(&self, command: &str, printed: &str) {
        match self {
            Self::Exactly(lines) => {
                assert_eq!(printed.lines().collect::<Vec<_>>(), *lines, "{command}");
            }
            Self::Among(lines) => compare_among(command, lines, printed, |line| line.trim().to_owned()),
            Self::AnyFigures(lines) => compare_among(command, lines, printed, without_figures),
        }
    }

    /// The lines, where nothing else is printed.
    pub(crate) fn lines(&self) -> &[&str] {
        match self {
            Self::Exactly(lines) | Self::Among(lines) | Self::AnyFigures(lines) => lines,
        }
    }
}

fn compare_among(command: &str, lines: &[&str], printed: &str, normal: fn(&str) -> String) {
    for line in lines {
        let there = printed.lines().any(|printed| normal(printed) == normal(line));
        assert!(there, "{command}: no line like {line:?} in\n{printed}");
    }
}

/// The words of a line that are no figures, no units, and not what the lab makes of figures.
fn without_figures(line: &str) -> String {
    const UNITS: [&str; 9] = ["k", "M", "ns", "µs", "ms", "s", "–", "≥", "≤"];
    // A contender's standing, and the cell of one whose other runs do not count: the generator may
    // have been the bottleneck.
    const OF_FIGURES: [&str; 7] = ["floor", "best", "tie", "starves", "invalid", "one", "run"];
    let (first, others) = line.split_once(' ').unwrap_or((line, ""));
    let others = others.split_whitespace();
    let others = others.filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
    let others = others.filter(|word| !UNITS.contains(word) && !OF_FIGURES.contains(word));
    [first].into_iter().chain(others).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_listing_is_found() {
    let document = "\
        Text.\n\n**`src/lib.rs`**\n\n```rust\n//! Text.\n\nfn f() {}\n```\n\n\
        ```text\nno part\n```\n```console\n$ one\n$ two\nprinted\n```\n";
    let text = "//! Text.\n\nfn f() {}\n".to_owned();
    let expected = [
        Part::File { path: "src/lib.rs", text },
        Part::Command { line: "one", printed: Printed::Exactly(vec![]) },
        Part::Command { line: "two", printed: Printed::Exactly(vec!["printed"]) },
    ];
    assert_eq!(parts(document), expected);
}

#[test]
#[should_panic(expected = "a listing without a file's name")]
fn a_listing_that_is_no_file_is_refused() {
    parts("Text.\n```rust\nfn f() {}\n```\n");
}

#[test]
fn figures_may_differ_and_nothing_else() {
    assert_eq!(without_figures("mio   11.7 k  16.3 ms  –  16/16 invalid"), "mio");
    assert_eq!(without_figures("mio   11.7 k  one run  161 µs  16/16 tie"), "mio");
    assert_ne!(without_figures("mio 1"), without_figures("async 1"));
}
