//! Questions cut into segments in every way. The places of the cuts must not matter.

use std::time::Duration;

use super::{COMPLEX, UGLY, UNKNOWN, join, mixed};
use crate::cut::every_cut;
use crate::transcript::Transcript;

/// Long enough for an idle server to read what has arrived. A pass does not depend on it.
const SEPARATE: Duration = Duration::from_millis(1);

pub(super) fn transcripts() -> impl Iterator<Item = Transcript> {
    let pair = b"Simple is better than?\r\nBeautiful is better than?";
    let pair_answers = join(&[COMPLEX, UGLY]);
    let small = b"ab? ?\n?c?";
    let small_answers = join(&[UNKNOWN; 4]);
    let two_ways = every_cut(pair.len(), 2).into_iter().map({
        let answers = pair_answers.clone();
        move |at| {
            Transcript::new(format!("a pair of questions, cut at {}, arriving separately", at[0]))
                .with_gap(SEPARATE)
                .send_cut_at(pair, &at)
                .expect(&answers)
                .still_serves()
        }
    });
    let three_ways = [Duration::ZERO, SEPARATE].into_iter().flat_map(move |gap| {
        let answers = small_answers.clone();
        every_cut(small.len(), 3).into_iter().map(move |at| {
            let arrival = if gap.is_zero() { "at once" } else { "arriving separately" };
            Transcript::new(format!("four small questions, cut at {} and {}, {arrival}", at[0], at[1]))
                .with_gap(gap)
                .send_cut_at(small, &at)
                .expect(&answers)
                .still_serves()
        })
    });
    two_ways.chain(three_ways).chain(steady_cuts())
}

/// Segments of equal size, from one byte up.
fn steady_cuts() -> Vec<Transcript> {
    let (many, many_answers) = mixed(40);
    let mut all: Vec<_> = [1, 2, 3, 5, 7, 11, 13, 24, 25, 64]
        .into_iter()
        .map(|size| {
            Transcript::new(format!("40 questions in segments of {size}"))
                .send_in_chunks(&many, size)
                .expect(&many_answers)
                .still_serves()
        })
        .collect();
    let (few, few_answers) = mixed(3);
    all.push(
        Transcript::new("three questions byte by byte, arriving separately")
            .with_gap(SEPARATE)
            .send_byte_by_byte(&few)
            .expect(&few_answers)
            .still_serves(),
    );
    all.push(
        Transcript::new("a question mark arrives on its own, after everything else")
            .send(b"Simple is better than")
            .pause(SEPARATE * 5)
            .ask(b"?", COMPLEX)
            .still_serves(),
    );
    all.push(
        Transcript::new("the rest of a question comes after an answer")
            .send(b"Simple is better than?Beautiful ")
            .expect(COMPLEX)
            .ask(b"is better than?", UGLY)
            .still_serves(),
    );
    all.push(
        Transcript::new("a byte at a time, each question after its answer")
            .send_byte_by_byte(b"Simple is better than?")
            .expect(COMPLEX)
            .send_byte_by_byte(b"Beautiful is better than?")
            .expect(UGLY)
            .finish_and_end(),
    );
    all
}
