//! What a thread or a conversation can be doing, and what it can be waiting for.

use serde::{Deserialize, Serialize};
use zen_server::Step;

/// What is done in a phase.
///
/// ```
/// use zen_trace::phases::{Activity, Cause};
///
/// let waits = Activity::Waiting(Cause::Question);
/// assert_ne!(waits, Activity::Computing);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Activity {
    /// A thread runs on a CPU.
    Computing,
    /// A thread or a conversation waits.
    Waiting(Cause),
}

macro_rules! causes {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal, $says:literal;)*) => {
        /// What is waited for.
        ///
        /// ```
        /// use zen_trace::phases::Cause;
        ///
        /// assert_eq!((Cause::Cpu.name(), Cause::Cpu.says()), ("cpu", "for a CPU"));
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        #[serde(rename_all = "snake_case")]
        pub enum Cause {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Cause {
            /// Every cause, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name used in files, in `snake_case`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What is waited for, as it follows "waiting": `for its question`.
            pub const fn says(self) -> &'static str {
                match self { $(Self::$variant => $says,)* }
            }
        }
    };
}

causes! {
    /// For a client to come.
    Client = "client", "for a client";
    /// For being accepted: the client has connected, and the server has not taken it on.
    Accept = "accept", "to be accepted";
    /// For the peer's question, or for the rest of one.
    Question = "question", "for its question";
    /// For the peer to take what was sent, so that there is room for more.
    Room = "room", "for room to write";
    /// For an answer that the service gives later.
    Answer = "answer", "for a deferred answer";
    /// Within the service, which blocks: it sleeps, or waits for something of its own.
    Service = "service", "for the service";
    /// For its turn: there is something to do for the conversation, and its thread serves others.
    Turn = "turn", "for its turn";
    /// For a CPU: the thread could run, and the scheduler runs others.
    Cpu = "cpu", "for a CPU";
    /// For a connection to be closed, or for the pause after a failed accept, before it accepts the
    /// next one.
    Slot = "slot", "for a free slot";
    /// For the peer to close.
    Close = "close", "for the peer to close";
    /// For the server, as its client saw it: asked and not yet answered. Whether the server
    /// computes meanwhile is not known.
    Server = "server", "for the server";
    /// For something that the server does not report: it is watched from outside.
    Blocked = "blocked", "for what it does not say";
    /// Stopped by something that no step explains: an interrupt, a page fault, a lock.
    Other = "other", "for something else";
    /// Not recorded: the buffer was full, or the thread served conversations that are not recorded.
    NotRecorded = "not_recorded", "for what was not recorded";
}

impl Cause {
    /// The waiting in words: `waiting for its question`.
    ///
    /// ```
    /// use zen_trace::phases::Cause;
    ///
    /// assert_eq!(Cause::Room.described(), "waiting for room to write");
    /// assert_eq!(Cause::Blocked.described(), "blocked (cause not known)");
    /// ```
    pub fn described(self) -> String {
        match self {
            Self::Blocked => "blocked (cause not known)".to_owned(),
            cause => format!("waiting {}", cause.says()),
        }
    }

    /// What a thread that takes this step waits for whenever it does not compute; `None` for a step
    /// that never blocks. What an idle thread waits for depends on its conversations.
    pub(super) fn within(step: Step, idle: Self) -> Option<Self> {
        match step {
            Step::Accepting => Some(Self::Client),
            Step::WaitingForSlot => Some(Self::Slot),
            Step::Idle => Some(idle),
            Step::ServingOthers => Some(Self::NotRecorded),
            // A service may sleep.
            Step::Opening | Step::Answering => Some(Self::Service),
            // Where `write` blocks, it waits for room.
            Step::Writing => Some(Self::Room),
            step => Self::between(step),
        }
    }

    /// What a conversation waits for after its thread has left it in this step; `None` if it does
    /// not say.
    pub(super) fn between(step: Step) -> Option<Self> {
        match step {
            Step::WaitingForQuestion => Some(Self::Question),
            Step::WaitingForRoom => Some(Self::Room),
            Step::WaitingForAnswer => Some(Self::Answer),
            Step::WaitingForTurn => Some(Self::Turn),
            Step::Finishing => Some(Self::Close),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_files() {
        for cause in Cause::ALL {
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.name());
        }
    }
}
