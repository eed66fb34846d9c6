//! A sweep: measured points beside what theory says of them, and why they differ.

use serde::{Deserialize, Serialize};
use zen_server::Step;

use super::curve::{Curve, Predicted};
use super::difference::{Reason, reasons};
use super::station::{Demand, Station};
use crate::recording::{Entry, Recording};

/// From which difference on it is said, as a share of the predicted value.
pub const NOTABLE: f64 = 0.10;

/// The version of the sweep's JSON. It changes when a field is removed or changes its meaning, and
/// not when one is added.
pub const SWEEP_SCHEMA: &str = "zen-trace-sweep/1";

/// Servers under loads that differ by think time and number of clients.
///
/// ```
/// use zen_trace::Terminal;
/// use zen_trace::model::{ServerSweep, Sweep};
///
/// /// The same sweep for a person and for a program.
/// fn show(servers: Vec<ServerSweep>) -> (String, String) {
///     let sweep = Sweep::new(servers);
///     (sweep.to_table(Terminal::new(100)), sweep.to_json())
/// }
/// # assert!(show(Vec::new()).1.contains("zen-trace-sweep/1"));
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sweep {
    /// [`SWEEP_SCHEMA`].
    pub schema: String,
    /// The servers, in the order in which they were swept.
    pub servers: Vec<ServerSweep>,
}

impl Sweep {
    /// A sweep of these servers.
    pub fn new(servers: Vec<ServerSweep>) -> Self {
        Self { schema: SWEEP_SCHEMA.to_owned(), servers }
    }

    /// The sweep as JSON, indented, with a line end.
    pub fn to_json(&self) -> String {
        // Strings, numbers and lists always serialize.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// One server's points.
///
/// ```
/// use zen_trace::Recording;
/// use zen_trace::model::{Measured, ServerSweep, Station};
///
/// // A recording of the server under each load. In this one nothing was answered, so there is
/// // nothing to compare with theory.
/// let alone = Measured::new(&Recording::new("mio"), (0, 1_000_000_000), 0.0, 1);
/// assert!(ServerSweep::new("mio", Station::new(1, None), &[alone]).is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServerSweep {
    /// The server's name.
    pub name: String,
    /// What a question costs it when one client asks without a pause, in seconds of CPU time: the
    /// service time of the model.
    pub service: f64,
    /// What one client without a pause takes for a round beside that, in seconds: the way there and
    /// back, and the client's own work. The model adds it to the think time.
    pub round: f64,
    /// The points, in the order in which they were measured. The first is the one that `service`
    /// and `round` are from.
    pub points: Vec<Point>,
    /// What theory predicts between them: a curve for each number of clients.
    #[serde(default)]
    pub curves: Vec<Curve>,
}

/// What was measured at one point of a sweep.
///
/// ```
/// use zen_trace::Recording;
/// use zen_trace::model::Measured;
///
/// // One second of a server whose handler sleeps for a millisecond, under 8 clients that think.
/// let recording = Recording::new("mio");
/// let measured = Measured::new(&recording, (0, 1_000_000_000), 0.040, 8).with_blocked(0.001);
/// assert_eq!((measured.clients, measured.throughput), (8, 0.0), "nothing was answered");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Measured {
    /// The think time, in seconds.
    pub think: f64,
    /// How many clients there were.
    pub clients: usize,
    /// Questions answered per second.
    pub throughput: f64,
    /// CPU seconds per second.
    pub occupancy: f64,
    /// The share of the time for which the server's threads waited for a CPU: of one thread, so it
    /// may exceed 1.
    pub run_delay: f64,
    /// How many threads the server had.
    pub threads: usize,
    /// For how long a thread is held by a handler that blocks, in seconds for each question, beside
    /// what it computes. The conversation waits for it either way.
    pub blocked: f64,
    /// How many steps were lost because a buffer was full. If there are any, the other figures are
    /// too low.
    #[serde(default)]
    pub lost: u64,
}

impl Measured {
    /// What a recording says about such a load, between the moments `from_ns` and `to_ns`: what the
    /// server did before and after has nothing to do with it.
    #[allow(clippy::cast_precision_loss, reason = "nanoseconds and counts below 2^52")]
    pub fn new(recording: &Recording, (from_ns, to_ns): (u64, u64), think: f64, clients: usize) -> Self {
        let wall = to_ns.saturating_sub(from_ns).max(1) as f64;
        let (mut questions, mut computing, mut delay) = (0, 0, 0);
        for thread in &recording.threads {
            let within = |entry: &&Entry| (from_ns..=to_ns).contains(&entry.wall_ns);
            let mut within = thread.steps.iter().filter(within).peekable();
            let first = within.peek().map_or(0, |first| first.cpu_ns);
            let mut last = first;
            for entry in within {
                last = entry.cpu_ns;
                if let Step::Answered(answered) = entry.step {
                    questions += answered;
                }
            }
            computing += last.saturating_sub(first);
            delay += thread.run_delay_ns.unwrap_or(0);
        }
        Self {
            think,
            clients,
            throughput: questions as f64 / wall * 1e9,
            occupancy: computing as f64 / wall,
            run_delay: delay as f64 / wall,
            threads: recording.threads.len(),
            blocked: 0.0,
            lost: recording.threads.iter().map(|thread| thread.lost).sum(),
        }
    }

    /// The same, for a handler that blocks its thread for so many seconds.
    #[must_use]
    pub fn with_blocked(mut self, blocked: f64) -> Self {
        self.blocked = blocked.max(0.0);
        self
    }

    /// The CPU time of a question, in seconds.
    pub(super) fn service(&self) -> f64 {
        if self.throughput > 0.0 { self.occupancy / self.throughput } else { 0.0 }
    }
}

/// A measured point, and the same point in theory.
///
/// ```
/// use zen_trace::model::Point;
///
/// /// By how much theory is off, as a share of what it says.
/// fn off(point: &Point) -> f64 {
///     point.measured.throughput / point.predicted_throughput - 1.0
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Point {
    /// What was measured.
    pub measured: Measured,
    /// The throughput that theory predicts, in questions per second.
    pub predicted_throughput: f64,
    /// The occupancy that it predicts.
    pub predicted_occupancy: f64,
    /// Why the two differ, where they do by more than [`NOTABLE`]; empty where they do not.
    pub reasons: Vec<Reason>,
}

impl ServerSweep {
    /// The points of a server beside what theory predicts for a station like it. The first point is
    /// that of one client without a think time: it says what a question costs.
    ///
    /// Returns `None` if there is no such point, or nothing was answered in it.
    pub fn new(name: impl Into<String>, station: Station, points: &[Measured]) -> Option<Self> {
        let first = points.first().filter(|point| point.clients == 1 && point.think <= 0.0)?;
        if first.throughput <= 0.0 {
            return None;
        }
        let service = first.service();
        let round = (1.0 / first.throughput - service - first.blocked).max(0.0);
        let demand = |measured: &Measured| Demand::new(service + measured.blocked, service);
        let longest = points.iter().map(|measured| measured.think).fold(0.0, f64::max);
        let mut curves: Vec<Curve> = Vec::new();
        for measured in points {
            if curves.iter().all(|curve| curve.clients != measured.clients) {
                curves.push(Curve::new(&station, &demand(measured), round, longest, measured.clients));
            }
        }
        let point = |&measured: &Measured| {
            let (think, clients) = (measured.think, measured.clients);
            let predicted = Predicted::new(&station, &demand(&measured), round, think, clients);
            let (throughput, occupancy) = (predicted.throughput, predicted.occupancy);
            Point {
                measured,
                predicted_throughput: throughput,
                predicted_occupancy: occupancy,
                reasons: reasons(&measured, service, throughput, occupancy),
            }
        };
        let points = points.iter().map(point).collect();
        Some(Self { name: name.into(), service, round, points, curves })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(think: f64, clients: usize, throughput: f64, occupancy: f64) -> Measured {
        Measured { think, clients, throughput, occupancy, run_delay: 0.0, threads: 1, blocked: 0.0, lost: 0 }
    }

    /// A server of 20 µs a question, whose client needs 30 µs more for a round.
    fn first() -> Measured {
        measured(0.0, 1, 20_000.0, 0.4)
    }

    fn sweep(points: &[Measured]) -> ServerSweep {
        ServerSweep::new("mio", Station::new(1, None), points).unwrap()
    }

    #[test]
    fn the_first_point_says_what_a_question_costs() {
        let sweep = sweep(&[first()]);
        assert!((sweep.service - 20e-6).abs() < 1e-12 && (sweep.round - 30e-6).abs() < 1e-12);
        assert!((sweep.points[0].predicted_occupancy - 0.4).abs() < 1e-9);
        assert!(!sweep.points[0].differs());
    }

    #[test]
    fn only_the_window_is_measured() {
        let entry = |wall_ns, cpu_ns, step| Entry { wall_ns, cpu_ns, conversation: None, step, place: 0 };
        let mut recording = Recording::new("mio");
        let mut thread = crate::recording::Thread::new(1, "main", 0, 10_000);
        thread.steps = vec![
            entry(0, 0, Step::Answered(9)),
            entry(1_000, 500, Step::Answering),
            entry(1_500, 900, Step::Answered(2)),
            entry(2_000, 1_000, Step::Idle),
            entry(3_000, 2_500, Step::Answered(9)),
        ];
        recording.threads = vec![thread];
        let measured = Measured::new(&recording, (1_000, 2_000), 0.0, 1);
        assert!((measured.throughput - 2e6).abs() < 1.0, "{measured:?}");
        assert!((measured.occupancy - 0.5).abs() < 1e-9, "{measured:?}");
    }

    #[test]
    fn without_it_there_is_no_theory() {
        let station = Station::new(1, None);
        assert_eq!(ServerSweep::new("mio", station, &[]), None);
        assert_eq!(ServerSweep::new("mio", station, &[measured(0.04, 1, 25.0, 0.1)]), None);
        assert_eq!(ServerSweep::new("mio", station, &[measured(0.0, 1, 0.0, 0.0)]), None);
    }

    #[test]
    fn a_handler_that_blocks_is_in_the_service_time() {
        // One thread that sleeps for 2 ms a question: 50 clients get 500 a second, less a little.
        let alone = measured(0.0, 1, 1.0 / 0.00205, 20e-6 / 0.00205).with_blocked(0.002);
        let many = measured(0.0, 50, 495.0, 495.0 * 20e-6).with_blocked(0.002);
        let sweep = sweep(&[alone, many]);
        let predicted = sweep.points[1].predicted_throughput;
        assert!((predicted - 1.0 / 0.00202).abs() < 1.0, "{predicted}");
        assert!(!sweep.points[1].differs());
    }

    #[test]
    fn a_sweep_survives_its_json() {
        let sweep = Sweep::new(vec![sweep(&[first(), measured(0.04, 8, 190.0, 0.01)])]);
        let read: Sweep = serde_json::from_str(&sweep.to_json()).unwrap();
        assert_eq!(read, sweep);
    }
}
