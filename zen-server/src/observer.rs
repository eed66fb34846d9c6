//! The observer: what a server's drivers report their steps to.

use zen_proto::{Address, CloseReason, Peer};

use crate::Source;

/// Receives each step of a server, at the moment when the step begins.
///
/// The drivers report to it, and [`Setup`](crate::Setup) carries it. It is chosen at compile time:
/// with [`Silent`], the default, a server is the same machine code as one that reports nothing.
///
/// A server has one observer for its threads, and makes another of it for each conversation. Both
/// are called on the thread that takes the step.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
/// use zen_proto::Address;
/// use zen_server::{ConversationId, Observer, Step};
///
/// /// Counts the writes of all conversations.
/// #[derive(Clone, Default)]
/// struct CountWrites(Arc<AtomicUsize>);
///
/// impl Observer for CountWrites {
///     fn for_conversation(&self, _: ConversationId, _: &Address) -> Self {
///         self.clone()
///     }
///
///     fn step(&self, step: Step) {
///         if let Step::Writing = step {
///             self.0.fetch_add(1, Relaxed);
///         }
///     }
/// }
///
/// let observer = CountWrites::default();
/// observer.for_conversation(ConversationId::new(1), &Address::Unknown).step(Step::Writing);
/// assert_eq!(observer.0.load(Relaxed), 1);
/// ```
///
/// How a driver reports:
///
/// ```
/// use zen_server::{Observer, Session, Source, Step};
///
/// fn report<O: Observer>(observer: &O, session: &Session<impl zen_proto::Framing>) {
///     // Once for each server: the text of the lines that report.
///     const SOURCES: &[Source] = &[Source::new(file!(), "drive.rs", "")];
///     observer.add_sources(SOURCES);
///     observer.step(Step::Answering);
///     // Nothing is counted for an observer that is silent.
///     observer.step_with(|| Step::Answered(session.tally().questions));
/// }
/// ```
pub trait Observer: Clone + Send + Sync + 'static {
    /// Whether the observer ignores all steps. A server may then skip the work of reporting those
    /// whose report is not free.
    const IS_SILENT: bool = false;

    /// A server that starts gives the text of its drivers, so that a place can be shown with its
    /// line. The default ignores it.
    fn add_sources(&self, sources: &'static [Source]) {
        let _ = sources;
    }

    /// The observer of one conversation, whose peer is at `remote`. Called once for each, before
    /// its first step.
    #[must_use]
    fn for_conversation(&self, id: ConversationId, remote: &Address) -> Self;

    /// The calling thread begins `step`: of the conversation that this observer was made for, or
    /// else of its own. [`Location::caller`](std::panic::Location::caller) is the place in the
    /// driver.
    #[track_caller]
    fn step(&self, step: Step);

    /// The same, for a step that takes effort to find out: none is made if nobody listens.
    #[inline]
    #[track_caller]
    fn step_with(&self, step: impl FnOnce() -> Step) {
        if !Self::IS_SILENT {
            self.step(step());
        }
    }
}

/// The observer that does nothing.
///
/// ```
/// use zen_server::{Observer, Silent};
///
/// // A connection keeps one, which takes no memory.
/// assert_eq!(size_of::<Silent>(), 0);
/// assert!(Silent::IS_SILENT);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Silent;

// Gone before the compiler weighs what is worth inlining, so that nothing else is compiled
// differently.
#[allow(clippy::inline_always)]
impl Observer for Silent {
    const IS_SILENT: bool = true;

    #[inline(always)]
    fn for_conversation(&self, _: ConversationId, _: &Address) -> Self {
        Self
    }

    #[inline(always)]
    fn step(&self, _: Step) {}

    #[inline(always)]
    fn step_with(&self, _: impl FnOnce() -> Step) {}
}

/// Which conversation a step belongs to: the number of its connection, which no other conversation
/// of the server ever has.
///
/// ```
/// use zen_proto::Peer;
/// use zen_server::ConversationId;
///
/// assert_eq!(ConversationId::new(7).number(), 7);
/// assert_eq!(ConversationId::from(&Peer::default()).number(), 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationId(u64);

impl ConversationId {
    /// The conversation on connection number `connection`, as in [`Peer::connection`].
    pub fn new(connection: u64) -> Self {
        Self(connection)
    }

    /// The number of the connection: counted from 1 in the order of acceptance.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl From<&Peer> for ConversationId {
    fn from(peer: &Peer) -> Self {
        Self(peer.connection)
    }
}

/// What a thread does, from the moment at which this is reported until the thread's next step.
///
/// A conversation whose thread has gone on to something else is still where its own last step left
/// it. So each driver reports what a conversation waits for before it leaves it.
///
/// ```
/// use zen_server::Step;
///
/// /// Whether the thread waits for a client, rather than works for one.
/// fn is_waiting(step: Step) -> bool {
///     use Step::{Accepting, Idle, WaitingForQuestion, WaitingForRoom};
///     matches!(step, Accepting | Idle | WaitingForQuestion | WaitingForRoom)
/// }
///
/// assert!(is_waiting(Step::Idle) && !is_waiting(Step::Answering));
/// assert_eq!(Step::Wrote(24).name(), "wrote");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// A thread asks for the next connection. Where `accept` blocks, it waits for a client here.
    Accepting,
    /// A thread accepts nothing until a connection is closed, or until the pause after a failed
    /// accept is over.
    WaitingForSlot,
    /// A thread waits for whatever comes first: a connection, the peer of any conversation, a
    /// deadline, another thread.
    Idle,
    /// That wait is over, and the thread looks at what has come.
    Woken,
    /// A thread serves conversations that are not recorded. An observer that listens to some only
    /// says so; no driver does.
    ServingOthers,
    /// A connection was accepted: the conversation's first step.
    Accepted,
    /// The conversation is given to its service, on the thread that serves it.
    Opening,
    /// It waits for the peer's next question, or for the rest of one. Where `read` blocks, its
    /// thread waits with it.
    WaitingForQuestion,
    /// It asks the system for what has come, and does not wait.
    Reading,
    /// This many bytes came, and are taken in. Zero means that the peer will send no more.
    Read(usize),
    /// Questions are cut from what has come, and the service answers them.
    Answering,
    /// This many questions were answered, or handed out to be answered later.
    Answered(u64),
    /// Its answers are given to the system. Where `write` blocks, it waits for room here.
    Writing,
    /// The system took this many bytes.
    Wrote(usize),
    /// It waits for the peer to take what was sent to it, so that there is room for more.
    WaitingForRoom,
    /// It waits for an answer that the service gives later.
    WaitingForAnswer,
    /// There is more to do for it, but it has had its share for now, and others come first.
    WaitingForTurn,
    /// Everything is sent, and it waits for the peer to close.
    Finishing,
    /// It is over, and its socket is closed.
    Closed(CloseReason),
}

impl Step {
    /// The name used in files, in `snake_case`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepting => "accepting",
            Self::WaitingForSlot => "waiting_for_slot",
            Self::Idle => "idle",
            Self::Woken => "woken",
            Self::ServingOthers => "serving_others",
            Self::Accepted => "accepted",
            Self::Opening => "opening",
            Self::WaitingForQuestion => "waiting_for_question",
            Self::Reading => "reading",
            Self::Read(_) => "read",
            Self::Answering => "answering",
            Self::Answered(_) => "answered",
            Self::Writing => "writing",
            Self::Wrote(_) => "wrote",
            Self::WaitingForRoom => "waiting_for_room",
            Self::WaitingForAnswer => "waiting_for_answer",
            Self::WaitingForTurn => "waiting_for_turn",
            Self::Finishing => "finishing",
            Self::Closed(_) => "closed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_listens_for_nothing() {
        let peer = Peer::new(Address::Unknown, Address::Unknown, 7);
        let id = ConversationId::from(&peer);
        Silent.for_conversation(id, &peer.remote).step(Step::Idle);
        assert_eq!(id.number(), 7);
        assert_eq!(size_of::<Silent>(), 0, "a connection keeps one");
    }
}
