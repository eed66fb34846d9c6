//! A lab of your own. It compares two servers of a protocol that is not zen's; this program runs as
//! both of them.
//!
//! In this protocol a message is a line. A question is a word, and its answer is the word
//! backwards. One server is built from zen's parts (`protocol.rs`), the other is written by hand.
//! The lab brings its own floor, the least that any server costs here.
//!
//! Its test, `examples/tests/own_lab.rs`, holds both servers against the same transcripts.

mod by_hand;
mod protocol;

use std::error::Error;
use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Duration;

use protocol::{Lines, backwards};
use zen_compare::{Contender, Plan, Scenario, Workload, child, compare};
use zen_server_mio::{Options, Server};

/// Runs as one of the servers. The lab has started this program again for that.
fn serve(role: &str, listener: TcpListener) -> Result<(), Box<dyn Error>> {
    match role {
        "zen" => {
            Server::single(listener, backwards, Options::default())?.with_framing(Lines::default()).run()?;
        }
        "by-hand" => by_hand::serve(&listener)?,
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
