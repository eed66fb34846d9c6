//! The comparison as a table for the terminal.

use std::fmt::Write;

use comfy_table::presets::NOTHING;
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, Width,
};

use crate::excuses::Excuses;
use crate::report::{Report, Standing, Summary};
use crate::stats::Estimate;
use crate::verdict::{Verdict, verdicts};

/// The columns, how wide each is at least, and when it goes where there is no room: the highest number first, 0 never.
const COLUMNS: [(&str, u16, u8); 9] = [
    ("flavor", 12, 0),
    ("answers/s", 15, 0),
    ("p50", 8, 5),
    ("p99", 8, 2),
    ("CPU/question", 13, 0),
    ("× floor", 8, 1),
    ("occupancy", 10, 4),
    ("served", 7, 3),
    ("", 7, 0),
];
/// Longer names are cut short.
const LONGEST_NAME: usize = 24;

impl Report {
    /// The summaries as one table per scenario, with a verdict under each that stands for itself and under the last rung of each
    /// ladder, and why runs do not count. Tables are at most
    /// `width` columns wide, coloured for a terminal or plain; where there is no room for all columns (100 are enough), those
    /// that matter least are left out. The sentences below are one line each.
    pub fn to_table(&self, width: u16, color: bool) -> String {
        let mut text = String::new();
        let verdicts = verdicts(self);
        for (scenario, summaries) in self.by_scenario() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{} — {}", scenario.name, scenario.describe());
            let excuses = Excuses::of(&scenario.name, &self.runs);
            let present: Vec<&Summary> =
                summaries.iter().filter(|summary| !excuses.left_out(&summary.contender)).copied().collect();
            for line in table(&present, width, color).lines() {
                let _ = writeln!(text, "{}", line.trim_end());
            }
            // A ladder's stands below the last of its rungs.
            let last = |verdict: &&Verdict<'_>| verdict.below(self) == Some(scenario);
            for verdict in verdicts.iter().filter(last).filter(|verdict| !verdict.sentence.is_empty()) {
                let whose =
                    if verdict.rungs.len() > 1 { format!("{}: ", verdict.title) } else { String::new() };
                let _ = writeln!(text, "→ {whose}{}", verdict.sentence);
            }
            for line in excuses.lines() {
                let _ = writeln!(text, "! {line}");
            }
            let unsteady = |summary: &&Summary| {
                let Summary { contender, unsteady_runs, throughput, .. } = summary;
                // Who answers nothing has no pace.
                let answers = throughput.is_some_and(|throughput| throughput.median > 0.0);
                (answers && *unsteady_runs > 0).then(|| format!("{contender} {unsteady_runs}"))
            };
            let unsteady: Vec<String> = present.iter().filter_map(unsteady).collect();
            if !unsteady.is_empty() {
                let _ = writeln!(text, "! runs that never came to a steady pace: {}", unsteady.join(", "));
            }
            text.push('\n');
        }
        for warning in self.warnings() {
            let _ = writeln!(text, "! {warning}");
        }
        text
    }

    /// What a reader of any of the numbers must know.
    pub fn warnings(&self) -> Vec<String> {
        let environment = &self.environment;
        let mut warnings = Vec::new();
        if environment.debug_build {
            warnings.push("a debug build: these numbers say nothing, build with --release".into());
        }
        if environment.pinning.is_none() {
            warnings.push(
                "server and generator shared the only core: throughput is that of both together".into(),
            );
        }
        if environment.shares_physical_core == Some(true) {
            warnings.push(
                "server and generator ran on two threads of one physical core and slowed each other".into(),
            );
        }
        if !self.complete {
            warnings.push(format!("incomplete: {} of {} runs", self.runs.len(), self.settings.runs));
        }
        warnings
    }
}

/// With as many columns as there is room for.
fn table(summaries: &[&Summary], width: u16, color: bool) -> Table {
    let mut droppable: Vec<u8> = COLUMNS.iter().map(|(.., goes)| *goes).filter(|goes| *goes > 0).collect();
    droppable.sort_unstable();
    loop {
        let below = droppable.pop();
        let table = table_of(summaries, below.map_or(1, |goes| goes + 1), color);
        let widest = table.lines().map(|line| visible(&line)).max().unwrap_or(0);
        if below.is_none() || widest <= usize::from(width) {
            return table;
        }
    }
}

/// With the columns that are to go later than at `below`.
fn table_of(summaries: &[&Summary], below: u8, color: bool) -> Table {
    let stays = |goes: u8| goes < below;
    let mut table = Table::new();
    table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if color {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    let columns: Vec<_> = COLUMNS.into_iter().filter(|(.., goes)| stays(*goes)).collect();
    table.set_header(columns.iter().map(|(name, ..)| Cell::new(name).add_attribute(Attribute::Dim)));
    for (column, (name, at_least, _)) in table.column_iter_mut().zip(columns) {
        // What stands at the end of a line must not reach into the next one, not even as a blank.
        let gap = u16::from(!name.is_empty());
        column.set_padding((0, gap)).set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(at_least)));
        let words = matches!(name, "flavor" | "");
        column.set_cell_alignment(if words { CellAlignment::Left } else { CellAlignment::Right });
    }
    for summary in summaries {
        let cells = row(summary).into_iter().zip(COLUMNS);
        table.add_row(cells.filter(|(_, (.., goes))| stays(*goes)).map(|(cell, _)| cell));
    }
    table
}

/// How many columns a line takes, without what only colours it.
fn visible(line: &str) -> usize {
    let plain: String = line.split('\u{1b}').enumerate().fold(String::new(), |plain, (index, part)| {
        plain + if index == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) }
    });
    plain.chars().count()
}

fn row(summary: &Summary) -> Vec<Cell> {
    let cell = |estimate: Option<Estimate>, show: &dyn Fn(f64) -> String| {
        estimate.map_or_else(|| "–".to_owned(), |estimate| show(estimate.median))
    };
    let counted = if summary.valid_runs == 0 { summary.runs } else { summary.valid_runs };
    let at_least = if summary.throughput_is_lower_bound { "≥ " } else { "" };
    let throughput = summary.throughput.map_or_else(
        || "–".to_owned(),
        |estimate| format!("{at_least}{} {}", count(estimate.median), spread(&estimate, counted)),
    );
    let cells = [
        short(&summary.contender),
        throughput,
        cell(summary.p50_ns, &time),
        cell(summary.p99_ns, &time),
        cell(summary.cpu_per_question_ns, &time),
        cell(summary.times_floor, &|times| format!("{times:.2}")),
        cell(summary.occupancy, &|occupancy| {
            if occupancy < 0.1 { format!("{occupancy:.4}") } else { format!("{occupancy:.2}") }
        }),
        format!("{}/{}", summary.clients_served, summary.clients),
        mark(summary.standing).to_owned(),
    ];
    cells.into_iter().map(|text| style(Cell::new(text), summary.standing)).collect()
}

fn short(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    name.chars().take(LONGEST_NAME - 1).chain(['…']).collect()
}

fn mark(standing: Standing) -> &'static str {
    match standing {
        Standing::Floor => "floor",
        Standing::Best => "best",
        Standing::Tie => "tie",
        Standing::Behind => "",
        Standing::Starves => "starves",
        Standing::Invalid => "invalid",
    }
}

fn style(cell: Cell, standing: Standing) -> Cell {
    match standing {
        Standing::Floor => cell.add_attribute(Attribute::Dim),
        Standing::Best => cell.fg(Color::Green).add_attribute(Attribute::Bold),
        Standing::Tie => cell.fg(Color::Green),
        Standing::Behind => cell,
        Standing::Starves => cell.fg(Color::Yellow),
        Standing::Invalid => cell.fg(Color::Red),
    }
}

/// Half the interval's width as a share of the median; a single run has none.
fn spread(estimate: &Estimate, runs: usize) -> String {
    if estimate.median <= 0.0 {
        return String::new();
    }
    if runs < 2 {
        return "±?".into();
    }
    let percent = (estimate.high - estimate.low) / 2.0 / estimate.median * 100.0;
    if percent < 9.95 { format!("±{percent:.1} %") } else { format!("±{percent:.0} %") }
}

/// A number with three significant digits and a prefix for its thousands.
pub(crate) fn count(number: f64) -> String {
    scaled(number, &[(1e9, " G"), (1e6, " M"), (1e3, " k"), (1.0, "")])
}

/// Nanoseconds with three significant digits in the unit that suits them.
pub(crate) fn time(nanoseconds: f64) -> String {
    scaled(nanoseconds, &[(1e9, " s"), (1e6, " ms"), (1e3, " µs"), (1.0, " ns")])
}

fn scaled(number: f64, units: &[(f64, &str)]) -> String {
    // What would round up to a thousand of a unit is one of the next.
    let fits = |(unit, _): &&(f64, &str)| number >= unit * 0.9995;
    let (unit, name) = units.iter().find(fits).or(units.last()).copied().unwrap_or((1.0, ""));
    format!("{}{name}", digits(number / unit))
}

/// A number below a thousand or so with three digits.
pub(crate) fn digits(value: f64) -> String {
    let decimals = match value {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::report::{ReadError, SCHEMA};
    use crate::scenario::Scenario;
    use crate::summary::summarize;
    use crate::summary::tests::{run, settings};
    use crate::validity::Invalid;

    fn report() -> Report {
        let scenario = Scenario::saturate(16);
        let settings = settings(&["floor", "mio", "mio-multi", "blocking", "other"], scenario.clone());
        let mut runs = Vec::new();
        for repetition in 0..3 {
            for (name, cost) in
                [("floor", 4000.0), ("mio", 4100.0), ("mio-multi", 4100.0), ("blocking", 9e3), ("other", 1e4)]
            {
                let mut run = run(name, &scenario, repetition, cost + f64::from(repetition));
                match name {
                    "blocking" => run.clients_served = 1,
                    "mio-multi" => run.warmed_up = repetition > 0,
                    "other" => run.invalid.push(Invalid::ClosedEarly { conversations: 7 }),
                    _ => {}
                }
                runs.push(run);
            }
        }
        let environment = Environment { debug_build: false, ..Environment::current(None) };
        let summaries = summarize(&settings, &runs);
        Report { schema: SCHEMA.into(), environment, settings, complete: true, summaries, runs }
    }

    #[test]
    fn numbers_have_three_digits_and_a_unit() {
        assert_eq!(
            [0.5, 999.4, 999.6, 12_345.0, 1e7].map(time),
            ["0.50 ns", "999 ns", "1.00 µs", "12.3 µs", "10.0 ms"]
        );
        assert_eq!([0.0, 25.0, 182_345.0, 2.5e6].map(count), ["0.00", "25.0", "182 k", "2.50 M"]);
    }

    #[test]
    fn the_table_fits_and_marks_everybody() {
        let text = report().to_table(100, false);
        let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        let words = |name: &str| line(name).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            words("mio ")[..],
            ["mio", "244", "k", "±0.0", "%", "–", "–", "4.10", "µs", "1.02", "1.00", "16/16", "best"]
        );
        assert!(line("mio-multi").ends_with("tie"));
        assert!(line("blocking").contains("1/16") && line("blocking").ends_with("starves"));
        assert!(line("other").ends_with("invalid"));
        assert!(text.contains("! other, 3 of 3 runs: the server ended 7 conversations"), "{text}");
        assert!(text.contains("! runs that never came to a steady pace: mio-multi 1\n"));
        assert_eq!(text.matches("steady pace").count(), 1);
        assert!(!text.contains('\u{1b}'));
        assert!(report().to_table(100, true).contains('\u{1b}'));
    }

    #[test]
    fn columns_go_before_a_line_is_broken() {
        let mut report = report();
        let long = "a-name-that-goes-on-and-on-and-on";
        for name in report.summaries.iter_mut().map(|summary| &mut summary.contender) {
            if name == "other" {
                long.clone_into(name);
            }
        }
        for color in [false, true] {
            for width in [110, 100, 80, 64] {
                let text = report.to_table(width, color);
                let rows: Vec<&str> =
                    text.lines().skip(1).take_while(|line| !line.starts_with('→')).collect();
                assert_eq!(rows.len(), 6, "a line for the header and each row:\n{text}");
                for row in rows {
                    assert!(visible(row) <= usize::from(width), "{} of {width}: {row}", visible(row));
                }
                assert!(text.contains("a-name-that-goes-on-and…"), "{text}");
                assert_eq!(text.contains("occupancy"), width >= 100, "{width}:\n{text}");
            }
        }
        report.summaries.retain(|summary| summary.contender != long);
        assert!(report.to_table(80, false).contains("occupancy"), "what is there fits without one column");
    }

    #[test]
    fn an_interrupted_report_says_so() {
        let mut report = report();
        report.complete = false;
        report.runs.truncate(2);
        assert!(report.to_table(100, false).contains("incomplete: 2 of 15 runs"));
    }

    #[test]
    fn a_report_survives_being_saved() {
        let report = report();
        let mut saved = Vec::new();
        report.write_json(&mut saved).unwrap();
        assert_eq!(Report::read_json(saved.as_slice()).unwrap(), report);
        let newer = String::from_utf8(saved).unwrap().replace(SCHEMA, "zen-compare/99");
        let error = Report::read_json(newer.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("`zen-compare/99`"), "{error}");
        assert!(matches!(Report::read_json(&b"{}"[..]), Err(ReadError::NotAReport(_))));
    }
}
