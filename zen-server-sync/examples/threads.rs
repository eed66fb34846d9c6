//! A server with a thread for each conversation, whose service may block: here it sleeps.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use zen_server_sync::{Answer, Limits, Options, Server};

/// Any function of this shape is a service.
fn answer_slowly(question: &[u8], answer: &mut Answer<'_>) {
    thread::sleep(Duration::from_millis(100));
    answer.put(question.strip_suffix(b"?").unwrap_or(question));
    answer.put(b", indeed.");
}

fn main() -> Result<(), Box<dyn Error>> {
    // Port 0: the system picks a free one.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;

    // Every limit has a default. Tighten those that you know better.
    let limits = Limits::default().with_question_length(200).with_idle_deadline(Duration::from_secs(20));
    let options = Options::default().with_limits(limits).with_connections(100);
    let server = Server::threaded(listener, answer_slowly, options)?;
    let (stop, counters) = (server.stop_handle(), server.counters());
    let running = thread::spawn(|| server.run());

    // The second client does not wait for the first.
    let clients: Vec<_> = (1..=2).map(|_| thread::spawn(move || ask(address))).collect();
    for client in clients {
        println!("{}", client.join().map_err(|_| "a client panicked")??);
    }

    // The server finishes what it owes, and `run` returns.
    stop.stop();
    running.join().map_err(|_| "the server panicked")??;
    println!("{} questions answered", counters.snapshot().questions);
    Ok(())
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut client = TcpStream::connect(address)?;
    client.write_all(b"You take your time?")?;
    client.shutdown(std::net::Shutdown::Write)?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    Ok(answer)
}
