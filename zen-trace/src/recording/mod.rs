//! What was recorded: servers with their threads, the steps of these, and conversations.
//!
//! All moments are nanoseconds of the system's monotonic clock (`CLOCK_MONOTONIC`), which all
//! processes of a machine share. So recordings of several servers have one time axis.

mod json;
mod step_json;

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use zen_proto::CloseReason;
use zen_server::Step;

pub use self::json::{ReadError, SCHEMA, Trace};

/// What one server did, from its start to its end.
///
/// ```
/// use zen_server::Step;
/// use zen_trace::recording::{Entry, Place, Thread};
/// use zen_trace::{Recording, Terminal};
///
/// let mut recording = Recording::new("mine");
/// recording.places.push(Place::new("src/main.rs", 7, "answer();"));
/// let mut thread = Thread::new(1, "main", 0, 5_000);
/// thread.steps.push(Entry::new(0, 0, Step::Answering).with_conversation(1));
/// recording.threads.push(thread);
/// assert!(recording.to_listing(Terminal::new(80)).contains("answer();"));
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recording {
    /// The server's name: its flavor, or what whoever started it called it.
    pub name: String,
    /// The resolution of the wall clock, in nanoseconds.
    pub clock_ns: u64,
    /// What recording one step costs the thread that takes it, in nanoseconds: measured before the
    /// first step, and subtracted nowhere. Zero for a server that is watched from outside.
    pub cost_per_step_ns: f64,
    /// The places in the server's source that report steps. An [`Entry`] has its index.
    pub places: Vec<Place>,
    /// The server's threads.
    pub threads: Vec<Thread>,
    /// The conversations, by their numbers.
    pub conversations: Vec<Conversation>,
}

impl Recording {
    /// A recording in which nothing has happened yet.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), clock_ns: 1, ..Self::default() }
    }

    /// Whether the server was watched from outside: then none of its threads reports a step, and it
    /// is not known what it did for which conversation.
    ///
    /// ```
    /// assert!(zen_trace::Recording::new("theirs").is_from_outside());
    /// ```
    pub fn is_from_outside(&self) -> bool {
        self.threads.iter().all(|thread| thread.steps.is_empty())
    }
}

/// A line of source that reports a step.
///
/// ```
/// use zen_trace::recording::Place;
///
/// /// As an editor takes it.
/// fn link(place: &Place) -> String {
///     format!("{}:{}", place.file, place.line)
/// }
///
/// assert_eq!(link(&Place::new("src/main.rs", 7, "answer();")), "src/main.rs:7");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Place {
    /// The file's path, as the compiler was given it.
    pub file: String,
    /// The number of the line, counted from 1.
    pub line: u32,
    /// The line's text without its indentation, or nothing if the source is not known.
    pub text: String,
}

impl Place {
    /// Line number `line` of a file, counted from 1, and its text without the indentation.
    pub fn new(file: impl Into<String>, line: u32, text: impl Into<String>) -> Self {
        Self { file: file.into(), line, text: text.into() }
    }
}

/// What one thread did.
///
/// ```
/// use zen_trace::recording::Thread;
///
/// let thread = Thread::new(4711, "zen-mio-0", 1_000_000, 9_000_000);
/// assert!(thread.steps.is_empty() && thread.lost == 0 && thread.run_delay_ns.is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Thread {
    /// The system's number of the thread.
    pub id: u32,
    /// The thread's name.
    pub name: String,
    /// The steps, in the order of time.
    pub steps: Vec<Entry>,
    /// How many steps were not recorded because the buffer had no room.
    pub lost: u64,
    /// When the scheduler started and stopped the thread, in the order of time; empty where that is
    /// not known.
    pub switches: Vec<Switch>,
    /// When the thread's recording began.
    pub started_ns: u64,
    /// When it ended.
    pub ended_ns: u64,
    /// How long the thread ran on a CPU in between, in nanoseconds.
    pub cpu_ns: u64,
    /// By how much `cpu_ns` can be wrong beside the resolution of the clock, in nanoseconds: what
    /// is read of another process is not of this moment, and to watch it costs it something. Zero
    /// for a thread that reads its own clock.
    #[serde(default)]
    pub cpu_error_ns: u64,
    /// How long it was ready to run and had no CPU, in nanoseconds; `None` where the system does
    /// not say.
    pub run_delay_ns: Option<u64>,
}

impl Thread {
    /// A thread whose recording began and ended at these moments, and of which nothing else is
    /// known.
    pub fn new(id: u32, name: impl Into<String>, started_ns: u64, ended_ns: u64) -> Self {
        Self { id, name: name.into(), started_ns, ended_ns, ..Self::default() }
    }
}

/// One step that a thread took. It lasts until the thread's next one.
///
/// ```
/// use zen_server::Step;
/// use zen_trace::recording::Entry;
///
/// /// Whether a step belongs to a conversation.
/// fn is_of(entry: &Entry, number: u64) -> bool {
///     entry.conversation == Some(number)
/// }
///
/// assert!(is_of(&Entry::new(0, 0, Step::Answering).with_conversation(7).with_place(3), 7));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// When it began.
    pub wall_ns: u64,
    /// The thread's CPU clock then, in nanoseconds since the thread's start.
    pub cpu_ns: u64,
    /// The conversation that it belongs to; `None` for a step of the thread itself.
    pub conversation: Option<u64>,
    /// The step.
    pub step: Step,
    /// The index of its place in [`Recording::places`].
    pub place: u32,
}

impl Entry {
    /// A step that begins at `wall_ns`, when the thread's CPU clock shows `cpu_ns`: of the thread
    /// itself, at the first of the recording's places.
    pub fn new(wall_ns: u64, cpu_ns: u64, step: Step) -> Self {
        Self { wall_ns, cpu_ns, conversation: None, step, place: 0 }
    }

    /// Sets the number of the [`conversation`](Self::conversation) that the step belongs to.
    #[must_use]
    pub fn with_conversation(mut self, number: u64) -> Self {
        self.conversation = Some(number);
        self
    }

    /// Sets the index of its [`place`](Self::place).
    #[must_use]
    pub fn with_place(mut self, index: u32) -> Self {
        self.place = index;
        self
    }
}

/// A moment at which the scheduler started or stopped a thread.
///
/// ```
/// use zen_trace::recording::{Switch, SwitchKind};
///
/// /// How often a thread lost its CPU to another one.
/// fn preemptions(switches: &[Switch]) -> usize {
///     switches.iter().filter(|switch| switch.kind == SwitchKind::OutPreempted).count()
/// }
///
/// assert_eq!(preemptions(&[Switch::new(1_000, SwitchKind::OutPreempted)]), 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Switch {
    /// The moment.
    pub wall_ns: u64,
    /// What happened.
    pub kind: SwitchKind,
}

impl Switch {
    /// What happened at this moment.
    pub fn new(wall_ns: u64, kind: SwitchKind) -> Self {
        Self { wall_ns, kind }
    }
}

/// What the scheduler did with a thread.
///
/// ```
/// use zen_trace::recording::SwitchKind;
///
/// /// Whether the thread could go on if it had a CPU.
/// fn is_ready(kind: SwitchKind) -> bool {
///     kind != SwitchKind::OutBlocked
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "snake_case")]
pub enum SwitchKind {
    /// The thread got a CPU.
    In,
    /// The thread blocked, and needs no CPU until what it waits for has come.
    OutBlocked,
    /// The thread lost its CPU to another one, and waits for its turn.
    OutPreempted,
}

/// One conversation, from the moment at which it was accepted.
///
/// ```
/// use zen_trace::recording::Conversation;
/// use zen_proto::CloseReason;
///
/// let mut conversation = Conversation::new(7);
/// (conversation.opened_ns, conversation.closed_ns) = (Some(1_000), Some(44_000));
/// conversation.close_reason = Some(CloseReason::Finished);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Conversation {
    /// The number of its connection: unique in its server.
    pub number: u64,
    /// The address of its peer; `None` if the server did not say, or on a Unix socket.
    #[serde(default)]
    pub peer: Option<SocketAddr>,
    /// When the server accepted it; `None` if the server never did, or did not say.
    pub opened_ns: Option<u64>,
    /// When it was over for the server; `None` if it was not.
    pub closed_ns: Option<u64>,
    /// Why it ended; `None` if it did not, or if the server did not say.
    #[serde(with = "step_json::reason", default)]
    pub close_reason: Option<CloseReason>,
    /// What its client did, in the order of time; empty where the client was not recorded.
    pub client_spans: Vec<ClientSpan>,
}

impl Conversation {
    /// A conversation of which nothing but its number is known.
    pub fn new(number: u64) -> Self {
        Self { number, ..Self::default() }
    }
}

/// What a client did from one moment to another.
///
/// ```
/// use zen_trace::recording::{ClientSpan, ClientSpanKind};
///
/// /// How long a client waited for its answers, in nanoseconds.
/// fn waited_ns(spans: &[ClientSpan]) -> u64 {
///     let waiting = spans.iter().filter(|span| span.kind == ClientSpanKind::Waiting);
///     waiting.map(|span| span.to_ns - span.from_ns).sum()
/// }
///
/// assert_eq!(waited_ns(&[ClientSpan::new(1_000, 4_000, ClientSpanKind::Waiting)]), 3_000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClientSpan {
    /// When it began.
    pub from_ns: u64,
    /// When it ended.
    pub to_ns: u64,
    /// What it was.
    pub kind: ClientSpanKind,
}

impl ClientSpan {
    /// What a client did between these moments.
    pub fn new(from_ns: u64, to_ns: u64, kind: ClientSpanKind) -> Self {
        Self { from_ns, to_ns, kind }
    }
}

/// What a client does.
///
/// ```
/// use zen_trace::recording::ClientSpanKind;
///
/// /// Whether the server could do something for the client.
/// fn is_the_servers_turn(kind: ClientSpanKind) -> bool {
///     kind == ClientSpanKind::Waiting
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "snake_case")]
pub enum ClientSpanKind {
    /// It connects. The system answers for the server, so this says little about the server.
    Connecting,
    /// It thinks about its next question.
    Thinking,
    /// It has asked, and waits for the answer.
    Waiting,
}
