//! The servers that the tests load: a correct one, and one for each kind of fault.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use zen_compare::{Contender, Workload, floor::Floor};

/// How many questions the mortal server answers before it dies.
const LIFE: u64 = 200;

/// Serves until it is killed. `rest` is a tag for the process list and, for some roles, a port.
pub(crate) fn play(role: &str, rest: &[String]) -> ExitCode {
    let port = rest.get(1).map_or(0, |port| port.parse().unwrap());
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let address = listener.local_addr().unwrap();
    if !["right", "wrong", "silent", "greedy", "mortal", "idle", "parent", "lab", "floor"].contains(&role) {
        eprintln!("no such role: {role}");
        return ExitCode::from(2);
    }
    if role == "lab" {
        return lab();
    }
    if ["idle", "parent"].contains(&role) {
        return delegate(role, rest);
    }
    println!("listening on {address}");
    match role {
        "floor" => Floor::new(listener).unwrap().run().unwrap(),
        "greedy" => listener.incoming().for_each(|stream| answer(&stream.unwrap(), |_| {})),
        _ => {
            for stream in listener.incoming() {
                let (stream, role) = (stream.unwrap(), role.to_owned());
                thread::spawn(move || match role.as_str() {
                    "silent" => thread::sleep(Duration::from_secs(600)),
                    "wrong" => answer(&stream, |answer| answer.splice(.., *b"Handsome.").for_each(drop)),
                    "mortal" => answer(&stream, |_| live()),
                    _ => answer(&stream, |_| {}),
                });
            }
        }
    }
    ExitCode::SUCCESS
}

/// Leaves the work to another process: a child, or one that is not a descendant.
fn delegate(role: &str, rest: &[String]) -> ExitCode {
    let program = std::env::current_exe().unwrap();
    let mut worker = if role == "idle" {
        // The worker waits for a word before it begins. It gets the word when the shell that
        // started it is gone, and so it is no longer a descendant.
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec 3<&0; { read word <&3; exec \"$0\" \"$@\"; } &"]).arg(program);
        shell
    } else {
        Command::new(program)
    };
    worker.args(["serve-as", "right"]).args(rest).stdin(Stdio::piped()).stdout(Stdio::inherit());
    let mut worker = worker.spawn().unwrap();
    let mut word = worker.stdin.take().unwrap();
    worker.wait().unwrap();
    if role == "idle" {
        word.write_all(b"begin\n").unwrap();
        thread::sleep(Duration::from_secs(600));
    }
    ExitCode::SUCCESS
}

/// Starts a server within this program, prints its ID, and waits to be ended.
fn lab() -> ExitCode {
    let server = Contender::own("patient").unwrap().start(None).unwrap();
    println!("{}", server.pid());
    thread::sleep(Duration::from_secs(600));
    ExitCode::SUCCESS
}

/// The roles of servers within this program.
pub(crate) fn own(role: &str, listener: TcpListener) -> Result<(), String> {
    match role {
        // Of the server that `lab` starts.
        "patient" => {
            let _listening = listener;
            thread::sleep(Duration::from_secs(600));
        }
        "greets" => {
            for stream in listener.incoming() {
                thread::spawn(move || {
                    let stream = stream.unwrap();
                    let workload = greeted();
                    // The lab's clients may not ask before the greeting is whole.
                    for byte in workload.greeting() {
                        (&stream).write_all(&[*byte]).unwrap();
                    }
                    answer_from(&workload, &stream, |_| {});
                });
            }
        }
        _ => return Err("no such role".into()),
    }
    Ok(())
}

/// A protocol with a greeting, whose messages begin with their length.
pub(crate) fn greeted() -> Workload {
    let exchanges = [(&b"\x03zen"[..], &b"\x03ZEN"[..]), (b"\x00", b"\x00"), (b"\x02\x02?", b"\x02\x02!")];
    Workload::new(exchanges).unwrap().with_greeting("\x05hello")
}

fn live() {
    static LIVED: AtomicU64 = AtomicU64::new(0);
    if LIVED.fetch_add(1, Ordering::Relaxed) == LIFE {
        eprintln!("enough");
        std::process::exit(7);
    }
}

/// Answers questions of the book's table, after `change` has changed each answer.
fn answer(stream: &TcpStream, change: impl Fn(&mut Vec<u8>)) {
    answer_from(&Workload::aphorisms(), stream, change);
}

fn answer_from(workload: &Workload, mut stream: &TcpStream, change: impl Fn(&mut Vec<u8>)) {
    let mut pending = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        pending.extend_from_slice(&buffer[..count]);
        let mut answers = Vec::new();
        while let Some(exchange) = workload.exchanges().iter().find(|e| pending.starts_with(&e.question)) {
            let mut answer = exchange.answer.clone();
            change(&mut answer);
            answers.extend_from_slice(&answer);
            pending.drain(..exchange.question.len());
        }
        if stream.write_all(&answers).is_err() {
            return;
        }
    }
}
