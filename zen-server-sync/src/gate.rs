//! The gate: accepts a connection when admission allows it, and waits until it does.

use std::io::{Error, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use socket2::SockRef;
use zen_server::{Admission, Setup, StopHandle};

/// The listener, and whether to accept from it.
#[derive(Debug)]
pub(crate) struct Gate {
    listener: TcpListener,
    stop: StopHandle,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    admission: Mutex<Admission>,
    changed: Condvar,
}

impl Inner {
    fn admission(&self) -> MutexGuard<'_, Admission> {
        self.admission.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    pub(crate) fn new<S, F>(listener: TcpListener, setup: &Setup<S, F>) -> std::io::Result<Self> {
        let stop = setup.stop.clone();
        let admission = Mutex::new(Admission::new(setup.connections));
        let inner = Arc::new(Inner { admission, changed: Condvar::new() });
        let waiting = Arc::clone(&inner);
        let blocked = listener.try_clone()?;
        stop.on_stop(move || {
            waiting.admission().drain();
            waiting.changed.notify_all();
            wake_accept(&blocked);
        });
        Ok(Self { listener, stop, inner })
    }

    /// The next connection; it counts as open until [`closed`](Self::closed). None: the server drains.
    pub(crate) fn accept<S, F>(&self, setup: &Setup<S, F>) -> Option<TcpStream> {
        loop {
            self.wait_until(Admission::wants_accept)?;
            match self.listener.accept() {
                Ok((stream, _)) => {
                    setup.handle_accepted(&mut self.inner.admission(), &stream);
                    return Some(stream);
                }
                Err(_) if self.stop.is_stopped() => return None,
                Err(error) => self.handle_error(setup, &error),
            }
        }
    }

    /// A connection was closed.
    pub(crate) fn closed(&self) {
        self.inner.admission().handle_closed();
        self.inner.changed.notify_one();
    }

    /// A thread for a connection could not be had. Waits before the next attempt. None: the server drains.
    pub(crate) fn out_of_threads<S, F>(&self, setup: &Setup<S, F>, error: &Error) -> Option<()> {
        setup.handle_exhausted(&mut self.inner.admission(), error, Instant::now());
        self.wait_until(|admission| admission.poll_timeout().is_none())
    }

    fn handle_error<S, F>(&self, setup: &Setup<S, F>, error: &Error) {
        let (admission, now) = (&mut *self.inner.admission(), Instant::now());
        if error.kind() == ErrorKind::WouldBlock {
            // Another owner of this listener has made it one that does not wait. Trying again at once would spin.
            setup.handle_exhausted(admission, error, now);
        } else {
            setup.handle_accept_error(admission, error, now);
        }
    }

    /// Waits until admission is as it should be. None: the server drains.
    fn wait_until(&self, holds: impl Fn(&Admission) -> bool) -> Option<()> {
        let mut admission = self.inner.admission();
        loop {
            let now = Instant::now();
            admission.handle_timeout(now);
            if self.stop.is_stopped() {
                return None;
            }
            if holds(&admission) {
                return Some(());
            }
            admission = match admission.poll_timeout() {
                None => self.inner.changed.wait(admission).unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    let pause = at.saturating_duration_since(now);
                    self.inner
                        .changed
                        .wait_timeout(admission, pause)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }
}

/// Ends a blocked accept. Shutting the listener down does it on Linux; where it does not, a connection of our own does.
fn wake_accept(listener: &TcpListener) {
    if SockRef::from(listener).shutdown(std::net::Shutdown::Read).is_err()
        && let Ok(address) = listener.local_addr()
    {
        // When nobody can connect, nobody waits to accept.
        let _ = TcpStream::connect_timeout(&address, Duration::from_secs(1));
    }
}
