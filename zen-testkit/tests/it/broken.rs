//! Each way of being wrong is caught by the transcripts that are meant to catch it.

use std::time::Duration;

use zen_testkit::{Expectations, Mismatch, Suite, zen_deadlines, zen_suite};

use crate::reference::{Flaw, Limits, Reference};

/// Runs the suite against a server with this flaw, and checks that each of these transcripts failed.
///
/// Nothing here fails because the machine is slow: a wait that is cut short makes a transcript fail, which is what is wanted. Only a
/// flaw that shows while the client keeps a pace can hide, so such a suite is given a few attempts.
fn caught(flaw: Flaw, limits: Limits, suite: &Suite, attempts: usize, by: &[&str]) {
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
    panic!("{flaw:?} was not caught by {missed:?}");
}

/// As many conversations as help, all of the transcripts, and little patience.
fn hasty(suite: Suite, patience: Duration) -> Suite {
    suite.parallelism(8).give_up_after(usize::MAX).patience(patience)
}

fn caught_on_the_wire(flaw: Flaw, by: &[&str]) {
    let suite = hasty(zen_suite(&Expectations::default()), Duration::from_millis(300));
    caught(flaw, Limits::default(), &suite, 1, by);
}

fn caught_by_deadlines(flaw: Flaw, by: &[&str]) {
    let deadline = Some(Duration::from_millis(300));
    let limits = Limits {
        question_deadline: deadline,
        idle_deadline: deadline,
        write_deadline: deadline,
        ..Limits::default()
    };
    let expectations = Expectations {
        question_deadline: deadline,
        idle_deadline: deadline,
        write_deadline: deadline,
        ..Expectations::default()
    };
    let suite = hasty(zen_deadlines(&expectations), Duration::from_millis(900));
    caught(flaw, limits, &suite, 3, by);
}

#[test]
fn questions_in_one_segment() {
    caught_on_the_wire(
        Flaw::MergesQuestionsInOneSegment,
        &["two questions in one segment", "the three questions in one segment, in the order 2 1 0"],
    );
    caught_on_the_wire(
        Flaw::DropsTheThirdAnswerOfASegment,
        &["the three questions in one segment, in the order 0 1 2", "7 questions in one segment"],
    );
    caught_on_the_wire(Flaw::AnswersOutOfOrder, &["two questions in one segment"]);
    caught_on_the_wire(Flaw::AnswersTwice, &["one question: Simple is better than?"]);
}

#[test]
fn limits_that_are_off_by_one() {
    caught_on_the_wire(
        Flaw::LimitOneTooHigh,
        &[
            "a question of one more than the limit: whole",
            "a question of one more than the limit: byte by byte",
        ],
    );
    caught_on_the_wire(
        Flaw::LimitOneTooLow,
        &["a question of the limit: whole", "a question of the limit: byte by byte"],
    );
    caught_on_the_wire(
        Flaw::WhiteSpaceCountsTowardsTheLimit,
        &["a question of the limit: white space before it does not count"],
    );
}

#[test]
fn questions_that_are_too_long() {
    caught_on_the_wire(
        Flaw::ClosesWithoutLingering,
        &[
            "too long: 100 KB of rubbish behind it, unread",
            "too long: 100 KB behind it in small segments",
            "too long: the client goes on after the server's FIN",
        ],
    );
    caught_on_the_wire(
        Flaw::AnswersBehindATooLongQuestion,
        &["a question of one more than the limit: a question behind it is not answered"],
    );
    caught_on_the_wire(Flaw::SaysNothingWhenTooLong, &["a question of one more than the limit: whole"]);
}

#[test]
fn white_space() {
    caught_on_the_wire(
        Flaw::SkipsNoWhiteSpace,
        &[
            "space before the first question",
            "tab between two questions",
            "typed into nc, lines ending in LF",
        ],
    );
    caught_on_the_wire(Flaw::SkipsNoVerticalTab, &["vertical tab before the first question"]);
    caught_on_the_wire(
        Flaw::SkipsWhiteSpaceEverywhere,
        &["tab inside a question belongs to it", "unknown: a line end before the question mark"],
    );
}

#[test]
fn endings() {
    caught_on_the_wire(
        Flaw::AnswersATruncatedQuestion,
        &[
            "truncated: half-close after 1 bytes of a question",
            "truncated: 2 questions before it are answered",
        ],
    );
    caught_on_the_wire(Flaw::NeverCloses, &["half-close at once", "half-close after a question"]);
    let half_closes = zen_suite(&Expectations::default()).only("half-close after");
    caught(
        Flaw::LosesAnswersAtHalfClose,
        Limits::default(),
        &hasty(half_closes, Duration::from_millis(300)),
        1,
        &["half-close after two questions in one segment"],
    );
    caught_on_the_wire(Flaw::ClosesAfterEachAnswer, &["one question: Beautiful is better than?"]);
    caught_on_the_wire(Flaw::ResetsInsteadOfClosing, &["half-close at once"]);
    caught_on_the_wire(Flaw::DiesOfAReset, &["50 clients ask and reset, one after another"]);
}

#[test]
fn near_misses() {
    caught_on_the_wire(Flaw::IgnoresCase, &["unknown: lower case", "unknown: upper case"]);
}

#[test]
fn deadlines() {
    caught_by_deadlines(
        Flaw::TrickleExtendsTheQuestion,
        &["deadline of a question: a trickle of letters does not extend it"],
    );
    caught_by_deadlines(Flaw::WhiteSpaceExtendsIdleness, &["idle deadline: line ends do not extend it"]);
    caught_by_deadlines(Flaw::SpeaksWhenItDrops, &["deadline of a question: half a question, then silence"]);
    caught_by_deadlines(Flaw::DropsAtOnce, &["idle deadline: nothing is ever said"]);
    caught_by_deadlines(Flaw::NeverDropsANonReader, &["write deadline: a client that reads nothing"]);
}
