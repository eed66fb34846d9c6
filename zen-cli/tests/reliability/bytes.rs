//! Whatever bytes come, and however they are cut: the answers are the same, and nothing of them is
//! left behind.

use std::io::{ErrorKind, Read, Write};
use std::thread;
use std::time::Duration;

use crate::client::{ANSWER, Client, QUESTION};
use crate::every_flavor::{at_once, on_every_flavor};
use crate::kept::{Kept, Served, stop};
use crate::running::serve;

/// Memory that a server may keep after it has had some clients, in KiB: what its allocator holds
/// for the next ones.
const SLACK: usize = 4 * 1024;

#[test]
fn segments_of_one_byte_are_answered_like_any_other() {
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor]);
        Client::connect(&server).ask();
        let before = Kept::at_rest(&server);
        let mut clients: Vec<Client> =
            (0..at_once(flavor).min(4)).map(|_| Client::connect(&server)).collect();
        for byte in QUESTION.repeat(3) {
            for client in &mut clients {
                client.send(&[byte]);
            }
        }
        for client in &mut clients {
            client.half_close();
            assert_eq!(client.rest(), ANSWER.repeat(3));
        }
        let asked = 1 + 3 * clients.len() as u64;
        drop(clients);
        before.is_all_that_is_left(&server, SLACK);
        let totals = Served::by(server);
        assert_eq!((totals.count("questions"), totals.count("open")), (asked, 0), "{}", totals.log);
    });
}

#[test]
fn half_a_question_is_not_answered_when_the_peer_closes_or_the_server_stops() {
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor]);
        let mut client = Client::through_a_small_window(server.address);
        client.send(&[QUESTION, &QUESTION[..7]].concat());
        client.half_close();
        assert_eq!(client.rest(), ANSWER);
        assert!(client.is_closed());

        let mut client = Client::connect(&server);
        client.ask();
        client.send(&QUESTION[..7]);
        stop(&server);
        assert_eq!(client.rest(), b"");
        drop(client);
        let totals = Served::by_stopped(server);
        let counts = ["questions", "truncated", "drained", "open"].map(|what| totals.count(what));
        assert_eq!(counts, [2, 1, 1, 0], "{}", totals.log);
    });
}

#[test]
fn ten_thousand_questions_in_one_write_are_answered() {
    const QUESTIONS: usize = 10_000;
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor]);
        Client::connect(&server).ask();
        let before = Kept::at_rest(&server);
        let mut client = Client::connect(&server);
        // The answers are small enough for the buffers on the way, so the write does not wait.
        client.send(&QUESTION.repeat(QUESTIONS));
        client.expect(&ANSWER.repeat(QUESTIONS));
        client.ask();
        drop(client);
        before.is_all_that_is_left(&server, SLACK);
        let totals = Served::by(server);
        assert_eq!(totals.count("questions"), QUESTIONS as u64 + 2, "{}", totals.log);
    });
}

#[test]
fn a_whole_question_with_fin_behind_it_is_answered_every_time() {
    const CLIENTS: u64 = 1000;
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor]);
        Client::connect(&server).ask();
        let before = Kept::at_rest(&server);
        for _ in 0..CLIENTS {
            let mut client = Client::connect(&server);
            client.send(QUESTION);
            client.half_close();
            assert_eq!(client.rest(), ANSWER);
        }
        before.is_all_that_is_left(&server, SLACK);
        let totals = Served::by(server);
        let counts = ["accepted", "questions", "finished", "open"].map(|what| totals.count(what));
        assert_eq!(counts, [CLIENTS + 1, CLIENTS + 1, CLIENTS + 1, 0], "{}", totals.log);
    });
}

#[test]
fn a_question_without_end_is_refused_and_takes_no_memory() {
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor]);
        Client::connect(&server).ask();
        let before = Kept::at_rest(&server);
        let client = Client::connect(&server);
        let (mut asking, mut reading) = (client.0.try_clone().unwrap(), client.0);
        let sent = thread::spawn(move || {
            // Up to 1 GiB, if the server takes that much.
            let megabyte = vec![b'x'; 1 << 20];
            (0..1024).take_while(|_| asking.write_all(&megabyte).is_ok()).count()
        });
        let (mut told, mut some) = (Vec::new(), [0; 256]);
        // The server stops reading after a while, so the end may be a reset.
        while let Ok(n @ 1..) = reading.read(&mut some) {
            told.extend_from_slice(&some[..n]);
        }
        assert_eq!(String::from_utf8_lossy(&told), "Error: question too long.");
        drop(reading);
        assert!(sent.join().unwrap() < 1024, "{flavor} takes all of it");
        before.is_all_that_is_left(&server, SLACK);
        let totals = Served::by(server);
        assert_eq!((totals.count("question_too_long"), totals.count("open")), (1, 0), "{}", totals.log);
    });
}

#[test]
fn answers_that_are_never_read_take_no_memory_and_hold_nobody() {
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor]);
        Client::connect(&server).ask();
        let before = Kept::at_rest(&server);
        let floods = (at_once(flavor) - 1).clamp(1, 3);
        let floods: Vec<Client> = (0..floods)
            .map(|_| {
                let mut flood = Client::through_a_small_window(server.address);
                flood.0.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
                // Each byte is answered with 24.
                let error = loop {
                    if let Err(error) = flood.0.write_all(&vec![b'?'; 64 * 1024]) {
                        break error;
                    }
                };
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                flood
            })
            .collect();
        let now = Kept::by(&server);
        assert!(now.memory <= before.memory + 16 * 1024, "{now:?}, and before {before:?}");
        if at_once(flavor) > 1 {
            Client::connect(&server).ask();
        }
        drop(floods);
        before.is_all_that_is_left(&server, SLACK);
        Client::connect(&server).ask();
    });
}
