//! The event loop: waits for the first of its sockets, timers and messages, and drives the
//! connections that are ready.

use std::io;
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use zen_proto::{CloseReason, Framing, Service, Tally};
use zen_server::{Observer, Setup, Step};

use crate::acceptor::{Accepted, Acceptor};
use crate::connection_slots::ConnectionSlots;
use crate::drive::{Connection, SCRATCH, Turn};
use crate::timers::Timers;
use crate::wake_ups::{WakeUp, WakeUps};

pub(crate) const LISTENER: Token = Token(usize::MAX);
pub(crate) const WAKER: Token = Token(usize::MAX - 1);

/// How many events one wait takes.
const EVENTS: usize = 1024;

/// One loop, and the connections that are its own.
pub(crate) struct EventLoop<S, F: Framing, O> {
    pub(crate) index: usize,
    pub(crate) poll: Poll,
    pub(crate) setup: Setup<S, F, O>,
    pub(crate) slots: Arc<ConnectionSlots>,
    /// `Some` in the first loop while it accepts.
    pub(crate) acceptor: Option<Acceptor<O>>,
    /// `Some` in the other loops while the acceptor may deal them connections.
    pub(crate) inbox: Option<Receiver<Accepted<O>>>,
    pub(crate) connections: Connections<S, F, O>,
    pub(crate) wake_ups: Arc<WakeUps>,
    /// The time after the last wait, or after the last answer of any connection.
    pub(crate) now: Instant,
}

/// The connections of a loop, and what driving them needs.
pub(crate) struct Connections<S, F: Framing, O> {
    by_key: Slab<Connection<S, F, O>>,
    timers: Timers,
    /// Those that have used up their turn, and get another before the loop waits.
    again: Vec<usize>,
    scratch: Box<[u8]>,
    tally: Tally,
}

impl<S, F: Framing, O> Connections<S, F, O> {
    pub(crate) fn new() -> Self {
        Self {
            by_key: Slab::new(),
            timers: Timers::default(),
            again: Vec::new(),
            scratch: vec![0; SCRATCH].into(),
            tally: Tally::default(),
        }
    }
}

impl<S: Service<F> + Clone, F: Framing + Clone, O: Observer> EventLoop<S, F, O> {
    /// Runs until the server is stopped and the last connection of this loop is closed.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        let mut draining = false;
        loop {
            if self.setup.stop.is_stopped() && !draining {
                draining = true;
                self.drain();
            }
            self.setup.counters.count(std::mem::take(&mut self.connections.tally));
            if draining && self.inbox.is_none() && self.connections.by_key.is_empty() {
                return Ok(());
            }
            self.setup.observer.step(Step::Idle);
            match self.poll.poll(&mut events, self.wait_time()) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            self.now = Instant::now();
            self.setup.observer.step(Step::Woken);
            let again = std::mem::take(&mut self.connections.again);
            let mut woken = Vec::new();
            for event in &events {
                match event.token() {
                    WAKER => woken.extend(self.wake_ups.take()),
                    LISTENER => self.listener_is_ready(),
                    Token(key) => {
                        if let Some(connection) = self.connections.by_key.get_mut(key) {
                            connection.handle_event(event);
                            self.drive(key);
                        }
                    }
                }
            }
            for key in woken {
                self.drive(key);
            }
            for key in again {
                if let Some(connection) = self.connections.by_key.get_mut(key).filter(|c| c.queued) {
                    connection.queued = false;
                    self.drive(key);
                }
            }
            self.handle_alarms();
            self.take_new();
        }
    }

    /// How long to wait: not at all while there is work left, else until the first timer.
    fn wait_time(&self) -> Option<Duration> {
        let acceptor = self.acceptor.as_ref();
        if !self.connections.again.is_empty()
            || acceptor.is_some_and(|acceptor| acceptor.wants_turn(self.now))
        {
            return Some(Duration::ZERO);
        }
        let resume = acceptor.and_then(Acceptor::poll_timeout);
        let next = [self.connections.timers.next(), resume].into_iter().flatten().min()?;
        Some(next.saturating_duration_since(self.now))
    }

    fn listener_is_ready(&mut self) {
        if let Some(acceptor) = &mut self.acceptor {
            acceptor.ready = true;
        }
    }

    /// Drives one connection, and does what follows from it. A key whose connection is gone does
    /// nothing.
    fn drive(&mut self, key: usize) {
        let Connections { by_key, timers, again, scratch, tally } = &mut self.connections;
        let Some(connection) = by_key.get_mut(key) else { return };
        let turn = connection.drive(scratch, tally, self.now);
        // A handler may have run long.
        self.now = connection.now;
        match turn {
            Turn::Wait => {}
            Turn::Again => {
                connection.observer.step(Step::WaitingForTurn);
                if !std::mem::replace(&mut connection.queued, true) {
                    again.push(key);
                }
            }
            Turn::Over(reason) => {
                self.close(key, reason);
                return;
            }
        }
        timers.arm(key, &mut connection.alarm, connection.session.poll_timeout());
    }

    fn close(&mut self, key: usize, reason: CloseReason) {
        let connection = self.connections.by_key.remove(key);
        let observer = connection.observer.clone();
        self.connections.timers.disarm(key, connection.alarm);
        // The socket is closed before the connection is counted as closed, so that the cap bounds
        // descriptors too.
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(connection)));
        // A service that panics when it is dropped ends its own conversation only.
        self.count_closed(dropped.map_or(CloseReason::ServiceFailed, |()| reason), &observer);
    }

    fn count_closed(&self, reason: CloseReason, observer: &O) {
        observer.step(Step::Closed(reason));
        self.setup.counters.count_closed(reason);
        self.slots.handle_closed(self.index);
    }

    /// Drives the connections whose alarm has gone off.
    fn handle_alarms(&mut self) {
        let now = self.now;
        let due: Vec<usize> = iter::from_fn(|| self.connections.timers.pop(now)).collect();
        for key in due {
            if let Some(connection) = self.connections.by_key.get_mut(key) {
                connection.alarm = None;
                self.drive(key);
            }
        }
    }

    /// Drives every connection, so that each notices the stop.
    fn drain(&mut self) {
        // The listener is closed: a client that connects now is refused at once, and may try
        // elsewhere.
        self.acceptor = None;
        let keys: Vec<usize> = self.connections.by_key.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.drive(key);
        }
    }

    /// Takes in the connections that are new: accepted here, or dealt by the loop that accepts.
    fn take_new(&mut self) {
        let mut new = Vec::new();
        if let Some(acceptor) = &mut self.acceptor {
            acceptor.turn(&self.setup, self.now, |accepted| new.push(accepted));
        }
        while let Some(inbox) = &self.inbox {
            match inbox.try_recv() {
                Ok(dealt) => new.push(dealt),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => self.inbox = None,
            }
        }
        for accepted in new {
            self.adopt(accepted);
        }
    }

    fn adopt(&mut self, accepted: Accepted<O>) {
        let Accepted { stream, peer, observer } = accepted;
        let begun = match self.setup.begin(self.now) {
            Ok(begun) => begun,
            Err(reason) => {
                drop(stream);
                self.count_closed(reason, &observer);
                return;
            }
        };
        let entry = self.connections.by_key.vacant_entry();
        let key = entry.key();
        let wake_up = WakeUp::new(key, &self.wake_ups);
        let connection = entry.insert(Connection::new(stream, begun, &peer, &self.setup, observer, wake_up));
        // Registered once, for both directions. Readiness that is not used now is remembered
        // instead of asked for again.
        let interest = Interest::READABLE | Interest::WRITABLE;
        // Only Linux announces urgent data apart from the rest.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let interest = interest | Interest::PRIORITY;
        if let Err(error) = self.poll.registry().register(&mut connection.stream, Token(key), interest) {
            tracing::warn!(%error, "cannot watch a new connection");
            self.close(key, CloseReason::ConnectionLost);
            return;
        }
        self.drive(key);
    }
}
