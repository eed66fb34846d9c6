//! Ask from async code, give up on an answer, and keep asking.

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use bytes::Bytes;
use zen_client::{AsyncClient, ClientOptions};
use zen_server_async::{Deferred, Options, Server, StopHandle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (address, stop) = start_a_server()?;
    let mut client = AsyncClient::connect(address, &ClientOptions::default()).await?;

    println!("Now is better than? {}", show(&client.ask("Now is better than?").await?));

    // Dropping the future gives up on the answer. The conversation stays intact: the answer is
    // discarded when it arrives, and the next question gets its own answer.
    let timeout = Duration::from_millis(20);
    match tokio::time::timeout(timeout, client.ask("Slow is better than?")).await {
        Ok(answer) => println!("Slow is better than? {}", show(&answer?)),
        Err(_) => println!("Slow is better than? (no answer in {timeout:?}, giving up)"),
    }
    println!("Flat is better than? {}", show(&client.ask("Flat is better than?").await?));

    // Prints each answer when it arrives, in the order of the questions.
    let mut answers = client.pipeline(["Sparse is better than?", "Now is better than?"]);
    while let Some(answer) = answers.next().await {
        println!("... {}", show(&answer?));
    }

    client.finish().await?;
    stop.stop();
    Ok(())
}

fn show(answer: &[u8]) -> String {
    answer.escape_ascii().to_string()
}

/// The server's service. Some questions take longer than others.
async fn ponder(question: Bytes) -> &'static str {
    match &question[..] {
        b"Now is better than?" => "Never.",
        b"Flat is better than?" => "Nested.",
        b"Sparse is better than?" => "Dense.",
        _ => {
            tokio::time::sleep(Duration::from_millis(200)).await;
            "It took a while to see that this is not an aphorism."
        }
    }
}

/// Starts a server in this program's runtime.
fn start_a_server() -> Result<(SocketAddr, StopHandle), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = Server::single(listener, Deferred::new(ponder), Options::default())?;
    let stop = server.stop_handle();
    tokio::spawn(server.serve());
    Ok((address, stop))
}
