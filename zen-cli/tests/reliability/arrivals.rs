//! What has arrived in time is answered, however late the server looks.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::client::{ANSWER, Client, QUESTION};
use crate::every_flavor::{at_once, blocks, may_open, on_every_flavor};
use crate::kept::{Served, stop};
use crate::running::{FLAVORS, serve};

#[test]
fn a_server_that_was_stopped_for_longer_than_its_deadlines_loses_no_question() {
    on_every_flavor(|flavor| {
        let deadlines = ["--idle-deadline", "1s", "--question-deadline", "1s"];
        let server = serve(&[&["--flavor", flavor][..], &deadlines].concat());
        let clients = at_once(flavor).min(20);
        let mut clients: Vec<Client> = (0..clients).map(|_| Client::connect(&server)).collect();
        // Half of them are in the middle of a question.
        for client in &mut clients {
            client.ask();
        }
        for client in clients.iter_mut().skip(1).step_by(2) {
            client.send(&QUESTION[..9]);
        }
        thread::sleep(Duration::from_millis(200));
        server.running.signal(Signal::SIGSTOP);
        for (index, client) in clients.iter_mut().enumerate() {
            client.send(if index % 2 == 1 { &QUESTION[9..] } else { QUESTION });
        }
        thread::sleep(Duration::from_millis(1500));
        server.running.signal(Signal::SIGCONT);
        for client in &mut clients {
            client.expect(ANSWER);
        }
        let asked = 2 * clients.len() as u64;
        drop(clients);
        let totals = Served::by(server);
        assert_eq!((totals.count("questions"), totals.count("open")), (asked, 0), "{}", totals.log);
    });
}

/// More clients than one wait of an event loop tells of.
#[test]
fn a_server_that_was_stopped_loses_none_of_many_clients() {
    const CLIENTS: usize = 1500;
    // One flavor after the other, since each needs many descriptors.
    for flavor in FLAVORS.into_iter().filter(|flavor| at_once(flavor) > CLIENTS) {
        let Some(cap) = may_open(CLIENTS) else { return };
        let server = serve(&["--flavor", flavor, "--idle-deadline", "3s", "--connections", &cap]);
        let mut clients: Vec<Client> = (0..CLIENTS).map(|_| Client::connect(&server)).collect();
        // The last that was accepted: all are.
        clients[CLIENTS - 1].ask();
        server.running.signal(Signal::SIGSTOP);
        for client in &mut clients {
            client.send(QUESTION);
        }
        thread::sleep(Duration::from_millis(3500));
        server.running.signal(Signal::SIGCONT);
        for client in &mut clients {
            client.expect(ANSWER);
        }
        drop(clients);
        let totals = Served::by(server);
        assert_eq!(totals.count("questions"), CLIENTS as u64 + 1, "{flavor}: {}", totals.log);
    }
}

#[test]
fn a_question_that_comes_while_another_ones_handler_runs_is_in_time() {
    const DEADLINE: Duration = Duration::from_millis(200);
    // `blocking` serves nobody else meanwhile.
    on_every_flavor(|flavor| {
        if at_once(flavor) == 1 {
            return;
        }
        let work = ["--work", "300ms", "--work-kind", blocks(flavor), "--question-deadline", "200ms"];
        let server = serve(&[&["--flavor", flavor][..], &work].concat());
        let mut a = Client::connect(&server);
        for _ in 0..20 {
            let mut b = Client::connect(&server);
            let began = Instant::now();
            b.send(&QUESTION[..9]);
            thread::sleep(DEADLINE / 20);
            a.send(QUESTION);
            thread::sleep(DEADLINE / 20);
            b.send(&QUESTION[9..]);
            let took = began.elapsed();
            if took < DEADLINE / 2 {
                b.expect(ANSWER);
                a.expect(ANSWER);
                return;
            }
            // This client was late itself, since the machine is busy.
            a.expect(ANSWER);
        }
        eprintln!("SKIPPED: this machine is too busy to send a question within {:?}", DEADLINE / 2);
    });
}

#[test]
fn questions_that_wait_in_the_kernel_when_the_server_stops_are_answered() {
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor]);
        let clients = at_once(flavor).min(20);
        let mut clients: Vec<Client> = (0..clients).map(|_| Client::connect(&server)).collect();
        for client in &mut clients {
            client.ask();
        }
        server.running.signal(Signal::SIGSTOP);
        for client in &mut clients {
            client.send(&QUESTION.repeat(20));
        }
        stop(&server);
        server.running.signal(Signal::SIGCONT);
        for client in &mut clients {
            client.expect(&ANSWER.repeat(20));
            assert_eq!(client.rest(), b"", "then the server closes");
        }
        let asked = 21 * clients.len() as u64;
        drop(clients);
        let totals = Served::by_stopped(server);
        assert_eq!(totals.count("questions"), asked, "{}", totals.log);
    });
}
