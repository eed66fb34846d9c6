//! Where a server's time goes: the steps of a server of your own, recorded, and what follows from
//! them.
//!
//! The protocol is that of the example `own_protocol`. The client thinks before each question, so
//! the server mostly waits. A second server runs on while some of its conversations are recorded.

#[path = "own_protocol/protocol.rs"]
mod protocol;

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use protocol::{Adder, LengthPrefixed};
use zen_client::{Client, ClientOptions};
use zen_server_mio::{Options, Server};
use zen_trace::{Recorder, Sums, Terminal, Trace};

const THINKS: Duration = Duration::from_millis(10);

fn converse(server: SocketAddr) -> Result<(), Box<dyn Error>> {
    let mut client = Client::connect_with(server, LengthPrefixed, &ClientOptions::default())?;
    for number in ["1", "10", "100"] {
        thread::sleep(THINKS);
        client.ask(number)?;
    }
    client.finish()?;
    Ok(())
}

/// A server that records everything it does.
fn record_all() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let recorder = Recorder::new(100_000);
    let server = Server::single(listener, Adder::default(), Options::default())?
        .with_framing(LengthPrefixed)
        .with_observer(recorder.clone());
    let stop = server.stop_handle();
    let running = thread::spawn(move || server.run());
    converse(address)?;
    stop.stop();
    running.join().map_err(|_| "the server panicked")??;

    let trace = Trace::new(vec![recorder.recording("adder")]);
    let terminal = Terminal::new(120);
    println!("{}", trace.servers[0].to_listing(terminal));
    println!("{}", trace.to_time_line(terminal));
    println!("{}", Sums::new(&trace).to_table(terminal));
    Ok(())
}

/// A server in production. Nothing is recorded until someone wants to know.
fn record_some() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let recorder = Recorder::off(100_000);
    let server = Server::single(listener, Adder::default(), Options::default())?
        .with_framing(LengthPrefixed)
        .with_observer(recorder.clone());
    let (stop, counters) = (server.stop_handle(), server.counters());
    let running = thread::spawn(move || server.run());

    converse(address)?;
    recorder.record_next(2);
    for _ in 0..3 {
        converse(address)?;
    }
    while counters.snapshot().open > 0 || recorder.is_recording() {
        thread::sleep(Duration::from_millis(1));
    }
    let recording = recorder.take("sample");
    let numbers: Vec<_> = recording.conversations.iter().map(|conversation| conversation.number).collect();
    println!("of 4 conversations, these were recorded: {numbers:?}");

    stop.stop();
    running.join().map_err(|_| "the server panicked")??;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    record_all()?;
    record_some()
}
