//! A server inside a program of your own: read its counters while it runs, stop it from another
//! thread.

use std::error::Error;
use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use zen_client::{Client, ClientError, ClientOptions};
use zen_server_sync::{Answer, Counters, Limits, Options, Server};

fn main() -> Result<(), Box<dyn Error>> {
    // Port 0 lets the system pick a free port. Because you bind the listener, you know its address
    // and you handle its errors.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;

    // Every limit has a default. Tighten the ones that you know better.
    let limits = Limits::default().with_question_length(200).with_idle_deadline(Duration::from_secs(20));
    let options = Options::default().with_limits(limits).with_connections(100).with_workers(4);
    let server = Server::pool(listener, whisper, options)?;

    // Take the handles before the server runs, because `run` consumes the server.
    let stop = server.stop_handle();
    let counters = server.counters();
    let running = thread::spawn(move || server.run());
    println!("serving on {address}");

    let clients: Vec<_> = (1..=3).map(|n| thread::spawn(move || talk(address, n))).collect();
    for client in clients {
        client.join().map_err(|_| "a client panicked")??;
    }
    let now = counters.snapshot();
    println!("so far: {} connections, {} questions", now.accepted, now.questions);

    // A client that is connected but asks nothing does not delay the drain.
    let mut idle = TcpStream::connect(address)?;
    wait_for(&counters, 4)?;
    println!("one client is connected and idle; stopping the server anyway");
    thread::spawn(move || stop.stop()).join().map_err(|_| "the stopping thread panicked")?;
    idle.read_to_end(&mut Vec::new())?;
    drop(idle);
    running.join().map_err(|_| "the server panicked")??;

    for (reason, conversations) in counters.snapshot().closes() {
        println!("{conversations} conversation(s) ended: {reason}");
    }
    Ok(())
}

/// The service. Any function with this signature is a service.
fn whisper(question: &[u8], answer: &mut Answer<'_>) {
    answer.put(question.trim_ascii_end().to_ascii_lowercase().strip_suffix(b"?").unwrap_or_default());
    answer.put(b", you say.");
}

fn talk(address: SocketAddr, n: u32) -> Result<(), ClientError> {
    let mut client = Client::connect(address, &ClientOptions::default())?;
    let answer = client.ask(format!("CLIENT {n} CALLING?"))?;
    println!("client {n} was told: {}", answer.escape_ascii());
    client.finish()
}

/// Waits until the server has counted the connection, which happens after the client has connected.
fn wait_for(counters: &Counters, accepted: u64) -> Result<(), &'static str> {
    let began = Instant::now();
    while counters.snapshot().accepted < accepted {
        if began.elapsed() > Duration::from_secs(30) {
            return Err("the server does not accept");
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
