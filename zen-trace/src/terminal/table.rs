//! The sums as a table, and the sentence that a person would quote.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Terminal, colored, fit};
use crate::phases::Cause;
use crate::sums::{Occupancy, PAGE, ServerSum, Sums};
use crate::units::{float, time};

/// How many conversations have lines of their own.
const MOST_CONVERSATIONS: usize = 16;

/// How wide a column is, with the space before it.
const COLUMN: usize = 10;

/// How wide the occupancy is at least, with the space before it.
const OCCUPANCY: usize = 18;

/// How wide the names may be.
const NAME: usize = 12;

impl Sums {
    /// The sums as a table: a line for each server, and for a server that is alone, one for each of
    /// its conversations. Then what a person would quote.
    pub fn to_table(&self, terminal: Terminal) -> String {
        if !terminal.is_wide_enough() {
            return terminal.too_narrow();
        }
        let alone = self.servers.len() == 1;
        let mut rows: Vec<Row<'_>> = Vec::new();
        for server in &self.servers {
            rows.push(Row::of_server(server));
            let shown = if alone { MOST_CONVERSATIONS } else { 0 };
            rows.extend(server.per_conversation.iter().take(shown).map(|conversation| Row {
                name: format!("  #{}", conversation.number),
                wall_ns: conversation.wall_ns,
                computing_ns: conversation.computing_ns,
                waiting_ns: &conversation.waiting_ns,
                occupancy: conversation.occupancy(),
            }));
        }
        let mut text = String::new();
        Layout::new(&rows, terminal).write(&rows, &mut text);
        if let [server] = &self.servers[..]
            && let Some(more) =
                server.per_conversation.len().checked_sub(MOST_CONVERSATIONS).filter(|&n| n > 0)
        {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "and {more} conversations more");
        }
        for server in &self.servers {
            notes(server).for_each(|note| wrap(&note, terminal, &mut text));
        }
        text.push('\n');
        for server in &self.servers {
            wrap(&server.sentence(), terminal, &mut text);
        }
        wrap(PAGE, terminal, &mut text);
        terminal.spell(text)
    }
}

/// What a reader must know about the figures of a server.
fn notes(server: &ServerSum) -> impl Iterator<Item = String> {
    let name = &server.name;
    let lost = (server.lost > 0)
        .then(|| format!("! {name}: {} steps are lost, for which a buffer had no room", server.lost));
    let cpu = (!server.knows_cpu_waits)
        .then(|| format!("! {name}: the system does not say how long it waited for a CPU"));
    let cost = (server.cost_per_step_ns > 0.0).then(|| {
        let cost = time(server.cost_per_step_ns);
        format!("{name}: recorded {} steps at {cost} each, which the error bound covers", server.steps)
    });
    lost.into_iter().chain(cpu).chain(cost)
}

struct Row<'a> {
    name: String,
    wall_ns: u64,
    computing_ns: u64,
    waiting_ns: &'a BTreeMap<Cause, u64>,
    /// `None` if it is not known, and with it the computing.
    occupancy: Option<Occupancy>,
}

impl<'a> Row<'a> {
    fn of_server(server: &'a ServerSum) -> Self {
        Self {
            name: server.name.clone(),
            wall_ns: server.wall_ns,
            computing_ns: server.computing_ns,
            waiting_ns: &server.waiting_ns,
            occupancy: Some(server.occupancy()),
        }
    }
}

/// Which columns there is room for.
struct Layout {
    terminal: Terminal,
    /// How wide the names and the occupancies are.
    name: usize,
    occupancy: usize,
    /// The causes, those first of which there is the most.
    causes: Vec<Cause>,
    /// Those for which there is no room.
    left_out: Vec<Cause>,
}

impl Layout {
    fn new(rows: &[Row<'_>], terminal: Terminal) -> Self {
        let mut sums: BTreeMap<Cause, u64> = BTreeMap::new();
        for row in rows {
            for (&cause, &waited) in row.waiting_ns {
                let sum = sums.entry(cause).or_default();
                *sum = sum.saturating_add(waited);
            }
        }
        let mut causes: Vec<Cause> = sums.keys().copied().collect();
        causes.sort_by_key(|cause| std::cmp::Reverse(sums[cause]));
        // A wide bound keeps its distance from the column before it.
        let written = |row: &Row<'_>| terminal.spell(Occupancy::written(row.occupancy)).chars().count() + 2;
        let occupancy = rows.iter().map(written).fold(OCCUPANCY, usize::max);
        let width = usize::from(terminal.width);
        let name = NAME.min(width.saturating_sub(COLUMN + occupancy));
        // The time and the computing stand before them, the occupancy behind them.
        let room = width.saturating_sub(name + 2 * COLUMN + occupancy) / COLUMN;
        let left_out = causes.split_off(room.min(causes.len()));
        Self { terminal, name, occupancy, causes, left_out }
    }

    fn write(&self, rows: &[Row<'_>], text: &mut String) {
        let (name, occupancy) = (self.name, self.occupancy);
        let narrow = usize::from(self.terminal.width) < name + 2 * COLUMN + occupancy;
        // The narrowest terminals have no room for the computing, which follows from the occupancy.
        let before: &[&str] = if narrow { &["time"] } else { &["time", "computing"] };
        let words = before
            .iter()
            .copied()
            .chain(self.causes.iter().map(|cause| cause.name().split('_').next().unwrap_or_default()));
        if !self.causes.is_empty() {
            let indent = name + before.len() * COLUMN;
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{:indent$}  waiting for", "");
        }
        let mut line = format!("{:name$}", "");
        for word in words {
            let _ = write!(line, "{word:>COLUMN$}");
        }
        let _ = write!(line, "{:>occupancy$}", "occupied");
        text.push_str(&colored(&line, "2", self.terminal));
        text.push('\n');
        for row in rows {
            let _ = write!(text, "{:<name$}", fit(&row.name, name.saturating_sub(1)));
            let computing = row.occupancy.map(|_| row.computing_ns);
            let waits = self.causes.iter().map(|cause| row.waiting_ns.get(cause).copied());
            let computing = (!narrow).then_some(computing);
            for value in [Some(row.wall_ns)].into_iter().chain(computing).chain(waits) {
                let value = value.map_or("–".to_owned(), |value| time(float(value)));
                let _ = write!(text, "{value:>COLUMN$}");
            }
            let written = self.terminal.spell(Occupancy::written(row.occupancy));
            let _ = writeln!(text, "{written:>occupancy$}");
        }
        if !self.left_out.is_empty() {
            let names: Vec<_> = self.left_out.iter().map(|cause| cause.name()).collect();
            wrap(&format!("No room for: {}.", names.join(", ")), self.terminal, text);
        }
    }
}

/// The words of a sentence, in lines as wide as the terminal.
pub(super) fn wrap(sentence: &str, terminal: Terminal, text: &mut String) {
    let mut used = 0;
    // A space that must not break is part of a word.
    for word in sentence.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > usize::from(terminal.width) {
            text.push('\n');
            used = 0;
        } else if used > 0 {
            text.push(' ');
            used += 1;
        }
        text.push_str(word);
        used += length;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phases::tests::page;
    use crate::recording::Trace;

    fn table(width: u16) -> String {
        Sums::new(&Trace::new(vec![page()])).to_table(Terminal::new(width))
    }

    #[test]
    fn a_server_alone_is_shown_with_its_conversations() {
        let text = table(100);
        let words = |start: &str| -> Vec<String> {
            let line = text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{text}"));
            line.split_whitespace().map(str::to_owned).collect()
        };
        let blocking =
            ["blocking", "126", "ms", "310", "µs", "120", "ms", "5.83", "ms", "15.0", "µs", "15.0", "µs"];
        assert_eq!(words("blocking ")[..13], blocking, "{text}");
        assert_eq!(words("  #1")[..5], ["#1", "120", "ms", "260", "µs"], "{text}");
        assert!(text.contains("0.246 % ± 0.0020") && text.contains("7 percent occupied"), "{text}");
    }

    #[test]
    fn a_wide_bound_keeps_its_distance() {
        let mut thread = crate::phases::tests::thread(1, 1_000_000, 12, &[]);
        thread.cpu_error_ns = 1_200;
        let mut recording = crate::Recording::new("book");
        recording.threads.push(thread);
        let sums = Sums::new(&Trace::new(vec![recording]));
        for width in 40..130 {
            let text = sums.to_table(Terminal::new(width));
            assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{text}");
            let row = text.lines().find(|line| line.starts_with("book ")).unwrap();
            assert!(row.ends_with("  0.00120 % ± 0.00012"), "{width}: {text}");
        }
    }

    #[test]
    fn every_width_is_kept_and_what_is_left_out_is_named() {
        for width in 40..130 {
            for line in table(width).lines() {
                assert!(line.chars().count() <= usize::from(width), "{width}: {line}");
            }
        }
        assert!(table(60).contains("No room for: "), "{}", table(60));
        assert!(!table(100).contains("No room for: "));
        assert_eq!(table(39), "The terminal has 39 columns; this needs 40.\n");
    }
}
