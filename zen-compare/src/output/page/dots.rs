//! Dots with intervals: one row and one number for each contender, and a line at the floor.

use super::identity::Identity;
use super::letters::{LABEL_SIZE, width_of};
use super::scale::{Kind, Scale};
use super::svg::{Anchor, Px, Svg};
use crate::output::number;
use crate::results::Standing;
use crate::scenario::Metric;
use crate::stats::Estimate;

const WIDTH: f64 = 336.0;
const ROW: f64 = 23.0;
const NAMES: f64 = 106.0;
const VALUES: f64 = 86.0;
/// From this ratio of the largest to the smallest value on, small differences would not show on a
/// linear axis.
const NEEDS_LOG: f64 = 40.0;

/// One contender's row.
pub(super) struct Row<'a> {
    pub(super) identity: &'a Identity,
    pub(super) standing: Standing,
    pub(super) estimate: Option<Estimate>,
    /// The value is a lower bound.
    pub(super) at_least: bool,
    /// Text in place of the value, for contenders whose value is not comparable.
    pub(super) instead: Option<String>,
}

/// Draws the rows in their order. `says` introduces them to readers who cannot see them.
pub(super) fn draw(says: &str, rows: &[Row<'_>], metric: Metric) -> Option<String> {
    let ends = || rows.iter().filter_map(|row| row.estimate).flat_map(|e| [e.low, e.median, e.high]);
    let (least, most) = ends()
        .filter(|value| *value > 0.0)
        .fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    let kind = if most > least * NEEDS_LOG { Kind::Log } else { Kind::Linear };
    let (left, right) = (NAMES, WIDTH - VALUES);
    let scale = Scale::in_unit(metric.axis_unit(most), kind, ends(), left, right)?;
    #[allow(clippy::cast_precision_loss, reason = "a handful of rows")]
    let bottom = 6.0 + rows.len() as f64 * ROW;
    let mut svg = Svg::new("dots", WIDTH, bottom + 22.0, &describe(says, rows, metric));
    axis(&mut svg, &scale, bottom, metric);
    if let Some(floor) = rows.iter().find(|row| row.standing == Standing::Floor).and_then(|row| row.estimate)
    {
        let x = scale.position(floor.median);
        svg.line("floor-line", (x, 4.0), (x, bottom));
    }
    let mut middle = 6.0 + ROW / 2.0;
    for row in rows {
        svg.series(row.identity, |svg| {
            let tip = format!("{}: {}", row.identity.name, value(row, metric, true));
            svg.mark(state(row.standing), &tip, |svg| one(svg, row, &scale, middle, metric));
        });
        middle += ROW;
    }
    Some(svg.finish())
}

fn axis(svg: &mut Svg, scale: &Scale, bottom: f64, metric: Metric) {
    for tick in scale.ticks(4) {
        svg.line("grid", (tick.at, 4.0), (tick.at, bottom));
        svg.text("tick", Anchor::Middle, (tick.at, bottom + 13.0), &number::tick(&metric.format(tick.value)));
    }
    if scale.is_log() {
        svg.text("tick", Anchor::Start, (0.0, bottom + 13.0), "log axis");
    }
}

fn one(svg: &mut Svg, row: &Row<'_>, scale: &Scale, middle: f64, metric: Metric) {
    let baseline = middle + 4.0;
    // The whole row responds to the pointer.
    svg.rect("hit", 0.0, middle - ROW / 2.0, WIDTH, ROW);
    svg.path("shape", &row.identity.outline(7.0, middle, 4.5));
    svg.text("name", Anchor::Start, (18.0, baseline), &row.identity.label(NAMES - 22.0));
    if let Some(estimate) = row.estimate {
        let (low, at, high) =
            (scale.position(estimate.low), scale.position(estimate.median), scale.position(estimate.high));
        if !scale.is_log() {
            svg.line("lead", (NAMES, middle), (at, middle));
        }
        if high - low >= 1.0 {
            svg.line("interval", (low, middle), (high, middle));
            let caps = format!("M{} {}v8M{} {}v8", Px(low), Px(middle - 4.0), Px(high), Px(middle - 4.0));
            svg.path("cap", &caps);
        }
        svg.path("shape dot", &row.identity.outline(at, middle, 5.5));
    }
    let text = value(row, metric, false);
    // A value that is too long for its column may extend into a plot that is empty.
    let class = if width_of(&text, LABEL_SIZE) > VALUES { "value small" } else { "value" };
    svg.text(class, Anchor::End, (WIDTH - 1.0, baseline), &text);
}

fn value(row: &Row<'_>, metric: Metric, with_interval: bool) -> String {
    let bound = if row.at_least { "≥ " } else { "" };
    let shown = row.estimate.map_or_else(
        || "–".to_owned(),
        |estimate| {
            let text = if with_interval {
                number::interval(&estimate, |value| metric.format(value))
            } else {
                metric.format(estimate.median)
            };
            format!("{bound}{text}")
        },
    );
    let word = match row.standing {
        Standing::Tie => "tie",
        Standing::Best if with_interval => "best",
        Standing::Undecided if with_interval => "not decided",
        Standing::Floor if with_interval => "floor",
        Standing::Starves if with_interval => "starves",
        Standing::Faulty if with_interval => "faulty",
        Standing::Invalid if with_interval => "invalid",
        _ => "",
    };
    match &row.instead {
        Some(instead) if with_interval => format!("{instead}; {shown}"),
        Some(instead) => instead.clone(),
        None if word.is_empty() => shown,
        None if with_interval => format!("{shown}, {word}"),
        None => format!("{shown} {word}"),
    }
}

fn describe(says: &str, rows: &[Row<'_>], metric: Metric) -> String {
    let rows: Vec<String> =
        rows.iter().map(|row| format!("{} {}", row.identity.name, value(row, metric, true))).collect();
    format!("{says}: {}.", rows.join("; "))
}

/// The CSS class of a mark, by the contender's standing: a contender that does not count is drawn
/// hollow.
pub(super) fn state(standing: Standing) -> &'static str {
    match standing {
        Standing::Floor => "is-floor",
        Standing::Best => "is-best",
        Standing::Tie => "is-tie",
        Standing::Undecided | Standing::Behind => "is-behind",
        Standing::Starves => "is-starving",
        Standing::Faulty | Standing::Invalid => "is-invalid",
    }
}
