//! Floods: one byte in can make 24 out, and a client may read late.

use std::time::Duration;

use super::{BEAUTIFUL, COMPLEX, Expectations, SIMPLE, TOO_LONG, UGLY, UNKNOWN, join, mixed};
use crate::transcript::Transcript;

/// How long a late reader waits: long enough for the server to fill every buffer on the way.
const LATE: Duration = Duration::from_millis(20);

pub(super) fn transcripts(expectations: &Expectations) -> Vec<Transcript> {
    let mut all = empty_questions(expectations);
    all.extend(whole_questions());
    all.extend(exact_segments());
    all.extend(white_space());
    all.extend(abandoned());
    all
}

fn empty_questions(expectations: &Expectations) -> Vec<Transcript> {
    let flood = vec![b'?'; 10_000];
    let answers = UNKNOWN.repeat(flood.len());
    let named = |what: &str| Transcript::new(format!("flood: 10 000 empty questions, {what}"));
    let mut too_long = vec![b'x'; expectations.question_limit + 1];
    too_long.push(b'?');
    let mut all = vec![
        named("read at once").ask(&flood, &answers).still_serves(),
        named("read late").send(&flood).pause(LATE).expect(&answers).still_serves(),
        named("read late through a small window")
            .with_receive_buffer(8 * 1024)
            .send(&flood)
            .pause(LATE)
            .expect(&answers)
            .still_serves(),
        named("in segments of 7").send_in_chunks(&flood, 7).expect(&answers).still_serves(),
        named("half-closed, read late").send(&flood).finish().pause(LATE).expect(&answers).ends(),
        named("then half a question, read late")
            .send(&join(&[&flood, b"Simple is"]))
            .finish()
            .pause(LATE)
            .expect(&answers)
            .ends(),
        named("then the rest of a question")
            .send(&join(&[&flood, b"Simple is bet"]))
            .expect(&answers)
            .ask(b"ter than?", COMPLEX)
            .still_serves(),
        named("then one too long, read late")
            .with_receive_buffer(8 * 1024)
            .send(&join(&[&flood, &too_long]))
            .pause(LATE)
            .expect(&join(&[&answers, TOO_LONG]))
            .ends(),
        named("three times over")
            .ask(&flood, &answers)
            .ask(&flood, &answers)
            .ask(&flood, &answers)
            .finish_and_end(),
    ];
    // So many that a server takes several turns over input that has already arrived, with no new
    // segment to wake it.
    for (number, name) in [(50_000, "50 000"), (100_000, "100 000"), (200_000, "200 000")] {
        all.push(
            Transcript::new(format!("flood: {name} empty questions, read when nothing more can be sent"))
                .ask(&vec![b'?'; number], &UNKNOWN.repeat(number))
                .finish_and_end(),
        );
    }
    // The answers add up to about 16 KiB and 64 KiB, the default marks at which a server resumes
    // and stops.
    for number in [682, 683, 2_730, 2_731] {
        all.push(
            Transcript::new(format!("flood: {number} empty questions"))
                .ask(&vec![b'?'; number], &UNKNOWN.repeat(number))
                .still_serves(),
        );
    }
    all
}

fn whole_questions() -> Vec<Transcript> {
    let (many, many_answers) = mixed(5_000);
    let (more, more_answers) = mixed(80_000);
    vec![
        Transcript::new("flood: 5000 questions, answers in their order")
            .ask(&many, &many_answers)
            .still_serves(),
        Transcript::new("flood: 5000 questions, read late through a small window")
            .with_receive_buffer(8 * 1024)
            .send(&many)
            .pause(LATE)
            .expect(&many_answers)
            .still_serves(),
        Transcript::new("flood: 5000 questions in segments of 1009 bytes")
            .send_in_chunks(&many, 1_009)
            .expect(&many_answers)
            .still_serves(),
        Transcript::new("flood: 80 000 questions, 2 MB").ask(&more, &more_answers).finish_and_end(),
    ]
}

/// Segments that may fill a read buffer exactly. The server must ask for the rest and must not
/// hang.
fn exact_segments() -> Vec<Transcript> {
    let mut all = Vec::new();
    for size in [512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536] {
        for size in [size - 1, size, size + 1] {
            // White space comes first, so that only the last bytes are a question.
            let mut padded = vec![b'\n'; size - SIMPLE.len()];
            padded.extend_from_slice(SIMPLE);
            all.push(
                Transcript::new(format!("a segment of {size} bytes, then another"))
                    .ask(&padded, COMPLEX)
                    .ask(&padded, COMPLEX)
                    .finish_and_end(),
            );
        }
    }
    all
}

fn white_space() -> Vec<Transcript> {
    let megabyte = b" \t\r\n".repeat(1 << 18);
    vec![
        Transcript::new("flood: 1 MB of white space before a question")
            .ask(&join(&[&megabyte, SIMPLE]), COMPLEX)
            .ask(BEAUTIFUL, UGLY)
            .finish_and_end(),
        Transcript::new("flood: 1 MB of white space and nothing else").send(&megabyte).finish_and_end(),
        Transcript::new("flood: 5000 empty questions on lines of their own, in segments of 4")
            .send_in_chunks(&b"?\r\n".repeat(5_000), 4)
            .expect(&UNKNOWN.repeat(5_000))
            .still_serves(),
    ]
}

/// A server that is writing when its client leaves must serve the next client.
fn abandoned() -> Vec<Transcript> {
    let flood = vec![b'?'; 20_000];
    vec![
        Transcript::new("flood: the client resets and reads none of it")
            .with_receive_buffer(8 * 1024)
            .send(&flood)
            .pause(LATE)
            .reset_and_return()
            .still_serves(),
        Transcript::new("flood: the client closes and reads none of it")
            .with_receive_buffer(8 * 1024)
            .send(&flood)
            .pause(LATE)
            .leave_and_return()
            .still_serves(),
        Transcript::new("flood: the client half-closes, reads none of it, and resets")
            .with_receive_buffer(8 * 1024)
            .send(&flood)
            .finish()
            .pause(LATE)
            .reset_and_return()
            .still_serves(),
    ]
}
