//! Bars that divide a whole into parts, and a magnifier for bars that are too short to be seen.

use super::dots::state;
use super::identity::Identity;
use super::letters::{LABEL_SIZE, width_of};
use super::scale::{Kind, Scale};
use super::svg::{Anchor, Px, Svg};
use crate::output::number;
use crate::results::Standing;

const ROW: f64 = 24.0;
const BAR: f64 = 13.0;
/// Where the bars begin.
pub(super) const NAMES: f64 = 106.0;

/// One row: a bar of parts, the rest of the whole, and its value as text.
pub(super) struct Bar<'a> {
    /// The contender; `None` for a bar that is only a reference.
    pub(super) identity: Option<&'a Identity>,
    pub(super) name: String,
    pub(super) standing: Standing,
    /// The CSS class and the size of each part, from the left.
    pub(super) parts: Vec<(&'static str, f64)>,
    /// Where the model predicts the end of the parts.
    pub(super) predicted: Option<f64>,
    pub(super) text: String,
    pub(super) tip: String,
}

/// The bars, and the wholes by which they are measured.
pub(super) struct Shares<'a> {
    /// Bars on the scale of the whole, above the magnified ones; may be empty.
    pub(super) overview: Vec<Bar<'a>>,
    /// The value of a full bar of the overview.
    pub(super) whole: f64,
    pub(super) bars: Vec<Bar<'a>>,
    /// The value of a full bar of the others.
    pub(super) detail: f64,
    pub(super) show: fn(f64) -> String,
}

struct Frame {
    width: f64,
    left: f64,
    right: f64,
}

/// Draws the bars on a page of this width, with room for values of `values` pixels on the right, or
/// more where a value needs it.
pub(super) fn draw(width: f64, values: f64, says: &str, shares: &Shares<'_>) -> Option<String> {
    let bars = || shares.overview.iter().chain(&shares.bars);
    let values = bars().map(|bar| width_of(&bar.text, LABEL_SIZE) + 6.0).fold(values, f64::max);
    let frame = Frame { width, left: NAMES, right: width - values };
    let whole = Scale::covering(Kind::Linear, [shares.whole], frame.left, frame.right)?;
    let detail = Scale::covering(Kind::Linear, [shares.detail], frame.left, frame.right)?;
    #[allow(clippy::cast_precision_loss, reason = "a handful of rows")]
    let rows = |bars: &[Bar<'_>]| bars.len() as f64 * ROW;
    let glass = if shares.overview.is_empty() { 0.0 } else { rows(&shares.overview) + 22.0 + 34.0 };
    let height = glass + rows(&shares.bars) + 24.0;
    let texts: Vec<String> = bars().map(|bar| bar.tip.clone()).collect();
    let class = if width > 500.0 { "shares wide" } else { "shares" };
    let mut svg = Svg::new(class, width, height, &format!("{says}: {}.", texts.join("; ")));
    if !shares.overview.is_empty() {
        let bottom = rows(&shares.overview);
        axis(&mut svg, &frame, &whole, (0.0, bottom), shares.show);
        block(&mut svg, &frame, &whole, &shares.overview, 0.0);
        // The part of the overview that is magnified, and the lines that lead to it.
        let seen = whole.position(shares.detail);
        let (from, to) = (bottom + 20.0, glass - 2.0);
        let shape = format!(
            "M{l} {f}L{s} {f}L{r} {t}L{l} {t}Z",
            l = Px(frame.left),
            f = Px(from),
            s = Px(seen.max(frame.left + 1.5)),
            r = Px(frame.right),
            t = Px(to)
        );
        svg.path("glass", &shape);
    }
    axis(&mut svg, &frame, &detail, (glass, glass + rows(&shares.bars)), shares.show);
    block(&mut svg, &frame, &detail, &shares.bars, glass);
    Some(svg.finish())
}

fn axis(svg: &mut Svg, frame: &Frame, scale: &Scale, (top, bottom): (f64, f64), show: fn(f64) -> String) {
    // A label takes about as much room as six digits.
    let ticks = if frame.right - frame.left < 100.0 { 1 } else { 4 };
    for tick in scale.ticks(ticks) {
        svg.line("grid", (tick.at, top), (tick.at, bottom + 4.0));
        svg.text("tick", Anchor::Middle, (tick.at, bottom + 16.0), &number::tick(&show(tick.value)));
    }
}

fn block(svg: &mut Svg, frame: &Frame, scale: &Scale, bars: &[Bar<'_>], top: f64) {
    let mut middle = top + ROW / 2.0;
    for bar in bars {
        let draw = |svg: &mut Svg| {
            svg.mark(state(bar.standing), &bar.tip, |svg| one(svg, frame, scale, bar, middle));
        };
        match bar.identity {
            Some(identity) => svg.series(identity, draw),
            None => draw(svg),
        }
        middle += ROW;
    }
}

fn one(svg: &mut Svg, frame: &Frame, scale: &Scale, bar: &Bar<'_>, middle: f64) {
    let (top, baseline) = (middle - BAR / 2.0, middle + 4.0);
    svg.rect("hit", 0.0, middle - ROW / 2.0, frame.width, ROW);
    let indent = bar.identity.map_or(0.0, |identity| {
        svg.path("shape", &identity.outline(7.0, middle, 4.5));
        18.0
    });
    svg.text("name", Anchor::Start, (indent, baseline), &bar.name);
    svg.rect("part idle", frame.left, top, frame.right - frame.left, BAR);
    let mut sum = 0.0;
    for &(class, size) in bar.parts.iter().filter(|(_, size)| *size > 0.0) {
        let (from, to) = (scale.position(sum), scale.position(sum + size));
        // Every part is visible, however small it is.
        svg.rect(class, from, top, (to - from).max(0.8), BAR);
        sum += size;
    }
    if let Some(predicted) = bar.predicted {
        let x = Px(scale.position(predicted));
        svg.path("predicted", &format!("M{x} {}v{}", Px(top - 3.0), Px(BAR + 6.0)));
    }
    svg.text("value", Anchor::End, (frame.width - 1.0, baseline), &bar.text);
}
