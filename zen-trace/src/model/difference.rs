//! Why measured points differ from theory, each reason once.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::sweep::{Measured, NOTABLE, Point, ServerSweep};
use crate::units::time;

/// Why a point differs from theory, as far as its figures tell.
///
/// ```
/// use zen_trace::model::{Point, Reason};
///
/// fn is_to_be_measured_again(point: &Point) -> bool {
///     point.differs() && point.reasons.contains(&Reason::Lost)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A question costs more CPU time than without a think time: each wakes the server from a wait.
    WakeUps,
    /// A question costs more CPU time: several threads wake each other and share the caches.
    Threads,
    /// A question costs more CPU time beside many clients, which share the machine with the server.
    SharedMachine,
    /// A question costs less CPU time: one wake-up serves several.
    Batches,
    /// The threads waited for a CPU.
    RunDelay,
    /// Steps were lost, for which a buffer had no room: the measured figures are wrong.
    Lost,
    /// More was answered than predicted, and the figures do not say why.
    Faster,
    /// Less was answered than predicted, or it cost something else, and the figures do not say why.
    Unknown,
}

/// The points of a server that differ from theory for the same reason.
///
/// ```
/// use zen_trace::model::{Difference, ServerSweep};
///
/// fn explain(server: &ServerSweep) -> Vec<String> {
///     let differences: Vec<Difference> = server.differences();
///     differences.iter().map(|difference| difference.sentence(server)).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The reason.
    pub reason: Reason,
    /// The indices of the points in [`ServerSweep::points`].
    pub points: Vec<usize>,
}

/// Why a point differs; nothing if it does not.
pub(super) fn reasons(measured: &Measured, service: f64, throughput: f64, occupancy: f64) -> Vec<Reason> {
    if measured.lost > 0 {
        return vec![Reason::Lost];
    }
    let (faster, fuller) = (off(measured.throughput, throughput), off(measured.occupancy, occupancy));
    if faster.abs() <= NOTABLE && fuller.abs() <= NOTABLE {
        return Vec::new();
    }
    let mut reasons = Vec::new();
    // Without an answer, nobody knows what one costs.
    let dearer = if measured.throughput > 0.0 { off(measured.service(), service) } else { 0.0 };
    if dearer > NOTABLE {
        reasons.push(if measured.think > 0.0 {
            Reason::WakeUps
        } else if measured.threads > 1 {
            Reason::Threads
        } else {
            Reason::SharedMachine
        });
    } else if dearer < -NOTABLE {
        reasons.push(Reason::Batches);
    }
    if measured.run_delay > NOTABLE {
        reasons.push(Reason::RunDelay);
    }
    if reasons.is_empty() {
        reasons.push(if faster > 0.0 { Reason::Faster } else { Reason::Unknown });
    }
    reasons
}

/// By how much a value differs from the predicted one, as a share of that.
fn off(is: f64, predicted: f64) -> f64 {
    if predicted > 0.0 { is / predicted - 1.0 } else { 0.0 }
}

impl Point {
    /// By how much the point differs from theory, as a share of the predicted value: the throughput
    /// or the occupancy, whichever differs more.
    pub fn off(&self) -> f64 {
        let throughput = off(self.measured.throughput, self.predicted_throughput);
        let occupancy = off(self.measured.occupancy, self.predicted_occupancy);
        if throughput.abs() > occupancy.abs() { throughput } else { occupancy }
    }

    /// Whether it differs by more than [`NOTABLE`].
    ///
    /// ```
    /// use zen_trace::model::Point;
    ///
    /// fn mark(point: &Point) -> &str {
    ///     if point.differs() { "off" } else { "" }
    /// }
    /// ```
    pub fn differs(&self) -> bool {
        !self.reasons.is_empty()
    }
}

impl ServerSweep {
    /// Why points differ from theory: each reason once, with all its points.
    ///
    /// ```
    /// use zen_trace::model::ServerSweep;
    ///
    /// fn agrees_with_theory(server: &ServerSweep) -> bool {
    ///     server.differences().is_empty()
    /// }
    /// ```
    pub fn differences(&self) -> Vec<Difference> {
        let mut differences: Vec<Difference> = Vec::new();
        for (index, point) in self.points.iter().enumerate() {
            for &reason in &point.reasons {
                match differences.iter_mut().find(|known| known.reason == reason) {
                    Some(known) => known.points.push(index),
                    None => differences.push(Difference { reason, points: vec![index] }),
                }
            }
        }
        differences.sort_by_key(|difference| difference.reason);
        differences
    }
}

impl Difference {
    /// The difference in a sentence: why, by which figures, and at which points of `server`, the
    /// sweep that it is from.
    pub fn sentence(&self, server: &ServerSweep) -> String {
        let points: Vec<&Point> = self.points.iter().filter_map(|&index| server.points.get(index)).collect();
        let costs = range(points.iter().map(|point| point.measured.service()), |cost| time(cost * 1e9));
        let alone = time(server.service * 1e9);
        let says = match self.reason {
            Reason::WakeUps => format!(
                "A question costs {costs} of CPU instead of {alone}: each wakes the server from a wait, with its \
                 caches cold"
            ),
            Reason::Threads => format!(
                "A question costs {costs} of CPU instead of {alone}: its threads wake each other and share the \
                 caches"
            ),
            Reason::SharedMachine => format!(
                "A question costs {costs} of CPU instead of {alone}: its clients share the machine with it"
            ),
            Reason::Batches => {
                format!("A question costs {costs} of CPU instead of {alone}: one wake-up serves several")
            }
            Reason::RunDelay => {
                let delays = points.iter().map(|point| point.measured.run_delay * 100.0);
                format!(
                    "Its threads waited for a CPU for {} of the time",
                    range(delays, |share| format!("{share:.0} %"))
                )
            }
            Reason::Lost => {
                let lost: u64 = points.iter().map(|point| point.measured.lost).sum();
                format!("{lost} steps are lost, for which a buffer had no room")
            }
            Reason::Faster => {
                "A round takes less beside other clients than alone; the figures do not say why".to_owned()
            }
            Reason::Unknown => "The figures do not say why".to_owned(),
        };
        format!("{says} ({}).", places(&points))
    }
}

/// From the least to the most, or the one value.
fn range(values: impl Iterator<Item = f64> + Clone, written: impl Fn(f64) -> String) -> String {
    let least = written(values.clone().fold(f64::INFINITY, f64::min));
    let most = written(values.fold(f64::NEG_INFINITY, f64::max));
    if least == most { least } else { format!("{least} to {most}") }
}

/// Where points lie: the think times for each number of clients.
fn places(points: &[&Point]) -> String {
    let mut clients: Vec<usize> = points.iter().map(|point| point.measured.clients).collect();
    clients.sort_unstable();
    clients.dedup();
    let mut text = String::new();
    for clients in clients {
        let of = points.iter().filter(|point| point.measured.clients == clients);
        let thinks: Vec<String> = of.map(|point| thinking(point.measured.think)).collect();
        let joint = if text.is_empty() { "" } else { "; " };
        let noun = if clients == 1 { "client" } else { "clients" };
        // Writing to a string cannot fail.
        let _ = write!(text, "{joint}{clients} {noun}, think {}", thinks.join(", "));
    }
    text
}

/// A think time as the one who chose it would write it.
pub(crate) fn thinking(seconds: f64) -> String {
    if seconds <= 0.0 {
        return "none".to_owned();
    }
    let written = time(seconds * 1e9);
    let (number, unit) = written.split_once(' ').unwrap_or((&written, ""));
    let number =
        if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    format!("{number} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Station;

    fn measured(think: f64, clients: usize, throughput: f64, service: f64) -> Measured {
        let occupancy = throughput * service;
        Measured { think, clients, throughput, occupancy, run_delay: 0.0, threads: 1, blocked: 0.0, lost: 0 }
    }

    /// A server of 20 µs a question, whose client needs 30 µs more for a round.
    fn first() -> Measured {
        measured(0.0, 1, 20_000.0, 20e-6)
    }

    fn sweep(points: &[Measured]) -> ServerSweep {
        ServerSweep::new("mio", Station::new(1, None), points).unwrap()
    }

    #[test]
    fn a_difference_is_explained_by_what_differs() {
        let cold = measured(0.04, 1, 24.9, 60e-6);
        let batched = measured(0.0, 64, 100_000.0, 10e-6);
        let mut crowded = measured(0.01, 8, 500.0, 20e-6);
        crowded.run_delay = 0.4;
        let unknown = measured(0.01, 8, 500.0, 20e-6);
        let mut full = first();
        full.lost = 3;
        let sweep = sweep(&[first(), cold, batched, crowded, unknown, full]);
        let reasons: Vec<_> = sweep.points.iter().map(|point| point.reasons.clone()).collect();
        assert_eq!(
            reasons,
            [
                vec![],
                vec![Reason::WakeUps],
                vec![Reason::Batches],
                vec![Reason::RunDelay],
                vec![Reason::Unknown],
                vec![Reason::Lost],
            ]
        );
        let said: Vec<_> = sweep.differences().iter().map(|each| each.sentence(&sweep)).collect();
        assert!(
            said[0].starts_with("A question costs 60.0 µs of CPU instead of 20.0 µs: each wakes"),
            "{said:?}"
        );
        assert!(said[1].contains("one wake-up serves several (64 clients, think none)."), "{said:?}");
        assert!(said[2].contains("a CPU for 40 % of the time (8 clients, think 10 ms)."), "{said:?}");
        assert!(said[3].starts_with("3 steps are lost, for which a buffer had no room ("), "{said:?}");
        assert!(said[4].starts_with("The figures do not say why"), "{said:?}");
    }

    #[test]
    fn points_with_the_same_reason_share_a_sentence() {
        let cold = [
            measured(0.001, 1, 970.0, 45e-6),
            measured(0.04, 1, 24.9, 60e-6),
            measured(0.001, 8, 7_700.0, 30e-6),
        ];
        let sweep = sweep(&[&[first()][..], &cold].concat());
        let [alone] = &sweep.differences()[..] else { panic!("{:?}", sweep.differences()) };
        assert_eq!(
            alone.sentence(&sweep),
            "A question costs 30.0 µs to 60.0 µs of CPU instead of 20.0 µs: each wakes the server from a wait, with \
             its caches cold (1 client, think 1 ms, 40 ms; 8 clients, think 1 ms)."
        );
        assert!(sweep.points[2].off() > 1.5 && sweep.points[2].differs(), "{}", sweep.points[2].off());
    }

    #[test]
    fn a_think_time_is_written_as_it_was_chosen() {
        assert_eq!(
            [0.0, 0.001, 0.04, 0.1, 0.0025].map(thinking),
            ["none", "1 ms", "40 ms", "100 ms", "2.5 ms"]
        );
    }
}
