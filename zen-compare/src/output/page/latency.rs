//! How long answers take, from the median to the longest.

use super::figure::{Figure, Panel, Source, standing};
use super::identity::Identity;
use super::lines::{self, Axis, Line, Size, Spot};
use super::scale::Kind;
use super::table::{Cell, Table};
use crate::output::number;
use crate::results::{Standing, Summary};
use crate::scenario::Scenario;

/// The quantiles that have a mark and are in the table.
const LABELED: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 1.0];

/// The distributions of the closed loops; open loops have a figure of their own.
pub(super) fn distributions(source: Source<'_>) -> Option<Figure> {
    let scenarios = source.scenarios(|scenario| scenario.arrivals.is_none());
    let panels: Vec<Panel> = scenarios.iter().filter_map(|scenario| panel(source, scenario)).collect();
    (!panels.is_empty()).then(|| Figure {
        id: "latency",
        title: "Latency".into(),
        reading: "How long clients wait, for each share of the answers: the further right, the rarer. Lower is better; both \
                  axes are logarithmic, and every step to the right is one more nine."
            .into(),
        method: "One sample for every question, from its write to the read that made its answer whole, or, if it is \
                 open when the window closes, to then; at each percentile the median of the repetitions. A percentile q \
                 takes 1 ÷ (1 − q) samples in every run; where there are fewer, it is “–”. Contenders that starve \
                 clients are drawn hollow: most of their questions are never asked."
            .into(),
        panels,
        table: table(source, &scenarios),
    })
}

fn panel(source: Source<'_>, scenario: &Scenario) -> Option<Panel> {
    let of_it = source.summaries(&scenario.name);
    let lines: Vec<Line<'_>> = of_it
        .iter()
        .filter(|(_, summary)| !summary.latency_curve.is_empty())
        .map(|(identity, summary)| Line { identity, spots: spots(identity, summary), aside: false })
        .collect();
    let x = Axis { kind: Kind::Percentile, title: "percentile of the answers", show: number::percentile };
    let y = Axis { kind: Kind::Log, title: "latency", show: number::time };
    let medians: Vec<String> = of_it
        .iter()
        .filter_map(|(identity, summary)| {
            let told = [("p50", summary.p50_ns), ("p99", summary.p99_ns), ("longest", summary.max_ns)];
            let told = told.iter().filter_map(|(name, estimate)| {
                Some(format!("{name} {}", number::time(estimate.as_ref()?.median)))
            });
            let told: Vec<String> = told.collect();
            (!told.is_empty()).then(|| format!("{} {}", identity.name, told.join(" ")))
        })
        .collect();
    let says = format!("latency by percentile, {}: {}.", scenario.name, medians.join("; "));
    Some(Panel {
        title: scenario.name.clone(),
        about: scenario.describe(),
        wide: String::new(),
        narrow: lines::draw(Size::Panel, &says, &x, &y, &lines)?,
    })
}

fn spots(identity: &Identity, summary: &Summary) -> Vec<Spot> {
    let counts = !matches!(summary.standing, Standing::Starves | Standing::Faulty | Standing::Invalid);
    let curve = summary.latency_curve.iter();
    curve
        // Latencies below the median show nothing of interest.
        .filter(|[quantile, _]| *quantile >= 0.5)
        .map(|&[quantile, latency]| Spot {
            x: quantile,
            y: latency,
            interval: None,
            tip: label(quantile).map(|name| {
                format!("{}: {name} {}{}", identity.name, number::time(latency), remark(summary))
            }),
            counts,
        })
        .collect()
}

/// The name of a quantile that has one.
fn label(quantile: f64) -> Option<String> {
    let labeled = LABELED.iter().find(|labeled| (**labeled - quantile).abs() < 1e-9)?;
    Some(if *labeled < 1.0 { number::percentile(*labeled) } else { "longest".to_owned() })
}

/// Why a contender's numbers are not comparable.
pub(super) fn remark(summary: &Summary) -> String {
    match summary.standing {
        Standing::Starves | Standing::Faulty | Standing::Invalid => format!(" ({})", standing(summary)),
        _ => String::new(),
    }
}

fn table(source: Source<'_>, scenarios: &[&Scenario]) -> Table {
    let head = ["load", "flavor", "p50, ns", "p90, ns", "p99, ns", "p99.9, ns", "longest, ns", "standing"];
    let mut rows = Vec::new();
    for scenario in scenarios {
        for (identity, summary) in source.summaries(&scenario.name) {
            let estimates =
                [summary.p50_ns, summary.p90_ns, summary.p99_ns, summary.p99_9_ns, summary.max_ns];
            let mut row = vec![Cell::words(&scenario.name), Cell::name(&identity.name, identity.index)];
            row.extend(estimates.map(|estimate| Cell::shown(estimate.map(|e| e.median), number::exact)));
            row.push(Cell::words(standing(summary)));
            rows.push(row);
        }
    }
    Table {
        caption: "Latency: medians of the repetitions".into(),
        head: head.map(str::to_owned).into(),
        rows,
    }
}
