//! A service that is an `async fn`: while one answer waits, the others go on.

use std::error::Error;
use std::net::TcpListener;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zen_server_async::{Deferred, Options, Server};

/// Answers are sent in the order of the questions, even if a later one is ready first.
async fn answer(question: Bytes) -> &'static str {
    if question.starts_with(b"Slow") {
        tokio::time::sleep(Duration::from_millis(100)).await;
        "At last."
    } else {
        "At once."
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Port 0: the system picks a free one.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = Server::single(listener, Deferred::new(answer), Options::default())?;
    let stop = server.stop_handle();
    // `run` would block this thread. `serve` runs in the runtime that is here already.
    let running = tokio::spawn(server.serve());

    let mut client = TcpStream::connect(address).await?;
    client.write_all(b"Slow?Quick?").await?;
    client.shutdown().await?;
    let mut answers = String::new();
    client.read_to_string(&mut answers).await?;
    println!("{answers}");

    // The server finishes what it owes, and `serve` returns.
    stop.stop();
    running.await??;
    Ok(())
}
