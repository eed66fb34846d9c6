//! The recorder: an observer that keeps each step, for a [`Recording`].

mod assembly;
mod blocks;
pub(crate) mod clocks;
mod threads;

#[cfg(test)]
mod tests;

use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zen_proto::Address;
use zen_server::{ConversationId, Observer, Source, Step};

use self::blocks::Blocks;
use self::threads::{RecordedThread, Subject};
use crate::Recording;

/// Records the steps of a server: give it a clone with `with_observer`, and take a [`Recording`] at
/// any time, from any thread.
///
/// ```
/// use std::io;
/// use zen_server::{RunServer, Server};
/// use zen_trace::{Recorder, Recording};
///
/// /// Runs a server of any flavor until it is stopped.
/// fn run_recorded<S>(server: S) -> io::Result<Recording>
/// where
///     S: Server,
///     S::WithObserver<Recorder>: RunServer,
/// {
///     let recorder = Recorder::new(1_000_000);
///     server.with_observer(recorder.clone()).run()?;
///     Ok(recorder.recording("mine"))
/// }
/// ```
///
/// Clones record into the same buffer. All of its memory is taken when the recorder is made, 48
/// bytes a step and as many for the address of a conversation's peer. A thread takes some more for
/// itself at its first step, and nothing later. What finds no room is counted:
/// [`Thread::lost`](crate::recording::Thread::lost). The buffer does not depend on the server: the
/// recording is there even if the server has panicked.
///
/// A step costs the thread some hundred nanoseconds, most of which are its CPU clock's.
/// [`Recording::cost_per_step_ns`] says how many, measured when the recorder is made.
///
/// # A server in production
///
/// A recorder that is [`off`](Self::off) costs a step little more than a look at a flag.
/// [`record_next`](Self::record_next) switches it on for so many conversations, while the server
/// runs, and [`take`](Self::take) makes room for the next ones.
///
/// ```
/// use zen_trace::Recorder;
///
/// let recorder = Recorder::off(100_000);
/// // A server runs with a clone of it. Once something is to be looked at:
/// recorder.record_next(20);
/// assert!(recorder.is_recording());
/// // When it no longer is:
/// let recording = recorder.take("the 20 conversations after 9:00");
/// # assert!(recording.threads.is_empty());
/// ```
#[derive(Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
    subject: Subject,
}

/// What the clones of a recorder share.
#[derive(Debug)]
struct Shared {
    /// How many more conversations to record.
    to_record: AtomicU64,
    /// How many observers of recorded conversations there are.
    recorded: AtomicU64,
    blocks: Mutex<Blocks>,
    threads: Mutex<Vec<Arc<RecordedThread>>>,
    threads_so_far: AtomicU64,
    /// Steps that were lost by threads which have recorded nothing.
    lost: AtomicU64,
    sources: Mutex<Vec<&'static [Source]>>,
    cost_per_step_ns: f64,
}

/// How many conversations are all of them.
const ALL: u64 = u64::MAX;

impl Recorder {
    /// A recorder of everything, with room for this many steps or a few more.
    pub fn new(steps: usize) -> Self {
        Self::with(steps, ALL)
    }

    /// A recorder with room for this many steps or a few more. It records nothing until
    /// [`record_next`](Self::record_next).
    pub fn off(steps: usize) -> Self {
        Self::with(steps, 0)
    }

    fn with(steps: usize, to_record: u64) -> Self {
        let cost_per_step_ns = cost_per_step_ns();
        Self { shared: Arc::new(Shared::new(steps, to_record, cost_per_step_ns)), subject: Subject::Thread }
    }

    /// Records the next `conversations` that begin, and what threads do for themselves until the
    /// last of these has ended. What threads do for other conversations is one step,
    /// [`Step::ServingOthers`], as long as it lasts.
    pub fn record_next(&self, conversations: u64) {
        self.shared.to_record.store(conversations, Relaxed);
    }

    /// Whether conversations are still to be recorded, or some that are recorded are not over.
    pub fn is_recording(&self) -> bool {
        self.shared.is_recording()
    }

    /// What was recorded so far.
    pub fn recording(&self, name: impl Into<String>) -> Recording {
        assembly::assemble(&self.shared, name.into(), false)
    }

    /// What was recorded so far, which the recorder then forgets, to make room for more.
    pub fn take(&self, name: impl Into<String>) -> Recording {
        assembly::assemble(&self.shared, name.into(), true)
    }
}

impl Shared {
    fn new(steps: usize, to_record: u64, cost_per_step_ns: f64) -> Self {
        Self {
            to_record: AtomicU64::new(to_record),
            recorded: AtomicU64::new(0),
            blocks: Mutex::new(Blocks::new(steps)),
            threads: Mutex::default(),
            threads_so_far: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            sources: Mutex::default(),
            cost_per_step_ns,
        }
    }

    fn is_recording(&self) -> bool {
        self.to_record.load(Relaxed) > 0 || self.recorded.load(Relaxed) > 0
    }

    /// Whether a conversation that begins is to be recorded.
    fn admits(&self) -> bool {
        let one_less = |left: u64| if left == ALL { Some(ALL) } else { left.checked_sub(1) };
        self.to_record.fetch_update(Relaxed, Relaxed, one_less).is_ok()
    }

    fn add_thread(self: &Arc<Self>) -> Arc<RecordedThread> {
        let thread = Arc::new(RecordedThread::new(self.threads_so_far.fetch_add(1, Relaxed), self));
        self.threads().push(Arc::clone(&thread));
        thread
    }

    /// A thread that has recorded nothing has ended.
    fn forget(&self, thread: u64, lost: u64) {
        self.lose(lost);
        self.threads().retain(|other| other.number != thread);
    }

    fn lose(&self, steps: u64) {
        self.lost.fetch_add(steps, Relaxed);
    }

    fn blocks(&self) -> MutexGuard<'_, Blocks> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn threads(&self) -> MutexGuard<'_, Vec<Arc<RecordedThread>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sources(&self) -> MutexGuard<'_, Vec<&'static [Source]>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Recorder {
    fn add_sources(&self, sources: &'static [Source]) {
        self.shared.sources().push(sources);
    }

    fn for_conversation(&self, id: ConversationId, remote: &Address) -> Self {
        let shared = Arc::clone(&self.shared);
        let subject = if shared.admits() {
            shared.recorded.fetch_add(1, Relaxed);
            if let Address::Ip(address) = remote {
                threads::note_peer(&shared, id.number(), *address);
            }
            Subject::Conversation(id.number())
        } else {
            Subject::Others
        };
        Self { shared, subject }
    }

    fn step(&self, step: Step) {
        if matches!(self.subject, Subject::Conversation(_)) || self.shared.is_recording() {
            threads::write(&self.shared, self.subject, step, Location::caller());
        }
    }
}

impl Clone for Recorder {
    fn clone(&self) -> Self {
        if let Subject::Conversation(_) = self.subject {
            self.shared.recorded.fetch_add(1, Relaxed);
        }
        Self { shared: Arc::clone(&self.shared), subject: self.subject }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Subject::Conversation(_) = self.subject {
            self.shared.recorded.fetch_sub(1, Relaxed);
        }
    }
}

/// What a step costs the thread that takes it: the median of some batches, since other programs
/// may interrupt one or the other.
fn cost_per_step_ns() -> f64 {
    const BATCHES: usize = 15;
    const STEPS: u32 = 200;
    let shared = Shared::new(BATCHES * STEPS as usize, ALL, 0.0);
    let recorder = Recorder { shared: Arc::new(shared), subject: Subject::Conversation(1) };
    recorder.shared.recorded.fetch_add(1, Relaxed);
    let mut batches = [0; BATCHES];
    for batch in &mut batches {
        let start = clocks::wall_ns();
        for _ in 0..STEPS {
            recorder.step(Step::Answering);
        }
        *batch = clocks::wall_ns() - start;
    }
    batches.sort_unstable();
    // A batch takes far less than the 52 days that a mantissa has nanoseconds for.
    let median = u32::try_from(batches[BATCHES / 2]).unwrap_or(u32::MAX);
    f64::from(median) / f64::from(STEPS)
}
