//! The servers: what they are given, and how they run.

use std::io;
use std::sync::Arc;

use zen_proto::{DelimiterFraming, Framing, Service, aphorism};
use zen_server::{
    Listener, Observer, Options, OptionsError, Setup, Silent, Source, defaults, server_methods, sources,
};

use crate::acceptor::Acceptor;
use crate::architecture::{Shared, serve_one_at_a_time, serve_with_a_pool, serve_with_a_thread_each};
use crate::wait::StopPipe;

/// The files that report steps to an observer.
const SOURCES: &[Source] = sources!["acceptor.rs", "architecture.rs", "drive.rs"];

/// A server whose threads block. See the [crate] for an example.
#[derive(Debug)]
pub struct Server<S, F = DelimiterFraming, O = Silent> {
    listener: Listener,
    setup: Setup<S, F, O>,
    architecture: Architecture,
}

#[derive(Debug, Clone, Copy)]
enum Architecture {
    Blocking,
    Threaded,
    Pool { workers: usize },
}

impl<S> Server<S> {
    /// Flavor `blocking`: one conversation at a time, on the thread that calls [`run`](Self::run).
    ///
    /// ```
    /// use std::net::TcpListener;
    /// use zen_server_sync::{Answer, Options, Server};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let echo = |question: &[u8], answer: &mut Answer<'_>| answer.put(question);
    /// let server = Server::blocking(listener, echo, Options::default())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`OptionsError`] says which option is wrong and what to do.
    pub fn blocking(
        listener: impl Into<Listener>,
        service: S,
        options: Options,
    ) -> Result<Self, OptionsError> {
        Self::new(listener, service, options, Architecture::Blocking, 1)
    }

    /// Flavor `threaded`: a thread for each conversation, by default at most 1 000.
    ///
    /// ```
    /// use std::net::TcpListener;
    /// use zen_server_sync::{Answer, Options, Server};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let echo = |question: &[u8], answer: &mut Answer<'_>| answer.put(question);
    /// // Each thread costs some 14 KiB while its client is silent.
    /// let server = Server::threaded(listener, echo, Options::default().with_connections(200))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`OptionsError`] says which option is wrong and what to do.
    pub fn threaded(
        listener: impl Into<Listener>,
        service: S,
        options: Options,
    ) -> Result<Self, OptionsError> {
        Self::new(listener, service, options, Architecture::Threaded, defaults::CONNECTIONS_WITH_THREADS)
    }

    /// Flavor `pool`: [`Options::workers`] threads, by default 4, each of which serves one
    /// conversation at a time.
    ///
    /// ```
    /// use std::net::TcpListener;
    /// use zen_server_sync::{Answer, Options, Server};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let echo = |question: &[u8], answer: &mut Answer<'_>| answer.put(question);
    /// let server = Server::pool(listener, echo, Options::default().with_workers(8))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`OptionsError`] says which option is wrong and what to do.
    pub fn pool(listener: impl Into<Listener>, service: S, options: Options) -> Result<Self, OptionsError> {
        let workers = options.workers.unwrap_or(defaults::POOL_WORKERS);
        Self::new(listener, service, options, Architecture::Pool { workers }, defaults::CONNECTIONS)
    }

    fn new(
        listener: impl Into<Listener>,
        service: S,
        options: Options,
        architecture: Architecture,
        default_connections: usize,
    ) -> Result<Self, OptionsError> {
        let setup = Setup::new(service, aphorism::framing(), options, default_connections)?;
        Ok(Self { listener: listener.into(), setup, architecture })
    }
}

server_methods!(Server { listener, architecture });

impl<S, F, O> Server<S, F, O> {
    /// Serves until the stop handle drains the server. The listener is then shut down, to end a
    /// blocked accept. This also shuts down its clones.
    ///
    /// ```
    /// use std::net::TcpListener;
    /// use zen_server_sync::{Options, Server, aphorism::Aphorisms};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let server = Server::threaded(listener, Aphorisms, Options::default())?;
    /// let stop = server.stop_handle();
    /// let running = std::thread::spawn(|| server.run());
    /// // From a signal handler, or wherever the end is decided:
    /// stop.stop();
    /// running.join().expect("it has not panicked")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the system refuses the descriptors or the threads that the server starts with.
    pub fn run(self) -> io::Result<()>
    where
        S: Service<F> + Clone + Send + 'static,
        F: Framing + Clone + Send + 'static,
        O: Observer,
    {
        let Self { listener, setup, architecture } = self;
        setup.observer.add_sources(SOURCES);
        listener.set_nonblocking(false)?;
        // With more workers than connections may be open, one would accept a connection too many.
        let workers = match architecture {
            Architecture::Pool { workers } => workers.min(setup.connections),
            Architecture::Blocking | Architecture::Threaded => 1,
        };
        let shared = Shared {
            stop_pipe: StopPipe::new(&setup.stop)?,
            acceptor: Acceptor::new(listener, &setup)?,
            stop: setup.stop.clone(),
            counters: Arc::clone(&setup.counters),
        };
        match architecture {
            Architecture::Blocking => serve_one_at_a_time(&shared, &setup),
            Architecture::Pool { .. } => serve_with_a_pool(&shared, &setup, workers)?,
            Architecture::Threaded => serve_with_a_thread_each(&shared, &setup),
        }
        Ok(())
    }
}
