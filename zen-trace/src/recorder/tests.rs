//! What a recorder keeps, and what it does not.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use zen_proto::CloseReason;
use zen_server::sources;

use super::blocks::BLOCK;
use super::*;
use crate::recording::{Entry, Thread};

fn conversation(recorder: &Recorder, number: u64) -> Recorder {
    recorder.for_conversation(ConversationId::new(number), &Address::Unknown)
}

/// The thread of this name, and there must be no other of that name.
fn named(recording: &Recording, name: &str) -> Thread {
    let mut named = recording.threads.iter().filter(|thread| thread.name == name);
    let thread = named.next().expect("a thread of that name").clone();
    assert_eq!(named.next(), None);
    thread
}

fn on_a_thread<T: Send + 'static>(name: &str, run: impl FnOnce() -> T + Send + 'static) -> T {
    thread::Builder::new().name(name.into()).spawn(run).expect("a thread").join().expect("does not panic")
}

fn steps(thread: &Thread) -> Vec<(Option<u64>, Step)> {
    thread.steps.iter().map(|Entry { conversation, step, .. }| (*conversation, *step)).collect()
}

#[test]
fn each_step_has_its_thread_its_conversation_its_clocks_and_its_place() {
    let recorder = Recorder::new(1000);
    recorder.add_sources(sources!["mod.rs", "tests.rs"]);
    let from_ns = clocks::wall_ns();
    let server = recorder.clone();
    on_a_thread("server", move || {
        server.step(Step::Accepting);
        let seventh = conversation(&server, 7);
        seventh.step(Step::Accepted);
        seventh.step(Step::WaitingForQuestion); // It waits here.
        thread::sleep(Duration::from_millis(20));
        seventh.step(Step::Closed(CloseReason::Finished));
    });
    on_a_thread("other", {
        let recorder = recorder.clone();
        move || recorder.step(Step::Idle)
    });

    let recording = recorder.recording("by hand");
    let thread = named(&recording, "server");
    let expected = [
        (None, Step::Accepting),
        (Some(7), Step::Accepted),
        (Some(7), Step::WaitingForQuestion),
        (Some(7), Step::Closed(CloseReason::Finished)),
    ];
    assert_eq!(steps(&thread), expected);
    assert_eq!(steps(&named(&recording, "other")), [(None, Step::Idle)]);

    let walls: Vec<_> = thread.steps.iter().map(|step| step.wall_ns).collect();
    assert!(walls.is_sorted() && from_ns <= thread.started_ns && thread.started_ns <= walls[0]);
    assert!(walls[3] <= thread.ended_ns && thread.ended_ns <= clocks::wall_ns());
    let (waited, computed) = (walls[3] - walls[2], thread.steps[3].cpu_ns - thread.steps[2].cpu_ns);
    assert!(waited >= 20_000_000 && computed < waited, "{computed} of {waited} ns");
    assert!(thread.cpu_ns >= thread.steps[3].cpu_ns - thread.steps[0].cpu_ns);
    assert!(thread.cpu_ns <= thread.ended_ns - thread.started_ns);

    let place = &recording.places[thread.steps[2].place as usize];
    assert!(place.file.ends_with("recorder/tests.rs"), "{}", place.file);
    assert_eq!(place.text, "seventh.step(Step::WaitingForQuestion); // It waits here.");
    let conversation = &recording.conversations[..];
    assert_eq!(conversation.len(), 1);
    assert_eq!(conversation[0].number, 7);
    assert_eq!(conversation[0].opened_ns, Some(walls[1]));
    assert_eq!(conversation[0].closed_ns, Some(walls[3]));
    assert_eq!(conversation[0].close_reason, Some(CloseReason::Finished));
    assert!(recording.clock_ns >= 1 && recording.cost_per_step_ns > 0.0);
}

#[test]
fn what_finds_no_room_is_counted_by_thread() {
    let recorder = Recorder::new(2 * BLOCK);
    let fill = |name: &str, count: usize| {
        let recorder = recorder.clone();
        on_a_thread(name, move || (0..count).for_each(|_| recorder.step(Step::Idle)));
    };
    fill("small", 1);
    fill("large", BLOCK + 5);
    fill("late", 3);
    let recording = recorder.recording("full");
    let of = |name: &str| {
        let thread = named(&recording, name);
        (thread.steps.len(), thread.lost)
    };
    assert_eq!(of("small"), (1, 0));
    assert_eq!(of("large"), (BLOCK, 5));
    // A thread that has recorded nothing is forgotten, what it lost is not.
    assert_eq!(of("threads without room"), (0, 3));
    assert_eq!(recorder.take("full"), recording);

    fill("next", 2 * BLOCK + 1);
    let recording = recorder.recording("empty again");
    assert_eq!(recording.threads.len(), 1);
    let next = named(&recording, "next");
    assert_eq!((next.steps.len(), next.lost), (2 * BLOCK, 1));
}

#[test]
fn a_sample_is_switched_on_for_some_conversations() {
    let recorder = Recorder::off(1000);
    let server = recorder.clone();
    on_a_thread("server", move || {
        let before = conversation(&server, 1);
        before.step(Step::Accepted);
        server.step(Step::Idle);
        assert!(!server.is_recording());

        server.record_next(1);
        server.step(Step::Woken);
        let (sampled, after) = (conversation(&server, 2), conversation(&server, 3));
        sampled.step(Step::Accepted);
        for others in [&before, &after, &before] {
            others.step(Step::Answering);
            others.step(Step::Writing);
        }
        sampled.step(Step::Closed(CloseReason::Finished));
        assert!(server.is_recording(), "its driver still has it");
        drop(sampled.clone());
        drop(sampled);
        assert!(!server.is_recording());
        after.step(Step::Closed(CloseReason::Finished));
        server.step(Step::Idle);
    });
    let recording = recorder.take("a sample");
    let expected = [
        (None, Step::Woken),
        (Some(2), Step::Accepted),
        (None, Step::ServingOthers),
        (Some(2), Step::Closed(CloseReason::Finished)),
    ];
    assert_eq!(steps(&named(&recording, "server")), expected);
    assert_eq!(recording.conversations.len(), 1);
    assert!(recorder.recording("nothing").threads.is_empty());
}

#[test]
fn a_recording_can_be_taken_while_the_thread_lives_and_after_it_has_panicked() {
    let recorder = Recorder::new(1000);
    let server = recorder.clone();
    let (next, told) = mpsc::channel::<()>();
    let (tell, reached) = mpsc::channel();
    let running = thread::spawn(move || {
        for _ in 0..2 {
            server.step(Step::Idle);
            tell.send(()).expect("the test waits");
            told.recv().expect("the test goes on");
        }
        panic!("as a server might");
    });
    reached.recv().expect("the first step");
    let living = recorder.take("living");
    assert_eq!(living.threads[0].steps.len(), 1);
    assert!(living.threads[0].ended_ns >= living.threads[0].steps[0].wall_ns);
    next.send(()).expect("the thread waits");
    reached.recv().expect("the second step");
    drop(next);
    running.join().expect_err("panics");
    let dead = recorder.recording("dead");
    assert_eq!(dead.threads[0].steps.len(), 1, "the first one was taken");
    assert!(dead.threads[0].started_ns >= living.threads[0].ended_ns);
}

#[test]
fn recorders_in_one_process_do_not_mix() {
    let recorders = [Recorder::new(100), Recorder::new(100)];
    for (recorder, count) in recorders.iter().zip(1..) {
        (0..count).for_each(|_| recorder.step(Step::Idle));
    }
    let counts = recorders.map(|recorder| recorder.recording("one of two").threads[0].steps.len());
    assert_eq!(counts, [1, 2]);
}
