//! The cases about what a server reports to its observer.

// A test reports a broken expectation by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc, missing_docs)]

use std::net::Shutdown;
use std::panic::Location;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use zen_proto::{Address, CloseReason};
use zen_server::{ConversationId, Observer, Options, Source, Step};

use super::cases::{options_with, patient};
use super::client::Client;
use super::{BIG, BIG_ANSWER, Running, TIMEOUT, later};

/// Collects what a server reports.
#[derive(Debug, Clone, Default)]
pub struct Collector {
    collected: Arc<Mutex<Collected>>,
    conversation: Option<u64>,
}

#[derive(Debug, Default)]
struct Collected {
    sources: Vec<&'static [Source]>,
    steps: Vec<(Option<u64>, Step, &'static Location<'static>)>,
}

impl Observer for Collector {
    fn add_sources(&self, sources: &'static [Source]) {
        self.collected.lock().unwrap().sources.push(sources);
    }

    fn for_conversation(&self, id: ConversationId, _: &Address) -> Self {
        assert_eq!(self.conversation, None, "an observer of the server makes those of conversations");
        Self { collected: Arc::clone(&self.collected), conversation: Some(id.number()) }
    }

    fn step(&self, step: Step) {
        self.collected.lock().unwrap().steps.push((self.conversation, step, Location::caller()));
    }
}

impl Collector {
    /// The steps of a conversation, or those of the threads themselves.
    fn steps(&self, conversation: Option<u64>) -> Vec<Step> {
        let collected = self.collected.lock().unwrap();
        collected.steps.iter().filter(|(of, ..)| *of == conversation).map(|(_, step, _)| *step).collect()
    }

    /// Where a conversation goes, without what is done on the way or found to be nothing.
    fn milestones(&self, conversation: u64) -> Vec<Step> {
        let mut steps = self.steps(Some(conversation));
        steps.retain(|step| {
            use Step::{Answered, Answering, Reading, WaitingForTurn, Writing};
            !matches!(step, Reading | Answering | Answered(0) | Writing | WaitingForTurn)
        });
        steps.dedup();
        steps
    }

    fn wait_for(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(start.elapsed() < TIMEOUT, "not {what} after {TIMEOUT:?}: {self:?}");
            thread::sleep(Duration::from_millis(2));
        }
    }
}

type Start = fn(Options, Collector) -> Running;

pub fn an_observer_follows_each_conversation_from_step_to_step(start: Start, _at_once: usize) {
    let collector = Collector::default();
    let server = start(options_with(patient()), collector.clone());
    let mut client = Client::connect(server.address);
    collector.wait_for("served", |it| it.milestones(1).len() == 3);
    client.ask();
    collector.wait_for("back", |it| it.milestones(1).len() == 7);
    let question = later(50);
    client.send(question.as_bytes());
    client.expect(b"50.");
    collector.wait_for("back again", |it| it.milestones(1).len() == 12);
    client.0.shutdown(Shutdown::Write).expect("half-closes");
    assert_eq!(client.rest(), b"");
    let mut second = Client::connect(server.address);
    collector.wait_for("served", |it| it.milestones(2).len() == 3);
    second.ask();
    collector.wait_for("back", |it| it.milestones(2).len() == 7);
    server.stop.stop();
    assert_eq!(second.rest(), b"");
    drop(second);
    server.join().expect("drains");

    let begin = [Step::Accepted, Step::Opening, Step::WaitingForQuestion];
    let answered = [Step::Read(22), Step::Answered(1), Step::Wrote(8), Step::WaitingForQuestion];
    let answered_later = [
        Step::Read(question.len()),
        Step::Answered(1),
        Step::WaitingForAnswer,
        Step::Wrote(3),
        Step::WaitingForQuestion,
    ];
    let closed = [Step::Read(0), Step::Closed(CloseReason::Finished)];
    let first: Vec<_> = [&begin[..], &answered, &answered_later, &closed].concat();
    assert_eq!(collector.milestones(1), first);
    let drained = [Step::Finishing, Step::Read(0), Step::Closed(CloseReason::Drained)];
    assert_eq!(collector.milestones(2), [&begin[..], &answered, &drained].concat());
    assert!(collector.steps(None).contains(&Step::Accepting), "the threads report for themselves");
    assert!(collector.steps(Some(3)).is_empty());

    let collected = collector.collected.lock().unwrap();
    for (_, step, place) in &collected.steps {
        let (file, line) = (place.file(), place.line());
        let text = collected.sources.iter().copied().flatten().find_map(|source| source.line(file, line));
        let text = text.unwrap_or_else(|| panic!("the text of {place} is not known"));
        let reports = if *step == Step::Accepted { "handle_accepted" } else { "observer.step" };
        let parks = matches!(step, Step::Idle | Step::Woken) && text.contains(".step(Step::");
        assert!(text.contains(reports) || parks, "{step:?} is reported by {place}: {text}");
    }
}

pub fn an_observer_learns_that_a_peer_does_not_read(start: Start, _at_once: usize) {
    const QUESTIONS: usize = 200;
    let collector = Collector::default();
    let server = start(options_with(patient()), collector.clone());
    let mut client = Client::through_a_small_window(server.address);
    client.send(&BIG.repeat(QUESTIONS));
    // Where writes block, the thread waits in the write.
    let waits = |it: &Collector| {
        let last = it.steps(Some(1)).last().copied();
        matches!(last, Some(Step::WaitingForRoom | Step::Writing))
    };
    collector.wait_for("out of room", |it| {
        let still = || {
            thread::sleep(Duration::from_millis(20));
            waits(it)
        };
        it.milestones(1).len() > 4 && still() && still()
    });
    client.0.shutdown(Shutdown::Write).expect("half-closes");
    assert_eq!(client.rest().len(), QUESTIONS * BIG_ANSWER);
    drop(client);
    collector.wait_for("over", |it| it.steps(Some(1)).last() == Some(&Step::Closed(CloseReason::Finished)));
    let steps = collector.steps(Some(1));
    let wrote = steps.iter().map(|step| if let Step::Wrote(bytes) = step { *bytes } else { 0 });
    assert_eq!(wrote.sum::<usize>(), QUESTIONS * BIG_ANSWER);
    let answered = steps.iter().map(|step| if let Step::Answered(questions) = step { *questions } else { 0 });
    assert_eq!(answered.sum::<u64>(), QUESTIONS as u64);
}
