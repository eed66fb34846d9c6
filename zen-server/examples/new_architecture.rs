//! A server of a new architecture: one thread that accepts, serves a conversation to its end, and
//! accepts the next. What it shares with every other server comes from this crate, and what happens
//! in a conversation is decided by `zen-proto`. Only the driver is its own.
//!
//! It takes shortcuts that `zen-server-sync` does not: it holds no deadline while it waits, and it
//! notices a stop only between conversations.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use zen_proto::aphorism::{self, Aphorisms};
use zen_proto::{CloseReason, DelimiterFraming, Framing, Service};
use zen_server::{
    Admission, LocalAddress, Observer, Options, OptionsError, Session, Setup, Silent, Step, defaults,
    server_methods,
};

struct Server<S, F = DelimiterFraming, O = Silent> {
    setup: Setup<S, F, O>,
    listener: TcpListener,
}

server_methods!(Server { listener });

impl<S> Server<S> {
    fn new(listener: TcpListener, service: S, options: Options) -> Result<Self, OptionsError> {
        let setup = Setup::new(service, aphorism::framing(), options, defaults::CONNECTIONS)?;
        Ok(Self { setup, listener })
    }
}

impl<S: Service<F> + Clone, F: Framing + Clone, O: Observer> Server<S, F, O> {
    fn run(self) -> io::Result<()> {
        let Self { setup, listener } = self;
        let mut admission = Admission::new(setup.connections);
        // A connection of its own ends the wait in `accept` when the server is to stop.
        let address = listener.local_addr()?;
        let local = LocalAddress::new(&listener.try_clone()?.into());
        setup.stop.on_stop(move || drop(TcpStream::connect(address)));
        loop {
            setup.observer.step(Step::Accepting);
            let accepted = listener.accept();
            if setup.stop.is_stopped() {
                return Ok(());
            }
            match accepted {
                Ok((stream, remote)) => {
                    let (peer, observer) =
                        setup.handle_accepted(&mut admission, &stream, remote.into(), &local);
                    let begun = setup.begin(Instant::now());
                    let reason = begun.and_then(|(mut session, mut service)| {
                        observer.step(Step::Opening);
                        session.open(&mut service, &peer, Instant::now());
                        drive(&stream, session, service, &setup, &observer)
                            .or(Err(CloseReason::ConnectionLost))
                    });
                    drop(stream);
                    let reason = reason.unwrap_or_else(|failed| failed);
                    setup.counters.count_closed(reason);
                    observer.step(Step::Closed(reason));
                    admission.handle_closed();
                }
                Err(error) => {
                    setup.handle_accept_error(&mut admission, &error, Instant::now());
                    if let Some(resume) = admission.poll_timeout() {
                        thread::sleep(resume.saturating_duration_since(Instant::now()));
                        admission.handle_timeout(Instant::now());
                    }
                }
            }
        }
    }
}

/// The turn that the documentation of `Conversation` describes.
fn drive<S: Service<F>, F: Framing, O: Observer>(
    mut stream: &TcpStream,
    mut session: Session<F>,
    mut service: S,
    setup: &Setup<S, F, O>,
    observer: &O,
) -> io::Result<CloseReason> {
    let mut scratch = [0; 4096];
    loop {
        session.handle_timeout(Instant::now());
        observer.step(Step::Answering);
        session.answer_with(&mut service, Instant::now());
        observer.step(Step::Answered(session.tally().questions));
        while !session.transmit().is_empty() {
            observer.step(Step::Writing);
            let sent = stream.write(session.transmit())?;
            observer.step(Step::Wrote(sent));
            session.handle_sent(sent, Instant::now());
        }
        setup.counters.count(session.take_tally());
        if session.wants_answer() {
            continue;
        }
        if session.poll_shutdown() {
            stream.shutdown(Shutdown::Write)?;
        }
        if let Some(reason) = session.poll_closed(&mut service) {
            return Ok(reason);
        }
        observer.step_with(|| session.waits_for());
        let n = stream.read(&mut scratch)?;
        observer.step(Step::Read(n));
        match n {
            0 => session.handle_eof(Instant::now()),
            n => session.handle_input(&scratch[..n], Instant::now()),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = Server::new(listener, Aphorisms, Options::default())?;
    let (stop, counters) = (server.stop_handle(), server.counters());
    let running = thread::spawn(|| server.run());

    let mut client = TcpStream::connect(address)?;
    client.write_all(b"Simple is better than?")?;
    client.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    println!("{answer}");

    stop.stop();
    running.join().map_err(|_| "the server panicked")??;
    for (reason, conversations) in counters.snapshot().closes() {
        println!("{conversations} conversation(s) ended: {reason}");
    }
    Ok(())
}
