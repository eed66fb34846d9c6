//! The acceptor: takes a new connection when admission allows it, and waits until it does.

use std::io::{Error, ErrorKind};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::{SockAddr, Socket, Type};
use zen_proto::{Address, Peer};
use zen_server::{Admission, Listener, LocalAddress, Observer, Setup, Step, StopHandle, unix_address};

use crate::connection_slots::ConnectionSlots;

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

impl Acceptor {
    pub(crate) fn new<S, F, O>(listener: Listener, setup: &Setup<S, F, O>) -> std::io::Result<Self> {
        let local = LocalAddress::new(&listener);
        let listener = Socket::from(OwnedFd::from(listener));
        let stop = setup.stop.clone();
        let slots = Arc::new(ConnectionSlots::new(setup.connections));
        let waiting = Arc::clone(&slots);
        let blocked = listener.try_clone()?;
        stop.on_stop(move || {
            waiting.drain();
            wake_accept(&blocked);
        });
        Ok(Self { listener, local, stop, slots })
    }

    /// The next connection, which counts as open until [`handle_closed`](Self::handle_closed).
    /// `None` once the server drains.
    pub(crate) fn accept<S, F, O: Observer>(&self, setup: &Setup<S, F, O>) -> Option<Accepted<O>> {
        loop {
            self.slots.wait_until(&self.stop, &setup.observer, Admission::wants_accept)?;
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
        self.slots.handle_closed();
    }

    /// The system refused a thread for a connection. Waits until it is time to try again. `None`
    /// once the server drains.
    pub(crate) fn handle_no_thread<S, F, O: Observer>(
        &self,
        setup: &Setup<S, F, O>,
        error: &Error,
    ) -> Option<()> {
        setup.handle_exhausted(&mut self.slots.admission(), error, Instant::now());
        self.slots.wait_until(&self.stop, &setup.observer, |admission| admission.poll_timeout().is_none())
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
