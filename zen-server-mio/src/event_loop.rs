//! The event loop: waits for the first of its sockets, timers and messages, and gives those that are ready a turn.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use zen_proto::{CloseReason, Framing, Service, Tally};
use zen_server::Setup;

use crate::acceptor::{Acceptor, Gate};
use crate::drive::{Connection, Turn};
use crate::timers::Timers;

pub(crate) const LISTENER: Token = Token(usize::MAX);
pub(crate) const WAKER: Token = Token(usize::MAX - 1);

/// How much one read takes, in bytes. One buffer serves the whole loop.
const SCRATCH: usize = 16 * 1024;

/// How many events one wait takes.
const EVENTS: usize = 1024;

/// One loop, and the connections that are its own.
pub(crate) struct EventLoop<S, F> {
    pub(crate) index: usize,
    pub(crate) poll: Poll,
    pub(crate) setup: Setup<S, F>,
    pub(crate) gate: Arc<Gate>,
    /// In the loop that accepts, while it does.
    pub(crate) acceptor: Option<Acceptor>,
    /// In the others, while anything may come: what the acceptor has dealt them.
    pub(crate) inbox: Option<Receiver<TcpStream>>,
    pub(crate) room: Room<S, F>,
}

/// The connections of a loop, and what a turn of theirs needs.
pub(crate) struct Room<S, F> {
    connections: Slab<Connection<S, F>>,
    timers: Timers,
    /// Those who have used up their turn, and have another coming before the loop waits.
    again: Vec<usize>,
    scratch: Box<[u8]>,
    tally: Tally,
}

impl<S, F> Room<S, F> {
    pub(crate) fn new() -> Self {
        Self {
            connections: Slab::new(),
            timers: Timers::default(),
            again: Vec::new(),
            scratch: vec![0; SCRATCH].into(),
            tally: Tally::default(),
        }
    }
}

impl<S: Service + Clone, F: Framing + Clone> EventLoop<S, F> {
    /// Runs until the server is stopped and the last connection of this loop is closed.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        let mut draining = false;
        let mut now = Instant::now();
        loop {
            if self.setup.stop.is_stopped() && !draining {
                draining = true;
                self.drain(now);
            }
            self.setup.counters.count(std::mem::take(&mut self.room.tally));
            if draining && self.inbox.is_none() && self.room.connections.is_empty() {
                return Ok(());
            }
            match self.poll.poll(&mut events, self.patience(now)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            now = Instant::now();
            let again = std::mem::take(&mut self.room.again);
            for event in &events {
                match event.token() {
                    WAKER => {}
                    LISTENER => self.listener_is_ready(),
                    Token(key) => {
                        if let Some(connection) = self.room.connections.get_mut(key) {
                            connection.note(event);
                            self.turn(key, now);
                        }
                    }
                }
            }
            for key in again {
                if let Some(connection) = self.room.connections.get_mut(key).filter(|c| c.queued) {
                    connection.queued = false;
                    self.turn(key, now);
                }
            }
            self.wake_sleepers(now);
            self.take_new(now);
        }
    }

    /// How long to wait: not at all while there is work left, else until the first timer.
    fn patience(&self, now: Instant) -> Option<Duration> {
        let acceptor = self.acceptor.as_ref();
        if !self.room.again.is_empty() || acceptor.is_some_and(|acceptor| acceptor.wants_turn(now)) {
            return Some(Duration::ZERO);
        }
        let resume = acceptor.and_then(Acceptor::poll_timeout);
        let next = [self.room.timers.next(), resume].into_iter().flatten().min()?;
        Some(next.saturating_duration_since(now))
    }

    fn listener_is_ready(&mut self) {
        if let Some(acceptor) = &mut self.acceptor {
            acceptor.ready = true;
        }
    }

    /// One turn of one conversation, and what follows from it.
    fn turn(&mut self, key: usize, now: Instant) {
        let room = &mut self.room;
        let Some(connection) = room.connections.get_mut(key) else { return };
        let turn = connection.turn(&mut room.scratch, self.setup.options.turn_budget, now);
        room.tally += connection.conversation.take_tally();
        match turn {
            Turn::Wait => {}
            Turn::Again => {
                if !std::mem::replace(&mut connection.queued, true) {
                    room.again.push(key);
                }
            }
            Turn::Over(reason) => {
                self.close(key, reason);
                return;
            }
        }
        room.timers.arm(key, &mut connection.alarm, connection.conversation.poll_timeout());
    }

    fn close(&mut self, key: usize, reason: CloseReason) {
        let connection = self.room.connections.remove(key);
        self.room.timers.disarm(key, connection.alarm);
        // The socket goes before the connection is counted as closed, so that the cap bounds descriptors too.
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(connection)));
        // What panics here is what the service does when it is dropped: that too concerns its own conversation only.
        self.count_closed(dropped.map_or(CloseReason::ServiceFailed, |()| reason));
    }

    fn count_closed(&self, reason: CloseReason) {
        self.setup.counters.count_closed(reason);
        self.gate.closed(self.index);
    }

    fn wake_sleepers(&mut self, now: Instant) {
        while let Some(key) = self.room.timers.pop(now) {
            if let Some(connection) = self.room.connections.get_mut(key) {
                connection.alarm = None;
                connection.conversation.handle_timeout(now);
                self.turn(key, now);
            }
        }
    }

    fn drain(&mut self, now: Instant) {
        // The listener goes: who comes now is refused at once, and may try elsewhere.
        self.acceptor = None;
        let keys: Vec<usize> = self.room.connections.iter().map(|(key, _)| key).collect();
        for key in keys {
            if let Some(connection) = self.room.connections.get_mut(key) {
                connection.conversation.drain(now);
                self.turn(key, now);
            }
        }
    }

    /// Takes in the connections that are new: accepted here, or dealt by the loop that accepts.
    fn take_new(&mut self, now: Instant) {
        let mut new = Vec::new();
        if let Some(acceptor) = &mut self.acceptor {
            acceptor.turn(&self.setup, now, |stream| new.push(stream));
        }
        while let Some(inbox) = &self.inbox {
            match inbox.try_recv() {
                Ok(stream) => new.push(stream),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => self.inbox = None,
            }
        }
        for stream in new {
            self.adopt(stream, now);
        }
    }

    fn adopt(&mut self, stream: TcpStream, now: Instant) {
        let begun = match self.setup.begin(now) {
            Ok(begun) => begun,
            Err(reason) => {
                drop(stream);
                self.count_closed(reason);
                return;
            }
        };
        let entry = self.room.connections.vacant_entry();
        let key = entry.key();
        let connection = entry.insert(Connection::new(stream, begun));
        // Registered once, for both directions: what is not wanted now is remembered rather than asked for again.
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(connection.stream_mut(), Token(key), interest) {
            tracing::warn!(%error, "cannot watch a new connection");
            self.close(key, CloseReason::ConnectionLost);
            return;
        }
        if self.setup.stop.is_stopped() {
            connection.conversation.drain(now);
        }
        self.turn(key, now);
    }
}
