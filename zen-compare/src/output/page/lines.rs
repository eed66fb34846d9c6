//! Lines over two axes, one for each contender, with its name at the end.

use super::identity::Identity;
use super::letters::{LABEL_SIZE, width_of};
use super::scale::{Kind, Scale};
use super::svg::{Anchor, Px, Svg, spread};
use crate::output::number;

const TICK_SIZE: f64 = 11.0;
const TOP: f64 = 24.0;
const LEFT: f64 = 48.0;
/// The far end of a percentile axis, where the longest latency stands, is this far beyond the last
/// percentile.
const BEYOND: f64 = 22.0;

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// One of several side by side, or a phone.
    Panel,
    /// The whole width of a page.
    Wide,
}

/// What an axis shows, and how its values are formatted.
pub(super) struct Axis<'a> {
    pub(super) kind: Kind,
    pub(super) title: &'a str,
    pub(super) show: fn(f64) -> String,
}

/// One contender's line.
pub(super) struct Line<'a> {
    pub(super) identity: &'a Identity,
    pub(super) spots: Vec<Spot>,
    /// Whether it accompanies a main line: thin, dashed and without a name.
    pub(super) aside: bool,
}

/// One point of a line.
pub(super) struct Spot {
    pub(super) x: f64,
    pub(super) y: f64,
    /// The ends of its interval.
    pub(super) interval: Option<(f64, f64)>,
    /// What its mark shows; without it there is no mark.
    pub(super) tip: Option<String>,
    /// Whether the contender's value counts; if not, the mark is hollow.
    pub(super) counts: bool,
}

struct Frame {
    width: f64,
    right: f64,
    bottom: f64,
    x: Scale,
    y: Scale,
}

impl Frame {
    fn fit(size: Size, x: &Axis<'_>, y: &Axis<'_>, lines: &[Line<'_>]) -> Option<Self> {
        let (width, height, names) = match size {
            Size::Panel => (336.0, 290.0, 101.0),
            Size::Wide => (960.0, 420.0, 120.0),
        };
        let (right, bottom) = (width - names, height - 38.0);
        let spots = || lines.iter().flat_map(|line| &line.spots);
        let end = if x.kind == Kind::Percentile { right - BEYOND } else { right - 6.0 };
        let begin = if x.kind == Kind::Log { LEFT + 10.0 } else { LEFT };
        let xs = spots().map(|spot| spot.x).filter(|&x_value| x.kind != Kind::Percentile || x_value < 1.0);
        let x = match x.kind {
            // A sweep ends at its first and last point, so the ends need no rounding.
            Kind::Log => Scale::covering_exactly(Kind::Log, xs, begin, end)?,
            kind => Scale::covering(kind, xs, begin, end)?,
        };
        let ys = spots().flat_map(|spot| {
            let (low, high) = spot.interval.unwrap_or((spot.y, spot.y));
            [low, spot.y, high]
        });
        let y = Scale::covering(y.kind, ys, bottom, TOP)?;
        Some(Self { width, right, bottom, x, y })
    }

    fn position(&self, spot: &Spot, percentiles: bool) -> (f64, f64) {
        let x = if percentiles && spot.x >= 1.0 { self.right - 6.0 } else { self.x.position(spot.x) };
        (x, self.y.position(spot.y))
    }
}

/// Draws the lines, the accompanying ones first, so that they lie below. `None` when there is
/// nothing to draw.
pub(super) fn draw(size: Size, says: &str, x: &Axis<'_>, y: &Axis<'_>, lines: &[Line<'_>]) -> Option<String> {
    let frame = Frame::fit(size, x, y, lines)?;
    let class = if size == Size::Wide { "lines wide" } else { "lines" };
    let mut svg = Svg::new(class, frame.width, frame.bottom + 38.0, says);
    grid(&mut svg, &frame, x, y);
    let percentiles = x.kind == Kind::Percentile;
    let (beside, main): (Vec<&Line<'_>>, Vec<&Line<'_>>) = lines.iter().partition(|line| line.aside);
    for line in beside.into_iter().chain(main.iter().copied()) {
        svg.series(line.identity, |svg| one(svg, &frame, line, percentiles));
    }
    names(&mut svg, &frame, &main, percentiles);
    Some(svg.finish())
}

fn grid(svg: &mut Svg, frame: &Frame, x: &Axis<'_>, y: &Axis<'_>) {
    let narrow = frame.width < 500.0;
    for tick in frame.y.ticks(if narrow { 6 } else { 7 }) {
        svg.line("grid", (LEFT, tick.at), (frame.right, tick.at));
        svg.text("tick", Anchor::End, (LEFT - 6.0, tick.at + 4.0), &number::tick(&(y.show)(tick.value)));
    }
    let mut ticks: Vec<(f64, String)> = frame
        .x
        .ticks(if narrow { 5 } else { 8 })
        .into_iter()
        .map(|tick| (tick.at, number::tick(&(x.show)(tick.value))))
        .collect();
    if x.kind == Kind::Percentile {
        ticks.push((frame.right - 6.0, "max".to_owned()));
        // The end is labelled first; a percentile too close to it has a line without a label.
        ticks.rotate_right(1);
    }
    let mut taken: Vec<(f64, f64)> = Vec::new();
    for (at, label) in ticks {
        svg.line("grid", (at, TOP), (at, frame.bottom));
        let half = width_of(&label, TICK_SIZE) / 2.0 + 3.0;
        if taken.iter().all(|&(low, high)| at + half <= low || at - half >= high) {
            svg.text("tick", Anchor::Middle, (at, frame.bottom + 15.0), &label);
            taken.push((at - half, at + half));
        }
    }
    svg.line("axis", (LEFT, frame.bottom), (frame.right, frame.bottom));
    svg.text("axis-title", Anchor::Start, (0.0, 11.0), y.title);
    svg.text("axis-title", Anchor::End, (frame.right, frame.bottom + 32.0), x.title);
}

fn one(svg: &mut Svg, frame: &Frame, line: &Line<'_>, percentiles: bool) {
    let class = match (line.aside, line.identity.floor) {
        (true, _) => "curve aside",
        (false, true) => "curve is-floor",
        (false, false) => "curve",
    };
    svg.polyline(class, line.spots.iter().map(|spot| frame.position(spot, percentiles)));
    for spot in &line.spots {
        let Some(tip) = &spot.tip else { continue };
        let (x, y) = frame.position(spot, percentiles);
        svg.mark(if spot.counts { "counts" } else { "is-invalid" }, tip, |svg| {
            svg.rect("hit", x - 9.0, y - 9.0, 18.0, 18.0);
            if let Some((low, high)) = spot.interval {
                let (low, high) = (frame.y.position(low), frame.y.position(high));
                if low - high > 2.0 {
                    svg.line("interval", (x, low), (x, high));
                }
            }
            let radius = if line.aside { 3.0 } else { 4.6 };
            svg.path("shape dot", &line.identity.outline(x, y, radius));
        });
    }
}

/// The names at the ends of the lines, moved apart where lines end close together.
fn names(svg: &mut Svg, frame: &Frame, lines: &[&Line<'_>], percentiles: bool) {
    let ends: Vec<_> = lines
        .iter()
        .filter_map(|line| Some((line.identity, frame.position(line.spots.last()?, percentiles))))
        .collect();
    let wanted: Vec<f64> = ends.iter().map(|(_, (_, y))| *y).collect();
    let places = spread(&wanted, LABEL_SIZE + 3.0, TOP, frame.bottom - 2.0);
    for ((identity, (x, y)), place) in ends.into_iter().zip(places) {
        svg.series(identity, |svg| {
            let begin = frame.right + 6.0;
            let data = format!(
                "M{} {}L{} {}L{} {}",
                Px(x + 6.0),
                Px(y),
                Px(frame.right),
                Px(y),
                Px(begin),
                Px(place)
            );
            svg.path("leader", &data);
            svg.path("shape", &identity.outline(begin + 6.0, place, 4.0));
            svg.text(
                "name",
                Anchor::Start,
                (begin + 14.0, place + 4.0),
                &identity.label(frame.width - begin - 14.0),
            );
        });
    }
}
