//! The server with a slow upstream, under every flavor.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

#[path = "../examples/slow_upstream/awaited.rs"]
mod awaited;
mod built;
#[path = "../examples/slow_upstream/pooled.rs"]
mod pooled;
mod program;
mod serving;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use awaited::Upstream;
use examples::Flavor;
use pooled::{BUSY, Pooled, UNREACHABLE};
use program::Program;
use serving::Running;
use zen_client::{Client, ClientOptions};
use zen_proto::aphorism::{self, Aphorisms};
use zen_proto::{Answer, Limits, Service};
use zen_server::Options;
use zen_server_async::Deferred;
use zen_testkit::{Exchanges, Suite, Transcript};

with_every_flavor!(
    the_exchanges_hold,
    answers_leave_in_the_order_of_the_questions,
    a_slow_answer_delays_no_other_client,
    what_is_owed_when_the_server_stops_is_answered,
    an_upstream_that_is_down_is_reported,
    more_clients_than_threads_are_all_answered,
);

const AT_ONCE: usize = 4;

/// The question for which the upstream waits until it is let go.
const SLOW: &[u8] = b"Explicit is better than?";
const SLOW_ANSWER: &[u8] = b"Implicit.";
const QUICK: &[u8] = b"Simple is better than?";
const QUICK_ANSWER: &[u8] = b"Complex.";

/// Lets the upstream wait, and lets it go.
#[derive(Debug, Clone, Default)]
struct Gate(Arc<(Mutex<Seen>, Condvar)>);

#[derive(Debug, Default)]
struct Seen {
    waiting: usize,
    open: bool,
}

impl Gate {
    fn wait(&self) {
        let (seen, changed) = &*self.0;
        let mut seen = seen.lock().unwrap();
        seen.waiting += 1;
        changed.notify_all();
        drop(changed.wait_while(seen, |seen| !seen.open).unwrap());
    }

    /// Waits until the upstream waits with this many questions.
    fn until_waiting(&self, questions: usize) {
        let (seen, changed) = &*self.0;
        drop(changed.wait_while(seen.lock().unwrap(), |seen| seen.waiting < questions).unwrap());
    }

    fn open(&self) {
        let (seen, changed) = &*self.0;
        seen.lock().unwrap().open = true;
        changed.notify_all();
    }
}

fn upstream() -> (Running, Gate) {
    let gate = Gate::default();
    let waits = gate.clone();
    let service = move |question: &[u8], answer: &mut Answer<'_>| {
        if question == SLOW {
            waits.wait();
        }
        Aphorisms.answer(question, answer)
    };
    (Running::start(Flavor::Threaded, service, aphorism::framing(), Options::default()), gate)
}

/// How the service is written.
#[derive(Debug, Clone, Copy)]
enum Way {
    Pooled,
    Awaited,
}

/// The ways that the flavor allows.
fn ways(flavor: Flavor) -> &'static [Way] {
    match flavor {
        Flavor::Async | Flavor::AsyncMulti => &[Way::Pooled, Way::Awaited],
        _ => &[Way::Pooled],
    }
}

fn start(flavor: Flavor, way: Way, upstream: SocketAddr) -> Running {
    start_with(flavor, way, upstream, Limits::default())
}

fn start_with(flavor: Flavor, way: Way, upstream: SocketAddr, limits: Limits) -> Running {
    let (framing, options) = (aphorism::framing(), Options::default().with_limits(limits));
    match way {
        Way::Pooled => {
            let pooled = Pooled::start(upstream, AT_ONCE, 1024).unwrap();
            Running::start(flavor, pooled, framing, options)
        }
        Way::Awaited => {
            let upstream = Upstream::new(upstream, AT_ONCE);
            let awaited = Deferred::new(move |question| upstream.clone().ask(question));
            Running::start(flavor, awaited, framing, options)
        }
    }
}

fn connect(running: &Running) -> Client {
    Client::connect(running.address, &ClientOptions::default()).unwrap()
}

fn answers_leave_in_the_order_of_the_questions(flavor: Flavor) {
    for way in ways(flavor) {
        let (upstream, gate) = upstream();
        let running = start(flavor, *way, upstream.address);
        thread::scope(|scope| {
            scope.spawn(|| {
                gate.until_waiting(1);
                gate.open();
            });
            Transcript::new("a slow question before quick ones")
                .send(&[SLOW, QUICK, b"Why?"].concat())
                .expect(&[SLOW_ANSWER, QUICK_ANSWER, b"Error: unknown aphorism."].concat())
                .stays_open(SLOW, SLOW_ANSWER)
                .finish_and_end()
                .run(running.address)
                .unwrap();
        });
    }
}

fn suite() -> Suite {
    let questions = [SLOW, QUICK, b"Why?"].concat();
    let answers = [SLOW_ANSWER, QUICK_ANSWER, b"Error: unknown aphorism."].concat();
    let too_long = [QUICK, &[b'x'; 65]].concat();
    Exchanges::new()
        .answers("three questions", &questions, &answers)
        .closes("a long question", &too_long, &[QUICK_ANSWER, b"Error: question too long."].concat())
        .suite()
}

fn limits() -> Limits {
    Limits::default().with_question_length(64)
}

fn the_exchanges_hold(flavor: Flavor) {
    for way in ways(flavor) {
        let (upstream, gate) = upstream();
        gate.open();
        suite().run(start_with(flavor, *way, upstream.address, limits()).address).assert_passed();
    }
}

#[test]
fn the_exchanges_hold_in_memory() {
    let (upstream, gate) = upstream();
    gate.open();
    let pooled = Pooled::start(upstream.address, AT_ONCE, 1024).unwrap();
    suite().run_in_memory(&limits(), || (aphorism::framing(), pooled.clone())).assert_passed();
}

fn a_slow_answer_delays_no_other_client(flavor: Flavor) {
    if flavor == Flavor::Blocking {
        // It serves one client at a time, whatever the service does.
        return;
    }
    for way in ways(flavor) {
        let (upstream, gate) = upstream();
        let running = start(flavor, *way, upstream.address);
        thread::scope(|scope| {
            let slow = scope.spawn(|| connect(&running).ask(SLOW).unwrap());
            gate.until_waiting(1);
            // If this waited for the slow answer, it would wait for ever.
            let mut quick = connect(&running);
            assert_eq!(quick.ask(QUICK).unwrap(), QUICK_ANSWER);
            assert_eq!(quick.ask(QUICK).unwrap(), QUICK_ANSWER);
            gate.open();
            assert_eq!(slow.join().unwrap(), SLOW_ANSWER);
        });
    }
}

fn what_is_owed_when_the_server_stops_is_answered(flavor: Flavor) {
    for way in ways(flavor) {
        let (upstream, gate) = upstream();
        let running = start(flavor, *way, upstream.address);
        thread::scope(|scope| {
            scope.spawn(|| {
                gate.until_waiting(1);
                running.stop.stop();
                // The server notices the stop, and has to wait all the same.
                thread::sleep(Duration::from_millis(50));
                gate.open();
            });
            Transcript::new("a stop while the upstream is asked")
                .ask(SLOW, SLOW_ANSWER)
                .ends()
                .run(running.address)
                .unwrap();
        });
    }
}

fn an_upstream_that_is_down_is_reported(flavor: Flavor) {
    // Nobody listens here once the listener is dropped.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for way in ways(flavor) {
        let running = start(flavor, *way, nobody);
        Transcript::new("no upstream")
            .ask(QUICK, UNREACHABLE)
            .ask(QUICK, UNREACHABLE)
            .finish_and_end()
            .run(running.address)
            .unwrap();
    }
}

fn more_clients_than_threads_are_all_answered(flavor: Flavor) {
    for way in ways(flavor) {
        let (upstream, gate) = upstream();
        let running = start(flavor, *way, upstream.address);
        gate.open();
        thread::scope(|scope| {
            for _ in 0..10 * AT_ONCE {
                scope.spawn(|| {
                    let mut client = connect(&running);
                    let answers = client.ask_all([SLOW, QUICK, SLOW, QUICK]).unwrap();
                    assert_eq!(answers, [SLOW_ANSWER, QUICK_ANSWER, SLOW_ANSWER, QUICK_ANSWER]);
                    client.finish().unwrap();
                });
            }
        });
    }
}

#[test]
fn too_many_questions_are_refused_at_once() {
    let (upstream, gate) = upstream();
    let pooled = Pooled::start(upstream.address, 1, 3).unwrap();
    let running = Running::start(Flavor::Mio, pooled, aphorism::framing(), Options::default());
    let mut client = TcpStream::connect(running.address).unwrap();
    client.write_all(SLOW).unwrap();
    gate.until_waiting(1);
    // The only thread is busy, so three questions wait, and there is no room for the fourth.
    client.write_all(&QUICK.repeat(4)).unwrap();
    Transcript::new("too many questions").ask(QUICK, BUSY).finish_and_end().run(running.address).unwrap();
    gate.open();
    client.shutdown(Shutdown::Write).unwrap();
    let mut answers = Vec::new();
    client.read_to_end(&mut answers).unwrap();
    assert_eq!(answers, [SLOW_ANSWER, &QUICK_ANSWER.repeat(3), BUSY].concat());
}

#[test]
fn the_program_serves_in_both_ways() {
    for flavor in ["threaded", "mio", "async"] {
        let program = Program::start("slow_upstream", &["127.0.0.1:0", "--flavor", flavor]);
        Transcript::new(flavor)
            .send(&[QUICK, SLOW].concat())
            .expect(&[QUICK_ANSWER, SLOW_ANSWER].concat())
            .finish_and_end()
            .run(program.address)
            .unwrap();
        assert_eq!(program.end(), [""; 0]);
    }
}
