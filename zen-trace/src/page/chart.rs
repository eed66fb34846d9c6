//! The charts of a sweep: theory as curves, measured points on them, over the think time.

use std::fmt::Write;

use crate::model::{NOTABLE, Point, ServerSweep, place, thinking};
use crate::page::escape;
use crate::units::{difference, percent, rate, scaled};

/// The size of a chart, and what lies around its field, in its own unit. A phone shows it in about
/// that many pixels.
const WIDTH: f64 = 404.0;
const HEIGHT: f64 = 264.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 72.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 40.0;

/// How far apart the words at the ends of the curves are at least.
const LINE: f64 = 13.0;

/// What a chart shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    Occupancy,
    Throughput,
}

impl Quantity {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Occupancy => "Occupancy",
            Self::Throughput => "Answers per second",
        }
    }

    fn measured(self, point: &Point) -> f64 {
        match self {
            Self::Occupancy => point.measured.occupancy,
            Self::Throughput => point.measured.throughput,
        }
    }

    fn predicted(self, point: &Point) -> f64 {
        match self {
            Self::Occupancy => point.predicted_occupancy,
            Self::Throughput => point.predicted_throughput,
        }
    }

    fn tick(self, value: f64) -> String {
        match self {
            Self::Occupancy => format!("{} %", shortest(value * 100.0)),
            Self::Throughput if value < 1e3 => shortest(value),
            Self::Throughput => {
                let written = scaled(value, &[(1e6, " M"), (1e3, " k")]);
                written.replace(".00", "").replace(".0", "")
            }
        }
    }

    fn written(self, value: f64) -> String {
        match self {
            Self::Occupancy => percent(value),
            Self::Throughput => rate(value),
        }
    }
}

/// A power of ten without needless digits.
fn shortest(value: f64) -> String {
    format!("{value:.6}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The powers of ten between which all values of the quantity lie, measured and predicted. All
/// servers share them, so that their charts can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decades {
    from: i32,
    to: i32,
}

impl Decades {
    pub(super) fn new(servers: &[ServerSweep], quantity: Quantity) -> Self {
        let points = servers.iter().flat_map(|server| &server.points);
        let values = points.flat_map(|point| [quantity.measured(point), quantity.predicted(point)]);
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for value in values.filter(|value| value.is_finite() && *value > 0.0) {
            (least, most) = (least.min(value), most.max(value));
        }
        if most <= 0.0 {
            return Self { from: 0, to: 1 };
        }
        #[allow(clippy::cast_possible_truncation, reason = "exponents of ten")]
        let (from, to) = (least.log10().floor() as i32, most.log10().ceil() as i32);
        Self { from, to: to.max(from + 1) }
    }

    /// The height of a value; `None` for one that no logarithmic axis has.
    fn y(self, value: f64) -> Option<f64> {
        if !value.is_finite() || value <= 0.0 {
            return None;
        }
        let share = (value.log10() - f64::from(self.from)) / f64::from(self.to - self.from);
        Some(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM))
    }
}

/// The chart of a server as SVG.
pub(super) fn chart(server: &ServerSweep, quantity: Quantity, decades: Decades) -> String {
    let name = escape::html(&server.name);
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{} of {name} by think time: \
         measured points and the curves of theory. The table has the numbers.\">",
        quantity.title()
    );
    let longest = server.points.iter().map(|point| point.measured.think).fold(0.0, f64::max);
    let field = WIDTH - LEFT - RIGHT;
    let x =
        |think: f64| LEFT + if longest > 0.0 { place(think) / place(longest) * field } else { field / 2.0 };
    axes(server, quantity, decades, x, &mut svg);
    for (index, curve) in server.curves.iter().enumerate() {
        let values = curve.points.iter().map(|point| match quantity {
            Quantity::Occupancy => (point.think, point.occupancy),
            Quantity::Throughput => (point.think, point.throughput),
        });
        let places = values.filter_map(|(think, value)| Some((x(think), decades.y(value)?)));
        let path = places.enumerate().fold(String::new(), |mut path, (index, (x, y))| {
            // Writing to a string cannot fail.
            let _ = write!(path, "{}{x:.1} {y:.1}", if index == 0 { "M" } else { "L" });
            path
        });
        let _ = write!(svg, "<path class=\"curve n{}\" d=\"{path}\"/>", index % 3);
    }
    for point in &server.points {
        let index = server.curves.iter().position(|curve| curve.clients == point.measured.clients);
        if let (Some(index), Some(y)) = (index, decades.y(quantity.measured(point))) {
            mark(point, quantity, index, (x(point.measured.think), y), &mut svg);
        }
    }
    names(server, quantity, decades, &mut svg);
    svg + "</svg>"
}

/// The axes: a line for each power of ten, and a tick for each think time that was tried.
fn axes(
    server: &ServerSweep,
    quantity: Quantity,
    decades: Decades,
    x: impl Fn(f64) -> f64,
    svg: &mut String,
) {
    for exponent in decades.from..=decades.to {
        let value = 10_f64.powi(exponent);
        let Some(y) = decades.y(value) else { continue };
        let (end, words, base) = (WIDTH - RIGHT, LEFT - 6.0, y + 4.0);
        let tick = quantity.tick(value);
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{end}\"/>\
             <text class=\"tick\" x=\"{words}\" y=\"{base:.1}\" text-anchor=\"end\">{tick}</text>"
        );
    }
    let floor = HEIGHT - BOTTOM;
    let _ = write!(svg, "<path class=\"axis\" d=\"M{LEFT} {floor}H{}\"/>", WIDTH - RIGHT);
    let mut thinks: Vec<f64> = server.points.iter().map(|point| point.measured.think).collect();
    thinks.sort_by(f64::total_cmp);
    thinks.dedup();
    let mut last = f64::NEG_INFINITY;
    for think in thinks {
        let at = x(think);
        let _ = write!(svg, "<path class=\"axis\" d=\"M{at:.1} {floor}v4\"/>");
        // A word takes this much room.
        if at - last >= 34.0 {
            last = at;
            let _ = write!(
                svg,
                "<text class=\"tick\" x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                floor + 16.0,
                thinking(think)
            );
        }
    }
    let _ = write!(
        svg,
        "<text class=\"axis-title\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">think time</text>",
        f64::midpoint(LEFT, WIDTH - RIGHT),
        HEIGHT - 6.0
    );
}

/// A measured point: hollow if this quantity of it is off.
fn mark(point: &Point, quantity: Quantity, index: usize, (x, y): (f64, f64), svg: &mut String) {
    let (is, predicted) = (quantity.measured(point), quantity.predicted(point));
    let off = if predicted > 0.0 { is / predicted - 1.0 } else { 0.0 };
    let differs = off.abs() > NOTABLE;
    let class = if differs { "dot off" } else { "dot" };
    let clients = point.measured.clients;
    let noun = if clients == 1 { "client" } else { "clients" };
    let off = if differs { format!(" ({})", difference(off)) } else { String::new() };
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        "<path class=\"{class} n{}\" d=\"{}\"><title>{clients} {noun}, think {}: {} measured, {} in theory{off}</title></path>",
        index % 3,
        shape(index, x, y),
        thinking(point.measured.think),
        quantity.written(is),
        quantity.written(predicted),
    );
}

/// The outline of the mark for a number of clients: a circle, a square, a triangle.
pub(super) fn shape(index: usize, x: f64, y: f64) -> String {
    match index % 3 {
        0 => format!("M{:.1} {y:.1}a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0 -8.4 0Z", x - 4.2),
        1 => format!("M{:.1} {:.1}h7.6v7.6h-7.6Z", x - 3.8, y - 3.8),
        _ => format!("M{x:.1} {:.1}l5 8.6h-10Z", y - 5.2),
    }
}

/// The numbers of clients at the ends of the curves; curves that end at the same place share a
/// word.
fn names(server: &ServerSweep, quantity: Quantity, decades: Decades, svg: &mut String) {
    let mut ends: Vec<(f64, Vec<usize>)> = Vec::new();
    for curve in &server.curves {
        let last = curve.points.last().map(|point| match quantity {
            Quantity::Occupancy => point.occupancy,
            Quantity::Throughput => point.throughput,
        });
        let Some(y) = last.and_then(|value| decades.y(value)) else { continue };
        match ends.iter_mut().find(|(other, _)| (other - y).abs() < LINE) {
            Some((_, clients)) => clients.push(curve.clients),
            None => ends.push((y, vec![curve.clients])),
        }
    }
    for (y, clients) in ends {
        let noun = if clients == [1] { "client" } else { "clients" };
        let numbers: Vec<String> = clients.iter().map(ToString::to_string).collect();
        let (x, base) = (WIDTH - RIGHT + 8.0, y + 4.0);
        // Writing to a string cannot fail.
        let _ = if numbers.len() == 1 {
            write!(svg, "<text class=\"end\" x=\"{x}\" y=\"{base:.1}\">{} {noun}</text>", numbers[0])
        } else {
            // Two lines, the second above the axis.
            write!(
                svg,
                "<text class=\"end\" x=\"{x}\" y=\"{:.1}\">{}</text><text class=\"end\" x=\"{x}\" y=\"{base:.1}\">{noun}</text>",
                base - LINE,
                numbers.join(", ")
            )
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_short() {
        assert_eq!(
            [0.0001, 0.01, 1.0, 10.0].map(|v| Quantity::Occupancy.tick(v)),
            ["0.01 %", "1 %", "100 %", "1000 %"]
        );
        assert_eq!([10.0, 1e3, 1e5].map(|v| Quantity::Throughput.tick(v)), ["10", "1 k", "100 k"]);
    }

    #[test]
    fn what_no_logarithm_has_is_not_drawn() {
        let decades = Decades::new(&[], Quantity::Occupancy);
        assert_eq!((decades.y(0.0), decades.y(f64::INFINITY), decades.y(f64::NAN)), (None, None, None));
        assert!(decades.y(1.0).unwrap() > decades.y(10.0).unwrap());
    }
}
