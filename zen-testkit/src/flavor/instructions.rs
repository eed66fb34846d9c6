//! How many instructions a question costs a flavor, counted by callgrind, so that a busy machine
//! changes nothing.

// A program that measures has nothing to go on with when an expectation fails.
#![allow(clippy::expect_used)]

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;

use zen_server::RunServer;

/// Makes the `main` of a benchmark that counts instructions: `count_instructions! { "name" => new,
/// … }`, where `new` makes a server of the flavor from a listener, a service and options.
///
/// The benchmark prints a line for each flavor: its name, and how many instructions outside the
/// kernel a question costs that is asked when the one before it is answered. It needs valgrind.
#[macro_export]
macro_rules! count_instructions {
    ($($name:literal => $new:expr),+ $(,)?) => {
        fn main() {
            $crate::flavor::count_instructions(&[$(($name, |listener| {
                let service = ::zen_proto::aphorism::Aphorisms;
                let options = $crate::flavor::Options::default().with_workers(1);
                let server = $new(listener, service, options).expect("good options");
                $crate::flavor::serve_until_input_ends(server)
            })),+]);
        }
    };
}

/// A flavor's name, and a function that serves until [the input ends](serve_until_input_ends).
pub type Counted = (&'static str, fn(TcpListener) -> io::Result<()>);

/// The `main` of [`count_instructions!`](crate::count_instructions).
///
/// # Panics
/// If valgrind is missing, or a flavor does not answer.
pub fn count_instructions(flavors: &[Counted]) {
    // The program starts itself under valgrind, with the flavor's name.
    let named = |name: String| flavors.iter().find(|(flavor, _)| *flavor == name);
    if let Some((_, serve)) = env::args().nth(1).and_then(named) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        println!("{}", listener.local_addr().expect("an address"));
        serve(listener).expect("serves");
        return;
    }
    for (name, _) in flavors {
        println!("{name} {}", per_question(name));
    }
}

/// Runs the server until the program's standard input ends.
///
/// # Errors
/// When the server cannot run.
pub fn serve_until_input_ends(server: impl RunServer) -> io::Result<()> {
    let stop = server.stop_handle();
    thread::spawn(move || {
        let _ = io::stdin().read(&mut [0]);
        stop.stop();
    });
    server.run()
}

/// Twice as many questions cost more. The program's start and end cost the same.
fn per_question(flavor: &str) -> f64 {
    const QUESTIONS: u32 = 10_000;
    // What wakes the server besides questions happens now and then, and costs more.
    let least = |questions| (0..3).map(|_| instructions(flavor, questions)).min().unwrap_or(0);
    let more = least(2 * QUESTIONS) - least(QUESTIONS);
    f64::from(more) / f64::from(QUESTIONS)
}

/// How many instructions a server executes that answers so many questions.
fn instructions(flavor: &str, questions: u32) -> u32 {
    let mut valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().expect("a path"))
        .arg(flavor)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("valgrind starts");
    let mut address = String::new();
    BufReader::new(valgrind.stdout.take().expect("piped")).read_line(&mut address).expect("an address");
    ask(address.trim().parse().expect("an address"), questions);
    drop(valgrind.stdin.take());
    let output = valgrind.wait_with_output().expect("ends");
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{log}");
    let collected = log.lines().find_map(|line| line.split_once("Collected : ")).expect("a count").1;
    collected.trim().parse().expect("a number")
}

fn ask(server: SocketAddr, questions: u32) {
    let mut client = TcpStream::connect(server).expect("connects");
    client.set_nodelay(true).expect("an option");
    let mut answer = [0; 8];
    for _ in 0..questions {
        client.write_all(b"Simple is better than?").expect("sends");
        client.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"Complex.");
    }
    client.shutdown(Shutdown::Write).expect("half-closes");
    client.read_to_end(&mut Vec::new()).expect("the server closes");
}
