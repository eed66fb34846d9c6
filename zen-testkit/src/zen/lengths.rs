//! The limit of a question's length: a question within it is answered, a longer one is refused, and
//! the refusal reaches the client.

use std::time::Duration;

use super::{BEAUTIFUL, COMPLEX, Expectations, SIMPLE, TOO_LONG, UGLY, UNKNOWN, join, mixed};
use crate::transcript::Transcript;

pub(super) fn transcripts(expectations: &Expectations) -> Vec<Transcript> {
    let limit = expectations.question_limit;
    let mut all = Vec::new();
    for (label, length) in [("one less than the limit", limit - 1), ("the limit", limit)] {
        all.extend(answered(label, length));
    }
    for (label, length) in [
        ("one more than the limit", limit + 1),
        ("two more than the limit", limit + 2),
        ("twice the limit", limit * 2),
    ] {
        all.extend(refused(label, length));
    }
    all.extend(lingering(expectations));
    all
}

/// A question of this many bytes, including its `?`.
fn question_with_length(length: usize) -> Vec<u8> {
    let mut question = vec![b'x'; length - 1];
    question.push(b'?');
    question
}

/// The segment size that keeps one question to about 4096 writes, however large the limit is.
fn byte_by_byte(length: usize) -> usize {
    length.div_ceil(4096)
}

fn answered(label: &str, length: usize) -> Vec<Transcript> {
    let question = question_with_length(length);
    let named = |how: &str| Transcript::new(format!("a question of {label}: {how}"));
    vec![
        named("whole").ask(&question, UNKNOWN).still_serves(),
        named("byte by byte").send_in_chunks(&question, byte_by_byte(length)).expect(UNKNOWN).still_serves(),
        named("its question mark on its own")
            .send_cut_at(&question, &[length - 1])
            .expect(UNKNOWN)
            .still_serves(),
        named("its question mark on its own, arriving separately")
            .with_gap(Duration::from_millis(2))
            .send_cut_at(&question, &[1, length - 1])
            .expect(UNKNOWN)
            .still_serves(),
        named("and one more after it")
            .send(&join(&[&question, SIMPLE]))
            .expect(&join(&[UNKNOWN, COMPLEX]))
            .still_serves(),
        named("and the beginning of one more after it")
            .send(&join(&[&question, b"Beautiful"]))
            .expect(UNKNOWN)
            .ask(b" is better than?", UGLY)
            .still_serves(),
        named("after another")
            .send(&join(&[SIMPLE, &question]))
            .expect(&join(&[COMPLEX, UNKNOWN]))
            .still_serves(),
        named("five in one segment").send(&question.repeat(5)).expect(&UNKNOWN.repeat(5)).still_serves(),
        named("white space before it does not count")
            .ask(&join(&[&b" \r\n\t".repeat(length), &question]), UNKNOWN)
            .still_serves(),
        named("then half-closed").send(&question).finish().expect(UNKNOWN).ends(),
        named("half-closed before its question mark").send(&question[..length - 1]).finish_and_end(),
    ]
}

fn refused(label: &str, length: usize) -> Vec<Transcript> {
    let question = question_with_length(length);
    let named = |how: &str| Transcript::new(format!("a question of {label}: {how}"));
    vec![
        named("whole").ask(&question, TOO_LONG).ends(),
        named("byte by byte").send_in_chunks(&question, byte_by_byte(length)).expect(TOO_LONG).ends(),
        named("its question mark on its own").send_cut_at(&question, &[length - 1]).expect(TOO_LONG).ends(),
        named("no question mark, and the client waits").ask(&vec![b'x'; length], TOO_LONG).ends(),
        named("a question after it is not answered")
            .send(&join(&[&question, SIMPLE]))
            .expect(TOO_LONG)
            .ends(),
        named("the questions before it are answered")
            .send(&join(&[SIMPLE, BEAUTIFUL, &question]))
            .expect(&join(&[COMPLEX, UGLY, TOO_LONG]))
            .ends(),
        named("after an answer").ask(SIMPLE, COMPLEX).ask(&question, TOO_LONG).ends(),
        named("after white space").ask(&join(&[b" \r\n", &question]), TOO_LONG).ends(),
        named("then half-closed").send(&question).finish().expect(TOO_LONG).ends(),
        named("the server serves the next client")
            .ask(&question, TOO_LONG)
            .ends()
            .leave_and_return()
            .still_serves(),
    ]
}

/// The refusal of a question that is too long survives what the client sends afterwards.
fn lingering(expectations: &Expectations) -> Vec<Transcript> {
    let question = question_with_length(expectations.question_limit + 1);
    let trailing = 100_000.min(expectations.linger_bytes / 2);
    let rubbish = vec![b'x'; trailing];
    let questions = SIMPLE.repeat(trailing / SIMPLE.len());
    let (many, many_answers) = mixed(1_000);
    let named = |what: &str| Transcript::new(format!("too long: {what}"));
    vec![
        named("100 KB of the same question after it")
            .ask(&join(&[&question[..question.len() - 1], &rubbish]), TOO_LONG)
            .ends(),
        named("100 KB of rubbish after it, unread").ask(&join(&[&question, &rubbish]), TOO_LONG).ends(),
        named("100 KB of questions after it, none answered")
            .ask(&join(&[&question, &questions]), TOO_LONG)
            .ends(),
        named("100 KB after it in small segments")
            .send(&question)
            .send_in_chunks(&rubbish, 997)
            .expect(TOO_LONG)
            .ends(),
        named("100 KB after it, read late")
            .send(&join(&[&question, &rubbish]))
            .pause(Duration::from_millis(20))
            .expect(TOO_LONG)
            .ends(),
        named("the client keeps sending after the server's FIN")
            .ask(&question, TOO_LONG)
            .ends()
            .with_gap(Duration::from_micros(200))
            .send_in_chunks(&rubbish[..trailing / 2], 2_000)
            .ends(),
        named("the client keeps sending, then half-closes, after the server's FIN")
            .ask(&question, TOO_LONG)
            .ends()
            .send(&questions[..trailing / 2])
            .finish_and_end(),
        named("1000 answers before it survive too")
            .send(&join(&[&many, &question, &rubbish]))
            .expect(&join(&[&many_answers, TOO_LONG]))
            .ends(),
        named("1000 answers before it survive too, read late through a small window")
            .with_receive_buffer(8 * 1024)
            .send(&join(&[&many, &question, &rubbish]))
            .pause(Duration::from_millis(20))
            .expect(&join(&[&many_answers, TOO_LONG]))
            .ends(),
        named("one client after another")
            .ask(&question, TOO_LONG)
            .ends()
            .leave_and_return()
            .ask(&join(&[&question, &rubbish]), TOO_LONG)
            .ends()
            .reset_and_return()
            .ask(&question, TOO_LONG)
            .ends()
            .leave_and_return()
            .still_serves(),
    ]
}
