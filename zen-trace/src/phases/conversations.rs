//! A conversation's phases: what its thread did for it, and what it waited for in between.

use std::collections::{BTreeMap, BTreeSet};

use zen_server::Step;

use super::split::Split;
use super::threads::Placed;
use super::{Activity, Cause, ConversationPhases, Division, Phase, StepIndex};
use crate::recording::{ClientSpan, ClientSpanKind, Conversation, Recording};

/// All conversations of a recording, by number.
pub(super) fn all(
    recording: &Recording,
    splits: &[Vec<Split>],
    placed: &[Placed],
) -> Vec<ConversationPhases> {
    let mut steps: BTreeMap<u64, Vec<(u64, StepIndex)>> = BTreeMap::new();
    for (index, thread) in recording.threads.iter().enumerate() {
        for (step, entry) in thread.steps.iter().enumerate() {
            if let Some(number) = entry.conversation {
                steps.entry(number).or_default().push((entry.wall_ns, StepIndex { thread: index, step }));
            }
        }
    }
    let known: BTreeMap<u64, &Conversation> =
        recording.conversations.iter().map(|conversation| (conversation.number, conversation)).collect();
    let numbers: BTreeSet<u64> = steps.keys().chain(known.keys()).copied().collect();
    let outside = recording.is_from_outside();
    let one = |number| {
        let known = known.get(&number).copied();
        let spans = known.map_or(&[][..], |known| &known.client_spans);
        match steps.get_mut(&number) {
            Some(steps) => {
                steps.sort_unstable();
                let end = end(recording, steps, known);
                Some(Lane { recording, splits, placed, spans }.follow(number, steps, end))
            }
            None => from_client(number, spans, outside),
        }
    };
    numbers.into_iter().filter_map(one).collect()
}

/// When a conversation was over: when it was closed, or else when its thread's recording ended.
fn end(recording: &Recording, steps: &[(u64, StepIndex)], known: Option<&Conversation>) -> u64 {
    let Some(&(wall_ns, at)) = steps.last() else { return 0 };
    let thread = &recording.threads[at.thread];
    if let Step::Closed(_) = thread.steps[at.step].step {
        return wall_ns;
    }
    known.and_then(|known| known.closed_ns).unwrap_or(thread.ended_ns).max(wall_ns)
}

/// What a conversation's lane is drawn from.
struct Lane<'a> {
    recording: &'a Recording,
    splits: &'a [Vec<Split>],
    placed: &'a [Placed],
    spans: &'a [ClientSpan],
}

impl Lane<'_> {
    /// The lane of a conversation with these steps, of which there is at least one.
    fn follow(&self, number: u64, steps: &[(u64, StepIndex)], end_ns: u64) -> ConversationPhases {
        let from_ns = steps[0].0;
        let mut lane = ConversationPhases {
            number,
            from_ns,
            to_ns: from_ns,
            in_line: self.in_line(from_ns),
            phases: Vec::new(),
            division: Division::default(),
            questions: 0,
            accepted: true,
        };
        let ends = steps[1..].iter().map(|next| next.0).chain([end_ns]);
        let mut before = None;
        for (&(_, at), next_ns) in steps.iter().zip(ends) {
            if let Step::Answered(questions) = self.recording.threads[at.thread].steps[at.step].step {
                lane.questions += questions;
            }
            let follows = before == Some((at.thread, at.step.wrapping_sub(1)));
            before = Some((at.thread, at.step));
            self.serve(&mut lane, at, next_ns, follows);
            self.leave(&mut lane, at, next_ns);
        }
        lane
    }

    /// The step's thread is on the conversation, until it takes its next step, or until another
    /// thread has taken the conversation over. `follows` if it was on it in the step before, too.
    fn serve(&self, lane: &mut ConversationPhases, at: StepIndex, next_ns: u64, follows: bool) {
        // A thread may have a split without a step before its first step.
        let (splits, steps) = (&self.splits[at.thread], &self.recording.threads[at.thread].steps);
        let index = splits.len() - steps.len() + at.step;
        let split = &splits[index];
        let (from_ns, to_ns) = (lane.to_ns, next_ns.min(split.to_ns));
        if to_ns <= from_ns {
            return;
        }
        let own = self.placed[at.thread].of_split(index).iter();
        lane.phases.extend(own.filter_map(|phase| cut(phase, from_ns, to_ns)));
        let mut division = split.division(from_ns, to_ns);
        // At the border of two steps the CPU clock was read only once.
        division.stretches = u64::from(!follows);
        lane.division.add(&division);
        lane.to_ns = to_ns;
    }

    /// The thread has gone on to something else, and the conversation waits where it is.
    fn leave(&self, lane: &mut ConversationPhases, at: StepIndex, next_ns: u64) {
        let thread = &self.recording.threads[at.thread];
        let is_last = at.step + 1 == thread.steps.len();
        let cause = match Cause::between(thread.steps[at.step].step) {
            _ if is_last && thread.lost > 0 => Cause::NotRecorded,
            Some(cause) => cause,
            // It has not said that it waits, so there is something to do.
            None => Cause::Turn,
        };
        for (from_ns, to_ns, cause) in self.asked(lane.to_ns, next_ns, cause).into_iter().flatten() {
            lane.division.wait(cause, to_ns - from_ns);
            lane.phases.push(Phase { from_ns, to_ns, activity: Activity::Waiting(cause), step: Some(at) });
            lane.to_ns = to_ns;
        }
    }

    /// Divides a wait for a question at the moment at which the client has asked: from then on the
    /// conversation waits for its turn.
    fn asked(&self, from_ns: u64, to_ns: u64, cause: Cause) -> [Option<(u64, u64, Cause)>; 2] {
        let some = |from, to, cause| (to > from).then_some((from, to, cause));
        // The span in which the client waited when this wait ended.
        let next = self.spans.partition_point(|span| span.from_ns < to_ns);
        let asked = next.checked_sub(1).map(|index| self.spans[index]).filter(|span| {
            span.kind == ClientSpanKind::Waiting && span.to_ns >= to_ns && cause == Cause::Question
        });
        let Some(asked) = asked else { return [some(from_ns, to_ns, cause), None] };
        let then = asked.from_ns.max(from_ns);
        [some(from_ns, then, cause), some(then, to_ns, Cause::Turn)]
    }

    /// How long the client was connected before the server accepted it.
    fn in_line(&self, accepted_ns: u64) -> Option<Phase> {
        let from_ns = connected(self.spans)?;
        let activity = Activity::Waiting(Cause::Accept);
        (from_ns < accepted_ns).then_some(Phase { from_ns, to_ns: accepted_ns, activity, step: None })
    }
}

/// When the client's connection stood, by the system's account.
fn connected(spans: &[ClientSpan]) -> Option<u64> {
    let first = spans.first()?;
    Some(if first.kind == ClientSpanKind::Connecting { first.to_ns } else { first.from_ns })
}

/// The part of a phase between two moments.
fn cut(phase: &Phase, from_ns: u64, to_ns: u64) -> Option<Phase> {
    let (from_ns, to_ns) = (phase.from_ns.max(from_ns), phase.to_ns.min(to_ns));
    (from_ns < to_ns).then_some(Phase { from_ns, to_ns, ..*phase })
}

/// A conversation of which only its client is known: of a server that is watched from outside, or
/// one that the server never accepted.
fn from_client(number: u64, spans: &[ClientSpan], outside: bool) -> Option<ConversationPhases> {
    let (from_ns, to_ns) = (connected(spans)?, spans.last()?.to_ns);
    let mut lane = ConversationPhases {
        number,
        from_ns,
        to_ns: from_ns,
        in_line: None,
        phases: Vec::new(),
        division: Division::default(),
        questions: 0,
        accepted: outside,
    };
    let mut push = |to_ns: u64, cause| {
        let from_ns = lane.to_ns;
        if to_ns > from_ns {
            lane.phases.push(Phase { from_ns, to_ns, activity: Activity::Waiting(cause), step: None });
            lane.division.wait(cause, to_ns - from_ns);
            lane.to_ns = to_ns;
        }
    };
    if outside {
        for span in spans {
            let cause = match span.kind {
                ClientSpanKind::Connecting => continue,
                ClientSpanKind::Thinking => Cause::Question,
                ClientSpanKind::Waiting => Cause::Server,
            };
            // Between two spans the client does neither.
            push(span.from_ns, Cause::Question);
            push(span.to_ns, cause);
        }
        lane.questions = spans.iter().filter(|span| span.kind == ClientSpanKind::Waiting).count() as u64;
    } else {
        push(to_ns, Cause::Accept);
    }
    Some(lane)
}
