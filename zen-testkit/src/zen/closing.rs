//! How clients leave: they half-close after whole questions or inside one, close, or reset. The
//! server must serve the next client.

use std::time::Duration;

use super::{BEAUTIFUL, COMPLEX, EXPLICIT, IMPLICIT, SIMPLE, UGLY, UNKNOWN, join, mixed};
use crate::transcript::Transcript;

/// Long enough for an idle server to answer what arrived before the half-close. A pass does not
/// depend on it.
const SEPARATE: Duration = Duration::from_millis(2);

pub(super) fn transcripts() -> impl Iterator<Item = Transcript> {
    after_whole_questions().into_iter().chain(inside_a_question()).chain(gone())
}

fn after_whole_questions() -> Vec<Transcript> {
    let pair = join(&[SIMPLE, BEAUTIFUL]);
    let pair_answers = join(&[COMPLEX, UGLY]);
    let mut all = vec![
        Transcript::new("half-close at once").finish_and_end(),
        Transcript::new("half-close a little later").pause(SEPARATE).finish_and_end(),
        Transcript::new("half-close after a question").send(SIMPLE).finish().expect(COMPLEX).ends(),
        Transcript::new("half-close after a question, arriving separately")
            .send(SIMPLE)
            .pause(SEPARATE)
            .finish()
            .expect(COMPLEX)
            .ends(),
        Transcript::new("half-close after an answer").ask(SIMPLE, COMPLEX).finish_and_end(),
        Transcript::new("half-close after an answer and white space")
            .ask(SIMPLE, COMPLEX)
            .send(b"\r\n \t")
            .finish_and_end(),
        Transcript::new("half-close after two questions in one segment")
            .send(&pair)
            .finish()
            .expect(&pair_answers)
            .ends(),
        Transcript::new("half-close after two questions in two segments")
            .send(SIMPLE)
            .send(BEAUTIFUL)
            .finish()
            .expect(&pair_answers)
            .ends(),
        Transcript::new("half-close after a question and white space")
            .send(b"Simple is better than?\r\n")
            .finish()
            .expect(COMPLEX)
            .ends(),
        Transcript::new("half-close after an empty question").send(b"?").finish().expect(UNKNOWN).ends(),
        Transcript::new("half-close after a question sent byte by byte")
            .send_byte_by_byte(EXPLICIT)
            .finish()
            .expect(IMPLICIT)
            .ends(),
    ];
    for number in [10, 32, 33, 100, 1_000] {
        let (questions, answers) = mixed(number);
        all.push(
            Transcript::new(format!("half-close after {number} questions, read late"))
                .send(&questions)
                .finish()
                .pause(SEPARATE)
                .expect(&answers)
                .ends(),
        );
    }
    all
}

fn inside_a_question() -> Vec<Transcript> {
    let mut all: Vec<_> = (1..SIMPLE.len())
        .map(|length| {
            Transcript::new(format!("truncated: half-close after {length} bytes of a question"))
                .send(&SIMPLE[..length])
                .finish_and_end()
        })
        .collect();
    for number in [1, 2, 3, 40] {
        let (questions, answers) = mixed(number);
        all.push(
            Transcript::new(format!("truncated: {number} questions before it are answered"))
                .send(&join(&[&questions, b"Simple is bet"]))
                .finish()
                .expect(&answers)
                .ends(),
        );
    }
    all.extend([
        Transcript::new("truncated: a question before it was answered")
            .ask(BEAUTIFUL, UGLY)
            .send(b"Simple is bet")
            .finish_and_end(),
        Transcript::new("truncated: half-close arrives separately")
            .send(b"Simple is bet")
            .pause(SEPARATE)
            .finish_and_end(),
        Transcript::new("truncated: half a question in small pieces")
            .send_byte_by_byte(b"\r\n Simple is bet")
            .finish_and_end(),
        Transcript::new("truncated: the server serves the next client")
            .send(b"Simple is bet")
            .finish_and_end()
            .leave_and_return()
            .still_serves(),
    ]);
    all
}

/// A client that closes or resets sees no more of the server, but the next client does.
fn gone() -> Vec<Transcript> {
    let stories: [(&str, &[u8]); 6] = [
        ("at once", b""),
        ("after white space", b"\r\n"),
        ("after half a question", b"Beautiful is bet"),
        ("after a question, its answer unread", BEAUTIFUL),
        ("after 40 questions, their answers unread", &[b'?'; 40]),
        ("after a question and a half", b"Simple is better than?Beautiful"),
    ];
    let mut all = Vec::new();
    for (when, said) in stories {
        let named = |how: &str| {
            let transcript = Transcript::new(format!("the client {how} {when}"));
            if said.is_empty() { transcript } else { transcript.send(said) }
        };
        all.push(named("closes").leave_and_return().still_serves());
        all.push(named("resets").reset_and_return().still_serves());
        all.push(named("waits, then resets,").pause(SEPARATE).reset_and_return().still_serves());
    }
    all.push(
        Transcript::new("the client resets after an answer")
            .ask(BEAUTIFUL, UGLY)
            .reset_and_return()
            .still_serves(),
    );
    all.push(
        Transcript::new("the client closes after an answer")
            .ask(BEAUTIFUL, UGLY)
            .leave_and_return()
            .still_serves(),
    );

    let mut callers = Transcript::new("50 clients connect and close, one after another");
    let mut resetters = Transcript::new("50 clients ask and reset, one after another");
    let mut askers = Transcript::new("50 clients ask and half-close, one after another");
    for _ in 0..50 {
        callers = callers.leave_and_return();
        resetters = resetters.send(SIMPLE).reset_and_return();
        askers = askers.send(SIMPLE).finish().expect(COMPLEX).ends().leave_and_return();
    }
    all.extend([callers.still_serves(), resetters.still_serves(), askers.still_serves()]);
    all
}
