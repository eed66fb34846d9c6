//! Escapes what a peer sent, so that it can be read on a terminal or in a log and does nothing to
//! either.

use std::fmt::{self, Display, Write};

/// Shows `bytes` on one line. Printable characters stay as they are. Everything else becomes an
/// escape (`\n`, `\x1b`, `\u{202e}`), and a backslash is doubled, so that different inputs always
/// look different.
///
/// `char::escape_debug` decides what is printable, so controls that reorder text are escaped too.
pub(crate) fn escaped(bytes: &[u8]) -> impl Display + '_ {
    Escaped(bytes)
}

struct Escaped<'a>(&'a [u8]);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\'' | '"' => f.write_char(c)?,
                    '\n' | '\r' | '\t' => write!(f, "{}", c.escape_default())?,
                    _ if c.is_ascii_control() => write!(f, "\\x{:02x}", u32::from(c))?,
                    _ => write!(f, "{}", c.escape_debug())?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// JSON text in which every character that could control a terminal is written as `\uXXXX`, which
/// means the same in JSON.
///
/// A JSON writer escapes only the ASCII controls below the blank. It leaves all others as they are,
/// such as the one-character CSI.
pub(crate) fn inert_json(json: &str) -> String {
    let mut inert = String::with_capacity(json.len());
    for c in json.chars() {
        // Every character that is escaped here is inside a string: outside of strings, JSON is
        // printable ASCII.
        if c.is_ascii() && c != '\x7f' || c.escape_debug().len() == 1 {
            inert.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(inert, "\\u{unit:04x}");
            }
        }
    }
    inert
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_text_is_unchanged() {
        for text in ["Ugly.", "It's \"fine\".", "Ähnlich — 漢字."] {
            assert_eq!(escaped(text.as_bytes()).to_string(), text);
        }
    }

    #[test]
    fn terminal_controls_are_escaped() {
        for (bytes, shown) in [
            (&b"\x1b[2J\x07."[..], r"\x1b[2J\x07."),
            (b"a\nb\rc\td", r"a\nb\rc\td"),
            (b"\x7f\x00", r"\x7f\x00"),
            ("\u{9b}31m".as_bytes(), r"\u{9b}31m"),
            ("\u{202e}txt".as_bytes(), r"\u{202e}txt"),
            (b"\xff\xfe\x9b", r"\xff\xfe\x9b"),
            (br"\x1b", r"\\x1b"),
        ] {
            assert_eq!(escaped(bytes).to_string(), shown);
        }
    }

    #[test]
    fn inert_json_means_the_same() {
        let text = "\u{9b}31m \u{1b}[0m\u{7f} \u{202e} \u{e0001} é \"quoted\\\" ";
        let inert = inert_json(&serde_json::to_string(text).unwrap());
        assert!(inert.chars().all(|c| c.is_ascii_graphic() || c == ' ' || c == 'é'), "{inert}");
        assert_eq!(serde_json::from_str::<String>(&inert).unwrap(), text);
    }
}
