//! A thread's phases: where in each step it computed and where it waited.

use super::split::Split;
use super::{Activity, Cause, Division, Phase, StepIndex, ThreadPhases};
use crate::recording::{Switch, SwitchKind, Thread};

/// A thread's phases, and which of them belong to which step.
pub(super) struct Placed {
    pub(super) together: ThreadPhases,
    /// Where the phases of each split begin.
    starts: Vec<usize>,
}

impl Placed {
    /// The phases of the split with this index.
    pub(super) fn of_split(&self, index: usize) -> &[Phase] {
        let end = self.starts.get(index + 1).copied().unwrap_or(self.together.phases.len());
        &self.together.phases[self.starts[index]..end]
    }
}

/// Places what each step's time consists of: by the scheduler's switches where they are known, and
/// else the computing first.
pub(super) fn place(index: usize, thread: &Thread, splits: &[Split]) -> Placed {
    let mut placed = Placed {
        together: ThreadPhases {
            from_ns: splits.first().map_or(thread.started_ns, |split| split.from_ns),
            to_ns: splits.last().map_or(thread.ended_ns, |split| split.to_ns),
            phases: Vec::new(),
            division: Division::default(),
        },
        starts: Vec::with_capacity(splits.len()),
    };
    let phases = &mut placed.together.phases;
    for split in splits {
        placed.starts.push(phases.len());
        let step = split.step.map(|step| StepIndex { thread: index, step });
        if thread.switches.is_empty() {
            by_amount(split, step, phases);
        } else {
            by_switches(split, step, &thread.switches, phases);
        }
        placed.together.division.add(&split.division(0, u64::MAX));
    }
    // The thread's CPU clock is read at both ends; what lies between cancels out.
    placed.together.division.stretches = 1;
    placed.together.division.steps = thread.steps.len() as u64;
    placed.together.division.error_ns = thread.cpu_error_ns;
    placed
}

fn by_amount(split: &Split, step: Option<StepIndex>, phases: &mut Vec<Phase>) {
    let mut from_ns = split.from_ns;
    let waits = [(Cause::Cpu, split.cpu_wait_ns), (split.cause, split.rest_ns)];
    let parts = waits.map(|(cause, length)| (Activity::Waiting(cause), length));
    for (activity, length) in [(Activity::Computing, split.computing_ns)].into_iter().chain(parts) {
        if length > 0 {
            phases.push(Phase { from_ns, to_ns: from_ns + length, activity, step });
            from_ns += length;
        }
    }
}

fn by_switches(split: &Split, step: Option<StepIndex>, switches: &[Switch], phases: &mut Vec<Phase>) {
    let first = switches.partition_point(|switch| switch.wall_ns <= split.from_ns);
    let mut from_ns = split.from_ns;
    // Before its first switch a thread did the opposite of what that says.
    let mut state = match first.checked_sub(1).map(|before| switches[before].kind) {
        None if switches[0].kind == SwitchKind::In => SwitchKind::OutBlocked,
        None => SwitchKind::In,
        Some(kind) => kind,
    };
    let within = switches[first..].iter().take_while(|switch| switch.wall_ns < split.to_ns);
    let ends = within.map(|switch| (switch.wall_ns, switch.kind)).chain([(split.to_ns, SwitchKind::In)]);
    for (to_ns, next) in ends {
        let activity = match state {
            SwitchKind::In => Activity::Computing,
            SwitchKind::OutPreempted => Activity::Waiting(Cause::Cpu),
            SwitchKind::OutBlocked => Activity::Waiting(split.cause),
        };
        if to_ns > from_ns {
            phases.push(Phase { from_ns, to_ns, activity, step });
        }
        (from_ns, state) = (to_ns.max(from_ns), next);
    }
}
