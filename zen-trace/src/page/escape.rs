//! Escapes text from outside: names may contain anything.

/// Text for an HTML or SVG document, inside an element or a quoted attribute.
///
/// ```
/// assert_eq!(zen_trace::page::escape::html("<b>"), "&lt;b&gt;");
/// ```
pub fn html(text: &str) -> String {
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
///
/// ```
/// use zen_trace::page::escape::clean;
///
/// assert_eq!(clean("two\nlines\u{202e}"), "two lines\u{fffd}");
/// ```
pub fn clean(text: impl AsRef<str>) -> String {
    text.as_ref().chars().map(visible).collect()
}

/// The character, or a mark in its place if it is invisible and changes how the text around it is
/// shown.
///
/// ```
/// use zen_trace::page::escape::visible;
///
/// assert_eq!(['a', '\n', '\x1b'].map(visible), ['a', ' ', '\u{fffd}']);
/// ```
pub fn visible(char: char) -> char {
    match char {
        '\n' | '\t' | '\r' => ' ',
        // Marks that change the direction of the text after them.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
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
        for mark in ['\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{2069}'] {
            assert_eq!(visible(mark), '\u{fffd}', "{}", mark.escape_unicode());
        }
        assert_eq!(html("a\u{0}b\u{1b}[31m\u{202e}\nµ"), "a\u{fffd}b\u{fffd}[31m\u{fffd} µ");
    }
}
