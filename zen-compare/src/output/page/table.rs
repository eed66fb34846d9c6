//! Tables of the page: the text of each cell, and the number by which it is sorted.

/// A table with a caption and a header for each column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    pub(super) text: String,
    /// The number by which it is sorted; a number also aligns the text to the right. `None` for
    /// words.
    pub(super) number: Option<f64>,
    /// The contender's index, for a cell that names one.
    pub(super) identity: Option<usize>,
    pub(super) class: &'static str,
}

impl Cell {
    pub(super) fn words(text: impl Into<String>) -> Self {
        Self { text: text.into(), number: None, identity: None, class: "" }
    }

    pub(super) fn number(text: impl Into<String>, number: f64) -> Self {
        Self { number: Some(number), ..Self::words(text) }
    }

    /// A number as `show` formats it, or a dash.
    pub(super) fn shown(value: Option<f64>, show: fn(f64) -> String) -> Self {
        match value {
            Some(value) => Self::number(show(value), value),
            None => Self { class: "none", ..Self::number("–", f64::NEG_INFINITY) },
        }
    }

    /// The name of the contender with this index.
    pub(super) fn name(text: &str, identity: usize) -> Self {
        Self { identity: Some(identity), ..Self::words(text) }
    }

    /// The attribute by which the page's script sorts.
    pub(super) fn sort_key(&self) -> String {
        self.number.filter(|number| number.is_finite()).map(|number| number.to_string()).unwrap_or_default()
    }
}
