//! SIGTERM: what is owed arrives, what is not is not waited for, and nobody who waits in the
//! backlog loses a question.

use std::io::{ErrorKind, Read, Write};
use std::iter;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{ANSWER, Client, QUESTION};
use crate::crowd::{Turn, connect};
use crate::every_flavor::{at_once, on_every_flavor};
use crate::kept::{Served, stop};
use crate::running::{TIME_LIMIT, serve};

#[test]
fn idle_clients_are_not_waited_for() {
    on_every_flavor(|flavor| {
        // Whatever is waited for outlasts the test. These have never asked.
        let server = serve(&["--flavor", flavor, "--drain-deadline", "600s", "--linger-deadline", "600s"]);
        let silent: Vec<_> = (0..10).map(|_| connect(server.address)).collect();
        thread::sleep(Duration::from_millis(300));
        stop(&server);
        // None of them closes.
        let total = Served::by_stopped(server);
        assert_eq!(total.count("open"), 0, "{flavor}: {}", total.log);
        assert_eq!(total.count("drained"), total.count("accepted"), "{flavor}: {}", total.log);
        drop(silent);

        // These have, and their answers have had time to arrive.
        let server = serve(&["--flavor", flavor, "--drain-deadline", "600s", "--linger-deadline", "200ms"]);
        let mut asked: Vec<Client> = (0..at_once(flavor).min(10)).map(|_| Client::connect(&server)).collect();
        asked.iter_mut().for_each(Client::ask);
        thread::sleep(Duration::from_millis(300));
        stop(&server);
        let total = Served::by_stopped(server);
        assert_eq!(total.count("drained"), asked.len() as u64, "{flavor}: {}", total.log);
    });
}

/// Whole questions, sent a moment before the stop.
fn all_are_answered(clients: usize, work: &str, kind: &str) {
    let _turn = Turn::take();
    on_every_flavor(|flavor| {
        let options = ["--flavor", flavor, "--work", work, "--work-kind", kind, "--drain-deadline", "100s"];
        let server = serve(&options);
        let mut streams: Vec<_> = (0..clients).map(|_| connect(server.address)).collect();
        for stream in &mut streams {
            stream.write_all(QUESTION).unwrap();
        }
        thread::sleep(Duration::from_millis(50));
        stop(&server);
        // Each closes once it has its answer. `blocking` waits for that.
        let answered = streams.into_iter().filter(|stream| rest(stream) == Ok(ANSWER.to_vec())).count();
        assert_eq!(answered, clients, "{flavor}: after {work} of {kind}");
        let total = Served::by_stopped(server);
        assert_eq!((total.count("questions"), total.count("open")), (clients as u64, 0), "{}", total.log);
    });
}

/// What arrives until the server closes.
fn rest(mut stream: &TcpStream) -> Result<Vec<u8>, ErrorKind> {
    stream.set_read_timeout(Some(3 * TIME_LIMIT)).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).map(|_| all).map_err(|error| error.kind())
}

#[test]
fn owed_answers_arrive_with_a_quick_handler() {
    all_are_answered(100, "2ms", "spin");
}

#[test]
fn owed_answers_arrive_with_a_slow_handler() {
    all_are_answered(20, "200ms", "sleep");
}

#[test]
fn questions_in_the_backlog_are_answered() {
    on_every_flavor(|flavor| {
        let options = ["--flavor", flavor, "--connections", "1", "--work", "300ms", "--work-kind", "sleep"];
        let server = serve(&options);
        let mut first = connect(server.address);
        first.write_all(QUESTION).unwrap();
        // It is being answered, so these wait.
        thread::sleep(Duration::from_millis(50));
        let mut waiting: Vec<_> = (0..5).map(|_| connect(server.address)).collect();
        for stream in &mut waiting {
            stream.write_all(QUESTION).unwrap();
        }
        let silent = connect(server.address);
        stop(&server);
        for stream in iter::once(first).chain(waiting) {
            assert_eq!(rest(&stream), Ok(ANSWER.to_vec()), "{flavor}");
        }
        drop(silent);
        let total = Served::by_stopped(server);
        assert_eq!((total.count("questions"), total.count("open")), (6, 0), "{flavor}: {}", total.log);
    });
}

#[test]
fn the_backlog_is_served_no_longer_than_the_drain_deadline() {
    on_every_flavor(|flavor| {
        let options = [
            "--flavor",
            flavor,
            "--connections",
            "1",
            "--work",
            "400ms",
            "--work-kind",
            "sleep",
            "--drain-deadline",
            "1s",
        ];
        let server = serve(&options);
        let mut waiting: Vec<_> = (0..100).map(|_| connect(server.address)).collect();
        for stream in &mut waiting {
            let _ = stream.write_all(QUESTION);
        }
        let stopped = Instant::now();
        stop(&server);
        let total = Served::by_stopped(server);
        // To serve all of them would take 40 s.
        assert!(stopped.elapsed() < Duration::from_secs(20), "{flavor}: {:?}", stopped.elapsed());
        assert_eq!(total.count("open"), 0, "{flavor}: {}", total.log);
    });
}

#[test]
fn what_was_counted_arrives_while_the_peer_still_pipelines() {
    let _turn = Turn::take();
    for window in [20_000, 100_000] {
        on_every_flavor(|flavor| {
            let server = serve(&["--flavor", flavor]);
            let mut stream = connect(server.address);
            stream.set_read_timeout(Some(TIME_LIMIT)).unwrap();
            stream.set_write_timeout(Some(TIME_LIMIT)).unwrap();
            let ended = AtomicBool::new(false);
            let (asked, answered) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let received = thread::scope(|scope| {
                let mut writer = stream.try_clone().unwrap();
                let (asked, answered, ended) = (&asked, &answered, &ended);
                scope.spawn(move || {
                    let batch = QUESTION.repeat(100);
                    while !ended.load(SeqCst) {
                        if asked.load(SeqCst) - answered.load(SeqCst) > window {
                            thread::yield_now();
                        } else if writer.write_all(&batch).is_ok() {
                            asked.fetch_add(100, SeqCst);
                        } else {
                            break;
                        }
                    }
                });
                let (mut some, mut bytes) = (vec![0; 16 * 1024], 0);
                let mut stopped = false;
                let end = loop {
                    match stream.read(&mut some) {
                        Ok(0) => break Ok(()),
                        Ok(n) => bytes += n,
                        Err(error) => break Err(error),
                    }
                    answered.store(bytes / ANSWER.len(), SeqCst);
                    if !stopped && bytes > 500_000 {
                        stopped = true;
                        stop(&server);
                        // A peer that is slow for a moment.
                        thread::sleep(Duration::from_millis(300));
                    }
                };
                ended.store(true, SeqCst);
                assert!(end.is_ok(), "{flavor}, window {window}: {end:?} after {bytes} bytes");
                bytes
            });
            drop(stream);
            let total = Served::by_stopped(server);
            let counted = total.count("questions") * ANSWER.len() as u64;
            assert_eq!(received as u64, counted, "{flavor}, window {window}: {}", total.log);
        });
    }
}
