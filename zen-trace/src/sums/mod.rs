//! The sums: how the time of a server, of each of its threads and of each of its conversations
//! divides.

mod occupancy;
mod sentence;
mod working;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zen_proto::CloseReason;

pub use self::occupancy::Occupancy;
pub use self::sentence::PAGE;
use crate::phases::{Cause, ConversationPhases, Division, ServerPhases};
use crate::recording::{Recording, Trace};

/// The version of the sums' JSON. It changes when a field is removed or changes its meaning, and
/// not when one is added.
pub const SCHEMA: &str = "zen-trace-sums/1";

/// The sums of a trace.
///
/// ```
/// use zen_trace::{Recording, Sums, Terminal, Trace};
///
/// let sums = Sums::new(&Trace::new(vec![Recording::new("mine")]));
/// println!("{}", sums.to_table(Terminal::new(100)));
/// assert!(sums.to_json().contains("zen-trace-sums/1"));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sums {
    /// [`SCHEMA`].
    pub schema: String,
    /// The sums of each server, in the trace's order.
    pub servers: Vec<ServerSum>,
}

impl Sums {
    /// The sums of everything in a trace.
    pub fn new(trace: &Trace) -> Self {
        Self { schema: SCHEMA.to_owned(), servers: trace.servers.iter().map(ServerSum::new).collect() }
    }

    /// The sums as JSON, indented, with a line end.
    pub fn to_json(&self) -> String {
        // Strings, numbers and maps whose keys are names always serialize.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// How the time of one server divides.
///
/// ```
/// use zen_trace::sums::ServerSum;
///
/// /// What a person would quote, and whether it can be relied on.
/// fn quote(server: &ServerSum) -> String {
///     let complete = if server.lost == 0 { "" } else { " (steps were lost)" };
///     format!("{} [{}]{complete}", server.sentence(), server.occupancy())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServerSum {
    /// The server's name.
    pub name: String,
    /// The time between its first and its last moment, in nanoseconds.
    pub wall_ns: u64,
    /// The CPU time of its threads, in nanoseconds.
    pub computing_ns: u64,
    /// How long its threads waited, by cause, all together, in nanoseconds. With `computing_ns`,
    /// that is the wall clock of all threads.
    pub waiting_ns: BTreeMap<Cause, u64>,
    /// `computing_ns` over `wall_ns`; 1 is one core full.
    pub occupancy: f64,
    /// By how much the occupancy can be wrong, because of the clock's resolution and what recording
    /// the steps cost.
    pub occupancy_bound: f64,
    /// How many questions were answered.
    pub questions: u64,
    /// How many conversations there were, with those that the server never accepted.
    pub conversations: u64,
    /// The most conversations that it held at the same time; `None` for a server that is watched
    /// from outside, of which that is not known.
    #[serde(default)]
    pub at_once: Option<u64>,
    /// The resolution of the clock, in nanoseconds.
    pub clock_ns: u64,
    /// What recording one step cost, in nanoseconds; measured, and subtracted nowhere.
    pub cost_per_step_ns: f64,
    /// How many steps were recorded.
    pub steps: u64,
    /// How many steps were lost because a buffer was full.
    pub lost: u64,
    /// Whether the system said how long threads waited for a CPU. If not, that time is in the other
    /// causes.
    pub knows_cpu_waits: bool,
    /// Each thread's sum.
    pub per_thread: Vec<ThreadSum>,
    /// Each conversation's sum.
    pub per_conversation: Vec<ConversationSum>,
}

/// How the time of one thread divides.
///
/// ```
/// use zen_trace::sums::{ServerSum, ThreadSum};
///
/// /// The thread that computes most.
/// fn busiest(server: &ServerSum) -> Option<&ThreadSum> {
///     server.per_thread.iter().max_by_key(|thread| thread.computing_ns)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ThreadSum {
    /// The system's number of the thread.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// The time between the start and the end of its recording, in nanoseconds.
    pub wall_ns: u64,
    /// Its CPU time, in nanoseconds.
    pub computing_ns: u64,
    /// How long it waited, by cause, in nanoseconds.
    pub waiting_ns: BTreeMap<Cause, u64>,
    /// `computing_ns` over `wall_ns`.
    pub occupancy: f64,
    /// By how much the occupancy can be wrong.
    pub occupancy_bound: f64,
}

/// How the time of one conversation divides.
///
/// ```
/// use zen_trace::sums::ConversationSum;
///
/// /// A line for a table.
/// fn line(conversation: &ConversationSum) -> String {
///     let ConversationSum { number, questions, .. } = conversation;
///     let occupancy = conversation.occupancy().map(|known| known.to_string());
///     let occupancy = occupancy.unwrap_or("not known".to_owned());
///     format!("#{number}: {questions} questions, {occupancy}")
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConversationSum {
    /// The conversation's number.
    pub number: u64,
    /// The time between its acceptance and its end, in nanoseconds.
    pub wall_ns: u64,
    /// How long a thread computed for it, in nanoseconds; 0 where that is not known.
    pub computing_ns: u64,
    /// How long it waited, by cause, in nanoseconds.
    pub waiting_ns: BTreeMap<Cause, u64>,
    /// `computing_ns` over `wall_ns`; `None` for a server that is watched from outside: nobody
    /// knows for which conversation it computes.
    pub occupancy: Option<f64>,
    /// By how much the occupancy can be wrong; `None` if it is not known.
    pub occupancy_bound: Option<f64>,
    /// How many of its questions were answered.
    pub questions: u64,
    /// How long its client stood in line before it was accepted, in nanoseconds; not in `wall_ns`.
    pub in_line_ns: u64,
    /// Whether it was accepted. One that never was has spent all its time waiting to be.
    pub accepted: bool,
    /// Why it ended, if that is known.
    pub close_reason: Option<String>,
}

impl ServerSum {
    fn new(recording: &Recording) -> Self {
        Self::of_phases(recording, &ServerPhases::new(recording))
    }

    /// The sums of a recording's phases.
    pub(crate) fn of_phases(recording: &Recording, phases: &ServerPhases) -> Self {
        let mut together = Division::default();
        for thread in &phases.threads {
            together.add(&thread.division);
        }
        let wall_ns = phases.to_ns.saturating_sub(phases.from_ns);
        let occupancy = Occupancy::new(recording, &together, wall_ns);
        let threads = recording.threads.iter().zip(&phases.threads).map(|(thread, lane)| {
            let wall_ns = lane.to_ns - lane.from_ns;
            let occupancy = Occupancy::new(recording, &lane.division, wall_ns);
            ThreadSum {
                id: thread.id,
                name: thread.name.clone(),
                wall_ns,
                computing_ns: lane.division.computing_ns,
                waiting_ns: lane.division.waiting_ns.clone(),
                occupancy: occupancy.share,
                occupancy_bound: occupancy.bound,
            }
        });
        Self {
            name: recording.name.clone(),
            wall_ns,
            computing_ns: together.computing_ns,
            waiting_ns: together.waiting_ns,
            occupancy: occupancy.share,
            occupancy_bound: occupancy.bound,
            questions: phases.conversations.iter().map(|lane| lane.questions).sum(),
            conversations: phases.conversations.len() as u64,
            at_once: working::at_once(recording, phases),
            clock_ns: recording.clock_ns,
            cost_per_step_ns: recording.cost_per_step_ns,
            steps: together.steps,
            lost: recording.threads.iter().map(|thread| thread.lost).sum(),
            knows_cpu_waits: recording
                .threads
                .iter()
                .all(|thread| thread.run_delay_ns.is_some() || !thread.switches.is_empty()),
            per_thread: threads.collect(),
            per_conversation: phases
                .conversations
                .iter()
                .map(|lane| ConversationSum::new(recording, lane))
                .collect(),
        }
    }

    /// The occupancy with its bound.
    pub fn occupancy(&self) -> Occupancy {
        Occupancy { share: self.occupancy, bound: self.occupancy_bound }
    }
}

impl ConversationSum {
    fn new(recording: &Recording, lane: &ConversationPhases) -> Self {
        let wall_ns = lane.to_ns - lane.from_ns;
        let known = !recording.is_from_outside();
        let occupancy = known.then(|| Occupancy::new(recording, &lane.division, wall_ns));
        Self {
            number: lane.number,
            wall_ns,
            computing_ns: lane.division.computing_ns,
            waiting_ns: lane.division.waiting_ns.clone(),
            occupancy: occupancy.map(|occupancy| occupancy.share),
            occupancy_bound: occupancy.map(|occupancy| occupancy.bound),
            questions: lane.questions,
            in_line_ns: lane.in_line.map_or(0, |phase| phase.length_ns()),
            accepted: lane.accepted,
            close_reason: close_reason(recording, lane.number).map(|reason| reason.name().to_owned()),
        }
    }

    /// The occupancy with its bound, if it is known.
    pub fn occupancy(&self) -> Option<Occupancy> {
        Some(Occupancy { share: self.occupancy?, bound: self.occupancy_bound? })
    }
}

fn close_reason(recording: &Recording, number: u64) -> Option<CloseReason> {
    let known = recording.conversations.iter().find(|known| known.number == number);
    known.and_then(|known| known.close_reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phases::tests::{page, thread};
    use zen_server::Step;

    #[test]
    fn the_json_has_the_stated_fields_and_comes_back() {
        let sums = Sums::new(&Trace::new(vec![page()]));
        let json = sums.to_json();
        assert_eq!(serde_json::from_str::<Sums>(&json).unwrap(), sums);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let server = &value["servers"][0];
        assert_eq!(server["name"], "blocking");
        assert_eq!((&server["questions"], &server["conversations"]), (&3.into(), &1.into()));
        let waiting = server["waiting_ns"].as_object().unwrap();
        let all = waiting.values().map(|ns| ns.as_u64().unwrap()).sum::<u64>();
        let computing = server["computing_ns"].as_u64().unwrap();
        assert_eq!(all + computing, server["wall_ns"].as_u64().unwrap(), "one thread was there all along");
        assert_eq!(waiting.keys().collect::<Vec<_>>(), ["client", "other", "question", "service"]);
    }

    #[test]
    fn from_outside_the_bound_covers_the_watching_and_conversations_are_not_known() {
        use crate::recording::{ClientSpan, ClientSpanKind, Conversation};

        let mut recording = Recording::new("book");
        recording.threads = vec![thread(1, 100_000, 8_000, &[])];
        recording.threads[0].cpu_error_ns = 5_000_000;
        let mut conversation = Conversation::new(1);
        let (from_ns, to_ns) = (0, 90_000_000);
        conversation.client_spans = vec![ClientSpan { from_ns, to_ns, kind: ClientSpanKind::Waiting }];
        recording.conversations = vec![conversation];
        let sum = ServerSum::new(&recording);
        assert_eq!(sum.occupancy().to_string(), "8.00 % ± 5.0");
        assert_eq!((sum.per_conversation[0].occupancy(), sum.at_once), (None, None));
        assert!(sum.sentence().contains("8.00 percent occupied (±\u{a0}5.0)"), "{}", sum.sentence());
        assert_eq!(sum.how_it_works(), "its CPU was 8.00 percent occupied (±\u{a0}5.0).");
    }

    #[test]
    fn the_bound_covers_the_clock_and_the_recorder() {
        let mut recording = page();
        let sum = ServerSum::new(&recording);
        let cost = 25.0 * recording.cost_per_step_ns + 1.0;
        assert!(
            (sum.occupancy_bound * crate::units::float(sum.wall_ns) - cost).abs() < 1.0,
            "{}",
            sum.occupancy_bound
        );
        // The page's own clock.
        recording.cost_per_step_ns = 0.0;
        recording.clock_ns = 10_000_000;
        recording.threads = vec![thread(1, 140_000, 10_000, &[(0, 0, 0, Step::Idle)])];
        let sum = ServerSum::new(&recording);
        assert_eq!(sum.occupancy().to_string(), "7.14 % ± 7.1");
    }
}
