//! A protocol of your own: its framing, its service, its server and its client. The core provides
//! everything else: limits, deadlines, backpressure and drain.
//!
//! On the wire a message is its length, in two bytes with the higher one first, followed by that
//! many bytes of any kind. A question is a number. The answer is the sum of all numbers so far in
//! this conversation.
//!
//! Its test, `examples/tests/own_protocol.rs`, holds it against some hundred transcripts that
//! follow from three exchanges.

mod protocol;

use std::error::Error;
use std::net::TcpListener;
use std::thread;

use protocol::{Adder, LengthPrefixed};
use zen_client::{Client, ClientOptions};
use zen_server_mio::{Options, Server};

fn main() -> Result<(), Box<dyn Error>> {
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
    running.join().map_err(|_| "the server panicked")??;
    Ok(())
}
