//! What an idle thread waits for: what its conversations wait for, or if it has none, a client.

use std::collections::HashMap;

use zen_server::Step;

use super::Cause;
use crate::recording::Recording;

/// The causes that an idle thread can have, the most telling first.
const BY_RANK: [Cause; 4] = [Cause::Question, Cause::Answer, Cause::Room, Cause::Close];

/// For each thread, the causes of its idle steps, in their order.
pub(super) fn causes(recording: &Recording) -> Vec<Vec<Cause>> {
    let mut steps: Vec<(u64, usize, usize)> = Vec::new();
    for (index, thread) in recording.threads.iter().enumerate() {
        steps.extend(thread.steps.iter().enumerate().map(|(step, entry)| (entry.wall_ns, index, step)));
    }
    steps.sort_unstable();
    // Where each conversation is: its thread, and what it waits for there.
    let mut whereabouts: HashMap<u64, (usize, Option<Cause>)> = HashMap::new();
    let mut waiting = vec![[0_usize; BY_RANK.len()]; recording.threads.len()];
    let mut causes = vec![Vec::new(); recording.threads.len()];
    for (_, thread, step) in steps {
        let entry = recording.threads[thread].steps[step];
        if let Some(conversation) = entry.conversation {
            let now = Cause::between(entry.step);
            let before = whereabouts.insert(conversation, (thread, now));
            if let Some((thread, Some(rank))) = before.map(|(thread, cause)| (thread, rank(cause))) {
                waiting[thread][rank] -= 1;
            }
            if let Some(rank) = rank(now) {
                waiting[thread][rank] += 1;
            }
        } else if entry.step == Step::Idle {
            let rank = waiting[thread].iter().position(|&count| count > 0);
            causes[thread].push(rank.map_or(Cause::Client, |rank| BY_RANK[rank]));
        }
    }
    causes
}

fn rank(cause: Option<Cause>) -> Option<usize> {
    BY_RANK.iter().position(|&known| Some(known) == cause)
}
