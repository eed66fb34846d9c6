//! A figure: drawings side by side, how they were made, and the numbers behind them.

use super::dots::{self, Row};
use super::identity::{Identities, Identity};
use super::table::{Cell, Table};
use crate::output::number;
use crate::results::{Report, Standing, Summary};
use crate::scenario::{Metric, Scenario};
use crate::stats::Estimate;

/// A figure of the page.
pub(super) struct Figure {
    pub(super) id: &'static str,
    pub(super) title: String,
    /// How to read it, in a line.
    pub(super) reading: String,
    /// How the numbers were obtained, in a line.
    pub(super) method: String,
    pub(super) panels: Vec<Panel>,
    pub(super) table: Table,
}

/// One drawing, or the same drawn for two widths.
pub(super) struct Panel {
    /// What distinguishes it from the other panels; may be empty.
    pub(super) title: String,
    /// The same, described in a line.
    pub(super) about: String,
    /// The drawing for wide pages; empty when the narrow one serves all.
    pub(super) wide: String,
    pub(super) narrow: String,
}

/// The report and the identities of its contenders, from which figures are made.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) report: &'a Report,
    pub(super) identities: &'a Identities,
}

impl<'a> Source<'a> {
    /// A scenario's summaries, each with its contender's identity; the best first.
    pub(super) fn summaries(self, scenario: &str) -> Vec<(&'a Identity, &'a Summary)> {
        let of_it = self.report.summaries.iter().filter(|summary| summary.scenario == scenario);
        of_it.filter_map(|summary| Some((self.identities.get(&summary.contender)?, summary))).collect()
    }

    /// The scenarios that have summaries and for which `pass` holds.
    pub(super) fn scenarios(self, pass: impl Fn(&Scenario) -> bool) -> Vec<&'a Scenario> {
        self.report.by_scenario().map(|(scenario, _)| scenario).filter(|scenario| pass(scenario)).collect()
    }

    /// One panel of dots for each scenario.
    pub(super) fn dots(self, scenarios: &[&Scenario], metric: Metric) -> Vec<Panel> {
        let panel = |scenario: &&Scenario| {
            let decides = scenario.ranked_by() == metric;
            let mut rows: Vec<Row<'_>> = self
                .summaries(&scenario.name)
                .into_iter()
                .map(|(identity, summary)| row(identity, summary, metric, decides))
                .collect();
            if !decides {
                rows.sort_by(|left, right| {
                    let (left, right) = (place(left, metric), place(right, metric));
                    left.0.cmp(&right.0).then(left.1.total_cmp(&right.1))
                });
            }
            let says = format!("{}, {}", metric.name(), scenario.name);
            Some(Panel {
                title: scenario.name.clone(),
                about: scenario.describe(),
                wide: String::new(),
                narrow: dots::draw(&says, &rows, metric)?,
            })
        };
        scenarios.iter().filter_map(panel).collect()
    }

    /// The medians and intervals of a metric, with a row for each contender under each scenario.
    pub(super) fn table(self, caption: &str, scenarios: &[&Scenario], metric: Metric) -> Table {
        let mut table = Table {
            caption: caption.into(),
            head: [
                "load",
                "flavor",
                &format!("median, {}", metric.unit()),
                "95 % from",
                "95 % to",
                "runs",
                "standing under the load",
            ]
            .map(str::to_owned)
            .into(),
            rows: Vec::new(),
        };
        for scenario in scenarios {
            for (identity, summary) in self.summaries(&scenario.name) {
                let estimate = metric.estimate(summary);
                let [median, low, high] = exactly(estimate);
                table.rows.push(vec![
                    Cell::words(&scenario.name),
                    Cell::name(&identity.name, identity.index),
                    median,
                    low,
                    high,
                    runs(summary),
                    Cell::words(standing(summary)),
                ]);
            }
        }
        table
    }
}

/// A contender's row. Best and tie are shown only where the metric `decides` the ranking: elsewhere
/// they would seem to be about this metric.
fn row<'a>(identity: &'a Identity, summary: &Summary, metric: Metric, decides: bool) -> Row<'a> {
    let instead = match summary.standing {
        Standing::Starves => Some(format!("{}/{} served", summary.clients_served, summary.clients)),
        Standing::Faulty => Some(failed(summary)),
        Standing::Invalid => Some("invalid".to_owned()),
        _ => None,
    };
    Row {
        identity,
        standing: match summary.standing {
            Standing::Best | Standing::Tie | Standing::Undecided if !decides => Standing::Behind,
            standing => standing,
        },
        estimate: metric.estimate(summary),
        at_least: metric.more_is_better() && summary.throughput_is_lower_bound,
        instead,
    }
}

/// The sort key of a row, where the summaries are ordered by another metric: first whether its
/// value is comparable at all, then the value.
fn place(row: &Row<'_>, metric: Metric) -> (u8, f64) {
    let class = match row.standing {
        Standing::Floor => 0,
        Standing::Best | Standing::Tie | Standing::Undecided | Standing::Behind => 1,
        Standing::Starves => 2,
        Standing::Faulty => 3,
        Standing::Invalid => 4,
    };
    let sign = if metric.more_is_better() { -1.0 } else { 1.0 };
    (class, row.estimate.map_or(f64::INFINITY, |estimate| sign * estimate.median))
}

/// Median and both ends of an interval with all their digits.
pub(super) fn exactly(estimate: Option<Estimate>) -> [Cell; 3] {
    let values = [estimate.map(|e| e.median), estimate.map(|e| e.low), estimate.map(|e| e.high)];
    values.map(|value| Cell::shown(value, number::exact))
}

/// How many of the runs count.
pub(super) fn runs(summary: &Summary) -> Cell {
    #[allow(clippy::cast_precision_loss, reason = "a handful of runs")]
    let valid = summary.valid_runs as f64;
    Cell::number(format!("{} of {}", summary.valid_runs, summary.runs), valid)
}

/// A contender's standing, in words.
pub(super) fn standing(summary: &Summary) -> String {
    match summary.standing {
        Standing::Floor => "floor".into(),
        Standing::Best => "best".into(),
        Standing::Tie => "tie".into(),
        Standing::Undecided => "not decided".into(),
        Standing::Behind => "behind".into(),
        Standing::Starves => format!("starves: {} of {} served", summary.clients_served, summary.clients),
        Standing::Faulty => failed(summary),
        Standing::Invalid => "invalid".into(),
    }
}

/// In how many of its runs a contender failed.
pub(super) fn failed(summary: &Summary) -> String {
    format!("failed in {} of {}", summary.failed_runs, summary.runs)
}
