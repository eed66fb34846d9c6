//! Each flaw is caught by the transcripts that are meant to catch it.

use std::time::Duration;

use zen_testkit::{Expectations, Mismatch, Suite, zen_deadlines, zen_suite};

use crate::reference::{Flaw, Limits, Reference};

/// Runs the suite against a server with this flaw, and checks that each of these transcripts fails.
///
/// These tests do not fail because the machine is slow: a wait that is cut short makes a transcript
/// fail, as it should. Only a flaw that depends on the client's pace can stay hidden, so such a
/// suite gets several attempts.
fn expect_caught(flaw: Flaw, limits: Limits, suite: &Suite, attempts: usize, by: &[&str]) {
    let server = Reference::start(flaw, limits);
    let mut missed: Vec<_> = by.to_vec();
    for _ in 0..attempts {
        let report = suite.run(server.addr);
        let names: Vec<_> = report.mismatches().map(Mismatch::transcript).collect();
        println!("{flaw:?} is caught by {} of {}:", names.len(), suite.len());
        for name in names.iter().take(8) {
            println!("  {name}");
        }
        missed.retain(|name| !names.contains(name));
        if missed.is_empty() {
            return;
        }
    }
    panic!("{flaw:?} was not caught by the transcripts {missed:?}");
}

/// Eight conversations at once, all of the transcripts, and a short timeout.
fn hurried(suite: Suite, timeout: Duration) -> Suite {
    suite.with_parallelism(8).give_up_after(usize::MAX).with_timeout(timeout)
}

fn expect_caught_by_suite(flaw: Flaw, by: &[&str]) {
    let suite = hurried(zen_suite(&Expectations::default()), Duration::from_millis(300));
    expect_caught(flaw, Limits::default(), &suite, 1, by);
}

fn expect_caught_by_deadlines(flaw: Flaw, by: &[&str]) {
    let deadline = Some(Duration::from_millis(300));
    let limits = Limits {
        question_deadline: deadline,
        idle_deadline: deadline,
        write_deadline: deadline,
        ..Limits::default()
    };
    let expectations = Expectations::default()
        .with_question_deadline(deadline)
        .with_idle_deadline(deadline)
        .with_write_deadline(deadline);
    let suite = hurried(zen_deadlines(&expectations), Duration::from_millis(900));
    expect_caught(flaw, limits, &suite, 3, by);
}

#[test]
fn questions_in_one_segment() {
    expect_caught_by_suite(
        Flaw::MergesQuestionsInOneSegment,
        &["two questions in one segment", "the three questions in one segment, in the order 2 1 0"],
    );
    expect_caught_by_suite(
        Flaw::DropsTheThirdAnswerOfASegment,
        &["the three questions in one segment, in the order 0 1 2", "7 questions in one segment"],
    );
    expect_caught_by_suite(Flaw::AnswersOutOfOrder, &["two questions in one segment"]);
    expect_caught_by_suite(Flaw::AnswersTwice, &["one question: Simple is better than?"]);
}

#[test]
fn limits_that_are_off_by_one() {
    expect_caught_by_suite(
        Flaw::LimitOneTooHigh,
        &[
            "a question of one more than the limit: whole",
            "a question of one more than the limit: byte by byte",
        ],
    );
    expect_caught_by_suite(
        Flaw::LimitOneTooLow,
        &["a question of the limit: whole", "a question of the limit: byte by byte"],
    );
    expect_caught_by_suite(
        Flaw::WhiteSpaceCountsTowardsTheLimit,
        &["a question of the limit: white space before it does not count"],
    );
}

#[test]
fn questions_that_are_too_long() {
    expect_caught_by_suite(
        Flaw::ClosesWithoutLingering,
        &[
            "too long: 100 KB of rubbish after it, unread",
            "too long: 100 KB after it in small segments",
            "too long: the client keeps sending after the server's FIN",
        ],
    );
    expect_caught_by_suite(
        Flaw::AnswersBehindATooLongQuestion,
        &["a question of one more than the limit: a question after it is not answered"],
    );
    expect_caught_by_suite(Flaw::SaysNothingWhenTooLong, &["a question of one more than the limit: whole"]);
}

#[test]
fn white_space() {
    expect_caught_by_suite(
        Flaw::SkipsNoWhiteSpace,
        &[
            "space before the first question",
            "tab between two questions",
            "typed into nc, lines ending in LF",
        ],
    );
    expect_caught_by_suite(Flaw::SkipsNoVerticalTab, &["vertical tab before the first question"]);
    expect_caught_by_suite(
        Flaw::SkipsWhiteSpaceEverywhere,
        &["tab inside a question belongs to it", "unknown: a line end before the question mark"],
    );
}

#[test]
fn endings() {
    expect_caught_by_suite(
        Flaw::AnswersATruncatedQuestion,
        &[
            "truncated: half-close after 1 bytes of a question",
            "truncated: 2 questions before it are answered",
        ],
    );
    expect_caught_by_suite(Flaw::NeverCloses, &["half-close at once", "half-close after a question"]);
    let half_closes = zen_suite(&Expectations::default()).only("half-close after");
    expect_caught(
        Flaw::LosesAnswersAtHalfClose,
        Limits::default(),
        &hurried(half_closes, Duration::from_millis(300)),
        1,
        &["half-close after two questions in one segment"],
    );
    expect_caught_by_suite(Flaw::ClosesAfterEachAnswer, &["one question: Beautiful is better than?"]);
    expect_caught_by_suite(Flaw::ResetsInsteadOfClosing, &["half-close at once"]);
    expect_caught_by_suite(Flaw::DiesOfAReset, &["50 clients ask and reset, one after another"]);
}

#[test]
fn near_misses() {
    expect_caught_by_suite(Flaw::IgnoresCase, &["unknown: lower case", "unknown: upper case"]);
}

#[test]
fn deadlines() {
    expect_caught_by_deadlines(
        Flaw::TrickleExtendsTheQuestion,
        &["deadline of a question: a trickle of letters does not extend it"],
    );
    expect_caught_by_deadlines(
        Flaw::WhiteSpaceExtendsIdleness,
        &["idle deadline: line ends do not extend it"],
    );
    expect_caught_by_deadlines(
        Flaw::SpeaksWhenItDrops,
        &["deadline of a question: half a question, then silence"],
    );
    expect_caught_by_deadlines(Flaw::DropsAtOnce, &["idle deadline: the client sends nothing"]);
    expect_caught_by_deadlines(Flaw::NeverDropsANonReader, &["write deadline: a client that reads nothing"]);
}
