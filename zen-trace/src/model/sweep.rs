//! A sweep: measured points beside what theory says of them, and why they differ.

use serde::{Deserialize, Serialize};
use zen_server::Step;

use super::station::{Demand, Station};
use crate::recording::{Entry, Recording};
use crate::units::time;

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
    fn service(&self) -> f64 {
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
    /// Why the two differ, where they do by more than [`NOTABLE`]; or that steps were lost.
    pub why: Option<String>,
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
        let points = points
            .iter()
            .map(|&measured| {
                let demand = Demand::new(service + measured.blocked, service);
                let predicted = station.predict(&demand, measured.think + round, measured.clients);
                let (predicted_throughput, predicted_occupancy) =
                    (predicted.throughput, predicted.utilization);
                let why = why(&measured, service, predicted_throughput, predicted_occupancy);
                Point { measured, predicted_throughput, predicted_occupancy, why }
            })
            .collect();
        Some(Self { name: name.into(), service, round, points })
    }
}

/// Why a point differs from theory, as far as its figures tell, or why these are wrong.
fn why(measured: &Measured, service: f64, throughput: f64, occupancy: f64) -> Option<String> {
    if measured.lost > 0 {
        return Some(format!("{} steps are lost, for which a buffer had no room", measured.lost));
    }
    let off = |is: f64, said: f64| if said > 0.0 { is / said - 1.0 } else { 0.0 };
    let (faster, fuller) = (off(measured.throughput, throughput), off(measured.occupancy, occupancy));
    if faster.abs() <= NOTABLE && fuller.abs() <= NOTABLE {
        return None;
    }
    let mut reasons = Vec::new();
    let dearer = off(measured.service(), service);
    if dearer > NOTABLE {
        let cause = if measured.think > 0.0 {
            "each wakes the server from a wait, with its caches cold"
        } else if measured.threads > 1 {
            "its threads wake each other and share the caches"
        } else {
            "its clients share the machine with it"
        };
        reasons.push(format!(
            "a question costs {} of CPU instead of {}: {cause}",
            time(measured.service() * 1e9),
            time(service * 1e9)
        ));
    } else if dearer < -NOTABLE {
        reasons.push(format!(
            "a question costs {} of CPU instead of {}: one wake-up serves several",
            time(measured.service() * 1e9),
            time(service * 1e9)
        ));
    }
    if measured.run_delay > NOTABLE {
        let percent = measured.run_delay * 100.0;
        reasons.push(format!("its threads waited for a CPU for {percent:.0} % of the time"));
    }
    if reasons.is_empty() {
        reasons.push(if faster > 0.0 {
            "a round takes less beside other clients than alone; the figures do not say why".to_owned()
        } else {
            "the figures do not say why".to_owned()
        });
    }
    Some(reasons.join("; "))
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
        assert_eq!(sweep.points[0].why, None);
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
    fn a_difference_is_explained_by_what_differs() {
        let cold = measured(0.04, 1, 24.9, 24.9 * 60e-6);
        let batched = measured(0.0, 64, 100_000.0, 1.0);
        let mut crowded = measured(0.01, 8, 500.0, 500.0 * 20e-6);
        crowded.run_delay = 0.4;
        let unknown = measured(0.01, 8, 500.0, 500.0 * 20e-6);
        let mut full = first();
        full.lost = 3;
        let sweep = sweep(&[first(), cold, batched, crowded, unknown, full]);
        let why = |index: usize| sweep.points[index].why.clone().unwrap();
        assert!(why(1).contains("60.0 µs of CPU instead of 20.0 µs: each wakes"), "{}", why(1));
        assert!(why(2).contains("one wake-up serves several"), "{}", why(2));
        assert!(why(3).contains("40 % of the time"), "{}", why(3));
        assert!(why(4).contains("do not say why"), "{}", why(4));
        assert!(why(5).contains("3 steps are lost"), "{}", why(5));
    }

    #[test]
    fn a_handler_that_blocks_is_in_the_service_time() {
        // One thread that sleeps for 2 ms a question: 50 clients get 500 a second, less a little.
        let alone = measured(0.0, 1, 1.0 / 0.00205, 20e-6 / 0.00205).with_blocked(0.002);
        let many = measured(0.0, 50, 495.0, 495.0 * 20e-6).with_blocked(0.002);
        let sweep = sweep(&[alone, many]);
        let predicted = sweep.points[1].predicted_throughput;
        assert!((predicted - 1.0 / 0.00202).abs() < 1.0, "{predicted}");
        assert_eq!(sweep.points[1].why, None);
    }

    #[test]
    fn a_sweep_survives_its_json() {
        let sweep = Sweep::new(vec![sweep(&[first(), measured(0.04, 8, 190.0, 0.01)])]);
        let read: Sweep = serde_json::from_str(&sweep.to_json()).unwrap();
        assert_eq!(read, sweep);
    }
}
