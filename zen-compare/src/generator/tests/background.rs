//! Measured clients among tricklers, non-readers, and many idle connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::results::Group;
use crate::scenario::BackgroundConnections;

fn group<'a>(result: &'a LoadResult, name: &str) -> &'a Group {
    result.groups.iter().find(|group| group.name == name).unwrap()
}

fn among(background: BackgroundConnections) -> Scenario {
    Scenario { background, ..Scenario::saturate(2) }
}

#[test]
fn measured_clients_without_background_connections_have_no_groups() {
    let result = generate_quietly(&load(right_server(), &Scenario::saturate(2), &Workload::aphorisms()));
    assert_eq!(result.groups, []);
    assert_eq!((result.connections_held, result.idle_cut_to), (None, None));
}

#[test]
fn tricklers_are_answered_when_they_have_asked() {
    let scenario = among(BackgroundConnections { tricklers: 3, ..BackgroundConnections::default() });
    // Questions of three bytes take 0.3 s.
    let workload = Workload::new([("ab?", "one.")]).unwrap();
    let answers = workload.clone();
    let server = serve(move |stream| answer(stream, &answers, usize::MAX));
    let long = Load { window: Duration::from_secs(1), ..load(server, &scenario, &workload) };
    let result = generate_quietly(&long);
    assert_consistent(&result, &scenario);
    assert_eq!(result.failures, Failures::default());
    let slow = group(&result, "trickler");
    assert_eq!((slow.clients, slow.open, slow.ended_by_server), (3, 3, 0));
    assert!((1..=4 * 3).contains(&slow.answers), "{slow:?}");
    let measured = group(&result, "good");
    assert_eq!((measured.clients, measured.served, measured.answers), (2, 2, result.answers));
    assert!(measured.answers > slow.answers);
}

#[test]
fn a_trickler_that_is_closed_connects_again_and_is_no_failure() {
    let visits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&visits);
    let server = serve(move |mut stream| {
        // Closes the connection of a client that sends a single byte at a time.
        let mut buffer = [0; 4096];
        counted.fetch_add(1, Ordering::Relaxed);
        while let Ok(2..) = stream.read(&mut buffer) {
            if stream.write_all(b"one.").is_err() {
                return;
            }
        }
    });
    let scenario = among(BackgroundConnections { tricklers: 1, ..BackgroundConnections::default() });
    let workload = Workload::new([("ab?", "one.")]).unwrap();
    let long = Load { window: Duration::from_secs(1), ..load(server, &scenario, &workload) };
    let result = generate_quietly(&long);
    assert_eq!(result.failures, Failures::default());
    assert!(group(&result, "trickler").ended_by_server >= 2, "{:?}", result.groups);
    assert!(visits.load(Ordering::Relaxed) >= 2 + 2);
    assert_eq!(group(&result, "good").served, 2);
}

#[test]
fn non_readers_never_read_and_the_load_goes_on() {
    let scenario = among(BackgroundConnections { non_readers: 2, ..BackgroundConnections::default() });
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let server = serve(move |mut stream| {
        let mut buffer = [0; 4096];
        // Long answers fill the kernel's buffers for a client that does not read.
        let answer = vec![b'x'; 16 * 1024];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            let questions = memchr::memchr_iter(b'?', &buffer[..count]).count();
            counted.fetch_add(questions, Ordering::Relaxed);
            if (0..questions).any(|_| stream.write_all(&answer).is_err()) {
                return;
            }
        }
    });
    let workload = Workload::new([("?", vec![b'x'; 16 * 1024])]).unwrap();
    let long = Load { window: Duration::from_millis(600), ..load(server, &scenario, &workload) };
    let result = generate_quietly(&long);
    assert_eq!(result.failures, Failures::default());
    let bad = group(&result, "non-reader");
    assert_eq!((bad.clients, bad.open, bad.answers, bad.ended_by_server), (2, 2, 0, 0));
    assert_eq!(group(&result, "good").served, 2);
    assert!(asked.load(Ordering::Relaxed) as u64 > result.answers);
}

#[test]
fn the_loss_of_a_non_reader_is_counted() {
    let scenario = among(BackgroundConnections { non_readers: 1, ..BackgroundConnections::default() });
    // The first connection, which is the non-reader's, is closed after its first questions.
    let visitors = AtomicUsize::new(0);
    let server = serve(move |mut stream| {
        if visitors.fetch_add(1, Ordering::Relaxed) == 0 {
            let _ = stream.read(&mut [0; 16]);
        } else {
            answer(stream, &Workload::aphorisms(), usize::MAX);
        }
    });
    let result = generate_quietly(&load(server, &scenario, &Workload::aphorisms()));
    assert_eq!(result.failures.wrong_answers, 0);
    let ended = group(&result, "non-reader").ended_by_server + result.failures.closed_early;
    assert_eq!(ended, 1, "{:?} {:?}", result.groups, result.failures);
}

#[test]
fn idle_connections_are_held_while_others_are_busy() {
    let scenario = among(BackgroundConnections { idle: 700, ..BackgroundConnections::default() });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    let constant = Workload::aphorisms().answered_by_constant(crate::server::floor::ANSWER);
    let floor = crate::server::floor::Floor::new(listener).unwrap();
    let stop = floor.stopper().unwrap();
    let serving = thread::spawn(move || floor.run());
    let result = generate_quietly(&load(server, &scenario, &constant));
    stop.stop().unwrap();
    serving.join().unwrap().unwrap();
    assert_consistent(&result, &scenario);
    assert_eq!(result.failures, Failures::default());
    assert_eq!((result.connections_held, result.idle_cut_to), (Some(700), None));
    let idle = group(&result, "quiet");
    // They had their answers before the window, and none in it.
    assert_eq!((idle.clients, idle.open, idle.answers, idle.ended_by_server), (700, 700, 0, 0));
    assert_eq!(result.clients_served(), 2);
}

#[test]
fn idle_connections_that_are_refused_are_counted_and_not_waited_for() {
    // Accepts twelve connections and then no more, though it still listens.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    thread::spawn(move || {
        for _ in 0..12 {
            let stream = listener.accept().unwrap().0;
            thread::spawn(move || answer(stream, &Workload::aphorisms(), usize::MAX));
        }
        thread::sleep(Duration::from_secs(600));
    });
    let scenario = among(BackgroundConnections { idle: 300, ..BackgroundConnections::default() });
    let began = std::time::Instant::now();
    let result = generate_quietly(&load(server, &scenario, &Workload::aphorisms()));
    assert!(began.elapsed() < Duration::from_secs(60));
    // The measured clients connected first.
    assert_eq!(result.connections_held, Some(10));
    assert_eq!((result.clients_served(), result.served.len()), (2, 2));
    assert_eq!(result.failures, Failures::default());
}
