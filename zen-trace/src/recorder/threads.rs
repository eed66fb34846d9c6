//! The threads that take steps: what each has recorded, and how a thread finds its own part.

use std::cell::RefCell;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use zen_server::Step;

use super::Shared;
use super::blocks::{BLOCK, Block, Recorded};
use super::clocks::{Moment, Scheduled, thread_id};

/// Whose step it is that a thread takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// The thread's own.
    Thread,
    /// That of the conversation with this number.
    Conversation(u64),
    /// That of a conversation that is not recorded.
    Others,
}

/// One thread's part of a recorder.
#[derive(Debug)]
pub(super) struct RecordedThread {
    /// Unlike the system's number of it, no later thread has the same.
    pub(super) number: u64,
    pub(super) id: u32,
    pub(super) name: String,
    recorder: Weak<Shared>,
    written: Mutex<Written>,
}

/// What a thread has written, and the times around it.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The block that it writes to.
    pub(super) block: Option<Block>,
    /// How many steps found no room.
    pub(super) lost: u64,
    /// When the first step was written, and what the scheduler had said of the thread by then.
    pub(super) began: Option<(Moment, Option<Scheduled>)>,
    /// The same of its end, once it has ended.
    pub(super) ended: Option<(Moment, Option<Scheduled>)>,
    /// The last step was that of a conversation that is not recorded.
    at_others: bool,
}

impl RecordedThread {
    pub(super) fn new(number: u64, recorder: &Arc<Shared>) -> Self {
        let current = thread::current();
        Self {
            number,
            id: thread_id(),
            name: current.name().unwrap_or("unnamed").to_owned(),
            recorder: Arc::downgrade(recorder),
            written: Mutex::default(),
        }
    }

    /// Only its own thread writes, so this waits only while the steps are copied out.
    pub(super) fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, shared: &Shared, subject: Subject, step: Step, place: &'static Location<'static>) {
        let written = &mut *self.written();
        let (conversation, step) = match subject {
            Subject::Thread => (0, step),
            Subject::Conversation(number) => (number, step),
            // One step says that the thread has gone there. What it does there is not recorded.
            Subject::Others if written.at_others => return,
            Subject::Others => (0, Step::ServingOthers),
        };
        written.at_others = subject == Subject::Others;
        if written.began.is_none() {
            let scheduled = Scheduled::of_thread(self.id);
            written.began = Some((Moment::now(), scheduled));
        }
        if written.block.as_ref().is_none_or(|block| block.len() == BLOCK) {
            let mut blocks = shared.blocks();
            let Some(free) = blocks.take() else {
                written.lost += 1;
                return;
            };
            if let Some(full) = written.block.replace(free) {
                blocks.keep(self.number, full);
            }
        }
        if let Some(block) = &mut written.block {
            let Moment { wall_ns, cpu_ns } = Moment::now();
            block.push(Recorded { wall_ns, cpu_ns, conversation, step, place });
        }
    }

    fn end(&self) {
        let ended = Some((Moment::now(), Scheduled::of_thread(self.id)));
        let mut written = self.written();
        written.ended = ended;
        let wrote_nothing = written.block.is_none();
        let lost = written.lost;
        drop(written);
        if wrote_nothing && let Some(shared) = self.recorder.upgrade() {
            shared.forget(self.number, lost);
        }
    }
}

/// The calling thread's parts of the recorders that it has taken steps for: more than one if
/// several servers run in one process.
struct Parts(Vec<Arc<RecordedThread>>);

impl Drop for Parts {
    fn drop(&mut self) {
        for part in &self.0 {
            part.end();
        }
    }
}

thread_local! {
    static PARTS: RefCell<Parts> = const { RefCell::new(Parts(Vec::new())) };
}

/// Writes a step of the calling thread. Its first step for this recorder makes its part, and takes
/// memory for that. No other step does.
pub(super) fn write(shared: &Arc<Shared>, subject: Subject, step: Step, place: &'static Location<'static>) {
    let written = PARTS.try_with(|parts| {
        let parts = &mut parts.borrow_mut().0;
        let is_mine = |part: &Arc<RecordedThread>| part.recorder.as_ptr() == Arc::as_ptr(shared);
        let index = parts.iter().position(is_mine).unwrap_or_else(|| {
            parts.retain(|part| part.recorder.strong_count() > 0);
            parts.push(shared.add_thread());
            parts.len() - 1
        });
        parts[index].write(shared, subject, step, place);
    });
    if written.is_err() {
        // The thread has ended but for what it drops last.
        shared.lose(1);
    }
}
