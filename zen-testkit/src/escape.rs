//! Displaying a peer's bytes: escaped, so that they cannot control a terminal, and shortened, so
//! that a flood stays on one line. A cut shows as a bar.

use std::fmt;

/// How many bytes are shown at most; the rest is only counted.
const SHOWN: usize = 96;

/// How many bytes are shown before the one that matters.
const BEFORE: usize = 64;

/// Displays bytes as a quoted string of printable ASCII. If there are too many, it shows those
/// around the byte at `at`.
pub(crate) struct Escaped<'a> {
    bytes: &'a [u8],
    at: usize,
    cuts: &'a [usize],
}

impl<'a> Escaped<'a> {
    /// Shows the surroundings of the byte at `at`.
    pub(crate) fn around(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at: at.min(bytes.len()), cuts: &[] }
    }

    /// Shows where the bytes were cut, and the surroundings of the last cut.
    pub(crate) fn cut(bytes: &'a [u8], cuts: &'a [usize]) -> Self {
        Self { cuts, ..Self::around(bytes, cuts.last().copied().unwrap_or_default()) }
    }

    /// How many columns there are before the byte at `at`.
    pub(crate) fn column(&self) -> usize {
        let from = self.from();
        let before = if from > 0 { omitted(from).chars().count() } else { 0 };
        before + "\"".len() + self.bytes[from..self.at].escape_ascii().count()
    }

    /// The first byte that is shown. It depends only on the byte that matters, so that two that are
    /// shown around the same byte can be compared.
    fn from(&self) -> usize {
        self.at.saturating_sub(BEFORE)
    }

    /// Shows the end.
    pub(crate) fn end(bytes: &'a [u8]) -> Self {
        Self::around(bytes, bytes.len())
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.bytes.len();
        let from = self.from();
        let to = len.min(from + SHOWN);
        if from > 0 {
            f.write_str(&omitted(from))?;
        }
        let mut start = from;
        for &cut in self.cuts.iter().filter(|cut| (from + 1..to).contains(*cut)) {
            write!(f, "\"{}\" | ", self.bytes[start..cut].escape_ascii())?;
            start = cut;
        }
        write!(f, "\"{}\"", self.bytes[start..to].escape_ascii())?;
        if to < len {
            write!(f, " … ({} bytes)", len - to)?;
        }
        Ok(())
    }
}

fn omitted(bytes: usize) -> String {
    format!("({bytes} bytes) … ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_bytes_are_escaped() {
        assert_eq!(Escaped::around(b"\x1b[31m\r\n\"\xff?", 0).to_string(), r#""\x1b[31m\r\n\"\xff?""#);
    }

    #[test]
    fn a_flood_is_shortened_and_the_rest_counted() {
        let flood = [b'?'; 10_000];
        let shown = "?".repeat(SHOWN);
        assert_eq!(Escaped::around(&flood, 0).to_string(), format!("\"{shown}\" … (9904 bytes)"));
        let end = "?".repeat(BEFORE);
        assert_eq!(Escaped::end(&flood).to_string(), format!("(9936 bytes) … \"{end}\""));
        assert_eq!(
            Escaped::around(&flood, 5_000).to_string(),
            format!("(4936 bytes) … \"{shown}\" … (4968 bytes)")
        );
    }

    #[test]
    fn a_cut_is_a_bar() {
        assert_eq!(Escaped::cut(b"one\ntwo\n", &[4]).to_string(), r#""one\n" | "two\n""#);
        assert_eq!(Escaped::cut(b"abc", &[1, 2, 3]).to_string(), r#""a" | "b" | "c""#);
        let long = [&[b'x'; 200][..], b"y"].concat();
        let shown = Escaped::cut(&long, &[200]).to_string();
        assert!(shown.starts_with("(136 bytes) … \"x") && shown.ends_with("x\" | \"y\""), "{shown}");
    }

    #[test]
    fn the_column_is_that_of_the_byte_that_matters() {
        for at in [0, 3, 100, 150] {
            let mut bytes = b"\r\n".repeat(100);
            bytes[at] = b'!';
            let shown = Escaped::around(&bytes, at);
            assert_eq!(shown.to_string().chars().nth(shown.column()), Some('!'), "{shown}");
        }
    }
}
