//! How many instructions a question costs a flavor, counted by callgrind, so that a busy machine
//! changes nothing.

// A program that measures has nothing to go on with when an expectation fails.
#![allow(clippy::expect_used)]

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use zen_server::RunServer;

use super::TIMEOUT;

/// Makes the `main` of a benchmark that counts instructions: `count_instructions! { "name" => new,
/// … }`, where `new` makes a server of the flavor from a listener, a service and options.
///
/// The benchmark prints a line for each flavor: its name, and how many instructions outside the
/// kernel a question costs that is asked when the server rests from the one before it; on tokio,
/// within the conversation's task. It needs valgrind and Linux.
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

/// What a question adds, as most pairs of runs with different numbers of questions have it. The
/// program's start and end cost one of a few numbers, and cancel out in those pairs.
fn per_question(flavor: &str) -> f64 {
    let runs: Vec<(f64, f64)> = (1..=7)
        .map(|run| {
            let questions = 300 * run;
            (f64::from(questions), instructions(flavor, questions))
        })
        .collect();
    most_agreed(&runs)
}

/// The slope between two points that most other pairs of them agree with, within a quarter.
fn most_agreed(points: &[(f64, f64)]) -> f64 {
    let slope = |a: &(f64, f64), b: &(f64, f64)| (b.1 - a.1) / (b.0 - a.0);
    let pairs = points.iter().enumerate().flat_map(|(index, b)| points[..index].iter().map(move |a| (a, b)));
    let slopes: Vec<f64> = pairs.map(|(a, b)| slope(a, b)).collect();
    let agree = |with: &f64| slopes.iter().filter(|slope| (*slope - with).abs() < 0.25).count();
    slopes.iter().copied().max_by_key(agree).expect("two points at least")
}

/// How many instructions a server executes that answers so many questions.
fn instructions(flavor: &str, questions: u32) -> f64 {
    let profile = env::temp_dir().join(format!("zen-instructions-{}-{questions}", std::process::id()));
    let mut valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--compress-strings=no"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(env::current_exe().expect("a path"))
        .arg(flavor)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("valgrind starts");
    let mut address = String::new();
    BufReader::new(valgrind.stdout.take().expect("piped")).read_line(&mut address).expect("an address");
    ask(address.trim().parse().expect("an address"), questions, || rest(valgrind.id()));
    drop(valgrind.stdin.take());
    let output = valgrind.wait_with_output().expect("ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let executed = executed(&fs::read_to_string(&profile).expect("a profile"));
    fs::remove_file(&profile).expect("removed");
    // A profile has far fewer instructions than a mantissa has room for.
    executed.to_string().parse().expect("a number")
}

/// The instructions in a profile of callgrind. On tokio, those within the tasks of conversations:
/// the runtime with several threads measures how long tasks take, and looks into its queues more or
/// less often accordingly, so that what it does between tasks is never the same twice.
fn executed(profile: &str) -> u64 {
    const TASK: &str = "cfn=zen_server_async::task::converse::{{closure}}";
    let (mut everything, mut in_tasks, mut is_task) = (0, 0, false);
    let mut lines = profile.lines();
    while let Some(line) = lines.next() {
        let cost =
            |line: &str| line.split_ascii_whitespace().nth(1).and_then(|cost| cost.parse::<u64>().ok());
        if line.starts_with("cfn=") {
            is_task = line == TASK;
        } else if line.starts_with("calls=") {
            // The next line is the cost of the called function, whose own lines have that, too.
            let called = lines.next().and_then(cost).unwrap_or(0);
            in_tasks += if is_task { called } else { 0 };
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            everything += cost(line).unwrap_or(0);
        }
    }
    if in_tasks > 0 { in_tasks } else { everything }
}

/// Waits until every thread of a process sleeps, so that it has done all there is to do for the
/// last question. Otherwise it depends on the machine whether the next one comes before the server
/// has begun to wait for it.
fn rest(process: u32) {
    let start = Instant::now();
    let sleeps = |stat: &str| stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" S"));
    loop {
        let threads = fs::read_dir(format!("/proc/{process}/task")).expect("the server runs").flatten();
        // A thread that has just ended has nothing more to do.
        let stats = threads.filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok());
        if stats.into_iter().all(|stat| sleeps(&stat)) {
            return;
        }
        assert!(start.elapsed() < TIMEOUT, "the server works for {TIMEOUT:?} without a question");
        thread::yield_now();
    }
}

fn ask(server: SocketAddr, questions: u32, rest: impl Fn()) {
    let mut client = TcpStream::connect(server).expect("connects");
    client.set_nodelay(true).expect("an option");
    let mut answer = [0; 8];
    rest();
    for _ in 0..questions {
        client.write_all(b"Simple is better than?").expect("sends");
        client.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"Complex.");
        rest();
    }
    client.shutdown(Shutdown::Write).expect("half-closes");
    client.read_to_end(&mut Vec::new()).expect("the server closes");
    rest();
}

#[cfg(test)]
mod tests {
    use super::{executed, most_agreed};

    #[test]
    fn a_call_is_counted_once_and_what_a_runtime_does_between_tasks_is_not() {
        let profile = "events: Ir\n\nfl=a.rs\nfn=zen::a\n16 100\ncfn=zen::b\ncalls=2 5\n17 40\n+1 3\n\n\
                       fn=zen::b\nfi=b.rs\n5 40\n\ntotals: 143\n";
        assert_eq!(executed(profile), 143);
        let task = "cfn=zen_server_async::task::converse::{{closure}}";
        assert_eq!(executed(&profile.replace("cfn=zen::b", task)), 40);
    }

    #[test]
    fn what_runs_cost_at_their_start_and_end_cancels_out() {
        let run = |questions: f64, start: f64| (questions, 7.0 * questions + start);
        let runs =
            [run(1.0, 50.0), run(2.0, 0.0), run(3.0, 50.0), run(4.0, 0.0), run(5.0, 9.0), run(6.0, 50.0)];
        assert!((most_agreed(&runs) - 7.0).abs() < 1e-9);
    }
}
