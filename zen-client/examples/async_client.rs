//! Ask a server from async code, and give up on an answer that takes too long:
//! `async_client HOST:PORT QUESTION...` waits at most a second for each answer.

use std::error::Error;
use std::time::Duration;

use tokio::time::timeout;
use zen_client::{AsyncClient, ClientOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("give HOST:PORT and the questions")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(ask(&address, arguments))
}

async fn ask(address: &str, questions: impl Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    let mut client = AsyncClient::connect(address, &ClientOptions::default()).await?;
    for question in questions {
        // Dropping the future gives up on the answer; the next question still gets its own.
        match timeout(Duration::from_secs(1), client.ask(&question)).await {
            Ok(answer) => println!("{} {}", question.escape_default(), answer?.escape_ascii()),
            Err(_) => println!("{} (no answer within a second)", question.escape_default()),
        }
    }
    client.finish().await?;
    Ok(())
}
