//! The sentence that a person would quote.

use std::fmt::Write;

use super::ServerSum;
use crate::phases::Cause;
use crate::units::{float, significant};

/// What the page that the project grew from says of its own server.
pub const PAGE: &str = "On the page, a server waited 0.13 of 0.14 s for its client: 7 percent occupied, by a clock \
    of 10 ms ticks, so anything from 0 to 14 percent.";

impl ServerSum {
    /// What a person would quote of it, in one sentence.
    pub fn sentence(&self) -> String {
        let alone = match &self.per_conversation[..] {
            [only] if only.accepted => only.occupancy().map(|occupancy| (only, occupancy)),
            _ => None,
        };
        match alone {
            Some((only, occupancy)) => {
                let waited: u64 = only.waiting_ns.values().sum();
                let most = only.waiting_ns.iter().max_by_key(|(_, waited)| **waited).map(|(cause, _)| *cause);
                let cause = match most {
                    Some(Cause::Question | Cause::Close | Cause::Room) | None => "for its client".to_owned(),
                    Some(cause) => format!("mostly {}", cause.says()),
                };
                let (waited, wall) = apart(float(waited) / 1e9, float(only.wall_ns) / 1e9);
                format!(
                    "{} spent {waited} of the conversation's {wall} s waiting {cause}: \
                     its CPU was {} percent occupied (±\u{a0}{}).",
                    self.name,
                    occupancy.percent(),
                    occupancy.bound_percent(),
                )
            }
            None => self.of_many(),
        }
    }

    fn of_many(&self) -> String {
        let served = self.per_conversation.iter().filter(|conversation| conversation.accepted).count();
        let longest = self.per_conversation.iter().map(|conversation| conversation.in_line_ns).max();
        let starved = self.per_conversation.len() - served;
        let mut text = format!(
            "{} answered {} {} of {} {} in {} s with its CPU {} percent occupied (±\u{a0}{})",
            self.name,
            self.questions,
            if self.questions == 1 { "question" } else { "questions" },
            served,
            if served == 1 { "client" } else { "clients" },
            significant(float(self.wall_ns) / 1e9, 3),
            self.occupancy().percent(),
            self.occupancy().bound_percent(),
        );
        // What is shorter than a millisecond is the system's work, and no line.
        if let Some(longest) = longest.filter(|&longest| longest >= 1_000_000) {
            let seconds = significant(float(longest) / 1e9, 3);
            // Writing to a string cannot fail.
            let _ = write!(text, ", and kept a client in line for {seconds} s");
        }
        match starved {
            0 => {}
            1 => text += "; one client was never served",
            _ => drop(write!(text, "; {starved} clients were never served")),
        }
        text + "."
    }
}

/// Two numbers with as many digits as tell them apart, and at least three.
fn apart(one: f64, other: f64) -> (String, String) {
    let written = |digits| (significant(one, digits), significant(other, digits));
    (3..9).map(written).find(|(one, other)| one != other).unwrap_or_else(|| written(3))
}

#[cfg(test)]
mod tests {
    use crate::phases::tests::page;
    use crate::recording::{ClientSpan, ClientSpanKind, Conversation, Trace};
    use crate::sums::Sums;

    #[test]
    fn one_conversation_is_told_like_the_pages() {
        let sums = Sums::new(&Trace::new(vec![page()]));
        assert_eq!(
            sums.servers[0].sentence(),
            "blocking spent 0.1201 of the conversation's 0.1204 s waiting for its client: \
             its CPU was 0.216 percent occupied (±\u{a0}0.0018)."
        );
    }

    #[test]
    fn a_client_that_starves_is_told() {
        let mut recording = page();
        let mut starved = Conversation::new(2);
        starved.client_spans =
            vec![ClientSpan { from_ns: 0, to_ns: 9_000_000, kind: ClientSpanKind::Waiting }];
        recording.conversations.push(starved);
        let sentence = Sums::new(&Trace::new(vec![recording])).servers[0].sentence();
        assert!(sentence.contains("3 questions of 1 client in"), "{sentence}");
        assert!(sentence.ends_with("; one client was never served."), "{sentence}");
    }
}
