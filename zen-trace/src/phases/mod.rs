//! What threads and conversations did from moment to moment, as it follows from the steps.
//!
//! A step lasts until its thread's next one. In between, the thread computes for as long as its CPU
//! clock says. It waits for a CPU for as long as the scheduler says. For the rest it waits for what
//! the step waits for. A conversation whose thread has gone on to something else is still where its
//! own last step left it.
//!
//! Phases follow each other without a gap, so they add up to the time that they cover.

mod cause;
mod conversations;
mod idle;
mod split;
mod threads;

#[cfg(test)]
pub(crate) mod tests;

use crate::recording::Recording;

pub use self::cause::{Activity, Cause};

/// A stretch of time in which a thread or a conversation did one thing.
///
/// ```
/// use zen_trace::phases::{Activity, Phase};
///
/// /// How long a lane computes, in nanoseconds.
/// fn computing_ns(phases: &[Phase]) -> u64 {
///     let computing = phases.iter().filter(|phase| phase.activity == Activity::Computing);
///     computing.map(Phase::length_ns).sum()
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Phase {
    /// When it began, in nanoseconds of the monotonic clock.
    pub from_ns: u64,
    /// When it ended.
    pub to_ns: u64,
    /// What was done.
    pub activity: Activity,
    /// The step that it is a part of; `None` where no step is known.
    pub step: Option<StepIndex>,
}

impl Phase {
    /// How long it was, in nanoseconds.
    pub fn length_ns(&self) -> u64 {
        self.to_ns.saturating_sub(self.from_ns)
    }
}

/// A step in a recording: the thread's index in [`Recording::threads`], and the step's in
/// [`Thread::steps`](crate::recording::Thread::steps).
///
/// ```
/// use zen_trace::Recording;
/// use zen_trace::phases::StepIndex;
/// use zen_trace::recording::Entry;
///
/// /// The step itself, if it is of this recording.
/// fn entry(recording: &Recording, at: StepIndex) -> Option<&Entry> {
///     recording.threads.get(at.thread)?.steps.get(at.step)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct StepIndex {
    /// The thread's index.
    pub thread: usize,
    /// The step's index.
    pub step: usize,
}

/// How a time divides into computing and waiting.
///
/// ```
/// use zen_trace::phases::{Cause, Division};
///
/// /// Which share of the time is spent waiting for a CPU.
/// fn cpu_waits(division: &Division) -> f64 {
///     let waited = division.waiting_ns.get(&Cause::Cpu).copied().unwrap_or(0);
///     waited as f64 / division.total_ns().max(1) as f64
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Division {
    /// How long a thread computed, by its CPU clock, in nanoseconds.
    pub computing_ns: u64,
    /// How long it waited, by cause, in nanoseconds.
    pub waiting_ns: std::collections::BTreeMap<Cause, u64>,
    /// How many stretches of the CPU clock the computing is measured in. Each errs by less than the
    /// clock's resolution.
    pub stretches: u64,
    /// How many steps were recorded in it. Each costs what recording it costs, which is computing.
    pub steps: u64,
    /// By how much the computing can be wrong beside that, in nanoseconds: see
    /// [`Thread::cpu_error_ns`](crate::recording::Thread::cpu_error_ns).
    pub error_ns: u64,
}

impl Division {
    /// Everything together, in nanoseconds.
    pub fn total_ns(&self) -> u64 {
        self.waiting_ns.values().fold(self.computing_ns, |sum, &waited| sum.saturating_add(waited))
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.computing_ns = self.computing_ns.saturating_add(other.computing_ns);
        for (&cause, &waited) in &other.waiting_ns {
            self.wait(cause, waited);
        }
        self.stretches += other.stretches;
        self.steps += other.steps;
        self.error_ns = self.error_ns.saturating_add(other.error_ns);
    }

    fn wait(&mut self, cause: Cause, ns: u64) {
        if ns > 0 {
            let waited = self.waiting_ns.entry(cause).or_default();
            *waited = waited.saturating_add(ns);
        }
    }
}

/// What one thread did.
///
/// ```
/// use zen_trace::phases::ThreadPhases;
///
/// /// Phases follow each other without a gap.
/// fn is_complete(thread: &ThreadPhases) -> bool {
///     let lengths: u64 = thread.phases.iter().map(|phase| phase.length_ns()).sum();
///     lengths == thread.to_ns - thread.from_ns
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThreadPhases {
    /// When its recording began.
    pub from_ns: u64,
    /// When it ended.
    pub to_ns: u64,
    /// Its phases, from then to then.
    pub phases: Vec<Phase>,
    /// How its time divides. Amounts are from the clocks, and phases say where they lie: without
    /// the scheduler's switches, a step's computing is drawn before its waiting.
    pub division: Division,
}

/// What one conversation went through.
///
/// ```
/// use zen_trace::phases::ConversationPhases;
///
/// /// How long a question of this conversation took on average, in nanoseconds.
/// fn per_question_ns(conversation: &ConversationPhases) -> Option<u64> {
///     conversation.division.total_ns().checked_div(conversation.questions)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConversationPhases {
    /// The conversation's number.
    pub number: u64,
    /// When it was accepted, or if it never was, when its client connected.
    pub from_ns: u64,
    /// When it was over.
    pub to_ns: u64,
    /// How long its client was connected before it was accepted, where the client was recorded.
    pub in_line: Option<Phase>,
    /// Its phases, from `from_ns` to `to_ns`.
    pub phases: Vec<Phase>,
    /// How the time from `from_ns` to `to_ns` divides.
    pub division: Division,
    /// How many of its questions were answered.
    pub questions: u64,
    /// Whether it was accepted, as far as that is known.
    pub accepted: bool,
}

/// What one server did.
///
/// ```
/// use zen_server::Step;
/// use zen_trace::Recording;
/// use zen_trace::phases::ServerPhases;
/// use zen_trace::recording::{Entry, Thread};
///
/// let mut recording = Recording::new("mine");
/// let mut thread = Thread::new(1, "main", 0, 1_000);
/// thread.steps = vec![Entry::new(0, 0, Step::Idle)];
/// recording.threads.push(thread);
/// let phases = ServerPhases::new(&recording);
/// assert_eq!(phases.threads[0].division.total_ns(), 1_000, "all of the time is accounted for");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerPhases {
    /// When the first of its threads began.
    pub from_ns: u64,
    /// When the last of them ended.
    pub to_ns: u64,
    /// Its threads, in the recording's order.
    pub threads: Vec<ThreadPhases>,
    /// Its conversations, by number.
    pub conversations: Vec<ConversationPhases>,
}

impl ServerPhases {
    /// The phases of everything in a recording.
    pub fn new(recording: &Recording) -> Self {
        let idle = idle::causes(recording);
        let splits: Vec<_> =
            recording.threads.iter().zip(&idle).map(|(thread, idle)| split::thread(thread, idle)).collect();
        let placed: Vec<_> = recording
            .threads
            .iter()
            .zip(&splits)
            .enumerate()
            .map(|(index, (thread, splits))| threads::place(index, thread, splits))
            .collect();
        let conversations = conversations::all(recording, &splits, &placed);
        let threads: Vec<_> = placed.into_iter().map(|placed| placed.together).collect();
        let moments = threads.iter().map(|thread| (thread.from_ns, thread.to_ns));
        let (from_ns, to_ns) = moments
            .reduce(|(from, to), (other_from, other_to)| (from.min(other_from), to.max(other_to)))
            .unwrap_or_default();
        Self { from_ns, to_ns, threads, conversations }
    }
}
