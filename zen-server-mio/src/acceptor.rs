//! The acceptor: takes new connections and deals each to the loop that has the fewest.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{SendError, Sender};
use std::time::Instant;

use zen_proto::{CloseReason, Peer};
use zen_server::{LocalAddress, Observer, Setup, Step};

use crate::connection_slots::ConnectionSlots;
use crate::stream::{Listener, Stream};

/// A connection that was accepted, and that a loop is to take in.
#[derive(Debug)]
pub(crate) struct Accepted<O> {
    pub(crate) stream: Stream,
    pub(crate) peer: Peer,
    pub(crate) observer: O,
}

/// The listener, and the mailboxes of the other loops. The first loop owns it.
#[derive(Debug)]
pub(crate) struct Acceptor<O> {
    pub(crate) listener: Listener,
    local: LocalAddress,
    pub(crate) slots: Arc<ConnectionSlots>,
    pub(crate) others: Vec<Sender<Accepted<O>>>,
    /// Connections may be waiting. mio says so once, and a pause or a used-up budget leaves some.
    pub(crate) ready: bool,
    /// Where the search for the next loop begins, so that loops with equally many connections take
    /// turns.
    next: usize,
}

impl<O: Observer> Acceptor<O> {
    pub(crate) fn new(
        listener: Listener,
        local: LocalAddress,
        slots: Arc<ConnectionSlots>,
        others: Vec<Sender<Accepted<O>>>,
    ) -> Self {
        Self { listener, local, slots, others, ready: true, next: 0 }
    }

    /// Accepts until no connection waits, or a turn's budget of them is taken. Those for the first
    /// loop itself are passed to `adopt`.
    pub(crate) fn turn<S, F>(
        &mut self,
        setup: &Setup<S, F, O>,
        now: Instant,
        mut adopt: impl FnMut(Accepted<O>),
    ) {
        for _ in 0..setup.options.turn_budget {
            if !self.wants_turn(now) {
                return;
            }
            setup.observer.step(Step::Accepting);
            match self.listener.accept() {
                Ok((stream, remote)) => {
                    let mut admission = self.slots.admission();
                    let (peer, observer) =
                        setup.handle_accepted(&mut admission, &stream, remote, &self.local);
                    drop(admission);
                    self.deal(setup, Accepted { stream, peer, observer }, &mut adopt);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.ready = false,
                Err(error) => setup.handle_accept_error(&mut self.slots.admission(), &error, now),
            }
        }
    }

    /// Whether a turn would try to accept.
    pub(crate) fn wants_turn(&self, now: Instant) -> bool {
        if !self.ready {
            return false;
        }
        let mut admission = self.slots.admission();
        admission.handle_timeout(now);
        admission.wants_accept()
    }

    /// When accepting goes on after a failure.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        if self.ready { self.slots.admission().poll_timeout() } else { None }
    }

    /// Gives the connection to the loop that has the fewest. Loops with equally many take turns.
    fn deal<S, F>(
        &mut self,
        setup: &Setup<S, F, O>,
        accepted: Accepted<O>,
        adopt: &mut impl FnMut(Accepted<O>),
    ) {
        let loads = &self.slots.loads;
        let to = (0..loads.len())
            .map(|offset| (self.next + offset) % loads.len())
            .min_by_key(|index| loads[*index].load(Relaxed))
            .unwrap_or(0);
        self.next = (to + 1) % loads.len();
        loads[to].fetch_add(1, Relaxed);
        if to == 0 {
            adopt(accepted);
            return;
        }
        if let Err(SendError(lost)) = self.others[to - 1].send(accepted) {
            // A loop ends before this one only by failing, and then the server stops.
            lost.observer.step(Step::Closed(CloseReason::ConnectionLost));
            setup.counters.count_closed(CloseReason::ConnectionLost);
            self.slots.handle_closed(to);
        }
        self.slots.wake(to);
    }
}

impl<O> Drop for Acceptor<O> {
    /// Nothing is dealt any more. The other loops go on until then, since they have to close what
    /// lies in their mailboxes.
    fn drop(&mut self) {
        self.slots.admission().drain();
        for (mailbox, index) in self.others.drain(..).zip(1..) {
            drop(mailbox);
            self.slots.wake(index);
        }
    }
}
