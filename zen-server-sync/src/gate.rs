//! The gate: accepts a connection when admission allows it, and waits until it does.

use std::io::{Error, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use socket2::SockRef;
use zen_proto::{AcceptTrouble, Admission, Counters, StopHandle};

/// The listener, and whether to accept from it.
#[derive(Debug)]
pub(crate) struct Gate {
    listener: TcpListener,
    nodelay: bool,
    counters: Arc<Counters>,
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
    pub(crate) fn new(
        listener: TcpListener,
        cap: usize,
        nodelay: bool,
        counters: Arc<Counters>,
        stop: StopHandle,
    ) -> std::io::Result<Self> {
        let inner = Arc::new(Inner { admission: Mutex::new(Admission::new(cap)), changed: Condvar::new() });
        let waiting = Arc::clone(&inner);
        let blocked = listener.try_clone()?;
        stop.on_stop(move || {
            waiting.admission().drain();
            waiting.changed.notify_all();
            wake_accept(&blocked);
        });
        Ok(Self { listener, nodelay, counters, stop, inner })
    }

    /// The next connection; it counts as open until [`closed`](Self::closed). None: the server drains.
    pub(crate) fn accept(&self) -> Option<TcpStream> {
        loop {
            self.wait_until(Admission::wants_accept)?;
            match self.listener.accept() {
                Ok((stream, _)) => {
                    self.counters.count_accepted();
                    self.inner.admission().handle_accepted();
                    if self.nodelay {
                        // It fails only on a connection that is broken already, which the first read will tell.
                        let _ = stream.set_nodelay(true);
                    }
                    return Some(stream);
                }
                Err(_) if self.stop.is_stopped() => return None,
                Err(error) => self.trouble(&error),
            }
        }
    }

    /// A connection was closed.
    pub(crate) fn closed(&self) {
        self.inner.admission().handle_closed();
        self.inner.changed.notify_one();
    }

    /// A thread for a connection could not be had. Waits before the next attempt. None: the server drains.
    pub(crate) fn out_of_threads(&self, error: &Error) -> Option<()> {
        self.counters.count_accept_error();
        let trouble = self.inner.admission().handle_exhausted(Instant::now());
        report(error, trouble.as_ref());
        self.wait_until(|admission| admission.poll_timeout().is_none())
    }

    /// Accepting failed.
    fn trouble(&self, error: &Error) {
        if error.kind() == ErrorKind::Interrupted {
            return;
        }
        self.counters.count_accept_error();
        let mut admission = self.inner.admission();
        let trouble = if error.kind() == ErrorKind::WouldBlock {
            // Somebody else has made this listener one that does not wait. Trying again at once would spin.
            admission.handle_exhausted(Instant::now())
        } else {
            admission.handle_error(error, Instant::now())
        };
        drop(admission);
        report(error, trouble.as_ref());
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

fn report(error: &Error, trouble: Option<&AcceptTrouble>) {
    if let Some(AcceptTrouble { failures, pause }) = trouble {
        tracing::warn!(%error, failures, ?pause, "cannot accept");
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
