//! The terminal: whether there is one, how wide it is, and whether it wants color.

use std::io::IsTerminal;

use comfy_table::Table;

/// The indent of the second and further lines of a wrapped line.
const INDENT: &str = "    ";

/// Color on a terminal, unless `NO_COLOR` is set and not empty, or the terminal is dumb.
pub(crate) fn wants_color(stream: &impl IsTerminal) -> bool {
    stream.is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether the terminal has neither colors nor characters beyond ASCII: `TERM=dumb`, or a locale
/// that is not UTF-8.
pub(crate) fn is_plain() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
    let utf8 = locale.to_ascii_lowercase().replace('-', "").ends_with("utf8");
    set("TERM").is_some_and(|term| term == "dumb") || !utf8
}

/// The width of standard output in columns; `None` if it is not a terminal.
pub(crate) fn width() -> Option<u16> {
    Table::new().width()
}

/// The text with lines longer than the terminal's width wrapped between words. Colored lines are
/// assumed to fit, and a word that does not fit is left to the terminal.
pub(crate) fn wrapped(text: &str, width: Option<u16>) -> String {
    let Some(width) = width.map(usize::from) else { return text.to_owned() };
    let mut whole = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if line.trim_end().chars().count() <= width || line.contains('\u{1b}') {
            whole.push_str(line);
            continue;
        }
        let words = line.trim_start();
        let own = line.len() - words.len();
        let mut used = own;
        whole.push_str(&line[..own]);
        for (index, word) in words.split_whitespace().enumerate() {
            let length = word.chars().count();
            if index > 0 && used + 1 + length > width {
                whole.push('\n');
                whole.push_str(&line[..own]);
                whole.push_str(INDENT);
                used = own + INDENT.len();
            } else if index > 0 {
                whole.push(' ');
                used += 1;
            }
            whole.push_str(word);
            used += length;
        }
        whole.push('\n');
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_wrapped_between_words() {
        let text = "short\n→ one two three four\n  five six seven eight\n";
        let broken = "short\n→ one two\n    three\n    four\n  five six\n      seven\n      eight\n";
        assert_eq!(wrapped(text, Some(11)), broken);
        assert_eq!(wrapped(text, None), text);
        assert_eq!(wrapped(text, Some(80)), text);
        assert_eq!(wrapped("a-word-that-is-long b\n", Some(5)), "a-word-that-is-long\n    b\n");
    }
}
