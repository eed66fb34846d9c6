//! The terminal: whether there is one, how wide it is, and whether it wants color.

use std::io::IsTerminal;

use comfy_table::Table;

/// Color on a terminal, unless `NO_COLOR` is set to anything.
pub(crate) fn wants_color(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The columns of the terminal that standard output is; none if it is something else.
pub(crate) fn width() -> Option<u16> {
    Table::new().width()
}
