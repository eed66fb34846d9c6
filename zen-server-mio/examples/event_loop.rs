//! One event loop that holds a hundred clients on a single thread.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use zen_server_mio::{Options, Server, aphorism::Aphorisms};

fn main() -> Result<(), Box<dyn Error>> {
    // Port 0: the system picks a free one.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;

    // For several loops, change this line to `Server::multi`.
    let server = Server::single(listener, Aphorisms, Options::default().with_connections(100))?;
    let (stop, counters) = (server.stop_handle(), server.counters());
    let running = thread::spawn(|| server.run());

    // All of them are connected before the first one asks.
    let clients: Vec<_> = (0..100).map(|_| TcpStream::connect(address)).collect();
    for client in clients {
        let mut client = client?;
        client.write_all(b"Simple is better than?")?;
        let mut answer = [0; 8];
        client.read_exact(&mut answer)?;
        assert_eq!(&answer, b"Complex.");
    }

    // The server finishes what it owes, and `run` returns.
    stop.stop();
    running.join().map_err(|_| "the server panicked")??;
    let counted = counters.snapshot();
    println!("{} clients, {} questions answered", counted.accepted, counted.questions);
    Ok(())
}
