//! What a terminal shows: the listing, the time line and the sums.

mod lanes;
mod listing;
mod sweep;
mod table;

/// How a terminal wants its text.
///
/// ```
/// use zen_trace::Terminal;
///
/// /// What the environment says of the terminal.
/// fn terminal(width: u16) -> Terminal {
///     let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
///     Terminal::new(width)
///         .with_color(std::env::var_os("NO_COLOR").is_none())
///         .with_ascii(is("TERM", "dumb"))
/// }
/// # assert_eq!(terminal(80).width, 80);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terminal {
    /// How many columns a line has.
    pub width: u16,
    /// Whether it shows colours. Nothing depends on them.
    pub color: bool,
    /// Whether it shows ASCII only, as with `TERM=dumb`.
    pub ascii: bool,
}

/// The least number of columns in which a time line says anything.
pub const LEAST_WIDTH: u16 = 40;

impl Terminal {
    /// A terminal of this many columns, with all of Unicode and no colours.
    pub fn new(width: u16) -> Self {
        Self { width, color: false, ascii: false }
    }

    /// With colours, or without.
    #[must_use]
    pub fn with_color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }

    /// With ASCII only, or with all of Unicode.
    #[must_use]
    pub fn with_ascii(mut self, ascii: bool) -> Self {
        self.ascii = ascii;
        self
    }

    fn is_wide_enough(self) -> bool {
        self.width >= LEAST_WIDTH
    }

    /// What is said in place of a picture for which there is no room.
    fn too_narrow(self) -> String {
        format!("The terminal has {} columns; this needs {LEAST_WIDTH}.\n", self.width)
    }

    /// The text in the characters that the terminal has.
    fn spell(self, text: String) -> String {
        if !self.ascii {
            return text;
        }
        let mut plain = String::with_capacity(text.len());
        for char in text.chars() {
            match char {
                '\u{a0}' => plain.push(' '),
                '·' => plain.push('.'),
                'µ' => plain.push('u'),
                '±' => plain.push_str("+-"),
                '–' | '─' | '━' => plain.push('-'),
                '│' => plain.push('|'),
                '⋮' => plain.push(':'),
                '…' => plain.push('~'),
                '◂' => plain.push('<'),
                '×' => plain.push('x'),
                char if char.is_ascii() => plain.push(char),
                _ => plain.push('?'),
            }
        }
        plain
    }
}

/// A text in a colour, by its number among the terminal's.
fn colored(text: &str, code: &str, terminal: Terminal) -> String {
    if terminal.color && !text.trim().is_empty() {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// The text cut to this many characters in its middle: threads of one server differ at the end.
fn fit_middle(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width || width < 5 {
        return fit(text, width);
    }
    let end = (width - 1) / 2;
    let start: String = text.chars().take(width - 1 - end).collect();
    let rest: String = text.chars().skip(length - end).collect();
    fit(&format!("{start}…{rest}"), width)
}

/// The text cut to this many characters; an ellipsis marks what is left out.
fn fit(text: &str, width: usize) -> String {
    let text: String = text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect();
    if text.chars().count() <= width {
        return text;
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}
