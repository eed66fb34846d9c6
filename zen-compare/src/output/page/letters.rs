//! Estimates how much room a text takes in a drawing.

/// The size of labels, as in the style sheet.
pub(super) const LABEL_SIZE: f64 = 12.0;

/// About how wide a text is at a font size.
pub(super) fn width_of(text: &str, size: f64) -> f64 {
    text.chars().map(|char| character(char) * size).sum()
}

/// The longest beginning of a text that fits a width; an ellipsis marks what is left out.
pub(super) fn fit(text: &str, size: f64, width: f64) -> String {
    if width_of(text, size) <= width {
        return text.to_owned();
    }
    let mut left = width - character('…') * size;
    let fits = |char: &char| {
        left -= character(*char) * size;
        left >= 0.0
    };
    let kept: String = text.chars().take_while(fits).collect();
    format!("{}…", kept.trim_end())
}

/// About how wide a character is, as a part of the font size: its width in the widest of the common
/// fonts.
fn character(char: char) -> f64 {
    match char {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | 'I' => 0.36,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' | '"' | '·' => 0.46,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '=' | '<' | '>' | '+' | '~' | '…' | '×' | '≥' => 1.0,
        char if char.is_ascii_uppercase() => 0.76,
        char if char.is_ascii() || char == '–' || char == 'µ' => 0.65,
        // Scripts whose characters fill a square, and all other characters.
        _ => 1.1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_does_not_fit_is_shortened() {
        assert_eq!(fit("async-multi", 12.0, 90.0), "async-multi");
        let cut = fit("a-name-that-is-far-too-long", 12.0, 90.0);
        assert!(cut.ends_with('…') && width_of(&cut, 12.0) <= 90.0 && cut.len() > 8, "{cut}");
        assert_eq!(fit("x", 12.0, 0.0), "…");
    }
}
