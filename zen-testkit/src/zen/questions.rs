//! Which question gets which answer, how many questions at a time, and what only resembles a
//! question of the table.

use super::{BEAUTIFUL, COMPLEX, EXPLICIT, IMPLICIT, SIMPLE, TABLE, UGLY, UNKNOWN, join, mixed};
use crate::transcript::Transcript;

pub(super) fn transcripts() -> impl Iterator<Item = Transcript> {
    in_one_segment().into_iter().chain(one_after_another()).chain(near_misses())
}

fn in_one_segment() -> Vec<Transcript> {
    let mut all = vec![
        // A server that tests whether the *end* of its input is a `?` takes these for one question.
        Transcript::new("two questions in one segment")
            .send(b"Beautiful is better than?Explicit is better than?")
            .expect(b"Ugly.Implicit.")
            .still_serves(),
    ];
    for (question, answer) in TABLE {
        let name = format!("one question: {}", question.escape_ascii());
        all.push(Transcript::new(name).ask(question, answer).still_serves());
    }
    for (first, one) in TABLE {
        for (second, two) in TABLE {
            let name = format!("in one segment: {} and {}", first.escape_ascii(), second.escape_ascii());
            all.push(
                Transcript::new(name).send(&join(&[first, second])).expect(&join(&[one, two])).still_serves(),
            );
        }
    }
    for [a, b, c] in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        all.push(
            Transcript::new(format!("the three questions in one segment, in the order {a} {b} {c}"))
                .send(&join(&[TABLE[a].0, TABLE[b].0, TABLE[c].0]))
                .expect(&join(&[TABLE[a].1, TABLE[b].1, TABLE[c].1]))
                .still_serves(),
        );
    }
    // Around the limit of questions in flight, and well beyond it.
    for number in [7, 16, 31, 32, 33, 63, 64, 65, 128, 500] {
        let (questions, answers) = mixed(number);
        all.push(
            Transcript::new(format!("{number} questions in one segment"))
                .send(&questions)
                .expect(&answers)
                .still_serves(),
        );
    }
    all
}

fn one_after_another() -> Vec<Transcript> {
    let mut all = Vec::new();
    for (name, rounds) in
        [("the three questions, each after its answer", 1), ("300 questions, each after its answer", 100)]
    {
        let mut transcript = Transcript::new(name);
        for _ in 0..rounds {
            for (question, answer) in &TABLE[..3] {
                transcript = transcript.ask(question, answer);
            }
        }
        all.push(transcript.finish_and_end());
    }
    let mut deeper = Transcript::new("segments of 1, 2, 3 ... 20 questions, each after the answers");
    for number in 1..=20 {
        let (questions, answers) = mixed(number);
        deeper = deeper.ask(&questions, &answers);
    }
    all.push(deeper.still_serves());
    all.push(
        Transcript::new("the second question overtakes the first answer")
            .send(BEAUTIFUL)
            .send(EXPLICIT)
            .expect(UGLY)
            .send(SIMPLE)
            .expect(&join(&[IMPLICIT, COMPLEX]))
            .still_serves(),
    );
    all.push(
        Transcript::new("a question begins in the segment in which another ends")
            .send(b"Beautiful is bet")
            .send(b"ter than?Explicit is bet")
            .expect(UGLY)
            .send(b"ter than?Simple is bet")
            .expect(IMPLICIT)
            .send(b"ter than?")
            .expect(COMPLEX)
            .still_serves(),
    );
    all
}

fn near_misses() -> Vec<Transcript> {
    let misses: [(&str, &[u8]); 23] = [
        ("an empty question", b"?"),
        ("lower case", b"beautiful is better than?"),
        ("upper case", b"BEAUTIFUL IS BETTER THAN?"),
        ("one letter in upper case", b"Simple is better Than?"),
        ("a space before the question mark", b"Beautiful is better than ?"),
        ("two spaces inside", b"Simple is  better than?"),
        ("a tab inside", b"Simple is\tbetter than?"),
        ("a line end inside", b"Simple is better\nthan?"),
        ("a line end before the question mark", b"Simple is better than\r\n?"),
        ("no spaces", b"Simpleisbetterthan?"),
        ("a no-break space inside, UTF-8", b"Simple is\xc2\xa0better than?"),
        ("a no-break space inside, Latin-1", b"Simple is\xa0better than?"),
        ("a no-break space before it, UTF-8", b"\xc2\xa0Simple is better than?"),
        ("a byte order mark before it", b"\xef\xbb\xbfSimple is better than?"),
        ("a zero byte before it", b"\0Simple is better than?"),
        ("a zero byte before the question mark", b"Simple is better than\0?"),
        ("a letter before it", b"ASimple is better than?"),
        ("a letter after it", b"Simple is better thans?"),
        ("its beginning", b"Simple?"),
        ("its end", b"is better than?"),
        ("the words without the aphorism", b" is better than?"),
        ("the answer as a question", b"Ugly.?"),
        ("the answer with its question", b"Beautiful is better than Ugly.?"),
    ];
    let mut all: Vec<_> = misses
        .into_iter()
        .map(|(what, question)| {
            Transcript::new(format!("unknown: {what}")).ask(question, UNKNOWN).still_serves()
        })
        .collect();
    all.push(
        Transcript::new("unknown: a question mark after a question")
            .send(b"Simple is better than??")
            .expect(&join(&[COMPLEX, UNKNOWN]))
            .still_serves(),
    );
    all.push(
        Transcript::new("unknown: a question mark before a question")
            .send(b"?Simple is better than?")
            .expect(&join(&[UNKNOWN, COMPLEX]))
            .still_serves(),
    );
    all.push(
        Transcript::new("a full stop ends nothing")
            .send(b"Beautiful is better than.")
            .send(b"Simple is better than?")
            .expect(UNKNOWN)
            .still_serves(),
    );
    all
}
