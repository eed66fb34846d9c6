//! How a server works, as its recording shows it: with how many threads, and for how many clients
//! at a time.

use super::ServerSum;
use crate::phases::ServerPhases;
use crate::recording::Recording;
use crate::units::{float, time};

/// What is shorter than this is the system's work, and no line.
const LEAST_LINE_NS: u64 = 1_000_000;

/// The most conversations that were accepted and not yet over at the same moment; `None` for a
/// server that reports no steps.
pub(super) fn at_once(recording: &Recording, phases: &ServerPhases) -> Option<u64> {
    if recording.is_from_outside() {
        return None;
    }
    let accepted = phases.conversations.iter().filter(|lane| lane.accepted);
    // At the same moment, one ends before the next begins.
    let mut moments: Vec<(u64, i64)> =
        accepted.flat_map(|lane| [(lane.from_ns, 1), (lane.to_ns, -1)]).collect();
    moments.sort_unstable();
    let (mut held, mut most) = (0, 0);
    for (_, change) in moments {
        held += change;
        most = most.max(held);
    }
    u64::try_from(most).ok()
}

impl ServerSum {
    /// How the server worked, in one sentence that goes on from its name: with how many threads,
    /// for how many clients at a time, and how long the others stood in line. Of a server that is
    /// watched from outside this is not known, and the sentence says only how occupied it was.
    ///
    /// ```
    /// use zen_server::Step;
    /// use zen_trace::recording::{Entry, Thread};
    /// use zen_trace::{Recording, Sums, Trace};
    ///
    /// let mut thread = Thread::new(1, "main", 0, 40_000_000);
    /// thread.steps = vec![Entry::new(0, 0, Step::WaitingForQuestion).with_conversation(1)];
    /// let mut recording = Recording::new("mine");
    /// recording.threads.push(thread);
    /// let sums = Sums::new(&Trace::new(vec![recording]));
    /// assert!(sums.servers[0].how_it_works().starts_with("1 thread served 1 client"));
    /// ```
    pub fn how_it_works(&self) -> String {
        let occupied = format!(
            "its CPU was {} percent occupied (±\u{a0}{})",
            self.occupancy().percent(),
            self.occupancy().bound_percent()
        );
        let Some(at_once) = self.at_once else { return format!("{occupied}.") };
        let threads = counted(self.per_thread.len() as u64, "thread");
        let served = match (at_once, self.conversations) {
            (1, 1) => "1 client".to_owned(),
            (held, all) if held == all => format!("all {all} clients at the same time"),
            (held, all) => format!("{held} of {all} clients at a time"),
        };
        let longest = self.per_conversation.iter().map(|conversation| conversation.in_line_ns).max();
        let line = match longest.filter(|&longest| longest >= LEAST_LINE_NS) {
            Some(longest) if at_once < self.conversations => {
                format!(", and the others stood in line for up to {}", unbroken(longest))
            }
            Some(longest) => format!(", which stood in line for up to {}", unbroken(longest)),
            None => String::new(),
        };
        let starved = self.per_conversation.iter().filter(|conversation| !conversation.accepted).count();
        let starved = match starved {
            0 => String::new(),
            starved => format!("; {} never served", is_or_are(starved as u64, "client")),
        };
        format!("{threads} served {served}{line}{starved}; {occupied}.")
    }
}

/// A time whose unit stays in the line of its number.
fn unbroken(ns: u64) -> String {
    time(float(ns)).replace(' ', "\u{a0}")
}

fn counted(count: u64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn is_or_are(count: u64, word: &str) -> String {
    format!("{} {}", counted(count, word), if count == 1 { "was" } else { "were" })
}

#[cfg(test)]
mod tests {
    use crate::phases::tests::{page, thread};
    use crate::recording::{ClientSpan, ClientSpanKind, Conversation, Recording, Trace};
    use crate::sums::{ServerSum, Sums};
    use zen_server::Step;

    fn sum(recording: Recording) -> ServerSum {
        Sums::new(&Trace::new(vec![recording])).servers.remove(0)
    }

    /// A server whose only thread holds its conversations from and to these moments, in ms.
    fn holding(spans: &[(u64, u64)]) -> Recording {
        let mut steps = Vec::new();
        for (number, &(from, to)) in (1..).zip(spans) {
            steps.push((from * 1000, 0, number, Step::Accepted));
            steps.push((to * 1000, 0, number, Step::Closed(zen_proto::CloseReason::Finished)));
        }
        steps.sort_by_key(|step| step.0);
        let mut recording = Recording::new("mine");
        recording.threads = vec![thread(1, 200_000, 0, &steps)];
        recording
    }

    #[test]
    fn conversations_are_counted_while_they_overlap() {
        assert_eq!(sum(holding(&[(0, 10), (10, 20), (20, 30)])).at_once, Some(1));
        assert_eq!(sum(holding(&[(0, 10), (5, 20), (9, 30), (15, 40)])).at_once, Some(3));
        assert_eq!(sum(Recording::new("outside")).at_once, None);
    }

    #[test]
    fn the_sentence_tells_one_at_a_time_from_all_at_once() {
        let one = sum(holding(&[(0, 10), (10, 20), (20, 30)])).how_it_works();
        assert!(one.starts_with("1 thread served 1 of 3 clients at a time; its CPU was 0 percent"), "{one}");
        let all = sum(holding(&[(0, 30), (1, 30), (2, 30)])).how_it_works();
        assert!(all.starts_with("1 thread served all 3 clients at the same time; its CPU"), "{all}");
    }

    #[test]
    fn who_stood_in_line_or_was_never_served_is_told() {
        let span = |from, to, kind| ClientSpan { from_ns: from, to_ns: to, kind };
        let mut recording = holding(&[(10, 20), (20, 30)]);
        let mut waited = Conversation::new(2);
        waited.client_spans = vec![span(13_000_000, 25_000_000, ClientSpanKind::Thinking)];
        let mut starved = Conversation::new(3);
        starved.client_spans = vec![span(0, 29_000_000, ClientSpanKind::Waiting)];
        recording.conversations = vec![waited, starved];
        let text = sum(recording).how_it_works();
        assert!(
            text.starts_with(
                "1 thread served 1 of 3 clients at a time, and the others stood in line for up to 7.00\u{a0}ms; \
                 1 client was never served; its CPU was"
            ),
            "{text}"
        );
        assert_eq!(sum(page()).how_it_works().split(';').next(), Some("1 thread served 1 client"));
    }
}
