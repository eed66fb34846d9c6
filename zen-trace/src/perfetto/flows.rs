//! Flows: from the arrival of a question to its answer.

use std::collections::{BTreeMap, HashMap};

use zen_server::Step;

use crate::phases::StepIndex;
use crate::recording::Recording;

/// The flows that go through a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Through {
    /// Those that start here or come from before, and go on.
    pub(super) on: Vec<u64>,
    /// Those that end here.
    pub(super) ends: Vec<u64>,
}

/// The flows of a recording, by the steps through which they go. A flow starts where bytes arrive,
/// goes through the answering of the questions in them, and ends where the answers are written.
/// `last` is the last number that was given to a flow.
pub(super) fn flows(recording: &Recording, last: &mut u64) -> HashMap<StepIndex, Through> {
    let mut steps: BTreeMap<u64, Vec<(u64, StepIndex)>> = BTreeMap::new();
    for (thread, own) in recording.threads.iter().enumerate() {
        for (step, entry) in own.steps.iter().enumerate() {
            if let Some(number) = entry.conversation {
                steps.entry(number).or_default().push((entry.wall_ns, StepIndex { thread, step }));
            }
        }
    }
    let mut flows: HashMap<StepIndex, Through> = HashMap::new();
    for mut steps in steps.into_values() {
        steps.sort_unstable();
        // Where bytes have arrived in which no question was found yet, and the flow of those in
        // which one was.
        let (mut arrived, mut flow) = (Vec::new(), None);
        for (_, at) in steps {
            match recording.threads[at.thread].steps[at.step].step {
                Step::Read(1..) => arrived.push(at),
                Step::Answered(1..) => {
                    let id = *flow.get_or_insert_with(|| {
                        *last += 1;
                        *last
                    });
                    for through in arrived.drain(..).chain([at]) {
                        flows.entry(through).or_default().on.push(id);
                    }
                }
                Step::Wrote(1..) => {
                    if let Some(id) = flow.take() {
                        flows.entry(at).or_default().ends.push(id);
                    }
                }
                _ => {}
            }
        }
    }
    flows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phases::tests::page;

    #[test]
    fn each_question_flows_to_its_answer() {
        let mut last = 7;
        let flows = flows(&page(), &mut last);
        assert_eq!(last, 10, "three questions");
        let at = |step| flows.get(&StepIndex { thread: 0, step }).cloned().unwrap_or_default();
        assert_eq!(at(4), Through { on: vec![8], ends: vec![] }, "read");
        assert_eq!(at(6), Through { on: vec![8], ends: vec![] }, "answered");
        assert_eq!(at(8), Through { on: vec![], ends: vec![8] }, "wrote");
        assert_eq!(at(20), Through { on: vec![], ends: vec![10] });
        assert_eq!(flows.len(), 9);
    }
}
