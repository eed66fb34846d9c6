//! The server of large messages under every flavor: transcripts, and how much memory it takes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

mod built;
mod processor;
mod program;
#[path = "../examples/blob/protocol.rs"]
mod protocol;
mod serving;

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use examples::Flavor;
use program::Program;
use protocol::{Blobs, Framed, PIECE, QUESTION, options, piece};
use serving::Running;
use zen_proto::Limits;
use zen_testkit::{Exchanges, Suite, Transcript};

with_every_flavor!(
    every_question_has_its_answer,
    the_exchanges_hold,
    a_client_that_waits_too_long_is_told,
    clients_that_read_slowly_cost_no_more_than_the_bound,
    questions_that_are_not_whole_cost_no_more_than_the_bound,
);

const MIB: usize = 1024 * 1024;

/// How many slow clients there are at once.
const CLIENTS: usize = 64;

fn start(flavor: Flavor, limits: Limits) -> Running {
    Running::start(flavor, Blobs::default(), Framed, options().with_limits(limits))
}

/// A message with its length.
fn message(parts: &[&[u8]]) -> Vec<u8> {
    let text = parts.concat();
    [&u32::try_from(text.len()).unwrap().to_be_bytes(), &text[..]].concat()
}

fn number(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// The content of a reply of this length.
fn content(length: u64) -> Vec<u8> {
    (0..length).step_by(PIECE).flat_map(|position| piece(position, length)).copied().collect()
}

fn every_question_has_its_answer(flavor: Flavor) {
    let running = start(flavor, options().limits);
    let bytes: Vec<u8> = (0..=255).cycle().take(MIB).collect();
    let sent = [0, 1, 250, 251, PIECE, PIECE + 1, 3 * MIB + 5].map(|length| {
        let length = length as u64;
        Transcript::new(format!("{length} bytes are sent"))
            .ask(&message(&[b"s", &number(length)]), &message(&[b"+", &content(length)]))
            .stays_open(&message(&[b"m"]), &message(&[b"+", &number(0)]))
            .finish_and_end()
    });
    Suite::new([
        Transcript::new("1 MiB is measured")
            .ask(&message(&[b"m", &bytes]), &message(&[b"+", &number(MIB as u64)]))
            .finish_and_end(),
        Transcript::new("1 MiB comes back")
            .ask(&message(&[b"e", &bytes]), &message(&[b"+", &bytes]))
            .finish_and_end(),
        Transcript::new("pipelined")
            .send(&[message(&[b"s", &number(100_000)]), message(&[b"e", b"x"])].concat())
            .expect(&[message(&[b"+", &content(100_000)]), message(&[b"+x"])].concat())
            .finish_and_end(),
    ])
    .run(running.address)
    .assert_passed();
    Suite::new(sent).run(running.address).assert_passed();
}

fn suite() -> Suite {
    let zero = message(&[b"+", &number(0)]);
    let questions = [message(&[b"e", b"a"]), message(&[b"s", &number(3)]), message(&[b"m"])].concat();
    let answers = [&message(&[b"+a"]), &message(&[b"+", &[0, 1, 2]]), &zero].map(Vec::as_slice).concat();
    // Only the length has come when this is refused.
    let too_long = u32::try_from(QUESTION + 1).unwrap().to_be_bytes();
    let refused = [
        (message(&[]), "an empty message asks nothing"),
        (message(&[b"x"]), "a question begins with m, e or s"),
        (message(&[b"s", b"12"]), "s needs a number of eight bytes"),
        (message(&[b"s", &number(u64::MAX)]), "a message is at most 4 GiB long"),
        (too_long.into(), "more than 1048581 bytes"),
    ];
    let exchanges = Exchanges::new().answers("one of each", &questions, &answers);
    let exchanges = refused.iter().fold(exchanges, |exchanges, (question, reason)| {
        let answers = [&zero[..], &message(&[b"-", reason.as_bytes()])].concat();
        exchanges.closes(reason, &[&message(&[b"m"])[..], question].concat(), &answers)
    });
    exchanges.suite()
}

fn the_exchanges_hold(flavor: Flavor) {
    suite().run(start(flavor, options().limits).address).assert_passed();
}

#[test]
fn the_exchanges_hold_in_memory() {
    suite().run_in_memory(&options().limits, || (Framed, Blobs::default())).assert_passed();
}

fn a_client_that_waits_too_long_is_told(flavor: Flavor) {
    let moment = Duration::from_millis(200);
    let running = start(flavor, options().limits.with_idle_deadline(moment).with_question_deadline(moment));
    Suite::new([
        Transcript::new("nothing is asked").expect(&message(&[b"-idle_deadline"])).ends(),
        Transcript::new("half a question")
            .send(&message(&[b"m", b"half"])[..6])
            .expect(&message(&[b"-question_deadline"]))
            .ends(),
    ])
    .run(running.address)
    .assert_passed();
}

fn clients_that_read_slowly_cost_no_more_than_the_bound(flavor: Flavor) {
    let length = 50 * MIB as u64;
    let program = Program::start("blob", &["127.0.0.1:0", "--flavor", flavor.name()]);
    let question = message(&[b"s", &number(length)]);
    // What the first client costs, all have in common.
    read_whole_reply(&mut connect(&program, &question), length);

    let before = resident(&program);
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| connect(&program, &question)).collect();
    wait_until_idle(&program);
    let (mut most, mut received) = (resident(&program), [0; CLIENTS]);
    for _ in 0..20 {
        for (client, received) in clients.iter_mut().zip(&mut received) {
            *received += read_a_little(client);
        }
        thread::sleep(Duration::from_millis(20));
        most = most.max(resident(&program));
    }
    let served = received.iter().filter(|received| **received > 0).count();
    assert_eq!(served, at_once(flavor), "{received:?}");
    let each = (most - before) / CLIENTS;
    assert!(each <= bound(), "{each} bytes for each client");
    // The bound also counts a question of 1 MiB, which these clients do not ask. What is unsent is
    // held in a buffer of at most twice its size; a thread has touched some pages of its stack.
    let unsent = 2 * (options().limits.outbound_high_water + PIECE);
    assert!(each <= unsent + 64 * 1024, "{each} bytes for each client");
    drop(clients);
    read_whole_reply(&mut connect(&program, &question), length);
    program.end();
}

fn questions_that_are_not_whole_cost_no_more_than_the_bound(flavor: Flavor) {
    let program = Program::start("blob", &["127.0.0.1:0", "--flavor", flavor.name()]);
    let question = message(&[b"m", &vec![0; MIB]]);
    let (almost, last) = question.split_at(question.len() - 1);
    let before = resident(&program);
    // Those that are not served yet cannot send all of it.
    let mut clients: Vec<_> = (0..at_once(flavor)).map(|_| connect(&program, almost)).collect();
    wait_until_idle(&program);
    let most = resident(&program);
    let each = (most - before) / clients.len();
    assert!(each <= bound(), "{each} bytes for each client");
    for client in &mut clients {
        client.write_all(last).unwrap();
        let mut answer = [0; 13];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(answer[..], message(&[b"+", &number(MIB as u64)]));
    }
    drop(clients);
    program.end();
}

/// How many of the clients a flavor serves at once.
fn at_once(flavor: Flavor) -> usize {
    match flavor {
        Flavor::Blocking => 1,
        Flavor::Pool => 4,
        _ => CLIENTS,
    }
}

/// What the library says that one client costs at most.
fn bound() -> usize {
    let read = 16 * 1024;
    options().limits.memory_bound(&Framed, read, PIECE)
}

fn connect(program: &Program, question: &[u8]) -> TcpStream {
    let mut client = TcpStream::connect(program.address).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    client.write_all(question).unwrap();
    client
}

/// Waits until all that the server can do without its clients is done: it computes for less than a
/// percent of a core, and no thread waits for its turn to. Not for less, because a thread that
/// waits for its peer to read looks once a second whether the server is to stop.
fn wait_until_idle(program: &Program) {
    const WINDOW: Duration = Duration::from_millis(200);
    let (began, mut used) = (Instant::now(), None);
    loop {
        thread::sleep(WINDOW);
        let now = processor::time(program.id());
        let at_rest = |used| now.saturating_sub(used) < WINDOW / 100;
        if used.is_some_and(at_rest) && !is_runnable(program) {
            return;
        }
        used = Some(now);
        assert!(began.elapsed() < Duration::from_secs(30), "the server does not come to rest");
    }
}

/// Whether a thread of the program runs, or could.
fn is_runnable(program: &Program) -> bool {
    let threads = fs::read_dir(format!("/proc/{}/task", program.id())).unwrap();
    threads.flatten().any(|thread| {
        // A thread that has ended since does nothing.
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('R'))
    })
}

/// Reads 4 KiB, or nothing if nothing is there. Returns how much it was.
fn read_a_little(client: &mut TcpStream) -> usize {
    client.set_nonblocking(true).unwrap();
    match client.read(&mut [0; 4096]) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
        read => read.unwrap(),
    }
}

fn read_whole_reply(client: &mut TcpStream, length: u64) {
    let mut head = [0; 5];
    client.read_exact(&mut head).unwrap();
    assert_eq!(head[..4], u32::try_from(length + 1).unwrap().to_be_bytes());
    assert_eq!(head[4], b'+');
    let (mut position, mut buffer) = (0, vec![0; PIECE]);
    while position < length {
        let expected = piece(position, length);
        client.read_exact(&mut buffer[..expected.len()]).unwrap();
        assert!(buffer[..expected.len()] == *expected, "another content at {position}");
        position += expected.len() as u64;
    }
}

/// The process's resident memory, in bytes.
fn resident(program: &Program) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
}
