//! Escapes text from outside: names, commands and error messages may contain anything.

use std::fmt::Write;

/// Text for an HTML or SVG document, inside an element or a quoted attribute.
pub(super) fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars().map(visible) {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// Text without characters that are invisible or change how the text around them is shown.
pub(super) fn clean(text: impl AsRef<str>) -> String {
    text.as_ref().chars().map(visible).collect()
}

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

/// The character, or a mark in its place if it is invisible and changes how the text around it is
/// shown.
fn visible(char: char) -> char {
    match char {
        '\n' | '\t' | '\r' => ' ',
        // Marks that change the direction of the text after them.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        char if char.is_control() => '\u{fffd}',
        char => char,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_element_or_attribute() {
        assert_eq!(
            html("<script>alert('a\"b')</script>&amp;"),
            "&lt;script&gt;alert(&#39;a&quot;b&#39;)&lt;/script&gt;&amp;amp;"
        );
        assert_eq!(html("a\u{0}b\u{1b}[31m\u{202e}\nµ"), "a\u{fffd}b\u{fffd}[31m\u{fffd} µ");
    }

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
