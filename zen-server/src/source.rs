//! The source text of the lines that report steps, so that a recording can show them.

use std::fmt;

/// The text of a source file, compiled in by [`sources!`](crate::sources).
#[derive(Clone, Copy)]
pub struct Source {
    /// The path of a file beside it, as the compiler was given it.
    neighbour: &'static str,
    name: &'static str,
    text: &'static str,
}

/// The path, without the text.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&format_args!("{}{}", self.folder(), self.name)).finish()
    }
}

impl Source {
    #[doc(hidden)]
    pub const fn new(neighbour: &'static str, name: &'static str, text: &'static str) -> Self {
        Self { neighbour, name, text }
    }

    /// The text of a line of this file, without its indentation. `None` if the place is in another
    /// file.
    ///
    /// ```
    /// use zen_server::Source;
    ///
    /// const HERE: Source = Source::new("src/lib.rs", "main.rs", "fn main() {\n    work();\n}\n");
    /// assert_eq!(HERE.line("src/main.rs", 2), Some("work();"));
    /// assert_eq!(HERE.line("src/lib.rs", 2), None);
    /// ```
    pub fn line(&self, file: &str, line: u32) -> Option<&'static str> {
        if file.strip_prefix(self.folder()) != Some(self.name) {
            return None;
        }
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        self.text.lines().nth(index).map(str::trim)
    }

    /// The line of this file that a step begins with, and its text: the line that reports the step,
    /// or if that does nothing else, the next one with code. `None` if the place is in another
    /// file.
    ///
    /// ```
    /// use zen_server::Source;
    ///
    /// const TEXT: &str = "observer.step(Step::Writing);\n// At once.\nwrite();\n";
    /// const HERE: Source = Source::new("src/lib.rs", "main.rs", TEXT);
    /// assert_eq!(HERE.step_line("src/main.rs", 1), Some((3, "write();")));
    /// assert_eq!(HERE.step_line("src/main.rs", 3), Some((3, "write();")));
    /// ```
    pub fn step_line(&self, file: &str, line: u32) -> Option<(u32, &'static str)> {
        let text = self.line(file, line)?;
        if !text.contains("observer.step") {
            return Some((line, text));
        }
        let is_code =
            |text: &str| !text.is_empty() && !text.starts_with("//") && !text.contains("observer.step");
        let mut next = (line + 1..).map_while(|line| Some((line, self.line(file, line)?)));
        Some(next.find(|(_, text)| is_code(text)).unwrap_or((line, text)))
    }

    fn folder(&self) -> &'static str {
        self.neighbour.rfind('/').map_or("", |slash| &self.neighbour[..=slash])
    }
}

/// The files of these names beside the calling one, with their text, for
/// [`Observer::add_sources`](crate::Observer::add_sources).
#[macro_export]
macro_rules! sources {
    ($($name:literal),+ $(,)?) => {
        {
            const SOURCES: &[$crate::Source] =
                &[$($crate::Source::new(file!(), $name, include_str!($name))),+];
            SOURCES
        }
    };
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::*;

    #[test]
    fn a_line_of_a_file_is_found_by_its_place() {
        let sources: &[Source] = sources!["lib.rs", "source.rs"];
        let here = Location::caller();
        let found: Vec<_> =
            sources.iter().filter_map(|source| source.line(here.file(), here.line())).collect();
        assert_eq!(found, ["let here = Location::caller();"]);
        assert_eq!(sources[1].line(here.file(), 0), None);
        assert_eq!(sources[1].line(here.file(), 10_000), None);
    }
}
