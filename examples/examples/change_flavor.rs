//! One service under every architecture, by changing one line.

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Instant;

use zen_client::{Client, ClientError, ClientOptions};
use zen_proto::aphorism::{Aphorisms, TABLE};
use zen_server::{Counters, Options};

const QUESTIONS: usize = 3_000;

/// Starts a server of any flavor, lets `talk` speak to it, stops it, and returns a summary of its
/// counters.
macro_rules! serve {
    ($address:ident, $server:expr) => {{
        let server = $server?;
        let (stop, counters) = (server.stop_handle(), server.counters());
        let running = thread::spawn(move || server.run());
        let talked = talk($address);
        stop.stop();
        running.join().map_err(|_| "the server panicked")??;
        talked?;
        summarize(&counters)
    }};
}

fn main() -> Result<(), Box<dyn Error>> {
    let flavors = ["blocking", "threaded", "pool", "mio", "mio-multi", "async", "async-multi"];
    println!("{QUESTIONS} questions to each flavor, from one client");
    for flavor in flavors {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (service, options) = (Aphorisms, Options::default());
        let began = Instant::now();
        let counted = match flavor {
            // The line to change.
            "blocking" => serve!(address, zen_server_sync::Server::blocking(listener, service, options)),
            "threaded" => serve!(address, zen_server_sync::Server::threaded(listener, service, options)),
            "pool" => serve!(address, zen_server_sync::Server::pool(listener, service, options)),
            "mio" => serve!(address, zen_server_mio::Server::single(listener, service, options)),
            "mio-multi" => serve!(address, zen_server_mio::Server::multi(listener, service, options)),
            "async" => serve!(address, zen_server_async::Server::single(listener, service, options)),
            _ => serve!(address, zen_server_async::Server::multi(listener, service, options)),
        };
        println!("{flavor:>12}: {counted}, in {:.1?} from start to stop", began.elapsed());
    }
    println!("which one should you use? `zen compare` measures it");
    Ok(())
}

fn talk(address: SocketAddr) -> Result<(), ClientError> {
    let mut client = Client::connect(address, &ClientOptions::default())?;
    let asked = TABLE.iter().cycle().take(QUESTIONS);
    let answers = client.ask_all(asked.clone().map(|(question, _)| question))?;
    assert!(asked.map(|(_, answer)| answer).eq(answers.iter()), "an answer is wrong");
    client.finish()
}

fn summarize(counters: &Counters) -> String {
    let counted = counters.snapshot();
    let closes: Vec<_> = counted.closes().map(|(reason, n)| format!("{n} {reason}")).collect();
    format!("{} answered, conversations: {}", counted.questions, closes.join(", "))
}
