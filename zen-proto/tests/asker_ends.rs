//! How asking begins and ends: the greeting, deadlines, abandoned questions, bytes that answer no
//! question, and the end of the questions.
#![allow(clippy::unwrap_used, reason = "tests say what they expect by panicking, their helpers too")]

use std::time::{Duration, Instant};

use zen_proto::{AskError, Asker, AskerError, ClientLimits, DelimiterFraming, LimitError, aphorism};

fn asker() -> Asker<DelimiterFraming> {
    Asker::new(aphorism::client_framing(), ClientLimits::default())
}

/// Asks, and reports that the question was sent.
fn ask(asker: &mut Asker<DelimiterFraming>, question: &str, now: Instant) {
    asker.ask(question.as_bytes(), now).unwrap();
    asker.handle_sent(asker.transmit().len(), now);
}

#[test]
fn abandoned_answers_are_thrown_away_however_they_come() {
    let now = Instant::now();
    let wire = b"One.Two.Three.";
    for cut in 0..=wire.len() {
        let mut asker = asker();
        ask(&mut asker, "1?", now);
        ask(&mut asker, "2?", now);
        asker.abandon();
        ask(&mut asker, "3?", now);
        let mut answers = Vec::new();
        for part in [&wire[..cut], &wire[cut..]] {
            asker.handle_input(part, now);
            answers.extend(std::iter::from_fn(|| asker.poll_answer()));
        }
        assert_eq!(answers, ["Three."], "cut at {cut}");
        assert_eq!(asker.awaited(), 0);
        assert_eq!(asker.failed(), None);
    }
}

#[test]
fn an_abandoned_question_is_still_sent_and_still_has_a_deadline() {
    let now = Instant::now();
    let mut asker = asker();
    asker.ask(b"1?", now).unwrap();
    asker.handle_sent(1, now);
    asker.abandon();
    assert_eq!(asker.transmit(), b"?");
    let late = asker.poll_timeout().expect("a deadline");
    asker.handle_timeout(late);
    assert!(matches!(asker.failed(), Some(AskerError::TimedOut { awaited: 1, .. })), "{:?}", asker.failed());
}

#[test]
fn abandoning_nothing_changes_nothing() {
    let now = Instant::now();
    let mut asker = asker();
    asker.abandon();
    ask(&mut asker, "1?", now);
    asker.handle_input(b"One.", now);
    assert_eq!(asker.poll_answer().as_deref(), Some(&b"One."[..]));
}

#[test]
fn bytes_behind_the_last_answer_are_not_the_next_answer() {
    let now = Instant::now();
    for behind in ["More.", "Mo", " "] {
        let mut asker = asker();
        ask(&mut asker, "1?", now);
        asker.handle_input(format!("One.{behind}").as_bytes(), now);
        assert_eq!(asker.poll_answer().as_deref(), Some(&b"One."[..]), "{behind:?}");
        assert_eq!(asker.ask(b"2?", now), Err(AskError::Failed(AskerError::Unasked)), "{behind:?}");
        assert_eq!(asker.poll_answer(), None);
    }
}

#[test]
fn what_the_framing_skips_may_come_unasked() {
    let now = Instant::now();
    let framing = DelimiterFraming::new(b'.').skip_white_space();
    let mut asker = Asker::new(framing, ClientLimits::default());
    asker.handle_input(b"\r\n", now);
    assert_eq!(asker.poll_answer(), None);
    asker.ask(b"1?", now).unwrap();
    asker.handle_input(b"One.\r\n", now);
    assert_eq!(asker.poll_answer().as_deref(), Some(&b"One."[..]));
    asker.ask(b"2?", now).unwrap();
    asker.handle_input(b"Two.", now);
    assert_eq!(asker.poll_answer().as_deref(), Some(&b"Two."[..]));
}

#[test]
fn an_answer_that_came_is_not_late_before_it_was_taken() {
    let now = Instant::now();
    let mut asker = asker();
    ask(&mut asker, "1?", now);
    asker.handle_input(b"One.", now);
    asker.handle_timeout(now + Duration::from_secs(3600));
    assert_eq!(asker.poll_answer().as_deref(), Some(&b"One."[..]));
    assert_eq!(asker.failed(), None);
}

#[test]
fn fin_follows_the_last_byte_once_and_the_servers_fin_closes() {
    let now = Instant::now();
    let mut asker = asker();
    asker.ask(b"1?", now).unwrap();
    asker.finish(now);
    assert!(!asker.wants_question());
    assert!(!asker.poll_shutdown(), "the question is not sent yet");
    asker.handle_sent(2, now);
    assert!(asker.poll_shutdown());
    assert!(!asker.poll_shutdown(), "once");
    asker.finish(now);
    assert!(!asker.poll_shutdown(), "finishing twice is the same as once");
    asker.handle_input(b"One.", now);
    asker.handle_eof(now);
    assert!(!asker.is_closed(), "an answer is there to be taken");
    assert_eq!(asker.poll_answer().as_deref(), Some(&b"One."[..]));
    assert!(asker.is_closed());
    assert_eq!(asker.poll_timeout(), None);
    assert_eq!(asker.failed(), None);
}

#[test]
fn a_server_that_does_not_close_is_late() {
    let now = Instant::now();
    let mut asker = asker();
    asker.finish(now);
    let deadline = ClientLimits::default().answer_deadline;
    asker.handle_timeout(now + deadline.saturating_sub(Duration::from_nanos(1)));
    assert_eq!(asker.failed(), None);
    asker.handle_timeout(now + deadline);
    assert_eq!(asker.failed(), Some(&AskerError::TimedOut { awaited: 0, deadline }));
}

#[test]
fn a_reset_after_the_last_answer_is_a_close() {
    let now = Instant::now();
    let mut asker = asker();
    ask(&mut asker, "1?", now);
    asker.handle_input(b"One.", now);
    assert!(asker.poll_answer().is_some());
    asker.finish(now);
    asker.handle_lost(now);
    assert!(asker.is_closed());
    assert_eq!(asker.failed(), None);
}

#[test]
fn a_reset_before_the_last_answer_is_a_loss() {
    let now = Instant::now();
    let mut asker = asker();
    ask(&mut asker, "1?", now);
    asker.finish(now);
    asker.handle_lost(now);
    assert_eq!(asker.failed(), Some(&AskerError::Lost { awaited: 1 }));
}

#[test]
fn limits_of_zero_are_refused_by_name() {
    let good = ClientLimits::default();
    assert_eq!(good.validate(), Ok(()));
    for (limits, limit) in [
        (good.clone().with_answer_length(0), "answer length"),
        (good.clone().with_questions_in_flight(0), "questions in flight"),
        (good.clone().with_answer_deadline(Duration::ZERO), "answer deadline"),
        (good.with_least_rate(0), "least rate"),
    ] {
        assert_eq!(limits.validate(), Err(LimitError::Zero { limit }));
    }
}

#[test]
fn the_deadline_of_a_pipelined_question_runs_from_when_its_answer_is_due() {
    let start = Instant::now();
    let deadline = ClientLimits::default().answer_deadline;
    let mut asker = asker();
    for _ in 0..4 {
        ask(&mut asker, "Why?", start);
    }
    // Together the answers take longer than the deadline; each comes in time.
    let mut now = start;
    for _ in 0..4 {
        assert_eq!(asker.poll_timeout(), Some(now + deadline));
        now += deadline.mul_f64(0.9);
        asker.handle_timeout(now);
        asker.handle_input(b"So.", now);
        assert_eq!(asker.poll_answer().as_deref(), Some(&b"So."[..]), "{:?}", asker.failed());
    }
    ask(&mut asker, "Why?", now);
    asker.handle_timeout(now + deadline);
    assert!(matches!(asker.failed(), Some(AskerError::TimedOut { awaited: 1, .. })), "{:?}", asker.failed());
}

#[test]
fn the_answer_due_next_is_not_helped_by_its_own_bytes() {
    let start = Instant::now();
    let deadline = ClientLimits::default().answer_deadline;
    let mut asker = asker();
    ask(&mut asker, "1?", start);
    ask(&mut asker, "2?", start);
    let second = start + Duration::from_secs(20);
    asker.handle_input(b"One.Tw", second);
    assert!(asker.poll_answer().is_some());
    assert!(asker.poll_answer().is_none());
    asker.handle_input(b"o", second + Duration::from_secs(20));
    assert!(asker.poll_answer().is_none());
    assert_eq!(asker.poll_timeout(), Some(second + deadline));
}

/// An asker of large messages that must advance by a KiB a second, once 64 KiB have moved.
fn patient_asker() -> (Asker<DelimiterFraming>, Instant, impl Fn(u64) -> Instant) {
    let start = Instant::now();
    let limits = ClientLimits::default().with_answer_length(1 << 20).with_least_rate(1024);
    let asker = Asker::new(aphorism::client_framing(), limits);
    (asker, start, move |seconds| start + Duration::from_secs(seconds))
}

#[test]
fn a_large_answer_extends_its_deadline_at_the_least_rate() {
    let (mut asker, start, after) = patient_asker();
    let deadline = ClientLimits::default().answer_deadline;
    asker.ask(b"1?", start).unwrap();
    // So many KiB come then, and the deadline runs from so many seconds on.
    for (kib, then, since) in [(64, 20, 0), (1, 20, 1), (9, 25, 10), (500, 25, 25), (1, 26, 26)] {
        asker.handle_input(&b"x".repeat(kib << 10), after(then));
        assert!(asker.poll_answer().is_none());
        assert_eq!(asker.poll_timeout(), Some(after(since) + deadline), "{kib} KiB after {then} s");
    }
    asker.handle_timeout(after(26) + deadline);
    assert!(asker.failed().is_some(), "nobody saves time up by being fast at first");
}

#[test]
fn a_large_question_extends_the_deadline_too_while_it_is_sent() {
    let (mut asker, start, after) = patient_asker();
    let deadline = ClientLimits::default().answer_deadline;
    for _ in 0..2 {
        let mut question = b"x".repeat(100 << 10);
        question.push(b'?');
        asker.ask(&question, start).unwrap();
    }
    for (kib, then, since) in [(64, 20, 0), (1, 20, 1), (9, 25, 10), (100, 25, 25), (1, 26, 26)] {
        asker.handle_sent(kib << 10, after(then));
        assert_eq!(asker.poll_timeout(), Some(after(since) + deadline), "{kib} KiB after {then} s");
    }
    // A small one has the deadline alone.
    asker.handle_sent(asker.transmit().len(), after(27));
    asker.handle_input(b"One.Two.", after(30));
    assert!(asker.poll_answer().is_some() && asker.poll_answer().is_some());
    asker.ask(b"3?", after(40)).unwrap();
    asker.handle_sent(2, after(45));
    assert_eq!(asker.poll_timeout(), Some(after(40) + deadline));
}

#[test]
fn no_question_is_wanted_before_the_greeting_has_come() {
    let now = Instant::now();
    for whole in [true, false] {
        let mut asker = asker();
        asker.expect_greeting(now);
        assert!(asker.awaits_greeting() && !asker.wants_question());
        asker.handle_input(b"Welco", now);
        assert!(asker.poll_answer().is_none() && !asker.wants_question());
        if !whole {
            // Nobody wants to see it.
            asker.abandon();
        }
        asker.handle_input(b"me.", now);
        assert_eq!(asker.poll_answer().is_some(), whole);
        assert!(!asker.awaits_greeting() && asker.wants_question());
        ask(&mut asker, "1?", now);
        asker.handle_input(b"One.", now);
        assert_eq!(asker.poll_answer().as_deref(), Some(&b"One."[..]));
    }
}

#[test]
fn a_greeting_has_a_deadline() {
    let now = Instant::now();
    let mut asker = asker();
    asker.expect_greeting(now);
    let deadline = ClientLimits::default().answer_deadline;
    assert_eq!(asker.poll_timeout(), Some(now + deadline));
    asker.handle_timeout(now + deadline);
    assert_eq!(asker.failed(), Some(&AskerError::TimedOut { awaited: 1, deadline }));
}
