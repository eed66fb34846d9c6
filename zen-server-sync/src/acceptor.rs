//! The acceptor: takes a new connection when admission allows it, and waits until it does.

use std::io::{Error, ErrorKind};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use socket2::{SockAddr, Socket, Type};
use zen_proto::{Address, Peer};
use zen_server::{Admission, Listener, LocalAddress, Observer, Setup, Step, StopHandle, unix_address};

/// The listener, and whether to accept from it. All threads of a server share it.
#[derive(Debug)]
pub(crate) struct Acceptor {
    listener: Socket,
    local: LocalAddress,
    stop: StopHandle,
    slots: Arc<ConnectionSlots>,
}

/// A connection that was accepted.
#[derive(Debug)]
pub(crate) struct Accepted<O> {
    pub(crate) stream: Socket,
    pub(crate) peer: Peer,
    pub(crate) observer: O,
}

/// How many connections may still be open.
#[derive(Debug)]
struct ConnectionSlots {
    admission: Mutex<Admission>,
    changed: Condvar,
}

impl ConnectionSlots {
    fn admission(&self) -> MutexGuard<'_, Admission> {
        self.admission.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Acceptor {
    pub(crate) fn new<S, F, O>(listener: Listener, setup: &Setup<S, F, O>) -> std::io::Result<Self> {
        let local = LocalAddress::new(&listener);
        let listener = Socket::from(OwnedFd::from(listener));
        let stop = setup.stop.clone();
        let admission = Mutex::new(Admission::new(setup.connections));
        let slots = Arc::new(ConnectionSlots { admission, changed: Condvar::new() });
        let waiting = Arc::clone(&slots);
        let blocked = listener.try_clone()?;
        stop.on_stop(move || {
            waiting.admission().drain();
            waiting.changed.notify_all();
            wake_accept(&blocked);
        });
        Ok(Self { listener, local, stop, slots })
    }

    /// The next connection, which counts as open until [`handle_closed`](Self::handle_closed).
    /// `None` once the server drains.
    pub(crate) fn accept<S, F, O: Observer>(&self, setup: &Setup<S, F, O>) -> Option<Accepted<O>> {
        loop {
            self.wait_until(&setup.observer, Admission::wants_accept)?;
            setup.observer.step(Step::Accepting);
            match self.listener.accept() {
                Ok((stream, remote)) => {
                    let (admission, remote) = (&mut self.slots.admission(), address(&remote));
                    let (peer, observer) = setup.handle_accepted(admission, &stream, remote, &self.local);
                    return Some(Accepted { stream, peer, observer });
                }
                Err(_) if self.stop.is_stopped() => return None,
                Err(error) => self.handle_error(setup, &error),
            }
        }
    }

    /// A connection was closed.
    pub(crate) fn handle_closed(&self) {
        self.slots.admission().handle_closed();
        self.slots.changed.notify_one();
    }

    /// The system refused a thread for a connection. Waits until it is time to try again. `None`
    /// once the server drains.
    pub(crate) fn handle_no_thread<S, F, O: Observer>(
        &self,
        setup: &Setup<S, F, O>,
        error: &Error,
    ) -> Option<()> {
        setup.handle_exhausted(&mut self.slots.admission(), error, Instant::now());
        self.wait_until(&setup.observer, |admission| admission.poll_timeout().is_none())
    }

    fn handle_error<S, F, O: Observer>(&self, setup: &Setup<S, F, O>, error: &Error) {
        let (admission, now) = (&mut *self.slots.admission(), Instant::now());
        if error.kind() == ErrorKind::WouldBlock {
            // Another owner of this listener has made it one that does not wait. Trying again at
            // once would spin.
            setup.handle_exhausted(admission, error, now);
        } else {
            setup.handle_accept_error(admission, error, now);
        }
    }

    /// Waits until `holds` is true of the admission. `None` once the server drains.
    fn wait_until(&self, observer: &impl Observer, holds: impl Fn(&Admission) -> bool) -> Option<()> {
        let mut admission = self.slots.admission();
        loop {
            let now = Instant::now();
            admission.handle_timeout(now);
            if self.stop.is_stopped() {
                return None;
            }
            if holds(&admission) {
                return Some(());
            }
            observer.step(Step::WaitingForSlot);
            admission = match admission.poll_timeout() {
                None => self.slots.changed.wait(admission).unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    let pause = at.saturating_duration_since(now);
                    self.slots
                        .changed
                        .wait_timeout(admission, pause)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }
}

/// Ends a blocked accept. Shutting the listener down does it on Linux; where it does not, a
/// connection of our own does.
fn wake_accept(listener: &Socket) {
    if listener.shutdown(Shutdown::Read).is_err()
        && let Ok(address) = listener.local_addr()
    {
        // If no connection can be made, no accept is blocked.
        let _ = Socket::new(address.domain(), Type::STREAM, None)
            .and_then(|socket| socket.connect_timeout(&address, Duration::from_secs(1)));
    }
}

fn address(address: &SockAddr) -> Address {
    address.as_socket().map_or_else(|| unix_address(address.as_pathname()), Address::Ip)
}
