//! The generator against servers that are right, wrong, silent, and gone.

mod background;
mod open_loop;

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::Duration;

use super::*;
use crate::scenario::{Scenario, Workload};

/// Starts a server with a thread for each connection, on which it calls `each`. It lives until the
/// test's process ends.
fn serve(each: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let each = Arc::new(each);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let each = each.clone();
            thread::spawn(move || each(stream.unwrap()));
        }
    });
    address
}

/// Answers each question of the workload correctly, up to `limit` of them on one connection.
fn answer(mut stream: TcpStream, workload: &Workload, limit: usize) {
    let mut pending = Vec::new();
    let mut buffer = [0; 4096];
    let mut answered = 0;
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        pending.extend_from_slice(&buffer[..count]);
        let mut answers = Vec::new();
        while let Some(exchange) = workload.exchanges().iter().find(|e| pending.starts_with(&e.question)) {
            pending.drain(..exchange.question.len());
            answers.extend_from_slice(&exchange.answer);
            answered += 1;
            if answered == limit {
                break;
            }
        }
        if stream.write_all(&answers).is_err() || answered == limit {
            return;
        }
    }
}

fn right_server() -> SocketAddr {
    serve(|stream| answer(stream, &Workload::aphorisms(), usize::MAX))
}

fn load<'a>(server: SocketAddr, scenario: &'a Scenario, workload: &'a Workload) -> Load<'a> {
    let time = Duration::from_millis;
    Load {
        server,
        scenario,
        workload,
        warmup: time(60),
        window: time(240),
        capacity: None,
        seed: 1,
        progress: None,
    }
}

fn generate_quietly(load: &Load<'_>) -> LoadResult {
    generate(load, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn assert_consistent(result: &LoadResult, scenario: &Scenario) {
    assert_eq!(result.served.len(), scenario.clients);
    assert_eq!(result.served.iter().sum::<u64>(), result.answers);
    // Besides the answers, it holds what was in flight at the end and, in an open loop, what was
    // never asked.
    let open = result.latency.len() - result.answers;
    let most = (scenario.clients * scenario.depth) as u64;
    assert!(open <= most || result.schedule.is_some(), "{open} open");
    assert!(result.answers_since_settling >= result.answers);
}

#[test]
fn a_correct_server_serves_every_client() {
    let workload = Workload::aphorisms();
    for scenario in [Scenario::saturate(1), Scenario::saturate(16), Scenario::pipeline(16, 64)] {
        let result = generate_quietly(&load(right_server(), &scenario, &workload));
        assert_consistent(&result, &scenario);
        assert_eq!(result.failures, Failures::default(), "{}", scenario.name);
        assert_eq!(result.clients_served(), scenario.clients, "{}", scenario.name);
        assert!(result.window >= Duration::from_millis(240));
        assert!(result.generator_cpu > Duration::ZERO);
        assert!(result.latency.min() > 0);
    }
}

#[test]
fn conversations_end_and_new_ones_begin() {
    let workload = Workload::aphorisms();
    let result = generate_quietly(&load(right_server(), &Scenario::churn(), &workload));
    assert_consistent(&result, &Scenario::churn());
    assert_eq!(result.failures, Failures::default());
    assert!(result.conversations > 0);
    // Each conversation has three answers; one that crosses an end of the window may have one to
    // three in it.
    let (answers, conversations) = (i128::from(result.answers), 3 * i128::from(result.conversations));
    assert!(
        (answers - conversations).abs() <= 3 * 16,
        "{answers} answers, 3 × {conversations} conversations"
    );
}

#[test]
fn conversations_that_come_and_go_use_many_addresses() {
    let workload = Workload::aphorisms();
    let callers = Arc::new(Mutex::new(HashSet::new()));
    let heard = callers.clone();
    let server = serve(move |stream| {
        heard.lock().unwrap().insert(stream.peer_addr().unwrap().ip());
        answer(stream, &Workload::aphorisms(), usize::MAX);
    });
    let result = generate_quietly(&load(server, &Scenario::churn(), &workload));
    assert!(result.conversations > 20);
    // Each conversation takes the next of 128 addresses.
    assert!(callers.lock().unwrap().len() > 20);
}

#[test]
fn a_client_that_thinks_asks_no_faster_than_it_thinks() {
    let workload = Workload::aphorisms();
    let server = right_server();
    let scenario = Scenario { think: Duration::from_millis(20), ..Scenario::book() };
    let result = generate_quietly(&load(server, &scenario, &workload));
    assert_eq!(result.failures, Failures::default());
    let at_most = result.window.as_millis() / 20 + 1;
    assert!((1..=at_most).contains(&u128::from(result.answers)), "{} answers", result.answers);
}

#[test]
fn a_wrong_answer_is_called_wrong() {
    let lie = Workload::aphorisms().answered_by_constant(b"Pretty.");
    let server = serve(move |stream| answer(stream, &lie, usize::MAX));
    let scenario = Scenario::saturate(4);
    let result = generate_quietly(&load(server, &scenario, &Workload::aphorisms()));
    assert!(result.failures.wrong_answers >= 4);
    let (expected, received) = result.failures.first_wrong.unwrap();
    assert_eq!(received, "Pretty.");
    assert!(["Ugly.", "Complex.", "Implicit."].contains(&expected.as_str()), "{expected}");
    assert_eq!(result.answers, 0);
}

#[test]
fn a_server_that_never_answers_serves_no_client_and_does_not_hold_up_the_load() {
    let server = serve(|stream| {
        thread::sleep(Duration::from_secs(600));
        drop(stream);
    });
    let scenario = Scenario::saturate(16);
    let result = generate_quietly(&load(server, &scenario, &Workload::aphorisms()));
    assert_consistent(&result, &scenario);
    assert_eq!((result.clients_served(), result.answers, result.waiting), (0, 0, 16));
    assert!(result.longest_wait >= Duration::from_millis(240));
    assert_eq!(result.failures, Failures::default());
}

#[test]
fn a_server_that_takes_one_client_at_a_time_serves_one() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), &Workload::aphorisms(), usize::MAX);
        }
    });
    let scenario = Scenario::saturate(16);
    let result = generate_quietly(&load(server, &scenario, &Workload::aphorisms()));
    assert_consistent(&result, &scenario);
    assert_eq!((result.clients_served(), result.waiting), (1, 16));
    assert_eq!(result.failures, Failures::default());
}

#[test]
fn a_server_that_closes_early_is_noticed_and_asked_again() {
    let server = serve(|stream| answer(stream, &Workload::aphorisms(), 5));
    let scenario = Scenario::saturate(2);
    let result = generate_quietly(&load(server, &scenario, &Workload::aphorisms()));
    assert_consistent(&result, &scenario);
    assert!(result.failures.closed_early > 2, "{:?}", result.failures);
    assert!(result.answers > 0);
}

#[test]
fn a_server_that_is_gone_is_noticed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    drop(listener);
    let scenario = Scenario::saturate(3);
    let result = generate_quietly(&load(server, &scenario, &Workload::aphorisms()));
    assert!(result.failures.connects >= 3);
    assert!(result.failures.connect_error.is_some());
    assert_eq!(result.answers, 0);
}

#[test]
fn every_moment_is_reported_in_order() {
    let scenario = Scenario::saturate(1);
    let workload = Workload::aphorisms();
    let mut moments = Vec::new();
    let load = load(right_server(), &scenario, &workload);
    generate(&load, &mut |moment| {
        moments.push(moment);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(moments.first(), Some(&Moment::Passing));
    moments.retain(|&moment| moment != Moment::Passing);
    assert_eq!(moments, [Moment::Settling, Moment::Opens, Moment::Closes]);
}

#[test]
fn a_callback_that_breaks_ends_the_load() {
    let scenario = Scenario::saturate(1);
    let workload = Workload::aphorisms();
    let long = Load { window: Duration::from_secs(3600), ..load(right_server(), &scenario, &workload) };
    let mut open = false;
    let result = generate(&long, &mut |moment| {
        open |= moment == Moment::Opens;
        if open && moment == Moment::Passing { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert!(result.window > Duration::ZERO && result.window < Duration::from_secs(3600));
    assert_consistent(&result, &scenario);
}
