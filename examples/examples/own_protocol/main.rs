//! A protocol of your own: its framing, its service, its server and its client. The core provides
//! everything else: limits, deadlines, backpressure and drain.
//!
//! On the wire a message is its length, in two bytes with the higher one first, followed by that
//! many bytes of any kind. A question is a number. The answer is the sum of all numbers so far in
//! this conversation.
//!
//! Without arguments, this program is server and clients at once. It can also serve, and compare
//! the flavors that it can serve with:
//!
//! ```sh
//! cargo run --release -p examples --example own_protocol
//! cargo run --release -p examples --example own_protocol -- 127.0.0.1:1062 --flavor pool
//! cargo run --release -p examples --example own_protocol -- --compare
//! ```
//!
//! Its test, `examples/tests/own_protocol.rs`, holds it against some hundred transcripts that
//! follow from three exchanges.

mod protocol;

use std::io;
use std::net::TcpListener;
use std::process::ExitCode;
use std::thread;

use examples::{Failure, Lab, compare_if_asked, main_with};
use protocol::{Adder, LengthPrefixed};
use zen_client::{Client, ClientOptions};
use zen_compare::{Scenario, Workload, WorkloadError};
use zen_server_mio::{Options, Server};

/// What the lab asks. The sum depends on what was asked before, and the lab asks in random order:
/// so it asks what does not change the sum.
fn lab() -> Result<Lab, WorkloadError> {
    let nothing = ("\0\x010", "\0\x010");
    let no_number = ("\0\x02x?", "\0\x16not a number I can add");
    Ok(Lab::new(Workload::new([nothing, no_number])?, [Scenario::saturate(16), Scenario::pipeline(16, 8)]))
}

fn main() -> Result<ExitCode, Failure> {
    if let Some(code) = compare_if_asked(lab)? {
        return Ok(code);
    }
    if std::env::args().len() > 1 {
        main_with(Adder::default(), LengthPrefixed, Options::default())?;
    } else {
        be_server_and_clients()?;
    }
    Ok(ExitCode::SUCCESS)
}

fn be_server_and_clients() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = Server::single(listener, Adder::default(), Options::default())?.with_framing(LengthPrefixed);
    let stop = server.stop_handle();
    let running = thread::spawn(move || server.run());

    let options = ClientOptions::default();
    let mut first = Client::connect_with(address, LengthPrefixed, &options)?;
    let mut second = Client::connect_with(address, LengthPrefixed, &options)?;

    let numbers = ["1", "10", "100", "ten?", "-11"];
    for (number, sum) in numbers.iter().zip(first.ask_all(numbers)?) {
        println!("first client:  {number:>5} -> {}", sum.escape_ascii());
    }
    println!("second client: {:>5} -> {}", 7, second.ask("7")?.escape_ascii());
    println!("second client: 2000 digits -> {}", second.ask("9".repeat(2000))?.escape_ascii());

    first.finish()?;
    second.finish()?;
    stop.stop();
    running.join().map_err(|_| io::Error::other("the server panicked"))??;
    Ok(())
}
