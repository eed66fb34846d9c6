//! A lab of your own: compares two servers of a protocol that is not zen's, both of which are this very program.
//!
//! In the protocol a message is a line. A question is a word, and its answer is the word backwards. One server is built
//! from zen's parts, the other by hand; the floor, the least that any server costs here, comes with the lab.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use zen_compare::{Contender, Plan, Scenario, Workload, child, compare};
use zen_server_mio::{Answer, Cut, Framing, Options, Output, Server, Unsendable};

/// Messages that end with a line feed, which is not part of the text.
#[derive(Debug, Clone, Default)]
struct Lines {
    seen: usize,
}

impl Framing for Lines {
    fn cut(&mut self, input: &[u8]) -> Cut {
        if let Some(at) = input[self.seen..].iter().position(|byte| *byte == b'\n') {
            let end = self.seen + at;
            self.seen = 0;
            Cut::Whole { skip: 0, len: end + 1, text: 0..end }
        } else {
            self.seen = input.len();
            Cut::Partial { skip: 0, at_least: if input.is_empty() { 0 } else { input.len() + 1 } }
        }
    }

    fn seal(&mut self, output: &mut Output<'_>, _: usize) -> Result<(), Unsendable> {
        output.put(b"\n");
        Ok(())
    }
}

/// The service: the word backwards.
fn backwards(question: &[u8], answer: &mut Answer<'_>) {
    for &byte in question.iter().rev() {
        answer.put(&[byte]);
    }
}

/// The other server: a thread for each connection, line by line.
fn serve_by_hand(listener: &TcpListener) -> std::io::Result<()> {
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || converse(&stream));
    }
    Ok(())
}

fn converse(mut stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    for line in BufReader::new(stream).split(b'\n') {
        let mut answer = line?;
        answer.reverse();
        answer.push(b'\n');
        stream.write_all(&answer)?;
    }
    Ok(())
}

/// Plays one of the servers; the lab has started this program once more to do so.
fn serve(role: &str, listener: TcpListener) -> Result<(), Box<dyn Error>> {
    match role {
        "zen" => {
            Server::single(listener, backwards, Options::default())?.with_framing(Lines::default()).run()?;
        }
        "by-hand" => serve_by_hand(&listener)?,
        other => return Err(format!("no such role: {other}").into()),
    }
    Ok(())
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    // First of all: is this the lab, or one of its servers?
    if let Some(code) = child::serve_if_asked(serve) {
        return Ok(code);
    }
    let contenders =
        vec![Contender::own_floor(b'\n', b"olleh\n")?, Contender::own("zen")?, Contender::own("by-hand")?];
    // Every answer is checked, byte by byte.
    let workload = Workload::new([("hello\n", "olleh\n"), ("stressed\n", "desserts\n")])?;
    let plan = Plan {
        workload,
        repetitions: 2,
        window: Duration::from_millis(300),
        // These take longer: system calls are counted in runs apart, and runs that the machine spoils are made again.
        count_system_calls: false,
        attempts_more: 0,
        ..Plan::quick(contenders, vec![Scenario::saturate(8)])
    };
    let report = compare(&plan, &mut ())?;
    print!("{}", report.to_table(100, false));
    Ok(ExitCode::SUCCESS)
}
