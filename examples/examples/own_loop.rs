//! The core in a loop of your own, without a server crate. It runs over a Unix socket pair here,
//! but any two-way stream of bytes works.

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use zen_proto::aphorism::{self, Aphorisms};
use zen_proto::{CloseReason, Conversation, Limits};

fn main() -> Result<(), Box<dyn Error>> {
    let (ours, mut theirs) = UnixStream::pair()?;
    let client = thread::spawn(move || -> io::Result<String> {
        // Two questions and the beginning of a third in one piece. The core separates them.
        theirs.write_all(b"Beautiful is better than? Simple is better than? Explicit is")?;
        theirs.write_all(b" better than?")?;
        theirs.shutdown(Shutdown::Write)?;
        let mut answers = String::new();
        theirs.read_to_string(&mut answers)?;
        Ok(answers)
    });
    let reason = converse(ours, Limits::default())?;
    println!("a client that asks gets: {}", client.join().map_err(|_| "the client panicked")??);
    println!("  it ended: {reason}");

    // The core also brings the deadlines. This client sends nothing.
    let (ours, silent) = UnixStream::pair()?;
    let limits = Limits::default().with_idle_deadline(Duration::from_millis(50));
    let reason = converse(ours, limits)?;
    println!("a client that is silent\n  it ended: {reason}");
    drop(silent);
    Ok(())
}

/// Drives one conversation to its end over a blocking socket. Each turn has five steps.
fn converse(mut stream: UnixStream, limits: Limits) -> io::Result<CloseReason> {
    let mut conversation = Conversation::new(aphorism::framing(), limits, Instant::now());
    let mut buffer = [0; 4096];
    loop {
        // A peer that sends a byte now and then ends every wait before its timeout, so check the
        // deadline here as well.
        conversation.handle_timeout(Instant::now());

        // 1. Answer what is buffered.
        conversation.answer_with(&mut Aphorisms, Instant::now());

        // 2. Write what is ready. The timeout ends the write when the peer does not read, so that
        //   its deadline can break.
        while !conversation.transmit().is_empty() {
            stream.set_write_timeout(time_left(&conversation))?;
            match stream.write(conversation.transmit()) {
                Ok(n) => conversation.handle_sent(n, Instant::now()),
                Err(error) if is_passing(&error) => conversation.handle_timeout(Instant::now()),
                Err(_) => conversation.handle_lost(Instant::now()),
            }
        }

        // 3. Send FIN if it is due. If the peer is gone, the next read reports that.
        if conversation.poll_shutdown() {
            let _ = stream.shutdown(Shutdown::Write);
        }

        // 4. StopFlag if the conversation is over.
        if let Some(reason) = conversation.closed() {
            return Ok(reason);
        }

        // 5. Wait for the peer or for a deadline.
        if conversation.wants_read() {
            stream.set_read_timeout(time_left(&conversation))?;
            match stream.read(&mut buffer) {
                Ok(0) => conversation.handle_eof(Instant::now()),
                Ok(n) => conversation.handle_input(&buffer[..n], Instant::now()),
                Err(error) if is_passing(&error) => conversation.handle_timeout(Instant::now()),
                Err(_) => conversation.handle_lost(Instant::now()),
            }
        }
    }
}

/// The time until the next deadline. Never zero, because a socket rejects a zero timeout.
fn time_left<F: zen_proto::Framing>(conversation: &Conversation<F>) -> Option<Duration> {
    let deadline = conversation.poll_timeout()?;
    Some(deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1)))
}

/// Whether to check the clock and continue, because the time was up or a signal arrived.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
