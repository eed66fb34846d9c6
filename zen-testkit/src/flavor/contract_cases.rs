//! The cases about what a service can do besides answering at once: later, in pieces, unasked, with
//! a greeting, with last words.

// A test reports a broken expectation by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc, missing_docs)]

use std::io::Read;
use std::net::Shutdown;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use zen_proto::{CloseReason, Limits, Peer};
use zen_server::Options;

use super::cases::{Start, options_with, patient};
use super::client::Client;
use super::{
    BYE, BYE_ANSWER, BYE_LATER, DAWDLE, DAWDLE_ANSWER, GIVE_UP, GREET, GREETING, HUSH, KICK, KICKED,
    LAST_WORDS, LATE, OUT_OF_ORDER, PANIC_IN_DECODE, PANIC_IN_LAST_WORDS, PANIC_WITH_WORDS, PIECE, PIECES,
    PIECES_ANSWER, PUSH, PUSH_ALL, PUSHED, PUSHED_BIG, SET_ANSWER, SLOW, SLOW_ANSWER, STOPPING, TIMEOUT, WHO,
    described, later,
};

pub fn other_threads_answer_in_any_order_and_the_answers_keep_theirs(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    // The last ones first, then the first ones first, then some that have come before the wait.
    for wanted in [[200, 100, 20], [20, 100, 200], [0, 0, 0], [1, 0, 2]] {
        let questions = wanted.map(later).concat();
        client.send(&[questions.as_bytes(), b"Simple is better than?"].concat());
        let answers = wanted.map(|millis| format!("{millis}.")).concat();
        client.expect(&[answers.as_bytes(), b"Complex."].concat());
    }
    client.ask();
    // One at a time, each while the server waits for nothing else.
    for millis in [150, 0, 1, 150] {
        client.send(later(millis).as_bytes());
        client.expect(format!("{millis}.").as_bytes());
    }
    server.stop.stop();
    assert_eq!(client.rest(), b"");
    drop(client);
    server.join().expect("drains");
}

pub fn a_thread_that_gives_up_ends_its_own_conversation_only(start: Start, at_once: usize) {
    let server = start(options_with(patient()));
    let mut other = (at_once > 1).then(|| Client::connect(server.address));
    let mut client = Client::connect(server.address);
    client.send(&[later(100).as_bytes(), GIVE_UP, b"Simple is better than?"].concat());
    client.expect(b"100.");
    assert_eq!(client.rest(), b"", "nothing after the question that was given up");
    drop(client);
    server.wait_for("over", |counters| counters.closed(CloseReason::ServiceFailed) == 1);
    if let Some(other) = &mut other {
        other.ask();
    }
}

pub fn an_answer_of_another_thread_can_be_the_last(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    client.send(&[BYE_LATER, b"Simple is better than?"].concat());
    client.expect(BYE_ANSWER);
    assert_eq!(client.rest(), b"");
    drop(client);
    server.wait_for("over", |counters| counters.closed(CloseReason::ServiceClosed) == 1);
}

pub fn an_end_of_input_waits_for_the_answers_of_other_threads(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    client.send([later(300), later(100)].concat().as_bytes());
    client.0.shutdown(Shutdown::Write).expect("half-closes");
    assert_eq!(client.rest(), b"300.100.");
    let counters = server.wait_for("closed", |counters| counters.open == 0);
    assert_eq!(counters.closed(CloseReason::Finished), 1, "{counters:?}");
}

/// While the window is full, nothing is read. So only the other threads can end the server's wait.
pub fn a_full_window_waits_for_the_answers_of_other_threads(start: Start, _at_once: usize) {
    let server = start(options_with(patient().with_questions_in_flight(2)));
    let mut client = Client::connect(server.address);
    let questions: Vec<String> = (0..20).map(|n| later(n * 7 % 40)).collect();
    client.send(questions.concat().as_bytes());
    client.0.shutdown(Shutdown::Write).expect("half-closes");
    let answers: Vec<String> = (0..20).map(|n| format!("{}.", n * 7 % 40)).collect();
    assert_eq!(String::from_utf8_lossy(&client.rest()), answers.concat());
}

pub fn a_drain_waits_for_the_answers_of_other_threads(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    client.send(later(400).as_bytes());
    server.wait_for("asked", |counters| counters.questions == 1);
    server.stop.stop();
    assert_eq!(client.rest(), b"400.");
    drop(client);
    server.join().expect("drains");
}

pub fn an_answer_that_another_thread_owes_breaks_the_answer_deadline(start: Start, _at_once: usize) {
    let server = start(options_with(patient().with_answer_deadline(Duration::from_millis(200))));
    let mut client = Client::connect(server.address);
    client.send([later(10), later(5_000)].concat().as_bytes());
    let asked = Instant::now();
    assert_eq!(client.rest(), b"10.");
    assert!(asked.elapsed() < Duration::from_secs(4), "the deadline does not wait for the answer");
    drop(client);
    server.wait_for("late", |counters| counters.closed(CloseReason::AnswerDeadline) == 1);
}

pub fn a_message_is_pushed_to_a_quiet_peer(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    for _ in 0..2 {
        client.send(PUSH);
        client.expect(SET_ANSWER);
        client.expect(PUSHED);
    }
    client.ask();
}

pub fn pushed_messages_are_bounded_and_none_is_lost(start: Start, _at_once: usize) {
    let server = start(options_with(patient().with_pushed_bytes(100_000)));
    let mut client = Client::through_a_small_window(server.address);
    client.send(PUSH_ALL);
    client.expect(SET_ANSWER);
    // The peer reads nothing until no more can wait.
    thread::sleep(Duration::from_millis(200));
    let (mut text, mut some) = (Vec::new(), vec![0; 64 * 1024]);
    while !text.ends_with(b".") || !text.contains(&b'P') {
        let n = client.0.read(&mut some).expect("pushed messages come");
        assert!(n > 0, "the server has closed");
        text.extend_from_slice(&some[..n]);
    }
    let messages: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'.').collect();
    let (last, before) = messages.split_last().expect("some came");
    assert!(before.iter().all(|message| message.len() == PUSHED_BIG));
    assert_eq!(String::from_utf8_lossy(last), format!("Pushed {}.", before.len()));
    client.ask();
}

pub fn a_conversation_may_begin_with_a_greeting(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    client.send(GREET);
    client.expect(SET_ANSWER);
    drop(client);
    server.wait_for("over", |counters| counters.open == 0);
    let mut greeted = Client::connect(server.address);
    greeted.expect(GREETING);
    greeted.ask();
    drop(greeted);
    Client::connect(server.address).ask();
}

pub fn a_service_knows_its_peer(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    for number in 1..=3 {
        let mut client = Client::connect(server.address);
        let remote = client.0.local_addr().expect("an address");
        client.send(WHO);
        let peer = Peer::new(remote.into(), server.address.into(), number);
        client.expect(described(&peer).as_bytes());
    }
}

pub fn a_service_may_end_the_conversation(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    client.send(&[b"Simple is better than?", BYE, b"Simple is better than?"].concat());
    client.expect(b"Complex.");
    client.expect(BYE_ANSWER);
    assert_eq!(client.rest(), b"");
    drop(client);
    let counters = server.wait_for("over", |counters| counters.open == 0);
    assert_eq!(counters.closes().collect::<Vec<_>>(), [(CloseReason::ServiceClosed, 1)]);
}

pub fn a_service_may_have_no_answer(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    client.send(&[HUSH, b"Simple is better than?", HUSH].concat());
    client.expect(b"Complex.");
    let counters = server.wait_for("asked", |counters| counters.questions == 3);
    assert_eq!(counters.bytes_out, b"Complex.".len() as u64);
    client.0.shutdown(Shutdown::Write).expect("half-closes");
    assert_eq!(client.rest(), b"");
}

pub fn the_peer_is_told_why_the_conversation_ends(start: Start, _at_once: usize) {
    let server = start(options_with(patient().with_idle_deadline(Duration::from_millis(300))));
    let mut client = Client::connect(server.address);
    client.send(LAST_WORDS);
    client.expect(SET_ANSWER);
    assert_eq!(client.rest(), LATE);
    drop(client);
    server.wait_for("late", |counters| counters.closed(CloseReason::IdleDeadline) == 1);

    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    client.send(&[later(200).as_bytes(), LAST_WORDS].concat());
    server.wait_for("asked", |counters| counters.questions == 2);
    server.stop.stop();
    client.expect(b"200.");
    client.expect(SET_ANSWER);
    assert_eq!(client.rest(), STOPPING);
    drop(client);
    let counters = server.wait_for("closed", |counters| counters.open == 0);
    assert_eq!(counters.closed(CloseReason::Drained), 1, "{counters:?}");
    server.join().expect("drains");
}

pub fn a_reply_in_pieces_takes_a_bounded_amount_of_memory(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::through_a_small_window(server.address);
    client.send(&[PIECES, b"Simple is better than?"].concat());
    let (mut received, mut most) = (0, 0);
    let mut some = vec![0; 64 * 1024];
    while received < PIECES_ANSWER {
        if received < PIECES_ANSWER / 50 {
            thread::sleep(Duration::from_millis(5));
        }
        // In this order: what is produced in between is not taken for what is held.
        let produced = server.produced.load(SeqCst);
        most = most.max(produced.saturating_sub(server.counters().bytes_out));
        let wanted = some.len().min(PIECES_ANSWER - received);
        let n = client.0.read(&mut some[..wanted]).expect("the reply goes on");
        assert!(n > 0 && some[..n].iter().all(|byte| *byte == b'x'), "after {received} bytes");
        received += n;
    }
    client.expect(b"Complex.");
    // What the server has written and not counted yet is one write.
    let high_water = Limits::default().outbound_high_water;
    assert!(most <= 2 * (high_water + PIECE) as u64, "{most} bytes were held at once");
    assert_eq!(server.produced.load(SeqCst), PIECES_ANSWER as u64);
}

pub fn a_framing_that_panics_ends_its_own_conversation_only(start: Start, at_once: usize) {
    let server = start(Options::default().with_limits(patient().with_question_length(100)));
    let mut other = (at_once > 1).then(|| Client::connect(server.address));
    let mut client = Client::connect(server.address);
    client.send(&[b"Simple is better than?", PANIC_IN_DECODE, b"Simple is better than?"].concat());
    client.expect(b"Complex.");
    assert_eq!(client.rest(), b"");
    drop(client);
    server.wait_for("over", |counters| counters.closed(CloseReason::ServiceFailed) == 1);

    let mut client = Client::connect(server.address);
    client.send(&[PANIC_IN_LAST_WORDS, &b"x".repeat(200)[..]].concat());
    client.expect(SET_ANSWER);
    assert_eq!(client.rest(), b"", "no part of the last words that panicked");
    drop(client);
    server.wait_for("over", |counters| counters.closed(CloseReason::QuestionTooLong) == 1);
    if let Some(other) = &mut other {
        other.ask();
    }
    drop(other);
    Client::connect(server.address).ask();
    server.stop.stop();
    let started = Instant::now();
    server.join().expect("drains");
    assert!(started.elapsed() < TIMEOUT);
}

pub fn an_operator_ends_a_conversation_with_a_last_message(start: Start, at_once: usize) {
    let server = start(options_with(patient()));
    let mut other = (at_once > 1).then(|| Client::connect(server.address));
    let mut client = Client::connect(server.address);
    client.send(KICK);
    client.expect(SET_ANSWER);
    assert_eq!(client.rest(), KICKED);
    drop(client);
    server.wait_for("over", |counters| counters.closed(CloseReason::ServiceClosed) == 1);
    if let Some(other) = &mut other {
        other.ask();
    }
}

pub fn the_peer_of_a_service_that_has_failed_is_told_so(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    client.send(&[b"Simple is better than?", PANIC_WITH_WORDS, b"Simple is better than?"].concat());
    client.expect(b"Complex.");
    assert_eq!(client.rest(), OUT_OF_ORDER);
    drop(client);
    server.wait_for("over", |counters| counters.closed(CloseReason::ServiceFailed) == 1);
}

pub fn what_is_finished_leaves_before_a_slow_handler_goes_on(start: Start, _at_once: usize) {
    let server = start(options_with(patient()));
    let mut client = Client::connect(server.address);
    client.send(&SLOW.repeat(4));
    let asked = Instant::now();
    client.expect(SLOW_ANSWER);
    let first = asked.elapsed();
    client.expect(&SLOW_ANSWER.repeat(3));
    // All four take two seconds, and would leave together.
    assert!(first < asked.elapsed() / 2, "the first of four answers came after {first:?}");
}

pub fn a_pipeline_of_slow_questions_lets_the_others_have_their_turns(start: Start, at_once: usize) {
    if at_once < 2 {
        return;
    }
    let server = start(options_with(patient()));
    let mut flood = Client::connect(server.address);
    flood.send(&DAWDLE.repeat(1000));
    flood.expect(DAWDLE_ANSWER);
    let mut other = Client::connect(server.address);
    for _ in 0..3 {
        other.ask();
    }
    // The others had their turns while most of the pipeline was still to be answered.
    let answered = server.counters().questions;
    assert!(answered < 500, "{answered} questions were answered meanwhile");
    assert_eq!(server.counters().open, 2);
}

pub fn a_drain_ends_in_time_whatever_is_buffered(start: Start, _at_once: usize) {
    let server = start(options_with(patient().with_drain_deadline(Duration::from_millis(300))));
    let mut flood = Client::connect(server.address);
    flood.send(&DAWDLE.repeat(2000));
    flood.expect(DAWDLE_ANSWER);
    server.stop.stop();
    let counters = server.join_with_counters().expect("drains");
    assert_eq!(counters.closed(CloseReason::DrainDeadline), 1, "{counters:?}");
    assert!(counters.questions < 1500, "{} questions take longer than that", counters.questions);
}

pub fn the_time_of_a_slow_handler_counts_for_no_deadline(start: Start, _at_once: usize) {
    // The handler takes half a second.
    let limits = patient().with_idle_deadline(Duration::from_millis(400));
    let server = start(options_with(limits.with_write_deadline(Duration::from_millis(400))));
    let mut client = Client::connect(server.address);
    client.send(SLOW);
    client.expect(SLOW_ANSWER);
    // The server is idle from now on, and not since the question.
    thread::sleep(Duration::from_millis(100));
    client.ask();
}
