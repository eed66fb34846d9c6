//! Ask from blocking code: one question, many at once, and one that cannot be sent.
//!
//! ```text
//! cargo run -p examples --example ask                    asks a server that it starts itself
//! cargo run -p examples --example ask -- HOST:PORT       asks the server at that address
//! ```

use std::error::Error;
use std::net::TcpListener;
use std::time::Duration;

use zen_client::{Client, ClientError, ClientOptions};
use zen_server_sync::{Options, Server, aphorism::Aphorisms};

fn main() -> Result<(), Box<dyn Error>> {
    let address = match std::env::args().nth(1) {
        Some(address) => address,
        None => start_a_server()?,
    };

    let options = ClientOptions::default().with_connect_timeout(Duration::from_secs(3));
    let mut client = match Client::connect(&address, &options) {
        Ok(client) => client,
        Err(error @ ClientError::Refused { .. }) => return Err(format!("is zen running? {error}").into()),
        Err(error) => return Err(error.into()),
    };
    println!("connected to {}", client.peer_addr()?);

    // One question at a time: ask, wait, ask, wait.
    let question = "Beautiful is better than?";
    println!("{question} {}", show(&client.ask(question)?));

    // Many at once. The answers come in the order of the questions, and there is only one wait.
    let questions = ["Explicit is better than?", "Simple is better than?", "Flat is better than?"];
    for (question, answer) in questions.iter().zip(client.ask_all(questions)?) {
        println!("{question} {}", show(&answer));
    }

    // Text that is not a question is not sent, and the client can still be used.
    if let Err(error) = client.ask("Readability counts.") {
        println!("Readability counts. ({error})");
    }

    client.finish()?;
    println!("both sides have closed");
    Ok(())
}

/// A server may send any bytes. Escaping keeps them from controlling the terminal.
fn show(answer: &[u8]) -> String {
    answer.escape_ascii().to_string()
}

/// Starts a server for this program. It ends with the program.
fn start_a_server() -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let server = Server::threaded(listener, Aphorisms, Options::default())?;
    std::thread::spawn(|| server.run());
    Ok(address)
}
