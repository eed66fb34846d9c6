//! The threads that take steps: what each has recorded, and how a thread finds its own part.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use zen_server::Step;

use super::Shared;
use super::blocks::{BLOCK, Block, Record, RecordedStep};
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
        let Some(block) = self.room(written, shared) else {
            written.lost += 1;
            return;
        };
        let Moment { wall_ns, cpu_ns } = Moment::now();
        block.push(Record::Step(RecordedStep { wall_ns, cpu_ns, conversation, step, place }));
    }

    /// Notes a conversation's peer. If there is no room for that, there is none for the step that
    /// follows, which is counted.
    fn note_peer(&self, shared: &Shared, conversation: u64, address: SocketAddr) {
        if let Some(block) = self.room(&mut self.written(), shared) {
            block.push(Record::Peer { conversation, address });
        }
    }

    /// The block to write the next record to, if there is room.
    fn room<'a>(&self, written: &'a mut Written, shared: &Shared) -> Option<&'a mut Block> {
        if written.began.is_none() {
            let scheduled = Scheduled::of_thread(self.id);
            written.began = Some((Moment::now(), scheduled));
        }
        if written.block.as_ref().is_none_or(|block| block.len() == BLOCK) {
            let mut blocks = shared.blocks();
            let free = blocks.take()?;
            if let Some(full) = written.block.replace(free) {
                blocks.keep(self.number, full);
            }
        }
        written.block.as_mut()
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

/// Writes a step of the calling thread.
pub(super) fn write(shared: &Arc<Shared>, subject: Subject, step: Step, place: &'static Location<'static>) {
    if !with_part(shared, |part| part.write(shared, subject, step, place)) {
        shared.lose(1);
    }
}

/// Notes the address of a conversation's peer, on the thread that is about to take its first step.
pub(super) fn note_peer(shared: &Arc<Shared>, conversation: u64, address: SocketAddr) {
    with_part(shared, |part| part.note_peer(shared, conversation, address));
}

/// Calls `write` with the calling thread's part of the recorder. The first call of a thread makes
/// the part, and takes memory for that. No other call does. Returns false if the thread has ended
/// but for what it drops last.
fn with_part(shared: &Arc<Shared>, write: impl FnOnce(&RecordedThread)) -> bool {
    let written = PARTS.try_with(|parts| {
        let parts = &mut parts.borrow_mut().0;
        let is_mine = |part: &Arc<RecordedThread>| part.recorder.as_ptr() == Arc::as_ptr(shared);
        let index = parts.iter().position(is_mine).unwrap_or_else(|| {
            parts.retain(|part| part.recorder.strong_count() > 0);
            parts.push(shared.add_thread());
            parts.len() - 1
        });
        write(&parts[index]);
    });
    written.is_ok()
}
