//! The comparison as a table for the terminal.

mod columns;

use std::fmt::Write;

use comfy_table::presets::NOTHING;
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, Width,
};

use self::columns::{Column, Layout, layouts};
use super::number;
use crate::analysis::invalid_runs::InvalidRunNotes;
use crate::analysis::judged::is_near;
use crate::analysis::verdict::{Verdict, verdicts};
use crate::results::{Report, Standing, Summary};
use crate::scenario::Metric;
use crate::stats::Estimate;
use crate::units::list;
use crate::units::time;

impl Report {
    /// The summaries as one table per scenario. Below each table stand the verdict and the notes on
    /// invalid runs; the verdict on a sweep stands below the table of its last point.
    ///
    /// Tables are at most `width` columns wide (33 or more), coloured for a terminal or plain.
    /// Where there is no room for all columns (100 are enough for short names), the least important
    /// ones are left out, and a line at the end names them. The metric that ranks has its 95 %
    /// confidence interval beside it. The sentences below the tables are one line each.
    pub fn to_table(&self, width: u16, color: bool) -> String {
        let mut text = String::new();
        let verdicts = verdicts(self);
        let mut left_out: Vec<&str> = Vec::new();
        for (scenario, summaries) in self.by_scenario() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{} — {}", scenario.name, scenario.describe());
            let notes = InvalidRunNotes::collect(&scenario.name, &self.runs);
            let (table, without) = table(&summaries, scenario.ranked_by(), width, color);
            for column in without.iter().map(|column| column.name()) {
                if !left_out.contains(&column) {
                    left_out.push(column);
                }
            }
            for line in table.lines() {
                let _ = writeln!(text, "{}", line.trim_end());
            }
            // The verdict on a sweep stands below the last of its points.
            let last = |verdict: &&Verdict<'_>| verdict.below(self) == Some(scenario);
            for verdict in verdicts.iter().filter(last).filter(|verdict| !verdict.sentence.is_empty()) {
                let whose =
                    if verdict.points.len() > 1 { format!("{}: ", verdict.title) } else { String::new() };
                let _ = writeln!(text, "→ {whose}{}", verdict.sentence);
            }
            for line in notes.lines() {
                let _ = writeln!(text, "! {line}");
            }
            let unsteady = |summary: &&Summary| {
                let Summary { contender, unsteady_runs, throughput, .. } = summary;
                // A contender that answers nothing has no pace.
                let answers = throughput.is_some_and(|throughput| throughput.median > 0.0);
                (answers && *unsteady_runs > 0).then(|| format!("{contender} {unsteady_runs}"))
            };
            let unsteady: Vec<String> =
                summaries.iter().copied().filter_map(|summary| unsteady(&summary)).collect();
            if !unsteady.is_empty() {
                let _ = writeln!(text, "! runs that never came to a steady pace: {}", unsteady.join(", "));
            }
            text.push('\n');
        }
        for warning in self.warnings() {
            let _ = writeln!(text, "! {warning}");
        }
        if !left_out.is_empty() {
            let _ = writeln!(text, "! {width} columns have no room for {}", list(&left_out));
        }
        text
    }

    /// Warnings that a reader of any of the numbers must know.
    pub fn warnings(&self) -> Vec<String> {
        let environment = &self.environment;
        let mut warnings = Vec::new();
        if environment.debug_build {
            warnings.push("a debug build: these numbers mean nothing, build with --release".into());
        }
        if environment.pinning.is_none() {
            warnings.push(
                "server and generator shared the only core: the throughput is that of both together".into(),
            );
        }
        if environment.shares_physical_core == Some(true) {
            warnings.push(
                "server and generator ran on two threads of one physical core and slowed each other down"
                    .into(),
            );
        }
        if !self.complete {
            warnings.push(format!("incomplete: {} of {} runs", self.runs.len(), self.settings.runs));
        }
        warnings
    }
}

/// The table with as many columns as fit, and the columns that were left out.
fn table(summaries: &[&Summary], by: Metric, width: u16, color: bool) -> (Table, Vec<Column>) {
    let mut last = None;
    for layout in layouts(by) {
        let table = table_of(summaries, by, &layout, color);
        let widest = table.lines().map(|line| visible(&line)).max().unwrap_or(0);
        last = Some((table, layout.left_out));
        if widest <= usize::from(width) {
            break;
        }
    }
    last.unwrap_or_default()
}

fn table_of(summaries: &[&Summary], by: Metric, layout: &Layout, color: bool) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if color {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    let columns = &layout.columns;
    table.set_header(columns.iter().map(|column| Cell::new(column.name()).add_attribute(Attribute::Dim)));
    for (column, shown) in table.column_iter_mut().zip(columns) {
        // The last column has no padding, because even a blank must not wrap into the next line.
        column.set_padding((0, u16::from(*shown != Column::Standing)));
        if layout.aligned {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(shown.at_least())));
        }
        let words = matches!(shown, Column::Flavor | Column::Standing);
        column.set_cell_alignment(if words { CellAlignment::Left } else { CellAlignment::Right });
    }
    let best = summaries.iter().find(|summary| summary.standing == Standing::Best);
    for summary in summaries {
        let far = || {
            let best = by.estimate(best?)?.median;
            Some(!is_near(by.ratio(best, by.estimate(summary)?.median)?))
        };
        // A tie over a wide distance shows no equality, so it does not look like one.
        let standing = match summary.standing {
            Standing::Tie if far() == Some(true) => Standing::Behind,
            standing => standing,
        };
        let cells = columns.iter().map(|column| Cell::new(text(*column, summary, by, layout.longest_name)));
        table.add_row(cells.map(|cell| style(cell, standing)));
    }
    table
}

/// How many columns a line takes, without its colour codes.
fn visible(line: &str) -> usize {
    let plain: String = line.split('\u{1b}').enumerate().fold(String::new(), |plain, (index, part)| {
        plain + if index == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) }
    });
    plain.chars().count()
}

fn text(column: Column, summary: &Summary, by: Metric, longest_name: usize) -> String {
    let shown = |estimate: Option<Estimate>, show: &dyn Fn(f64) -> String| {
        estimate.map_or_else(|| "–".to_owned(), |estimate| show(estimate.median))
    };
    match column {
        Column::Flavor => short(&summary.contender, longest_name),
        Column::Metric(metric) => {
            let bound = metric == Metric::Throughput && summary.throughput_is_lower_bound;
            let at_least = if bound { "≥ " } else { "" };
            shown(metric.estimate(summary), &|value| format!("{at_least}{}", metric.format(value)))
        }
        Column::P50 => shown(summary.p50_ns, &time),
        Column::Occupancy => shown(summary.occupancy, &|occupancy| {
            if occupancy < 0.1 { format!("{occupancy:.4}") } else { format!("{occupancy:.2}") }
        }),
        Column::Served => format!("{}/{}", summary.clients_served, summary.clients),
        Column::Interval => number::ends(by, summary),
        Column::Standing => mark(summary.standing).to_owned(),
    }
}

fn short(name: &str, longest: usize) -> String {
    if name.chars().count() <= longest {
        return name.to_owned();
    }
    name.chars().take(longest - 1).chain(['…']).collect()
}

fn mark(standing: Standing) -> &'static str {
    match standing {
        Standing::Floor => "floor",
        Standing::Best => "best",
        Standing::Tie => "tie",
        Standing::Undecided => "?",
        Standing::Behind => "",
        Standing::Starves => "starves",
        Standing::Faulty => "faulty",
        Standing::Invalid => "invalid",
    }
}

fn style(cell: Cell, standing: Standing) -> Cell {
    match standing {
        Standing::Floor => cell.add_attribute(Attribute::Dim),
        Standing::Best => cell.fg(Color::Green).add_attribute(Attribute::Bold),
        Standing::Tie => cell.fg(Color::Green),
        Standing::Undecided | Standing::Behind => cell,
        Standing::Starves => cell.fg(Color::Yellow),
        Standing::Faulty | Standing::Invalid => cell.fg(Color::Red),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarize;
    use crate::machine::environment::Environment;
    use crate::results::Invalid;
    use crate::results::{ReadError, SCHEMA};
    use crate::scenario::Scenario;
    use crate::testing::{run, settings};

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
    fn the_table_fits_and_marks_every_contender() {
        let text = report().to_table(100, false);
        let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        let words = |name: &str| line(name).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            words("mio ")[..],
            ["mio", "244", "k", "244–244", "k", "–", "–", "4.10", "µs", "1.02", "1.00", "16/16", "best"]
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
    fn columns_are_left_out_before_a_line_wraps() {
        let long = "a-name-that-goes-on-and-on-and-on";
        for (scenario, measure) in [
            (Scenario::saturate(512), "answers/s"),
            (Scenario::think(), "CPU/question"),
            (Scenario::open(50), "p99"),
        ] {
            let mut report = report();
            report.settings.scenarios[0] = scenario.clone();
            for summary in &mut report.summaries {
                summary.scenario.clone_from(&scenario.name);
                summary.clients_served = if summary.standing == Standing::Starves { 377 } else { 512 };
                summary.clients = 512;
                summary.throughput_is_lower_bound = true;
                let p99 = Estimate { median: 990e3, low: 985e3, high: 1.02e6 };
                (summary.p50_ns, summary.p99_ns) = (Some(p99), Some(p99));
            }
            for (color, name) in
                [false, true].into_iter().flat_map(|color| [(color, "async-multi"), (color, long)])
            {
                for summary in report.summaries.iter_mut().filter(|own| own.standing == Standing::Invalid) {
                    name.clone_into(&mut summary.contender);
                }
                let mut columns = 0;
                for width in [33, 40, 60, 80, 100, 120] {
                    let text = report.to_table(width, color);
                    let rows: Vec<&str> =
                        text.lines().skip(1).take_while(|line| !line.starts_with('→')).collect();
                    assert_eq!(rows.len(), 6, "one line for the header and for each row:\n{text}");
                    for row in &rows {
                        assert!(visible(row) <= usize::from(width), "{} of {width}: {row}", visible(row));
                    }
                    assert!(rows[0].contains(measure) && text.contains("starves"), "{text}");
                    assert!(width < 60 || rows[0].contains("95 % CI"), "{text}");
                    let now = layouts(scenario.ranked_by())[0]
                        .columns
                        .iter()
                        .filter(|column| rows[0].contains(column.name()))
                        .count();
                    assert!(now >= columns, "more room, fewer columns:\n{text}");
                    columns = now;
                    let all = width == 120 || (width == 100 && name != long);
                    assert_eq!(rows[0].contains("p50"), all, "{width}:\n{text}");
                    let said = text.contains(&format!("! {width} columns have no room for "));
                    assert_eq!(said, !all, "columns that are left out are named:\n{text}");
                }
            }
        }
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
