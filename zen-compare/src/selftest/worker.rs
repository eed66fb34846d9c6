//! A server with one worker, for which it is known when each answer is to leave.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};

const LISTENER: Token = Token(usize::MAX);
const STOP: Token = Token(usize::MAX - 1);

/// A running worker. Dropping it stops it.
pub(super) struct Worker {
    pub(super) address: SocketAddr,
    stop: Arc<Waker>,
    thread: Option<JoinHandle<io::Result<Lateness>>>,
}

/// How much later than planned the answers left, which is the machine's doing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lateness {
    sum: Duration,
    answers: u32,
}

impl Lateness {
    /// The mean; zero when nothing was answered.
    pub(super) fn mean(&self) -> Duration {
        self.sum.checked_div(self.answers).unwrap_or_default()
    }
}

/// What a worker does for each question.
pub(super) trait Service: Send + 'static {
    /// When the answer is to leave, if the worker can begin at `begin`.
    fn leaves(&mut self, begin: Instant) -> Instant;

    /// The answer.
    fn answer(&mut self) -> &'static [u8] {
        super::lab::ANSWER
    }
}

impl Worker {
    /// Starts a worker that serves one question after the other, in the order in which they come.
    pub(super) fn start(service: impl Service) -> io::Result<Self> {
        let mut listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = listener.local_addr()?;
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let stop = Arc::new(Waker::new(poll.registry(), STOP)?);
        let serving = Serving { poll, listener, streams: Vec::new(), queue: VecDeque::new(), stopped: false };
        let thread = thread::Builder::new().name("worker".into()).spawn(move || serving.run(service))?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Stops the worker, and returns how late its answers were.
    pub(super) fn stop(mut self) -> io::Result<Lateness> {
        self.end()
    }

    fn end(&mut self) -> io::Result<Lateness> {
        let Some(thread) = self.thread.take() else { return Ok(Lateness::default()) };
        self.stop.wake()?;
        thread.join().map_err(|_| io::Error::other("the checks' server panicked"))?
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

struct Serving {
    poll: Poll,
    listener: TcpListener,
    streams: Vec<TcpStream>,
    /// The connections whose questions wait, in the order in which the questions came.
    queue: VecDeque<usize>,
    stopped: bool,
}

impl Serving {
    fn run(mut self, mut service: impl Service) -> io::Result<Lateness> {
        let mut events = Events::with_capacity(256);
        let mut lateness = Lateness::default();
        let mut free_at = Instant::now();
        loop {
            // What came during the last service is served from the end of that service on, not from
            // when it is found.
            self.look(&mut events, Some(Duration::ZERO))?;
            if self.queue.is_empty() && !self.stopped {
                self.look(&mut events, None)?;
                free_at = Instant::now();
            }
            if self.stopped {
                return Ok(lateness);
            }
            let Some(asker) = self.queue.pop_front() else { continue };
            let leaves = service.leaves(free_at);
            thread::sleep(leaves.saturating_duration_since(Instant::now()));
            // Whether a client has gone, or does not read, does not matter to this check.
            let _ = self.streams[asker].write(service.answer());
            lateness.sum += leaves.elapsed();
            lateness.answers += 1;
            // Not the time at which the thread happened to wake: lateness must not add up.
            free_at = leaves;
        }
    }

    fn look(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            status => status?,
        }
        let mut buffer = [0; 4096];
        for event in &*events {
            match event.token() {
                STOP => self.stopped = true,
                LISTENER => self.accept()?,
                Token(asker) => {
                    // Ends with `WouldBlock`, or with the connection.
                    while let Ok(count @ 1..) = self.streams[asker].read(&mut buffer) {
                        let questions = memchr::memchr_iter(b'?', &buffer[..count]).count();
                        self.queue.extend(std::iter::repeat_n(asker, questions));
                    }
                }
            }
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        while let Ok((mut stream, _)) = self.listener.accept() {
            stream.set_nodelay(true)?;
            self.poll.registry().register(&mut stream, Token(self.streams.len()), Interest::READABLE)?;
            self.streams.push(stream);
        }
        Ok(())
    }
}
