//! Identities: each contender keeps one colour and one shape wherever it is drawn.
//!
//! The colours have a contrast of at least 3 : 1 with the page in both colour schemes. They come in
//! families: warm for blocking threads, blue for `mio`, violet for the async runtime. No reader
//! depends on the colours: the shape and the name identify the contender too.

use std::fmt::Write;

use super::letters::{LABEL_SIZE, fit};
use crate::output::escape;
use crate::results::Report;

/// One contender's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// Its index among all contenders, which is also its class in the page: `c0`, `c1`…
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) floor: bool,
    shape: Shape,
    /// Colours on a light and on a dark page.
    colors: [&'static str; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Circle,
    TriangleUp,
    Square,
    Diamond,
    Plus,
    TriangleDown,
    Star,
    Cross,
    TriangleLeft,
    TriangleRight,
    Bar,
}

/// The identities of zen's own flavors, so that a flavor looks the same in every report, whichever
/// others take part.
const KNOWN: [(&str, Shape, [&str; 2]); 7] = [
    ("blocking", Shape::Circle, ["#8f5600", "#e0a03a"]),
    ("threaded", Shape::TriangleUp, ["#cc430a", "#ff8152"]),
    ("pool", Shape::Square, ["#757500", "#cfcb4f"]),
    ("mio", Shape::Diamond, ["#0b5cad", "#5b9df0"]),
    ("mio-multi", Shape::Plus, ["#1789c4", "#7fd3ff"]),
    ("async", Shape::TriangleDown, ["#8b3fa8", "#c08be0"]),
    ("async-multi", Shape::Star, ["#cb4a97", "#ff9ed2"]),
];

/// The identities of all other contenders, in the order of appearance.
const OTHERS: [(Shape, [&str; 2]); 6] = [
    (Shape::Cross, ["#0b7f5e", "#3fcb9f"]),
    (Shape::TriangleLeft, ["#5b6570", "#a9b4c0"]),
    (Shape::TriangleRight, ["#a3231f", "#ff9c95"]),
    (Shape::Circle, ["#0b7f5e", "#3fcb9f"]),
    (Shape::Square, ["#5b6570", "#a9b4c0"]),
    (Shape::Diamond, ["#a3231f", "#ff9c95"]),
];

const FLOOR: (Shape, [&str; 2]) = (Shape::Bar, ["#62666d", "#9aa0a8"]);

/// The identities of all contenders of a report, in its order.
pub(super) struct Identities(Vec<Identity>);

impl Identities {
    pub(super) fn assign(report: &Report) -> Self {
        let settings = report.settings.contenders.iter().map(|contender| (&contender.name, contender.floor));
        let others = report.summaries.iter().map(|summary| (&summary.contender, false));
        let mut all: Vec<Identity> = Vec::new();
        let mut strangers = 0;
        for (name, floor) in settings.chain(others) {
            if all.iter().any(|known| known.name == *name) {
                continue;
            }
            let known =
                KNOWN.iter().find(|(known, ..)| known == name).map(|&(_, shape, colors)| (shape, colors));
            let (shape, colors) = if floor {
                FLOOR
            } else {
                known.unwrap_or_else(|| {
                    strangers += 1;
                    OTHERS[(strangers - 1) % OTHERS.len()]
                })
            };
            all.push(Identity { index: all.len(), name: name.clone(), floor, shape, colors });
        }
        Self(all)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Identity> {
        self.0.iter().find(|identity| identity.name == name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Identity> {
        self.0.iter()
    }

    /// The colours as CSS variables for both schemes. Printed pages use the light ones.
    pub(super) fn css(&self) -> String {
        let scheme = |which: usize| {
            self.0.iter().fold(String::new(), |mut css, identity| {
                // Writing to a string cannot fail.
                let _ = write!(css, "--c{}:{};", identity.index, identity.colors[which]);
                css
            })
        };
        let mut css = format!(
            ":root{{{}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{}}}}}\n",
            scheme(0),
            scheme(1)
        );
        for Identity { index, .. } in &self.0 {
            let _ = writeln!(
                css,
                ".c{index}{{--k:var(--c{index})}}main[data-hidden~=\"{index}\"] .series.c{index}{{display:none}}"
            );
        }
        css
    }
}

impl Identity {
    /// The outline of its mark around a point, as the data of an SVG path. All shapes look about
    /// equally large.
    pub(super) fn outline(&self, x: f64, y: f64, radius: f64) -> String {
        let corners: &[(f64, f64)] = match self.shape {
            Shape::Circle => {
                let r = radius * 0.95;
                return format!(
                    "M{:.2} {y:.2}a{r:.2} {r:.2} 0 1 0 {:.2} 0a{r:.2} {r:.2} 0 1 0 {:.2} 0Z",
                    x - r,
                    2.0 * r,
                    -2.0 * r
                );
            }
            Shape::TriangleUp => &[(0.0, -1.15), (1.1, 0.8), (-1.1, 0.8)],
            Shape::TriangleDown => &[(0.0, 1.15), (1.1, -0.8), (-1.1, -0.8)],
            Shape::TriangleLeft => &[(-1.15, 0.0), (0.8, 1.1), (0.8, -1.1)],
            Shape::TriangleRight => &[(1.15, 0.0), (-0.8, 1.1), (-0.8, -1.1)],
            Shape::Square => &[(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
            Shape::Diamond => &[(0.0, -1.25), (1.1, 0.0), (0.0, 1.25), (-1.1, 0.0)],
            Shape::Bar => &[(-0.35, -1.2), (0.35, -1.2), (0.35, 1.2), (-0.35, 1.2)],
            Shape::Plus => &[
                (-0.4, -1.15),
                (0.4, -1.15),
                (0.4, -0.4),
                (1.15, -0.4),
                (1.15, 0.4),
                (0.4, 0.4),
                (0.4, 1.15),
                (-0.4, 1.15),
                (-0.4, 0.4),
                (-1.15, 0.4),
                (-1.15, -0.4),
                (-0.4, -0.4),
            ],
            Shape::Cross => &[
                (-1.05, -0.6),
                (-0.6, -1.05),
                (0.0, -0.45),
                (0.6, -1.05),
                (1.05, -0.6),
                (0.45, 0.0),
                (1.05, 0.6),
                (0.6, 1.05),
                (0.0, 0.45),
                (-0.6, 1.05),
                (-1.05, 0.6),
                (-0.45, 0.0),
            ],
            Shape::Star => &[
                (0.0, -1.35),
                (0.35, -0.45),
                (1.3, -0.4),
                (0.55, 0.2),
                (0.8, 1.1),
                (0.0, 0.6),
                (-0.8, 1.1),
                (-0.55, 0.2),
                (-1.3, -0.4),
                (-0.35, -0.45),
            ],
        };
        let mut path = String::new();
        for (index, (dx, dy)) in corners.iter().enumerate() {
            let verb = if index == 0 { 'M' } else { 'L' };
            // Writing to a string cannot fail.
            let _ = write!(path, "{verb}{:.2} {:.2}", x + dx * radius, y + dy * radius);
        }
        path + "Z"
    }

    /// The name in label size, shortened to this width.
    pub(super) fn label(&self, width: f64) -> String {
        fit(&escape::clean(&self.name), LABEL_SIZE, width)
    }
}
