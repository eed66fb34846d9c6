//! Turns: a slow service does not hold finished answers back, and its time counts for no deadline.

use std::cell::Cell;
use std::time::{Duration, Instant};

use zen_proto::{
    Answer, CloseReason, Conversation, DelimiterFraming, Flow, Limits, Responder, Service, aphorism,
};

use crate::pair::secs;

/// Takes a time for each answer, and answers `m?` in pieces, and `l?` later.
struct Slow<'a> {
    clock: &'a Clock,
    takes: Duration,
    responders: Vec<Responder>,
}

/// What the time is, and how often somebody has asked.
struct Clock {
    now: Cell<Instant>,
    reads: Cell<u32>,
}

impl Clock {
    fn new() -> Self {
        Self { now: Cell::new(Instant::now()), reads: Cell::new(0) }
    }

    fn pass(&self, time: Duration) {
        self.now.set(self.now.get() + time);
    }

    fn read(&self) -> Instant {
        self.reads.set(self.reads.get() + 1);
        self.now.get()
    }

    fn service(&self, takes: Duration) -> Slow<'_> {
        Slow { clock: self, takes, responders: Vec::new() }
    }
}

impl Service for Slow<'_> {
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) -> Flow {
        self.clock.pass(self.takes);
        if question == b"l?" {
            self.responders.push(answer.later());
            return Flow::Later;
        }
        answer.put(b"x");
        if question == b"m?" { Flow::More } else { Flow::Continue }
    }

    fn resume(&mut self, answer: &mut Answer<'_>) -> Flow {
        self.clock.pass(self.takes);
        answer.put(b"y");
        Flow::More
    }
}

fn asked(questions: &str, limits: Limits, clock: &Clock) -> Conversation<DelimiterFraming> {
    let now = clock.now.get();
    let mut conversation = Conversation::new(aphorism::framing(), limits, now);
    conversation.handle_input(questions.as_bytes(), now);
    conversation
}

/// What each turn has finished, which is sent before the next one, until nothing is left.
fn turns(conversation: &mut Conversation<DelimiterFraming>, service: &mut Slow<'_>) -> Vec<usize> {
    let mut turns = Vec::new();
    let clock = service.clock;
    while conversation.wants_answer() {
        let now = clock.now.get();
        assert_eq!(conversation.answer_in_turn(service, now, || clock.read()), clock.now.get());
        let finished = conversation.transmit().len();
        turns.push(finished);
        conversation.handle_sent(finished, clock.now.get());
    }
    turns
}

const MILLI: Duration = Duration::from_millis(1);

#[test]
fn each_slow_answer_leaves_before_the_next_question_is_answered() {
    let clock = Clock::new();
    let mut conversation = asked(&"?".repeat(8), Limits::default(), &clock);
    assert_eq!(turns(&mut conversation, &mut clock.service(300 * MILLI)), [1; 8]);
    assert!(conversation.wants_read() && !conversation.is_busy());
}

#[test]
fn quick_answers_leave_together_and_the_clock_is_read_once_for_all_of_them() {
    let clock = Clock::new();
    let mut conversation = asked("", Limits::default(), &clock);
    let mut service = clock.service(Duration::from_nanos(100));
    for segment in 0..5 {
        conversation.handle_input("?".repeat(64).as_bytes(), clock.now.get());
        clock.reads.set(0);
        assert_eq!(turns(&mut conversation, &mut service), [64]);
        assert!(segment == 0 || clock.reads.get() == 1, "{} reads", clock.reads.get());
    }
    // One question at a time takes one read as well.
    conversation.handle_input(b"?", clock.now.get());
    clock.reads.set(0);
    assert_eq!(turns(&mut conversation, &mut service), [1]);
    assert_eq!(clock.reads.get(), 1);
}

#[test]
fn where_nothing_is_answered_the_clock_is_not_read() {
    let clock = Clock::new();
    let mut conversation = asked("half a question", Limits::default(), &clock);
    let mut service = clock.service(MILLI);
    let (earlier, later) = (clock.now.get(), clock.now.get() + MILLI);
    assert_eq!(conversation.answer_in_turn(&mut service, later, || clock.read()), later);
    assert_eq!(conversation.answer_in_turn(&mut service, earlier, || clock.read()), later);
    assert_eq!(clock.reads.get(), 0);
}

#[test]
fn a_turn_takes_its_time_and_little_more() {
    let clock = Clock::new();
    let mut conversation = asked(&"?".repeat(500), Limits::default(), &clock);
    let turns = turns(&mut conversation, &mut clock.service(MILLI / 10));
    assert_eq!(turns[..2], [21, 10], "1, 4 and 16; then it is known how many fit");
    assert!(turns[1..turns.len() - 1].iter().all(|finished| *finished == 10), "{turns:?}");
    assert_eq!(turns.iter().sum::<usize>(), 500);
}

#[test]
fn a_service_that_becomes_slow_is_found_out_after_a_batch() {
    let clock = Clock::new();
    let mut conversation = asked(&"?".repeat(640), Limits::default(), &clock);
    let mut service = clock.service(Duration::ZERO);
    assert_eq!(turns(&mut conversation, &mut service), [640]);
    conversation.handle_input("?".repeat(70).as_bytes(), clock.now.get());
    service.takes = 2 * MILLI;
    assert_eq!(turns(&mut conversation, &mut service), [64, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn a_turn_has_so_many_questions_at_the_most() {
    for (questions, expected) in [(1, vec![1; 25]), (10, vec![10, 10, 5]), (25, vec![25]), (26, vec![25])] {
        let clock = Clock::new();
        let limits = Limits::default().with_turn_questions(questions);
        let mut conversation = asked(&"?".repeat(25), limits, &clock);
        assert_eq!(turns(&mut conversation, &mut clock.service(Duration::ZERO)), expected);
    }
}

#[test]
fn the_time_of_a_turn_may_be_anything() {
    for (time, expected) in [(Duration::ZERO, vec![1; 20]), (Duration::MAX, vec![20])] {
        let clock = Clock::new();
        let limits = Limits::default().with_turn_time(time);
        let mut conversation = asked(&"?".repeat(20), limits, &clock);
        assert_eq!(turns(&mut conversation, &mut clock.service(300 * MILLI)), expected);
    }
}

#[test]
fn all_is_answered_at_once_by_those_who_ask_for_that() {
    let clock = Clock::new();
    let mut conversation = asked(&"?".repeat(2000), Limits::default().with_turn_questions(1), &clock);
    conversation.answer_with(&mut clock.service(MILLI), clock.now.get());
    assert_eq!(conversation.transmit().len(), 2000);
}

#[test]
fn a_slow_piece_leaves_before_the_next_is_written() {
    let clock = Clock::new();
    let mut conversation = asked("m?", Limits::default(), &clock);
    let mut service = clock.service(5 * MILLI);
    for _ in 0..10 {
        conversation.answer_in_turn(&mut service, clock.now.get(), || clock.read());
        assert_eq!(conversation.transmit().len(), 1);
        conversation.handle_sent(1, clock.now.get());
        assert!(conversation.wants_answer());
    }
}

#[test]
fn questions_behind_one_that_is_answered_later_have_their_turns_too() {
    let clock = Clock::new();
    let mut conversation = asked("l?????", Limits::default(), &clock);
    let mut service = clock.service(5 * MILLI);
    for asked in 1..=5 {
        let now = clock.now.get();
        conversation.answer_in_turn(&mut service, now, || clock.read());
        assert_eq!(clock.now.get(), now + 5 * MILLI, "question {asked}");
    }
    service.responders.remove(0).answer("L").unwrap();
    assert_eq!(turns(&mut conversation, &mut service).iter().sum::<usize>(), 0, "all are answered");
    conversation.answer_in_turn(&mut service, clock.now.get(), || clock.read());
    assert_eq!(conversation.transmit(), b"Lxxxx");
}

#[test]
fn deadlines_run_from_when_the_answer_was_given() {
    let clock = Clock::new();
    let limits = Limits::default().with_idle_deadline(secs(2)).with_write_deadline(secs(1));
    let mut conversation = asked("?begun", limits, &clock);
    let asked_at = clock.now.get();
    let mut service = clock.service(secs(30));
    let now = conversation.answer_in_turn(&mut service, asked_at, || clock.read());
    assert_eq!(now, asked_at + secs(30));
    assert_eq!(conversation.poll_timeout(), Some(now + secs(1)), "the answer is not late yet");
    conversation.handle_timeout(now);
    conversation.handle_sent(1, now);
    // What has begun behind the question is not older than the end of its answer.
    conversation.answer_in_turn(&mut service, now, || clock.read());
    assert_eq!(conversation.poll_timeout(), Some(now + Limits::default().question_deadline));
    conversation.handle_input(b"?", now);
    let now = conversation.answer_in_turn(&mut service, now, || clock.read());
    conversation.handle_sent(1, now);
    assert_eq!(conversation.poll_timeout(), Some(now + secs(2)), "it is idle from now on");
    conversation.handle_timeout(now + secs(2));
    assert_eq!(conversation.closed(), Some(CloseReason::IdleDeadline));
}

#[test]
fn a_drain_is_over_in_time_however_much_is_buffered() {
    let clock = Clock::new();
    let limits = Limits::default().with_drain_deadline(secs(1));
    let mut conversation = asked(&"?".repeat(10_000), limits, &clock);
    let mut service = clock.service(2 * MILLI);
    let start = clock.now.get();
    conversation.drain(start);
    while conversation.closed().is_none() {
        let now = conversation.answer_in_turn(&mut service, clock.now.get(), || clock.read());
        conversation.handle_sent(conversation.transmit().len(), now);
        conversation.handle_timeout(now);
    }
    assert_eq!(conversation.closed(), Some(CloseReason::DrainDeadline));
    assert!(clock.now.get() - start <= secs(1) + 2 * MILLI, "{:?}", clock.now.get() - start);
}
