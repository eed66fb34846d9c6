//! Deadlines: the server closes without a message when one is broken, and some input must not
//! extend it.
//!
//! The lower bound is exact up to the grain of a timer. The upper bound is only a generous
//! timeout.

use std::time::Duration;

use super::{BEAUTIFUL, COMPLEX, Expectations, SIMPLE, UGLY, join};
use crate::transcript::{Step, Transcript, Trickle};

pub(super) fn transcripts(expectations: &Expectations) -> Vec<Transcript> {
    let mut all = Vec::new();
    if let Some(deadline) = expectations.question_deadline {
        all.extend(question(deadline, expectations));
    }
    if let Some(deadline) = expectations.idle_deadline {
        all.extend(idle(deadline));
    }
    if let Some(deadline) = expectations.write_deadline {
        all.extend(write(deadline));
    }
    for transcript in &mut all {
        let timeout = Duration::from_secs(10) + deadline_sum(expectations) * 4;
        *transcript = transcript.clone().with_timeout(timeout);
    }
    all
}

fn deadline_sum(expectations: &Expectations) -> Duration {
    [expectations.question_deadline, expectations.idle_deadline, expectations.write_deadline]
        .into_iter()
        .flatten()
        .sum()
}

/// The least time from the start of a deadline to the close, with a tenth allowed for coarse
/// timers.
fn earliest_drop(deadline: Duration) -> Duration {
    deadline / 10 * 9
}

fn question(deadline: Duration, expectations: &Expectations) -> Vec<Transcript> {
    let not_before = earliest_drop(deadline);
    // These bytes belong to one question, which must not grow over the limit.
    let trickle = |byte| Trickle::new(byte, deadline / 8).with_at_most(expectations.question_limit - 32);
    let named = |what: &str| Transcript::new(format!("deadline of a question: {what}"));
    let mut all = vec![
        named("half a question, then silence").send(b"Simple is").dropped(not_before, None),
        named("one byte, then silence").send(b"S").dropped(not_before, None),
        named("a trickle of letters does not extend it").send(b"S").dropped(not_before, Some(trickle(b'x'))),
        named("a trickle of white space does not extend it")
            .send(b"S")
            .dropped(not_before, Some(trickle(b' '))),
        named("half a question after a whole one")
            .send(b"Simple is better than?Beautiful")
            .expect(COMPLEX)
            .dropped(not_before, None),
        named("half a question after an answer")
            .ask(SIMPLE, COMPLEX)
            .send(b"\r\nBeautiful")
            .dropped(not_before, Some(trickle(b'x'))),
        named("the server serves the next client")
            .send(b"Simple is")
            .dropped(not_before, None)
            .leave_and_return()
            .still_serves(),
    ];
    if expectations.idle_deadline.is_none() {
        let mut patient = named("it starts again with each question");
        for _ in 0..6 {
            patient = patient.ask(SIMPLE, COMPLEX).pause(deadline / 4);
        }
        all.push(patient.still_serves());
    }
    all
}

fn idle(deadline: Duration) -> Vec<Transcript> {
    let not_before = earliest_drop(deadline);
    let trickle = |byte| Trickle::new(byte, deadline / 8);
    let named = |what: &str| Transcript::new(format!("idle deadline: {what}"));
    let mut all = vec![
        named("the client sends nothing").dropped(not_before, None),
        named("silence after an answer").ask(SIMPLE, COMPLEX).dropped(not_before, None),
        named("silence after three answers")
            .ask(SIMPLE, COMPLEX)
            .send(&join(&[BEAUTIFUL, SIMPLE]))
            .expect(&join(&[UGLY, COMPLEX]))
            .dropped(not_before, None),
        named("the server serves the next client")
            .dropped(not_before, None)
            .leave_and_return()
            .still_serves(),
    ];
    for (kind, byte) in [("line ends", b'\n'), ("spaces", b' ')] {
        all.push(named(&format!("{kind} do not extend it")).dropped(not_before, Some(trickle(byte))));
        all.push(
            named(&format!("{kind} after an answer do not extend it"))
                .ask(SIMPLE, COMPLEX)
                .dropped(not_before, Some(trickle(byte))),
        );
    }
    all
}

fn write(deadline: Duration) -> Vec<Transcript> {
    let pattern = vec![b'?'; 4_096];
    let named = |what: &str| Transcript::new(format!("write deadline: {what}")).with_receive_buffer(8 * 1024);
    vec![
        named("a client that reads nothing")
            .step(Step::ExpectDropOfNonReader { pattern: pattern.clone(), read_interval: None })
            .leave_and_return()
            .still_serves(),
        named("a client that reads a byte now and then")
            .step(Step::ExpectDropOfNonReader { pattern, read_interval: Some(deadline / 8) })
            .leave_and_return()
            .still_serves(),
    ]
}
