//! What large messages cost: the processor time of the example `blob` for each MiB, under several
//! flavors and as a loop by hand.
//!
//! ```sh
//! cargo bench -p examples --bench large_messages [-- FLAVOR…]
//! ```
//!
//! Every server is a process on the first core, the clients are on the last. The repetitions are
//! interleaved: each server has its turn before any has its next. The figures are medians; the time
//! is what the kernel says the server's threads were running (`/proc/PID/task/*/schedstat`, in
//! nanoseconds).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "nothing can be measured when an expectation fails"
)]

#[path = "../tests/built/mod.rs"]
mod built;
#[path = "../tests/processor/mod.rs"]
mod processor;
#[path = "../tests/program/mod.rs"]
mod program;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use program::Program;

const MIB: usize = 1024 * 1024;

const REPETITIONS: usize = 5;

/// What the clients do.
struct Load {
    name: &'static str,
    /// One question, with its length.
    question: Vec<u8>,
    /// The length of its answer, with the length in front.
    answer: usize,
    /// How many of them each client asks, one after the other.
    times: usize,
    clients: usize,
}

impl Load {
    fn new(name: &'static str, clients: usize, times: usize, text: &[u8], answer: usize) -> Self {
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        let question = [&length[..], text].concat();
        Self { name, question, answer: answer + 5, times, clients }
    }

    fn mib(&self) -> f64 {
        let bytes = self.clients * self.times * self.question.len().max(self.answer);
        u32::try_from(bytes / MIB).unwrap().into()
    }

    /// Processor and wall-clock time of each MiB, in microseconds.
    fn measure(&self, server: &Program) -> (f64, f64) {
        let [connected, start, done] = std::array::from_fn(|_| Barrier::new(self.clients + 1));
        let (used, passed) = thread::scope(|scope| {
            for _ in 0..self.clients {
                scope.spawn(|| {
                    let mut stream = connect(server.address);
                    let mut answer = vec![0; self.answer.min(MIB)];
                    self.ask(&mut stream, &mut answer);
                    connected.wait();
                    start.wait();
                    for _ in 0..self.times {
                        self.ask(&mut stream, &mut answer);
                    }
                    done.wait();
                    // The server's thread has to be there still when its time is read.
                    done.wait();
                });
            }
            connected.wait();
            // The threads of earlier clients end meanwhile.
            thread::sleep(Duration::from_millis(20));
            let (used, began) = (processor::time(server.id()), Instant::now());
            start.wait();
            done.wait();
            let passed = began.elapsed();
            let used = processor::time(server.id()).checked_sub(used).unwrap();
            done.wait();
            (used, passed)
        });
        let each_mib = |time: Duration| time.as_secs_f64() * 1e6 / self.mib();
        (each_mib(used), each_mib(passed))
    }

    fn ask(&self, stream: &mut TcpStream, answer: &mut [u8]) {
        stream.write_all(&self.question).unwrap();
        let mut left = self.answer;
        while left > 0 {
            let most = left.min(answer.len());
            let n = stream.read(&mut answer[..most]).unwrap();
            assert!(n > 0, "the server has closed");
            left -= n;
        }
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// Keeps this thread, and what it starts, on one core.
fn stay_on(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core).unwrap();
    sched_setaffinity(Pid::from_raw(0), &cores).unwrap();
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    // cargo passes `--bench`.
    let mut flavors: Vec<_> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if flavors.is_empty() {
        flavors = ["threaded", "mio", "async"].map(str::to_owned).into();
    }
    let last_core = thread::available_parallelism().unwrap().get() - 1;
    stay_on(0);
    let mut servers = vec![("by hand", Program::start("blob", &["127.0.0.1:0", "--by-hand"]))];
    for flavor in &flavors {
        servers.push((flavor, Program::start("blob", &["127.0.0.1:0", "--flavor", flavor])));
    }
    stay_on(last_core);

    let large = |what| [&[what][..], &vec![0; MIB]].concat();
    let many = [&b"s"[..], &(50 * MIB as u64).to_be_bytes()].concat();
    let loads = [
        Load::new("1 MiB questions, 1 client", 1, 200, &large(b'm'), 8),
        Load::new("1 MiB questions, 8 clients", 8, 50, &large(b'm'), 8),
        Load::new("1 MiB each way, 1 client", 1, 100, &large(b'e'), MIB),
        Load::new("50 MiB replies, 1 client", 1, 8, &many, 50 * MIB),
        Load::new("50 MiB replies, 8 clients", 8, 2, &many, 50 * MIB),
    ];
    println!("{:28} {:10} {:>12} {:>10} {:>12}", "", "", "CPU µs/MiB", "× by hand", "wall µs/MiB");
    for load in &loads {
        let mut times = vec![Vec::new(); servers.len()];
        for _ in 0..REPETITIONS {
            for (times, (_, server)) in times.iter_mut().zip(&servers) {
                times.push(load.measure(server));
            }
        }
        let by_hand: Vec<_> = times[0].iter().map(|(cpu, _)| *cpu).collect();
        for ((name, _), times) in servers.iter().zip(times) {
            let ratio = median(times.iter().zip(&by_hand).map(|((cpu, _), by_hand)| cpu / by_hand).collect());
            let (cpu, wall) = times.into_iter().unzip();
            println!("{:28} {name:10} {:12.1} {ratio:10.2} {:12.1}", load.name, median(cpu), median(wall));
        }
    }
    for (_, server) in servers.into_iter().skip(1) {
        server.end();
    }
}
