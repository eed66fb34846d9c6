//! How the time of each step divides into computing, waiting for a CPU, and waiting for the cause
//! of the step.

use zen_server::Step;

use super::{Cause, Division};
use crate::recording::{SwitchKind, Thread};

/// One step of a thread with its time. All three amounts together are its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) from_ns: u64,
    pub(super) to_ns: u64,
    /// The step's index; `None` for the time before the first step.
    pub(super) step: Option<usize>,
    pub(super) computing_ns: u64,
    pub(super) cpu_wait_ns: u64,
    pub(super) rest_ns: u64,
    /// What the rest was spent waiting for.
    pub(super) cause: Cause,
    /// How likely it is that the thread waited for a CPU in it.
    readiness: Readiness,
}

/// How likely it is that a thread that does not compute is ready to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Readiness {
    /// It has nothing to wait for.
    Certain,
    /// It may have blocked, and need not have.
    Likely,
    /// It has waited, and was ready only when that was over.
    Afterwards,
}

impl Split {
    pub(super) fn length_ns(&self) -> u64 {
        self.to_ns - self.from_ns
    }

    /// How the part of it between two moments divides.
    pub(super) fn division(&self, from_ns: u64, to_ns: u64) -> Division {
        let part = to_ns.min(self.to_ns).saturating_sub(from_ns.max(self.from_ns));
        let share = |amount: u64| scale(amount, part, self.length_ns());
        let mut division = Division { stretches: 1, steps: 1, ..Division::default() };
        division.computing_ns = share(self.computing_ns);
        division.wait(Cause::Cpu, share(self.cpu_wait_ns));
        // What rounding leaves belongs to the rest, so that the parts add up.
        division.wait(self.cause, part - share(self.computing_ns) - share(self.cpu_wait_ns));
        division
    }
}

/// `amount * part / whole`, rounded down.
fn scale(amount: u64, part: u64, whole: u64) -> u64 {
    let scaled = u128::from(amount) * u128::from(part) / u128::from(whole.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// All steps of a thread with their times, from the start of its recording to the end of it. `idle`
/// has the causes of its idle steps.
pub(super) fn thread(thread: &Thread, idle: &[Cause]) -> Vec<Split> {
    let (steps, mut idle) = (&thread.steps, idle.iter().copied());
    let end = |index: usize| steps.get(index).map_or(thread.ended_ns, |entry| entry.wall_ns);
    let mut splits = Vec::with_capacity(steps.len() + 1);
    let mut from_ns = thread.started_ns.min(end(0));
    // What the CPU clock counted outside of the recorded steps, which is mostly after the last one.
    let within = match (steps.first(), steps.last()) {
        (Some(first), Some(last)) => last.cpu_ns.saturating_sub(first.cpu_ns),
        _ => 0,
    };
    let outside = thread.cpu_ns.saturating_sub(within);
    let after = match steps.last() {
        Some(last) => outside.min(thread.ended_ns.saturating_sub(last.wall_ns)),
        None => 0,
    };
    if end(0) > from_ns || steps.is_empty() {
        let (cause, readiness) = if steps.is_empty() {
            (Cause::Blocked, Readiness::Afterwards)
        } else {
            (Cause::Other, Readiness::Certain)
        };
        splits.push(split(from_ns, end(0).max(from_ns), None, outside - after, (cause, readiness)));
        from_ns = from_ns.max(end(0));
    }
    for (index, entry) in steps.iter().enumerate() {
        let to_ns = end(index + 1).max(from_ns);
        let last = index + 1 == steps.len();
        let cpu_ns = match steps.get(index + 1) {
            Some(next) => next.cpu_ns.saturating_sub(entry.cpu_ns),
            None => after,
        };
        let own = if entry.step == Step::Idle { idle.next().unwrap_or(Cause::Client) } else { Cause::Other };
        let waits = match Cause::within(entry.step, own) {
            // What the thread did after the last step for which there was room.
            _ if last && thread.lost > 0 => (Cause::NotRecorded, Readiness::Afterwards),
            Some(cause @ (Cause::Service | Cause::NotRecorded)) => (cause, Readiness::Likely),
            Some(cause) if entry.step == Step::Writing => (cause, Readiness::Likely),
            Some(cause) => (cause, Readiness::Afterwards),
            None => (Cause::Other, Readiness::Certain),
        };
        splits.push(split(from_ns, to_ns, Some(index), cpu_ns, waits));
        from_ns = to_ns;
    }
    preempt(&mut splits, thread);
    delay(&mut splits, thread.run_delay_ns);
    splits
}

fn split(
    from_ns: u64,
    to_ns: u64,
    step: Option<usize>,
    cpu_ns: u64,
    (cause, readiness): (Cause, Readiness),
) -> Split {
    let length = to_ns - from_ns;
    // The clocks are not read at the same moment, so one may run ahead of the other.
    let computing_ns = cpu_ns.min(length);
    Split {
        from_ns,
        to_ns,
        step,
        computing_ns,
        cpu_wait_ns: 0,
        rest_ns: length - computing_ns,
        cause,
        readiness,
    }
}

/// Gives each step the time for which the scheduler's switches say that its thread had no CPU.
fn preempt(splits: &mut [Split], thread: &Thread) {
    let mut splits = splits.iter_mut().peekable();
    let waits = thread.switches.windows(2).filter(|pair| pair[0].kind == SwitchKind::OutPreempted);
    for (out, back) in waits.map(|pair| (pair[0].wall_ns, pair[1].wall_ns)) {
        while splits.next_if(|split| split.to_ns <= out).is_some() {}
        while let Some(split) = splits.peek_mut() {
            let waited = back.min(split.to_ns).saturating_sub(out.max(split.from_ns)).min(split.rest_ns);
            split.cpu_wait_ns += waited;
            split.rest_ns -= waited;
            if split.to_ns >= back {
                break;
            }
            splits.next();
        }
    }
}

/// Deals what is left of the scheduler's run delay to the steps, those first in which the thread is
/// the most likely to have been ready.
fn delay(splits: &mut [Split], run_delay_ns: Option<u64>) {
    let known: u64 = splits.iter().map(|split| split.cpu_wait_ns).sum();
    let mut left = run_delay_ns.unwrap_or(0).saturating_sub(known);
    for readiness in [Readiness::Certain, Readiness::Likely, Readiness::Afterwards] {
        let room: u64 = splits.iter().filter(|split| split.readiness == readiness).map(|s| s.rest_ns).sum();
        let dealt = left.min(room);
        let mut given = 0;
        for split in splits.iter_mut().filter(|split| split.readiness == readiness) {
            let waited = scale(split.rest_ns, dealt, room).min(split.rest_ns);
            split.cpu_wait_ns += waited;
            split.rest_ns -= waited;
            given += waited;
        }
        left -= given;
    }
}
