//! Escapes text from outside: names, commands and error messages may contain anything.

use std::fmt::Write;

use zen_trace::page::escape::visible;
pub(super) use zen_trace::page::escape::{clean, html};

/// Text for one line of GitHub-flavoured Markdown, or for a cell of one of its tables.
pub(super) fn markdown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut chars = text.chars().map(visible).peekable();
    while let Some(char) = chars.next() {
        match char {
            // The colon of a URL and the dot after `www` would make links.
            ':' if chars.peek() != Some(&'/') => safe.push(char),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' | '!' | '$' | ':' => {
                safe.push('\\');
                safe.push(char);
            }
            '.' if safe.len() >= 3 && safe.as_bytes()[safe.len() - 3..].eq_ignore_ascii_case(b"www") => {
                safe.push_str("\\.");
            }
            // A mention would notify somebody on GitHub; only a code span prevents that.
            '@' => safe.push_str("`@`"),
            other => safe.push(other),
        }
    }
    safe
}

/// Text as a code span of Markdown, inside or outside a table.
pub(super) fn markdown_code(text: &str) -> String {
    let text = clean(text);
    let runs = text.split(|char| char != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0) + 1);
    // A bar ends the cell even inside code.
    let text = text.replace('|', "\\|");
    // The spaces separate a backtick at either end from the fence, and are not shown.
    if text.starts_with('`') || text.ends_with('`') || text.trim().is_empty() {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// Text as a field of a CSV file (RFC 4180). A leading apostrophe keeps a spreadsheet from taking
/// the text for a formula.
pub(super) fn csv(text: &str) -> String {
    let guarded = if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if !guarded.contains([',', '"', '\r', '\n']) {
        return guarded;
    }
    let mut quoted = String::with_capacity(guarded.len() + 2);
    // Writing to a string cannot fail.
    let _ = write!(quoted, "\"{}\"", guarded.replace('"', "\"\""));
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_cell_or_becomes_a_link() {
        assert_eq!(markdown("a|b\nc"), "a\\|b c");
        assert_eq!(markdown("[x](http://y) www.z *b* <i>"), "\\[x\\](http\\://y) www\\.z \\*b\\* \\<i\\>");
        assert_eq!(markdown("@all #1 mio-multi 1.5"), "`@`all \\#1 mio-multi 1.5");
    }

    #[test]
    fn code_holds_any_text() {
        assert_eq!(markdown_code("zen serve"), "`zen serve`");
        assert_eq!(markdown_code("a``b|c"), "```a``b\\|c```");
        assert_eq!(markdown_code("`x"), "`` `x ``");
        assert_eq!(markdown_code(""), "`  `");
    }

    #[test]
    fn a_field_is_one_field_and_no_formula() {
        assert_eq!(csv("mio"), "mio");
        assert_eq!(csv("a,\"b\"\r\nc"), "\"a,\"\"b\"\"\r\nc\"");
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"] {
            assert_eq!(csv(formula), format!("'{formula}"));
        }
        assert_eq!(csv("=HYPERLINK(\"x\",1)"), "\"'=HYPERLINK(\"\"x\"\",1)\"");
        assert_eq!(csv("a=b"), "a=b");
    }
}
