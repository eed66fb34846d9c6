//! The curves of a sweep: what theory predicts between the measured points.

use serde::{Deserialize, Serialize};

use super::station::{Demand, Station};

/// The think time below which an axis is about linear, in seconds. Above it, it is logarithmic: so
/// there is room for no think time at all, and for long ones.
const LINEAR: f64 = 1e-4;

/// How many steps a curve has.
const STEPS: u32 = 48;

/// What theory predicts for a number of clients, from no think time to the longest.
///
/// ```
/// use zen_trace::model::{Curve, Predicted};
///
/// /// The think time from which on a server is at most half busy.
/// fn half_busy(curve: &Curve) -> Option<f64> {
///     let point: Option<&Predicted> = curve.points.iter().find(|point| point.occupancy <= 0.5);
///     point.map(|point| point.think)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Curve {
    /// How many clients there are.
    pub clients: usize,
    /// The points, by think time.
    pub points: Vec<Predicted>,
}

/// What theory predicts for a think time: a point of a [`Curve`].
///
/// ```
/// use zen_trace::model::Predicted;
///
/// fn say(point: &Predicted) -> String {
///     format!("{:.0}/s at {:.3} cores", point.throughput, point.occupancy)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Predicted {
    /// The think time, in seconds.
    pub think: f64,
    /// Questions answered per second.
    pub throughput: f64,
    /// CPU seconds per second.
    pub occupancy: f64,
}

impl Predicted {
    /// What theory predicts for a station: `round` is what a client takes beside thinking and being
    /// served, in seconds.
    pub(super) fn new(station: &Station, demand: &Demand, round: f64, think: f64, clients: usize) -> Self {
        let steady = station.predict(demand, think + round, clients);
        Self { think, throughput: steady.throughput, occupancy: steady.utilization }
    }
}

impl Curve {
    /// The curve for so many clients, whose think time goes up to `longest` seconds.
    pub(super) fn new(station: &Station, demand: &Demand, round: f64, longest: f64, clients: usize) -> Self {
        let think = |step: u32| LINEAR * ((place(longest) * f64::from(step) / f64::from(STEPS)).exp() - 1.0);
        let point = |step| Predicted::new(station, demand, round, think(step), clients);
        Self { clients, points: (0..=STEPS).map(point).collect() }
    }
}

/// Where a think time lies on an axis, from 0 for none; in no unit.
pub(crate) fn place(think: f64) -> f64 {
    (think.max(0.0) / LINEAR).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_from_no_think_time_to_the_longest_and_falls() {
        let demand = Demand::new(20e-6, 20e-6);
        let curve = Curve::new(&Station::new(1, None), &demand, 30e-6, 0.1, 8);
        let (first, last) = (curve.points[0], curve.points[curve.points.len() - 1]);
        assert!(first.think.abs() < 1e-12 && (last.think - 0.1).abs() < 1e-9, "{first:?} {last:?}");
        assert!((last.throughput - 8.0 / 0.10005).abs() < 0.1, "{last:?}");
        for pair in curve.points.windows(2) {
            assert!(pair[0].think < pair[1].think && pair[0].occupancy >= pair[1].occupancy, "{pair:?}");
        }
    }

    #[test]
    fn an_axis_has_room_for_none_and_for_long() {
        let places = [0.0, 0.001, 0.01, 0.04, 0.1].map(place);
        assert!(places[0].abs() < 1e-12);
        for pair in places.windows(2) {
            assert!(pair[1] - pair[0] > places[4] / 10.0, "{places:?}");
        }
    }
}
