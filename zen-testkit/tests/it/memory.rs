//! Transcripts in memory: what passes over sockets passes here, and what is broken is caught,
//! without a socket and without waiting.

use std::thread;
use std::time::{Duration, Instant};

use zen_proto::{Answer, Decoded, DelimiterFraming, Flow, Framing, Limits, Peer, Service, aphorism};
use zen_testkit::{Exchanges, Expectations, Fault, Transcript, zen_deadlines, zen_suite};

#[test]
fn zens_own_suite_passes() {
    let suite = zen_suite(&Expectations::default());
    let report = suite.run_in_memory(&Limits::default(), || (aphorism::framing(), aphorism::Aphorisms));
    report.assert_passed();
    assert_eq!(report.outcomes.len(), 2 * suite.len());
}

#[test]
fn deadlines_take_no_time() {
    let limits = Limits::default();
    let expectations = Expectations::default()
        .with_question_deadline(limits.question_deadline)
        .with_idle_deadline(limits.idle_deadline)
        .with_write_deadline(limits.write_deadline);
    let suite = zen_deadlines(&expectations);
    let began = Instant::now();
    suite.run_in_memory(&limits, || (aphorism::framing(), aphorism::Aphorisms)).assert_passed();
    assert!(began.elapsed() < limits.question_deadline, "{:?}", began.elapsed());
}

#[test]
fn a_deadline_that_the_server_does_not_keep_is_caught() {
    let promised = Duration::from_secs(1);
    let suite =
        zen_deadlines(&Expectations::default().with_idle_deadline(promised)).give_up_after(usize::MAX);
    let kept = Limits::default().with_idle_deadline(promised / 2);
    let early = suite.run_in_memory(&kept, || (aphorism::framing(), aphorism::Aphorisms));
    assert_eq!(early.passed(), 0, "{early}");
    let dropped =
        early.mismatches().filter(|mismatch| matches!(mismatch.fault(), Fault::DroppedEarly { .. }));
    assert_eq!(dropped.count(), early.outcomes.len(), "{early}");
}

fn upper(question: &[u8], answer: &mut Answer<'_>) {
    answer.put(&question.to_ascii_uppercase());
}

fn exchanges() -> Exchanges {
    Exchanges::new().answers("a word", b"zen?", b"ZEN?").closes(
        "a long word",
        b"is?a?12345678?",
        b"IS?A?Error: question too long.",
    )
}

fn limits() -> Limits {
    Limits::default().with_question_length(8)
}

#[test]
fn a_service_passes_its_exchanges_and_a_broken_one_does_not() {
    exchanges().suite().run_in_memory(&limits(), || (aphorism::framing(), upper)).assert_passed();
    let shy = |question: &[u8], answer: &mut Answer<'_>| {
        if question != b"a?" {
            upper(question, answer);
        }
    };
    let report =
        exchanges().suite().give_up_after(1000).run_in_memory(&limits(), || (aphorism::framing(), shy));
    assert!(report.passed() > 0 && !report.is_pass(), "{report}");
    assert!(report.mismatches().all(|mismatch| mismatch.transcript().starts_with("a long word")), "{report}");
}

/// Forgets the first byte of a question whose third has come, unless it is whole.
struct Forgetful(DelimiterFraming);

impl Framing for Forgetful {
    type Message<'a> = &'a [u8];
    type Error = std::convert::Infallible;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<&'a [u8], Self::Error> {
        match self.0.decode(input) {
            // A bug that whole questions do not show.
            Decoded::Partial { start, .. } if input.len() > 2 => Decoded::nothing(start + 1),
            other => other,
        }
    }
}

#[test]
fn a_framing_that_a_cut_confuses_is_caught() {
    let exchanges = || Exchanges::new().answers("a word", b"word?", b"word?");
    let echo = |question: &[u8], answer: &mut Answer<'_, Forgetful>| answer.put(question);
    let report =
        exchanges().suite().run_in_memory(&Limits::default(), || (Forgetful(aphorism::framing()), echo));
    let caught: Vec<_> = report.mismatches().map(zen_testkit::Mismatch::transcript).collect();
    assert!(caught.iter().any(|name| name.contains("cut after 3 bytes")), "{report}");
    assert!(!caught.contains(&"a word"), "{report}");
}

#[test]
fn answers_from_other_threads_are_waited_for() {
    let slow = |question: &[u8], answer: &mut Answer<'_>| {
        let (responder, text) = (answer.later(), question.to_ascii_uppercase());
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(2));
            responder.answer(text).unwrap();
        });
        Flow::Later
    };
    Exchanges::new()
        .answers("two words", b"a?zen?", b"A?ZEN?")
        .suite()
        .run_in_memory(&Limits::default(), || (aphorism::framing(), slow))
        .assert_passed();
}

/// Greets, and says goodbye.
#[derive(Clone)]
struct Polite;

impl Service for Polite {
    fn open(&mut self, _peer: &Peer, answer: &mut Answer<'_>) -> Flow {
        answer.put(b"Welcome.");
        Flow::Continue
    }

    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) -> Flow {
        answer.put(if question == b"bye?" { b"Goodbye." } else { b"Well..." });
        if question == b"bye?" { Flow::Close } else { Flow::Continue }
    }
}

#[test]
fn greetings_and_goodbyes_are_exchanges_too() {
    let exchanges = Exchanges::new().greets(b"Welcome.").answers("a word", b"word?", b"Well...").closes(
        "a goodbye",
        b"why?bye?",
        b"Well...Goodbye.",
    );
    exchanges.suite().run_in_memory(&Limits::default(), || (aphorism::framing(), Polite)).assert_passed();
}

#[test]
fn a_mismatch_says_why_the_core_has_ended_the_conversation() {
    let panics = |_: &[u8], _: &mut Answer<'_>| -> Flow { panic!("a test asked for this panic") };
    let mismatch = Transcript::new("trouble")
        .ask(b"Why?", b"Because.")
        .run_in_memory(&Limits::default(), || (aphorism::framing(), panics))
        .unwrap_err();
    assert!(matches!(mismatch.fault(), Fault::Ended), "{mismatch}");
    assert!(mismatch.to_string().ends_with("ended     service_failed"), "{mismatch}");
}
