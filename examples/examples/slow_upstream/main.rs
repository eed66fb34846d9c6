//! A server that asks another server, which is slow, and never waits for it in its own loop.
//!
//! ```sh
//! cargo run --release -p examples --example slow_upstream -- 127.0.0.1:1061 --flavor mio
//! cargo run --release -- ask 127.0.0.1:1061 "Simple is better than?"
//! cargo run --release -p examples --example slow_upstream -- --compare
//! ```
//!
//! The service is written twice: `awaited.rs` is an `async fn`, for the flavors of the async crate;
//! `pooled.rs` hands each question and the right to answer it to a few threads, for every flavor.
//! In both, the answers of a conversation leave in the order of its questions, and no other
//! conversation waits.

mod awaited;
mod pooled;

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use examples::{CommandLine, Failure, Flavor, Lab, compare_if_asked, main_with};
use zen_compare::{Scenario, Workload};
use zen_proto::aphorism::{self, Aphorisms};
use zen_proto::{Answer, Service};
use zen_server::Options;
use zen_server_async::Deferred;

/// How long the upstream takes for an answer.
const DELAY: Duration = Duration::from_millis(100);

/// How many questions the upstream is asked at once.
const AT_ONCE: usize = 16;

/// How many questions may wait for a thread. Each holds its text: 1 KiB at most.
const WAITING: usize = 1024;

/// What the lab asks. As many clients as the upstream answers at once show which flavors serve them
/// together.
fn lab() -> Lab {
    Lab::new(Workload::aphorisms(), [Scenario::saturate(AT_ONCE)])
}

fn main() -> Result<ExitCode, Failure> {
    if let Some(code) = compare_if_asked(|| Ok(lab()))? {
        return Ok(code);
    }
    let CommandLine { flavor, .. } = CommandLine::parse(std::env::args().skip(1))?;
    let upstream = start_upstream()?;
    let framing = aphorism::framing();
    match flavor {
        Flavor::Async | Flavor::AsyncMulti => {
            let upstream = awaited::Upstream::new(upstream, AT_ONCE);
            let ask = move |question| upstream.clone().ask(question);
            main_with(Deferred::new(ask), framing, Options::default())?;
        }
        _ => {
            let pooled = pooled::Pooled::start(upstream, AT_ONCE, WAITING)?;
            main_with(pooled, framing, Options::default())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Starts a server of zen's own protocol that thinks about each question.
fn start_upstream() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let service = |question: &[u8], answer: &mut Answer<'_>| {
        thread::sleep(DELAY);
        Aphorisms.answer(question, answer)
    };
    let server = zen_server_sync::Server::threaded(listener, service, Options::default())?;
    // It lasts as long as the process.
    thread::spawn(move || server.run());
    Ok(address)
}
