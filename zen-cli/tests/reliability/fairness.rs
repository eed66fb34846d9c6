//! One client that pipelines many questions holds neither the others nor the end of the server.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::client::{ANSWER, Client, QUESTION};
use crate::every_flavor::{at_once, blocks, on_every_flavor};
use crate::kept::{Served, stop};
use crate::running::{Serving, serve, until};

/// How many questions the flooding client has asked before anyone else asks.
const FLOOD: usize = 20_000;

/// One client pipelines questions while others ask one each. All of the others are answered before
/// `most` questions of the first are.
fn others_are_served(server: &Serving, others: usize, most: usize) {
    let flood = Client::connect(server);
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        let mut asking = flood.0.try_clone().unwrap();
        // Ends with an error when the test ends first.
        scope.spawn(move || drop(asking.write_all(&QUESTION.repeat(FLOOD))));
        let (mut reading, answered) = (flood.0.try_clone().unwrap(), &answered);
        scope.spawn(move || {
            let mut some = [0; 4096];
            while let Ok(n @ 1..) = reading.read(&mut some) {
                answered.fetch_add(n, Ordering::SeqCst);
            }
        });
        let answered = || answered.load(Ordering::SeqCst) / ANSWER.len();
        until("the flood is being answered", || (answered() > 0).then_some(()));
        let before = answered();
        let mut others: Vec<Client> = (0..others).map(|_| Client::connect(server)).collect();
        for other in &mut others {
            other.send(QUESTION);
        }
        for other in &mut others {
            other.expect(ANSWER);
        }
        let meanwhile = answered() - before;
        // A flood of 40 s of work would be answered whole before anybody else.
        assert!(meanwhile < most, "{meanwhile} questions of one client were answered meanwhile");
        flood.0.shutdown(Shutdown::Both).unwrap();
    });
}

#[test]
fn a_pipeline_with_a_handler_of_2_ms_holds_nobody() {
    on_every_flavor(|flavor| {
        let others = (at_once(flavor) - 1).min(40);
        if others == 0 {
            return;
        }
        let server = serve(&["--flavor", flavor, "--work", "2ms", "--work-kind", blocks(flavor)]);
        others_are_served(&server, others, FLOOD / 2);
    });
}

#[test]
fn a_pipeline_of_slow_questions_ages_no_question_of_its_own() {
    const QUESTIONS: usize = 1500;
    on_every_flavor(|flavor| {
        let work = ["--work", "1ms", "--work-kind", blocks(flavor)];
        let deadlines = ["--question-deadline", "700ms", "--idle-deadline", "700ms"];
        let server = serve(&[&["--flavor", flavor][..], &work, &deadlines].concat());
        let mut client = Client::connect(&server);
        // More than two deadlines of work, sent at once.
        client.send(&QUESTION.repeat(QUESTIONS));
        client.expect(&ANSWER.repeat(QUESTIONS));
        drop(client);
        let totals = Served::by(server);
        assert_eq!(totals.count("questions"), QUESTIONS as u64, "{}", totals.log);
    });
}

/// Each client has 8 s of work in the server when it is told to stop; with an event loop, all of
/// them together many times that.
#[test]
fn the_drain_deadline_holds_however_much_is_owed() {
    const QUESTIONS: usize = 40;
    on_every_flavor(|flavor| {
        let work = ["--work", "200ms", "--work-kind", blocks(flavor), "--drain-deadline", "500ms"];
        let server = serve(&[&["--flavor", flavor][..], &work].concat());
        let clients = at_once(flavor).min(8);
        let mut clients: Vec<Client> = (0..clients).map(|_| Client::connect(&server)).collect();
        for client in &mut clients {
            client.send(&QUESTION.repeat(QUESTIONS));
        }
        clients[0].expect(ANSWER);
        stop(&server);
        let owed = (QUESTIONS * clients.len()) as u64;
        let totals = Served::by_stopped(server);
        assert_eq!(totals.count("drain_deadline"), clients.len() as u64, "{}", totals.log);
        assert!(totals.count("questions") < owed / 2, "more than the deadline allows: {}", totals.log);
    });
}

#[test]
fn the_drain_deadline_holds_for_clients_that_do_not_read() {
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor, "--drain-deadline", "500ms"]);
        let clients = at_once(flavor).min(4);
        let mut clients: Vec<Client> =
            (0..clients).map(|_| Client::through_a_small_window(server.address)).collect();
        for client in &mut clients {
            client.0.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
            // Until the server can neither send nor read.
            let mut stalls = 0;
            while stalls < 3 {
                let sent = client.0.write(&vec![b'?'; 64 * 1024]);
                stalls = if sent.is_ok() { 0 } else { stalls + 1 };
            }
        }
        stop(&server);
        let totals = Served::by_stopped(server);
        // A server that was not served itself may have found room for all that it owed.
        let (forced, drained) = (totals.count("drain_deadline"), totals.count("drained"));
        assert_eq!((forced + drained, totals.count("open")), (clients.len() as u64, 0), "{}", totals.log);
    });
}
