//! A recording, put together from what the threads have written.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::panic::Location;
use std::sync::atomic::Ordering::Relaxed;

use zen_server::{Source, Step};

use super::Shared;
use super::blocks::{Record, RecordedStep};
use super::clocks::{Moment, Scheduled, resolution_ns, thread_id, wall_ns};
use super::threads::RecordedThread;
use crate::Recording;
use crate::recording::{Conversation, Entry, Place, Thread};

/// What was recorded. If it is taken, its steps are forgotten.
pub(super) fn assemble(shared: &Shared, name: String, is_taken: bool) -> Recording {
    let mut places = Places::new(shared.sources().clone());
    let mut peers = BTreeMap::new();
    let mut recording = Recording::new(name);
    recording.clock_ns = resolution_ns();
    recording.cost_per_step_ns = shared.cost_per_step_ns;
    // Copied, so that a thread that takes its first step need not wait.
    let threads = shared.threads().clone();
    let assembled = threads.iter().filter_map(|it| thread(shared, it, is_taken, &mut places, &mut peers));
    recording.threads = assembled.collect();
    if is_taken {
        shared.threads().retain(|thread| thread.written().ended.is_none());
    }
    let lost = if is_taken { shared.lost.swap(0, Relaxed) } else { shared.lost.load(Relaxed) };
    if lost > 0 {
        // They must not make the recording longer.
        let end = recording.threads.iter().map(|thread| thread.ended_ns).max().unwrap_or_else(wall_ns);
        let mut others = Thread::new(0, "threads without room", end, end);
        others.lost = lost;
        recording.threads.push(others);
    }
    recording.conversations = conversations(&recording.threads, &peers);
    recording.places = places.list;
    recording
}

/// What one thread has done, if it has taken a step.
fn thread(
    shared: &Shared,
    thread: &RecordedThread,
    is_taken: bool,
    places: &mut Places,
    peers: &mut BTreeMap<u64, SocketAddr>,
) -> Option<Thread> {
    let written = &mut *thread.written();
    let (began, scheduled_then) = written.began?;
    let mut blocks = shared.blocks();
    let mut steps = Vec::new();
    for record in blocks.kept(thread.number).chain(written.block.iter().flatten()) {
        match record {
            Record::Step(step) => steps.push(places.entry(step)),
            Record::Peer { conversation, address } => {
                peers.insert(*conversation, *address);
            }
        }
    }
    let (ended, scheduled) = written.ended.unwrap_or_else(|| now(thread.id, steps.last()));

    let mut it = Thread::new(thread.id, thread.name.clone(), began.wall_ns, ended.wall_ns);
    it.steps = steps;
    it.lost = written.lost;
    it.cpu_ns = ended.cpu_ns.saturating_sub(began.cpu_ns);
    it.run_delay_ns =
        scheduled.zip(scheduled_then).map(|(now, then)| now.delayed_ns.saturating_sub(then.delayed_ns));
    if is_taken {
        blocks.take_back(thread.number, written.block.take());
        (written.began, written.lost) = (None, 0);
    }
    Some(it)
}

/// The clocks of a thread that has not ended.
fn now(thread: u32, last: Option<&Entry>) -> (Moment, Option<Scheduled>) {
    let scheduled = Scheduled::of_thread(thread);
    if thread == thread_id() {
        return (Moment::now(), scheduled);
    }
    // Only the scheduler can say it of another thread, and says it some milliseconds late.
    let ran = scheduled.map_or(0, |scheduled| scheduled.ran_ns);
    let cpu_ns = ran.max(last.map_or(0, |entry| entry.cpu_ns));
    (Moment { wall_ns: wall_ns(), cpu_ns }, scheduled)
}

/// The places that have reported steps.
struct Places {
    sources: Vec<&'static [Source]>,
    list: Vec<Place>,
    indices: HashMap<&'static Location<'static>, u32>,
}

impl Places {
    fn new(sources: Vec<&'static [Source]>) -> Self {
        Self { sources, list: Vec::new(), indices: HashMap::new() }
    }

    fn entry(&mut self, step: &RecordedStep) -> Entry {
        Entry {
            wall_ns: step.wall_ns,
            cpu_ns: step.cpu_ns,
            conversation: (step.conversation > 0).then_some(step.conversation),
            step: step.step,
            place: self.index(step.place),
        }
    }

    fn index(&mut self, place: &'static Location<'static>) -> u32 {
        *self.indices.entry(place).or_insert_with(|| {
            let (file, line) = (place.file(), place.line());
            let known =
                self.sources.iter().copied().flatten().find_map(|source| source.step_line(file, line));
            let (line, text) = known.unwrap_or((line, ""));
            self.list.push(Place { file: file.into(), line, text: text.into() });
            // There are no more places than lines in a program.
            u32::try_from(self.list.len() - 1).unwrap_or(u32::MAX)
        })
    }
}

/// The conversations, with their peers, and with what the steps say of their begin and end.
fn conversations(threads: &[Thread], peers: &BTreeMap<u64, SocketAddr>) -> Vec<Conversation> {
    let mut by_number = BTreeMap::new();
    for entry in threads.iter().flat_map(|thread| &thread.steps) {
        let Some(number) = entry.conversation else { continue };
        let conversation = by_number.entry(number).or_insert_with(|| {
            let mut conversation = Conversation::new(number);
            conversation.peer = peers.get(&number).copied();
            conversation
        });
        match entry.step {
            Step::Accepted => conversation.opened_ns = Some(entry.wall_ns),
            Step::Closed(reason) => {
                conversation.closed_ns = Some(entry.wall_ns);
                conversation.close_reason = Some(reason);
            }
            _ => {}
        }
    }
    by_number.into_values().collect()
}
