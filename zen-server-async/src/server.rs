//! The servers: a runtime of one thread, or of several.

use std::io;
use std::pin::pin;
use std::sync::Mutex;
use std::thread;

use tokio::runtime::Builder;
use zen_proto::{DelimiterFraming, Framing, Service, aphorism};
use zen_server::{Listener, Observer, Options, OptionsError, Setup, Silent, Step, defaults, server_methods};

use crate::acceptor;

/// A server over tokio. See the [crate] for an example.
#[derive(Debug)]
pub struct Server<S, F = DelimiterFraming, O = Silent> {
    listener: Listener,
    setup: Setup<S, F, O>,
    threads: Threads,
}

#[derive(Debug, Clone, Copy)]
enum Threads {
    One,
    Many(usize),
}

impl<S> Server<S> {
    /// Flavor `async`: every task on the thread that calls [`run`](Self::run).
    ///
    /// ```
    /// use std::net::TcpListener;
    /// use zen_server_async::{Answer, Options, Server};
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
        Self::new(listener, service, options, Threads::One)
    }

    /// Flavor `async-multi`: tasks on [`Options::workers`] threads, by default one for each core,
    /// which take work from each other.
    ///
    /// ```
    /// use std::net::TcpListener;
    /// use zen_server_async::{Answer, Options, Server};
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
        let threads = Threads::Many(options.workers.unwrap_or_else(defaults::workers));
        Self::new(listener, service, options, threads)
    }

    fn new(
        listener: impl Into<Listener>,
        service: S,
        options: Options,
        threads: Threads,
    ) -> Result<Self, OptionsError> {
        let setup = Setup::new(service, aphorism::framing(), options, defaults::CONNECTIONS)?;
        Ok(Self { listener: listener.into(), setup, threads })
    }
}

server_methods!(Server { listener, threads });

impl<S, F, O> Server<S, F, O> {
    /// Serves until the stop handle drains the server, in a runtime of its own. Blocks the thread;
    /// inside a runtime, use [`serve`](Self::serve).
    ///
    /// ```
    /// use std::net::TcpListener;
    /// use zen_server_async::{Options, Server, aphorism::Aphorisms};
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
    /// When the system refuses the runtime its threads or descriptors.
    ///
    /// # Panics
    /// Inside a tokio runtime, which must not be blocked.
    pub fn run(self) -> io::Result<()>
    where
        S: Service<F> + Clone + Send + 'static,
        F: Framing + Clone + Send + 'static,
        O: Observer,
    {
        let Self { listener, setup, threads } = self;
        match threads {
            Threads::One => {
                let mut builder = Builder::new_current_thread();
                observe(&mut builder, &setup.observer);
                let runtime = builder.enable_io().enable_time().build()?;
                runtime.block_on(acceptor::serve(listener, setup))
            }
            Threads::Many(workers) => {
                try_threads(workers)?;
                let mut builder = Builder::new_multi_thread();
                observe(&mut builder, &setup.observer);
                builder.worker_threads(workers).thread_name("zen-async").enable_io().enable_time();
                let runtime = builder.build()?;
                // The acceptor runs on a worker, so that no thread has to be woken for each
                // connection's task.
                let serving = runtime.spawn(acceptor::serve(listener, setup));
                runtime.block_on(serving).unwrap_or_else(|_| Err(io::Error::other("the acceptor panicked")))
            }
        }
    }

    /// Serves until the stop handle drains the server, in the runtime that polls this future. The
    /// threads are those of that runtime, whose I/O and timers must be enabled. Dropping the future
    /// drops every conversation. An observer is not told when those threads wait, only what they do
    /// for the server.
    ///
    /// ```
    /// use std::net::TcpListener;
    /// use zen_server_async::{Options, Server, aphorism::Aphorisms};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let server = Server::single(listener, Aphorisms, Options::default())?;
    /// let stop = server.stop_handle();
    /// let running = tokio::spawn(server.serve());
    /// stop.stop();
    /// running.await??;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the listener cannot be watched.
    pub async fn serve(self) -> io::Result<()>
    where
        S: Service<F> + Clone + Send + 'static,
        F: Framing + Clone + Send + 'static,
        O: Observer,
    {
        acceptor::serve(self.listener, self.setup).await
    }

    /// The same, but `stop` drains the server too, as soon as it is ready.
    ///
    /// ```
    /// # use std::net::TcpListener;
    /// # use zen_server_async::{Options, Server, aphorism::Aphorisms};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let server = Server::single(listener, Aphorisms, Options::default())?;
    /// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    /// let running = tokio::spawn(server.serve_until(stopped));
    /// drop(stop);
    /// running.await??;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the listener cannot be watched.
    pub async fn serve_until(self, stop: impl Future) -> io::Result<()>
    where
        S: Service<F> + Clone + Send + 'static,
        F: Framing + Clone + Send + 'static,
        O: Observer,
    {
        let handle = self.stop_handle();
        let mut serving = pin!(self.serve());
        tokio::select! {
            result = &mut serving => return result,
            _ = stop => handle.stop(),
        }
        serving.await
    }
}

/// Has the runtime's threads report when they wait.
fn observe<O: Observer>(builder: &mut Builder, observer: &O) {
    if !O::IS_SILENT {
        let (parking, unparked) = (observer.clone(), observer.clone());
        builder.on_thread_park(move || parking.step(Step::Idle));
        builder.on_thread_unpark(move || unparked.step(Step::Woken));
    }
}

/// Fails if the system refuses this many threads. tokio would panic then, and wait for ever for the
/// threads that it was given, so this asks for them beforehand.
fn try_threads(count: usize) -> io::Result<()> {
    let held = Mutex::new(());
    thread::scope(|scope| {
        // Each thread lives until all have started, or until one could not start.
        let _hold = held.lock();
        for _ in 0..count {
            thread::Builder::new().spawn_scoped(scope, || drop(held.lock()))?;
        }
        Ok(())
    })
}
