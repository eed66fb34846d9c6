//! A lab of your own. It compares two servers of a protocol that is not zen's; this program runs as
//! both of them.
//!
//! In this protocol a message is a line. A question is a word, and its answer is the word
//! backwards. One server is built from zen's parts, the other is written by hand. The lab brings
//! its own floor, the least that any server costs here.

use std::convert::Infallible;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use zen_compare::{Contender, Plan, Scenario, Workload, child, compare};
use zen_server_mio::{Answer, Decoded, Framing, Options, Output, Server, Unsendable};

/// Messages that end with a line feed, which is not part of the text.
#[derive(Debug, Clone, Default)]
struct Lines {
    seen: usize,
}

impl Framing for Lines {
    type Message<'a> = &'a [u8];
    type Error = Infallible;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<&'a [u8], Infallible> {
        if let Some(at) = input[self.seen..].iter().position(|byte| *byte == b'\n') {
            let end = self.seen + at;
            self.seen = 0;
            Decoded::whole(end + 1, &input[..end])
        } else {
            self.seen = input.len();
            Decoded::partial(input.len() + 1)
        }
    }

    fn end(&mut self, output: &mut Output<'_>, _: usize) -> Result<(), Unsendable> {
        output.put(b"\n");
        Ok(())
    }
}

/// The service: it answers with the word backwards.
fn backwards(question: &[u8], answer: &mut Answer<'_, Lines>) {
    for &byte in question.iter().rev() {
        answer.put(&[byte]);
    }
}

/// The server written by hand: a thread for each connection, line by line.
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

/// Runs as one of the servers. The lab has started this program again for that.
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
    // If the lab has started this program as one of its servers, serve and exit.
    if let Some(code) = child::serve_if_asked(serve) {
        return Ok(code);
    }
    // The lab checks every answer byte by byte. Its floor knows no protocol: it counts the
    // questions.
    let workload = Workload::new([("hello\n", "olleh\n"), ("stressed\n", "desserts\n")])?;
    let contenders =
        vec![Contender::own_floor_for(&workload)?, Contender::own("zen")?, Contender::own("by-hand")?];
    let mut plan = Plan::quick(contenders, vec![Scenario::saturate(8)]);
    plan.workload = workload;
    plan.repetitions = 2;
    plan.window = Duration::from_millis(300);
    // Both settings save time: system calls are counted in separate runs, and runs that the machine
    // disturbs are repeated.
    plan.count_system_calls = false;
    plan.retries = 0;
    let report = compare(&plan, &mut ())?;
    print!("{}", report.to_table(100, false));
    Ok(ExitCode::SUCCESS)
}
