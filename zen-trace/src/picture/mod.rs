//! What every picture shows: a lane for each thread and each conversation, on one time axis.
//!
//! Each server's axis starts when its first client comes. So servers that were recorded one after
//! another lie under each other, and are loaded by the same clients at the same places.

pub(crate) mod axis;

use crate::phases::{Activity, Cause, Phase, ServerPhases};
use crate::recording::{Recording, Thread, Trace};
use crate::sums::{Occupancy, ServerSum};

/// Servers under each other.
pub(crate) struct Picture<'a> {
    pub(crate) servers: Vec<ServerPicture<'a>>,
    /// How long the axis is, in nanoseconds: as long as the longest server needs.
    pub(crate) length_ns: u64,
}

/// One server's lanes.
pub(crate) struct ServerPicture<'a> {
    pub(crate) recording: &'a Recording,
    pub(crate) sum: ServerSum,
    /// The moment at which its axis starts.
    pub(crate) zero_ns: u64,
    /// The moment up to which it is shown.
    pub(crate) end_ns: u64,
    pub(crate) threads: Vec<Lane>,
    pub(crate) conversations: Vec<Lane>,
}

/// A thread or a conversation.
pub(crate) struct Lane {
    pub(crate) name: String,
    /// What it did, in the order of time. Outside of its phases, it was not there.
    pub(crate) phases: Vec<Phase>,
    /// `None` if it is not known.
    pub(crate) occupancy: Option<Occupancy>,
    /// Its client was never served.
    pub(crate) starved: bool,
}

impl<'a> Picture<'a> {
    pub(crate) fn new(trace: &'a Trace) -> Self {
        let servers: Vec<_> = trace.servers.iter().map(ServerPicture::new).collect();
        let length_ns = servers.iter().map(|server| server.end_ns - server.zero_ns).max().unwrap_or(0).max(1);
        Self { servers, length_ns }
    }
}

impl<'a> ServerPicture<'a> {
    fn new(recording: &'a Recording) -> Self {
        let phases = ServerPhases::new(recording);
        let sum = ServerSum::of_phases(recording, &phases);
        let clients = recording.conversations.iter().filter_map(|known| {
            let spans = &known.client_spans;
            Some((spans.first()?.from_ns, spans.last()?.to_ns))
        });
        let lanes = phases.conversations.iter().map(|lane| (lane.from_ns, lane.to_ns));
        let window = lanes.chain(clients).reduce(|(from, to), other| (from.min(other.0), to.max(other.1)));
        // Without a conversation, there is only the server to show.
        let (zero_ns, end_ns) = window.unwrap_or((phases.from_ns, phases.to_ns));
        let threads = recording.threads.iter().zip(phases.threads).zip(&sum.per_thread);
        let threads = threads
            .map(|((thread, lane), sum)| Lane {
                name: thread_name(thread),
                phases: lane.phases,
                occupancy: Some(Occupancy { share: sum.occupancy, bound: sum.occupancy_bound }),
                starved: false,
            })
            .collect();
        let conversations = phases.conversations.into_iter().zip(&sum.per_conversation);
        let conversations = conversations
            .map(|(lane, sum)| Lane {
                name: format!("#{}", lane.number),
                phases: lane.in_line.into_iter().chain(lane.phases).collect(),
                occupancy: sum.occupancy(),
                starved: !lane.accepted,
            })
            .collect();
        Self { recording, sum, zero_ns, end_ns: end_ns.max(zero_ns), threads, conversations }
    }
}

/// A thread's name, without what all threads of the project's servers begin with.
fn thread_name(thread: &Thread) -> String {
    let name = thread.name.strip_prefix("zen-").unwrap_or(&thread.name);
    if name.is_empty() { thread.id.to_string() } else { name.to_owned() }
}

/// What a phase looks like. Several causes look the same, because a reader wants to know whom the
/// server waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Look {
    /// The server computes.
    Computing,
    /// The server waits for its clients.
    Peer,
    /// The client is connected and the server has not accepted it.
    InLine,
    /// There is something to do, and the server, or the machine, does something else.
    Turn,
    /// The server waits for something of its own.
    Own,
    /// A thread of a server that is watched from outside is blocked: it may wait for a client, for
    /// its disk, for anything.
    Blocked,
    /// What happens is not known.
    Unknown,
}

impl Look {
    pub(crate) const ALL: [Self; 7] =
        [Self::Computing, Self::Peer, Self::InLine, Self::Turn, Self::Own, Self::Blocked, Self::Unknown];

    pub(crate) fn for_activity(activity: Activity) -> Self {
        let cause = match activity {
            Activity::Computing => return Self::Computing,
            Activity::Waiting(cause) => cause,
        };
        match cause {
            Cause::Client | Cause::Question | Cause::Room | Cause::Close => Self::Peer,
            Cause::Accept => Self::InLine,
            Cause::Turn | Cause::Cpu | Cause::Server => Self::Turn,
            Cause::Answer | Cause::Service | Cause::Slot => Self::Own,
            Cause::Blocked => Self::Blocked,
            Cause::Other | Cause::NotRecorded => Self::Unknown,
        }
    }

    /// What it means, as a legend says it.
    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::Computing => "computes",
            Self::Peer => "waits for its client",
            Self::InLine => "in line, not accepted yet",
            Self::Turn => "has work, waits for its turn",
            Self::Own => "waits for its service",
            Self::Blocked => "blocked (cause not known)",
            Self::Unknown => "not known",
        }
    }
}
