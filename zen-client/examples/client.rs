//! Ask a server: `client HOST:PORT QUESTION...` prints one line for each answer.

use std::error::Error;
use std::time::Duration;

use zen_client::{Client, ClientError, ClientOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("give HOST:PORT and the questions")?;
    let questions: Vec<_> = arguments.collect();

    let options = ClientOptions::default().with_connect_timeout(Duration::from_secs(3));
    let mut client = match Client::connect(&address, &options) {
        Ok(client) => client,
        Err(error @ ClientError::Refused { .. }) => return Err(format!("is it running? {error}").into()),
        Err(error) => return Err(error.into()),
    };

    // Questions are sent ahead of their answers, up to 32 at once.
    for (question, answer) in questions.iter().zip(client.pipeline(&questions)) {
        println!("{} {}", question.escape_default(), answer?.escape_ascii());
    }

    client.finish()?;
    Ok(())
}
