//! The acceptor: takes a new connection when admission allows it, and waits until it does.

use std::io::{self, Error, ErrorKind};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use socket2::{SockAddr, Socket};
use zen_proto::{Address, Peer};
use zen_server::{Admission, Listener, LocalAddress, Observer, Setup, Step, StopHandle, unix_address};

use crate::wait::StopPipe;

/// The listener, and whether to accept from it. All threads of a server share it.
#[derive(Debug)]
pub(crate) struct Acceptor {
    listener: Socket,
    local: LocalAddress,
    stop: StopHandle,
    slots: Arc<ConnectionSlots>,
    /// One thread at a time waits for a connection. A connection would wake all that wait.
    turn: Mutex<()>,
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
    pub(crate) fn new<S, F, O>(listener: Listener, setup: &Setup<S, F, O>) -> Self {
        let local = LocalAddress::new(&listener);
        let listener = Socket::from(OwnedFd::from(listener));
        let stop = setup.stop.clone();
        let admission = Mutex::new(Admission::new(setup.connections));
        let slots = Arc::new(ConnectionSlots { admission, changed: Condvar::new() });
        let waiting = Arc::clone(&slots);
        stop.on_stop(move || {
            // Whoever looks at the stop first holds the lock until it waits, so none is missed.
            drop(waiting.admission());
            waiting.changed.notify_all();
        });
        Self { listener, local, stop, slots, turn: Mutex::new(()) }
    }

    /// The next connection, which counts as open until [`handle_closed`](Self::handle_closed).
    /// `None` once the server is stopped and no more wait in the backlog.
    pub(crate) fn accept<S, F, O: Observer>(
        &self,
        setup: &Setup<S, F, O>,
        stop_pipe: &StopPipe,
    ) -> Option<Accepted<O>> {
        loop {
            self.wait_for_slot(setup)?;
            setup.observer.step(Step::Accepting);
            match self.next(stop_pipe) {
                Ok(Some((stream, remote))) => {
                    let (admission, remote) = (&mut self.slots.admission(), address(&remote));
                    let (peer, observer) = setup.handle_accepted(admission, &stream, remote, &self.local);
                    return Some(Accepted { stream, peer, observer });
                }
                Ok(None) => return None,
                Err(error) => setup.handle_accept_error(&mut self.slots.admission(), &error, Instant::now()),
            }
        }
    }

    /// Waits for a connection. `None` if none waits and the server is stopped.
    fn next(&self, stop_pipe: &StopPipe) -> io::Result<Option<(Socket, SockAddr)>> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if !stop_pipe.wait_for(&self.listener)? {
                return Ok(None);
            }
            match self.listener.accept() {
                Ok((stream, remote)) => {
                    if cfg!(not(target_os = "linux")) {
                        // Other systems hand the listener's mode on.
                        stream.set_nonblocking(false)?;
                    }
                    return Ok(Some((stream, remote)));
                }
                // It is gone, or another owner of the listener has taken it.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
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
        let goes_on = || !self.stop.is_stopped();
        self.wait_until(&setup.observer, goes_on, |admission| admission.poll_timeout().is_none())
    }

    /// Waits until a connection may be accepted. `None` once the server is stopped and has no more
    /// time.
    fn wait_for_slot<S, F, O: Observer>(&self, setup: &Setup<S, F, O>) -> Option<()> {
        let goes_on = || setup.serves_backlog(Instant::now());
        self.wait_until(&setup.observer, goes_on, Admission::wants_accept)
    }

    /// Waits until `holds` is true of the admission. `None` once it does not go on.
    fn wait_until(
        &self,
        observer: &impl Observer,
        goes_on: impl Fn() -> bool,
        holds: impl Fn(&Admission) -> bool,
    ) -> Option<()> {
        let mut admission = self.slots.admission();
        loop {
            let now = Instant::now();
            admission.handle_timeout(now);
            if !goes_on() {
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

fn address(address: &SockAddr) -> Address {
    address.as_socket().map_or_else(|| unix_address(address.as_pathname()), Address::Ip)
}
