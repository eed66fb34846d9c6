//! The servers: one loop on the caller's thread, or several on threads of their own.

use std::io;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use mio::{Interest, Poll, Waker};
use zen_proto::{DelimiterFraming, Framing, Service, aphorism};
use zen_server::{
    Listener, LocalAddress, Observer, Options, OptionsError, Setup, Silent, Source, StopHandle, defaults,
    server_methods, sources,
};

use crate::acceptor::Acceptor;
use crate::connection_slots::ConnectionSlots;
use crate::event_loop::{Connections, EventLoop, LISTENER, WAKER};
use crate::stream;
use crate::wake_ups::WakeUps;

/// The files that report steps to an observer.
const SOURCES: &[Source] = sources!["acceptor.rs", "drive.rs", "event_loop.rs"];

/// An event-loop server over mio. See the [crate] for an example.
#[derive(Debug)]
pub struct Server<S, F = DelimiterFraming, O = Silent> {
    listener: Listener,
    setup: Setup<S, F, O>,
    loops: usize,
}

impl<S> Server<S> {
    /// Flavor `mio`: one event loop, on the thread that calls [`run`](Self::run).
    ///
    /// ```
    /// use std::net::TcpListener;
    /// use zen_server_mio::{Answer, Options, Server};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let echo = |question: &[u8], answer: &mut Answer<'_>| answer.put(question);
    /// let server = Server::single(listener, echo, Options::default())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`OptionsError`] says which option is wrong and what to do.
    pub fn single(listener: impl Into<Listener>, service: S, options: Options) -> Result<Self, OptionsError> {
        Self::new(listener, service, options, 1)
    }

    /// Flavor `mio-multi`: [`Options::workers`] event loops, by default one for each core. The
    /// first runs on the thread that calls [`run`](Self::run), each other on a thread of its own.
    /// The first loop accepts, and deals each connection to the loop that has the fewest, itself
    /// included. Loops with equally many take turns. So the numbers of connections differ only by
    /// what has closed since.
    ///
    /// ```
    /// use std::net::TcpListener;
    /// use zen_server_mio::{Answer, Options, Server};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let echo = |question: &[u8], answer: &mut Answer<'_>| answer.put(question);
    /// let server = Server::multi(listener, echo, Options::default().with_workers(2))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`OptionsError`] says which option is wrong and what to do.
    pub fn multi(listener: impl Into<Listener>, service: S, options: Options) -> Result<Self, OptionsError> {
        let loops = options.workers.unwrap_or_else(defaults::workers);
        Self::new(listener, service, options, loops)
    }

    fn new(
        listener: impl Into<Listener>,
        service: S,
        options: Options,
        loops: usize,
    ) -> Result<Self, OptionsError> {
        let setup = Setup::new(service, aphorism::framing(), options, defaults::CONNECTIONS)?;
        Ok(Self { listener: listener.into(), setup, loops })
    }
}

server_methods!(Server { listener, loops });

impl<S, F, O> Server<S, F, O> {
    /// Serves until the stop handle drains the server.
    ///
    /// ```
    /// use std::net::TcpListener;
    /// use zen_server_mio::{Options, Server, aphorism::Aphorisms};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let server = Server::single(listener, Aphorisms, Options::default())?;
    /// let stop = server.stop_handle();
    /// let running = std::thread::spawn(|| server.run());
    /// // From a signal handler, or wherever the end is decided:
    /// stop.stop();
    /// running.join().expect("it has not panicked")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the system refuses a poll, a waker or a thread, or when waiting fails. Connections are
    /// dropped then.
    pub fn run(self) -> io::Result<()>
    where
        S: Service<F> + Clone + Send + 'static,
        F: Framing + Clone + Send + 'static,
        O: Observer,
    {
        let Self { listener, setup, loops } = self;
        setup.observer.add_sources(SOURCES);
        let polls = (0..loops).map(|_| Poll::new()).collect::<io::Result<Vec<_>>>()?;
        let mut wakers = Vec::new();
        for poll in &polls {
            let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
            let on_stop = Arc::clone(&waker);
            setup.stop.on_stop(move || {
                // This fails only when the loop is gone.
                let _ = on_stop.wake();
            });
            wakers.push(waker);
        }
        let slots = Arc::new(ConnectionSlots::new(setup.connections, wakers));
        let (mailboxes, inboxes): (Vec<_>, Vec<_>) = (1..loops).map(|_| mpsc::channel()).unzip();
        let mut inboxes = inboxes.into_iter();

        let local = LocalAddress::new(&listener);
        let mut listener = stream::Listener::new(listener)?;
        polls[0].registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let mut acceptor = Some(Acceptor::new(listener, local, Arc::clone(&slots), mailboxes));

        let mut loops = polls.into_iter().enumerate().map(|(index, poll)| {
            let acceptor = acceptor.take();
            let inbox = if acceptor.is_none() { inboxes.next() } else { None };
            EventLoop {
                index,
                poll,
                setup: setup.clone(),
                slots: Arc::clone(&slots),
                acceptor,
                inbox,
                connections: Connections::new(),
                wake_ups: Arc::new(WakeUps::new(slots.waker(index))),
                now: Instant::now(),
            }
        });
        let first = loops.next();
        let others: Vec<_> = loops.collect();
        let mut result = Ok(());
        let mut threads = Vec::new();
        for other in others {
            let (name, stop) = (format!("zen-mio-{}", other.index), StopOnDrop(setup.stop.clone()));
            let thread = move || {
                let _stop = stop;
                other.run()
            };
            match std::thread::Builder::new().name(name).spawn(thread) {
                Ok(thread) => threads.push(thread),
                Err(error) => result = Err(error),
            }
        }
        let stop = StopOnDrop(setup.stop.clone());
        if result.is_ok() {
            result = first.map_or(Ok(()), EventLoop::run);
        }
        drop(stop);
        for thread in threads {
            result =
                result.and(thread.join().unwrap_or_else(|_| Err(io::Error::other("an event loop panicked"))));
        }
        result
    }
}

/// Stops the server when a loop ends, in whatever way. Otherwise connections would still be dealt
/// to a loop that is gone.
struct StopOnDrop(StopHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}
