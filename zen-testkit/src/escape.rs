//! Displaying a peer's bytes: escaped, so that they cannot control a terminal, and shortened, so
//! that a flood stays on one line.

use std::fmt;

/// How many bytes are shown at most; the rest is only counted.
const SHOWN: usize = 96;

/// Displays bytes as a quoted string of printable ASCII. If there are too many, it shows those
/// around the byte at `at`.
pub(crate) struct Escaped<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Escaped<'a> {
    /// Shows the beginning.
    pub(crate) fn start(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Shows the surroundings of the byte at `at`.
    pub(crate) fn around(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at: at.min(bytes.len()) }
    }

    /// Shows the end.
    pub(crate) fn end(bytes: &'a [u8]) -> Self {
        Self::around(bytes, bytes.len())
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.bytes.len();
        let from = if len <= SHOWN { 0 } else { self.at.saturating_sub(SHOWN / 3 * 2).min(len - SHOWN) };
        let to = len.min(from + SHOWN);
        if from > 0 {
            write!(f, "({from} bytes) … ")?;
        }
        write!(f, "\"{}\"", self.bytes[from..to].escape_ascii())?;
        if to < len {
            write!(f, " … ({} bytes)", len - to)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_bytes_are_escaped() {
        assert_eq!(Escaped::start(b"\x1b[31m\r\n\"\xff?").to_string(), r#""\x1b[31m\r\n\"\xff?""#);
    }

    #[test]
    fn a_flood_is_shortened_and_the_rest_counted() {
        let flood = [b'?'; 10_000];
        let shown = "?".repeat(SHOWN);
        assert_eq!(Escaped::start(&flood).to_string(), format!("\"{shown}\" … (9904 bytes)"));
        assert_eq!(Escaped::end(&flood).to_string(), format!("(9904 bytes) … \"{shown}\""));
        assert_eq!(
            Escaped::around(&flood, 5_000).to_string(),
            format!("(4936 bytes) … \"{shown}\" … (4968 bytes)")
        );
    }
}
