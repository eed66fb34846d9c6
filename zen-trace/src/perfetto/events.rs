//! What is on the tracks: slices for visits, steps and phases, and the scheduler's switches.

use zen_server::Step;

use super::fields::{annotation, event, ftrace, process, source, switch, thread, track};
use super::flows::{Through, flows};
use super::message::Message;
use crate::phases::{Activity, ConversationPhases, Phase, ServerPhases, StepIndex};
use crate::recording::{Entry, Recording, SwitchKind, Thread};

/// An event, without its moment.
pub(super) enum Event {
    /// A `TrackEvent`.
    Track(Message),
    /// An `FtraceEventBundle` with one switch.
    Scheduler(Message),
}

/// All tracks with what is on them.
#[derive(Default)]
pub(super) struct Tracks {
    /// `TrackDescriptor`s, each behind its parent.
    pub(super) descriptors: Vec<Message>,
    /// Events with their moments. Those of one track are in the order of time.
    pub(super) events: Vec<(u64, Event)>,
    /// The last number that was given to a track.
    track: u64,
    /// The last number that was given to a flow.
    flow: u64,
    /// How many threads have scheduler tracks.
    scheduled: u64,
}

impl Tracks {
    /// The tracks of one more server.
    pub(super) fn add(&mut self, recording: &Recording) {
        // The number of a process is that of its first thread, which has the lowest one.
        let lowest = recording.threads.iter().map(|thread| thread.id).min();
        let pid = lowest.map_or(self.track + 1, u64::from);
        let about = Message::new().number(process::PID, pid).text(process::PROCESS_NAME, &recording.name);
        let server =
            self.describe(None, Some(&recording.name), |track| track.message(track::PROCESS, &about));
        let flows = flows(recording, &mut self.flow);
        for (index, thread) in recording.threads.iter().enumerate() {
            let about = Message::new()
                .number(thread::PID, pid)
                .number(thread::TID, u64::from(thread.id))
                .text(thread::THREAD_NAME, &thread.name);
            let track = self.describe(Some(server), None, |track| track.message(track::THREAD, &about));
            self.steps(track, recording, index, &flows);
            self.switches(thread);
        }
        let phases = ServerPhases::new(recording);
        if phases.conversations.is_empty() {
            return;
        }
        let ordered = |track: Message| track.number(track::CHILD_ORDERING, track::EXPLICIT);
        let all = self.describe(Some(server), Some("conversations"), ordered);
        for (rank, lane) in phases.conversations.iter().enumerate() {
            let ranked = |track: Message| track.number(track::SIBLING_ORDER_RANK, rank as u64);
            let track = self.describe(Some(all), Some(&format!("conversation {}", lane.number)), ranked);
            self.conversation(track, lane);
        }
    }

    /// Adds a track, and returns its number.
    fn describe(
        &mut self,
        parent: Option<u64>,
        name: Option<&str>,
        rest: impl FnOnce(Message) -> Message,
    ) -> u64 {
        self.track += 1;
        let mut track = Message::new().number(track::UUID, self.track);
        if let Some(parent) = parent {
            track = track.number(track::PARENT_UUID, parent);
        }
        if let Some(name) = name {
            track = track.text(track::NAME, name);
        }
        self.descriptors.push(rest(track));
        self.track
    }

    fn begin(&mut self, track: u64, wall_ns: u64, name: &str, rest: impl FnOnce(Message) -> Message) {
        let begin = Message::new()
            .number(event::TYPE, event::SLICE_BEGIN)
            .number(event::TRACK_UUID, track)
            .text(event::NAME, name);
        self.events.push((wall_ns, Event::Track(rest(begin))));
    }

    fn end(&mut self, track: u64, wall_ns: u64) {
        let end = Message::new().number(event::TYPE, event::SLICE_END).number(event::TRACK_UUID, track);
        self.events.push((wall_ns, Event::Track(end)));
    }

    /// What is said of one moment.
    fn mark(&mut self, track: u64, wall_ns: u64, name: &str) {
        let mark = Message::new()
            .number(event::TYPE, event::INSTANT)
            .number(event::TRACK_UUID, track)
            .text(event::NAME, name);
        self.events.push((wall_ns, Event::Track(mark)));
    }

    /// A slice for each step of a thread, inside a slice for each visit to a conversation.
    fn steps(
        &mut self,
        track: u64,
        recording: &Recording,
        index: usize,
        flows: &std::collections::HashMap<StepIndex, Through>,
    ) {
        let thread = &recording.threads[index];
        let (mut visited, mut now) = (None, 0);
        for (step, entry) in thread.steps.iter().enumerate() {
            now = entry.wall_ns.max(now);
            if visited != entry.conversation {
                if visited.is_some() {
                    self.end(track, now);
                }
                if let Some(number) = entry.conversation {
                    self.begin(track, now, &format!("conversation {number}"), |event| event);
                }
                visited = entry.conversation;
            }
            let through = flows.get(&StepIndex { thread: index, step });
            self.begin(track, now, entry.step.name(), |event| {
                through.into_iter().fold(about(event, recording, entry), |event, through| {
                    let event =
                        through.on.iter().fold(event, |event, &id| event.fixed64(event::FLOW_IDS, id));
                    let ends = through.ends.iter();
                    ends.fold(event, |event, &id| event.fixed64(event::TERMINATING_FLOW_IDS, id))
                })
            });
            let next = thread.steps.get(step + 1).map_or(thread.ended_ns, |next| next.wall_ns);
            now = next.max(now);
            self.end(track, now);
        }
        if visited.is_some() {
            self.end(track, now);
        }
        if thread.lost > 0 {
            let lost = format!("{} steps are lost: the buffer was full", thread.lost);
            self.mark(track, thread.ended_ns.max(now), &lost);
        }
    }

    /// A slice for each phase of a conversation, inside one for the whole of it.
    fn conversation(&mut self, track: u64, lane: &ConversationPhases) {
        let phases: Vec<&Phase> = lane.in_line.iter().chain(&lane.phases).collect();
        let (Some(first), Some(last)) = (phases.first(), phases.last()) else { return };
        let end_ns = last.to_ns;
        self.begin(track, first.from_ns, &format!("conversation {}", lane.number), |event| event);
        for phase in phases {
            let name = match phase.activity {
                Activity::Computing => "computing".to_owned(),
                Activity::Waiting(cause) => cause.described(),
            };
            self.begin(track, phase.from_ns, &name, |event| event);
            self.end(track, phase.to_ns);
        }
        self.end(track, end_ns);
    }

    /// The scheduler's switches, as Linux traces them.
    fn switches(&mut self, thread: &Thread) {
        if thread.switches.is_empty() {
            return;
        }
        let cpu = self.scheduled;
        self.scheduled += 1;
        let (tid, name) = (u64::from(thread.id), thread.name.as_str());
        let idle = (0, "swapper");
        let mut running = None;
        for known in &thread.switches {
            let runs = known.kind == SwitchKind::In;
            if running.replace(runs) == Some(runs) {
                continue;
            }
            let ((prev, prev_comm), (next, next_comm)) =
                if runs { (idle, (tid, name)) } else { ((tid, name), idle) };
            let state =
                if known.kind == SwitchKind::OutBlocked { switch::SLEEPING } else { switch::RUNNABLE };
            let change = Message::new()
                .text(switch::PREV_COMM, prev_comm)
                .number(switch::PREV_PID, prev)
                .number(switch::PREV_PRIO, switch::PRIORITY)
                .number(switch::PREV_STATE, state)
                .text(switch::NEXT_COMM, next_comm)
                .number(switch::NEXT_PID, next)
                .number(switch::NEXT_PRIO, switch::PRIORITY);
            let event = Message::new()
                .number(ftrace::TIMESTAMP, known.wall_ns)
                .number(ftrace::PID, prev)
                .message(ftrace::SCHED_SWITCH, &change);
            let bundle = Message::new().number(ftrace::CPU, cpu).message(ftrace::EVENT, &event);
            self.events.push((known.wall_ns, Event::Scheduler(bundle)));
        }
    }
}

/// Where a step was taken, what it counts, and the thread's CPU clock.
fn about(event: Message, recording: &Recording, entry: &Entry) -> Message {
    let place = usize::try_from(entry.place).ok().and_then(|index| recording.places.get(index));
    let event = place.into_iter().fold(event, |event, place| {
        let location = Message::new()
            .text(source::FILE_NAME, &place.file)
            .number(source::LINE_NUMBER, u64::from(place.line));
        event.message(event::SOURCE_LOCATION, &location)
    });
    let named = |name: &str| Message::new().text(annotation::NAME, name);
    let annotate = |event: Message, about: Message| event.message(event::DEBUG_ANNOTATIONS, &about);
    let cpu = named("thread_cpu_ns").number(annotation::UINT_VALUE, entry.cpu_ns);
    let event = annotate(event, cpu);
    match entry.step {
        Step::Read(bytes) | Step::Wrote(bytes) => {
            annotate(event, named("bytes").number(annotation::UINT_VALUE, bytes as u64))
        }
        Step::Answered(questions) => {
            annotate(event, named("questions").number(annotation::UINT_VALUE, questions))
        }
        Step::Closed(reason) => {
            annotate(event, named("reason").text(annotation::STRING_VALUE, reason.name()))
        }
        _ => event,
    }
}
