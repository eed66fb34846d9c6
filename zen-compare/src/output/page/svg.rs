//! Writes SVG: elements with their attributes, every text escaped, every number short.

use std::fmt::{self, Display, Write};

use super::identity::Identity;
use crate::output::escape;

/// A drawing under construction. Its size is in CSS pixels, if there is enough room for it.
pub(super) struct Svg {
    text: String,
}

/// A length or position, with as many digits as are visible.
#[derive(Debug, Clone, Copy)]
pub(super) struct Px(pub(super) f64);

impl Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round();
        if (tenths % 10.0).abs() < 0.5 {
            write!(f, "{:.0}", self.0)
        } else {
            write!(f, "{:.1}", tenths / 10.0)
        }
    }
}

/// Which side of a text is at its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    /// An image of this size. `says` describes it to readers who cannot see it.
    pub(super) fn new(class: &str, width: f64, height: f64, says: &str) -> Self {
        let text = format!(
            "<svg class=\"chart {class}\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {} {}\">",
            escape::html(says),
            Px(width),
            Px(height)
        );
        Self { text }
    }

    pub(super) fn finish(mut self) -> String {
        self.text.push_str("</svg>");
        self.text
    }

    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.write(format_args!(
            "<line class=\"{class}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>",
            Px(from.0),
            Px(from.1),
            Px(to.0),
            Px(to.1)
        ));
    }

    pub(super) fn rect(&mut self, class: &str, x: f64, y: f64, width: f64, height: f64) {
        self.write(format_args!(
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
            Px(x),
            Px(y),
            Px(width),
            Px(height)
        ));
    }

    /// A path of ready-made data, which must come from this program because it is not escaped.
    pub(super) fn path(&mut self, class: &str, data: &str) {
        self.write(format_args!("<path class=\"{class}\" d=\"{data}\"/>"));
    }

    pub(super) fn polyline(&mut self, class: &str, points: impl IntoIterator<Item = (f64, f64)>) {
        self.write(format_args!("<polyline class=\"{class}\" points=\""));
        for (x, y) in points {
            self.write(format_args!("{},{} ", Px(x), Px(y)));
        }
        self.text.truncate(self.text.trim_end().len());
        self.text.push_str("\"/>");
    }

    pub(super) fn text(&mut self, class: &str, anchor: Anchor, (x, y): (f64, f64), text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        self.write(format_args!(
            "<text class=\"{class}\" x=\"{}\" y=\"{}\"{anchor}>{}</text>",
            Px(x),
            Px(y),
            escape::html(text)
        ));
    }

    /// Everything that `draw` draws belongs to one contender, and is hidden and shown with it.
    pub(super) fn series(&mut self, identity: &Identity, draw: impl FnOnce(&mut Self)) {
        self.write(format_args!("<g class=\"series c{}\">", identity.index));
        draw(self);
        self.text.push_str("</g>");
    }

    /// Everything that `draw` draws is one mark, which shows its value when it is pointed at or
    /// focused.
    pub(super) fn mark(&mut self, class: &str, tip: &str, draw: impl FnOnce(&mut Self)) {
        self.write(format_args!("<g class=\"mark {class}\"><title>{}</title>", escape::html(tip)));
        draw(self);
        self.text.push_str("</g>");
    }

    fn write(&mut self, arguments: fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.text.write_fmt(arguments);
    }
}

/// Moves positions apart, as little as possible, until each is at least `distance` from the next
/// and all are between `low` and `high`, as far as there is room. The positions keep their order,
/// and the result has the order of the input.
pub(super) fn spread(places: &[f64], distance: f64, low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|&left, &right| places[left].total_cmp(&places[right]));
    // Groups of neighbours that touch; each group is centred on the mean of its members' original
    // positions.
    let mut groups: Vec<(Vec<usize>, f64)> = Vec::new();
    #[allow(clippy::cast_precision_loss, reason = "a handful of labels")]
    let half = |members: &[usize]| (members.len() - 1) as f64 * distance / 2.0;
    #[allow(clippy::cast_precision_loss, reason = "a handful of labels")]
    let centre = |members: &[usize]| {
        let mean = members.iter().map(|&member| places[member]).sum::<f64>() / members.len() as f64;
        mean.min(high - half(members)).max(low + half(members))
    };
    for member in order {
        let mut members = vec![member];
        let mut middle = centre(&members);
        while let Some((before, at)) =
            groups.pop_if(|(before, at)| *at + half(before) + distance > middle - half(&members) + 1e-9)
        {
            let _ = at;
            members.splice(0..0, before);
            middle = centre(&members);
        }
        groups.push((members, middle));
    }
    let mut result = vec![0.0; places.len()];
    for (members, middle) in groups {
        let mut at = middle - half(&members);
        for member in members {
            result[member] = at;
            at += distance;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_tips_are_escaped() {
        let mut svg = Svg::new("x", 10.0, 20.5, "\"><script>");
        svg.text("label", Anchor::End, (1.0, 2.25), "<b>");
        svg.mark("m", "a<b", |svg| svg.rect("r", 0.0, 0.04, 1.0, 1.0));
        assert_eq!(
            svg.finish(),
            "<svg class=\"chart x\" role=\"img\" aria-label=\"&quot;&gt;&lt;script&gt;\" viewBox=\"0 0 10 20.5\">\
             <text class=\"label\" x=\"1\" y=\"2.3\" text-anchor=\"end\">&lt;b&gt;</text>\
             <g class=\"mark m\"><title>a&lt;b</title>\
             <rect class=\"r\" x=\"0\" y=\"0\" width=\"1\" height=\"1\"/></g></svg>"
        );
    }

    #[test]
    fn labels_move_apart_and_stay_inside() {
        assert_eq!(spread(&[10.0, 50.0], 12.0, 0.0, 100.0), [10.0, 50.0]);
        assert_eq!(spread(&[50.0, 50.0], 12.0, 0.0, 100.0), [44.0, 56.0]);
        assert_eq!(spread(&[99.0, 98.0, 20.0], 10.0, 0.0, 100.0), [100.0, 90.0, 20.0]);
        assert_eq!(spread(&[1.0, 2.0, 3.0], 10.0, 0.0, 100.0), [0.0, 10.0, 20.0]);
        let crowd: Vec<f64> = (0..9).map(|i| f64::from(i * i)).collect();
        let places = spread(&crowd, 12.0, 0.0, 200.0);
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] > 11.99), "{places:?}");
        assert_eq!(spread(&[], 1.0, 0.0, 1.0), [0.0; 0]);
    }
}
