//! The acceptor: takes new connections and deals each to the loop that has the fewest.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{SendError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use mio::Waker;
use zen_proto::{CloseReason, Peer};
use zen_server::{Admission, LocalAddress, Observer, Setup, Step};

use crate::stream::{Listener, Stream};

/// A connection that was accepted, and that a loop is to take in.
#[derive(Debug)]
pub(crate) struct Accepted<O> {
    pub(crate) stream: Stream,
    pub(crate) peer: Peer,
    pub(crate) observer: O,
}

/// What the loops share with the acceptor: how many connections each has, and how many more may be
/// open.
#[derive(Debug)]
pub(crate) struct ConnectionSlots {
    admission: Mutex<Admission>,
    loads: Vec<AtomicUsize>,
    /// Wakes each loop. Kept here as long as any loop runs: a waker that is dropped may lose a
    /// wake-up.
    wakers: Vec<Arc<Waker>>,
}

impl ConnectionSlots {
    pub(crate) fn new(cap: usize, wakers: Vec<Arc<Waker>>) -> Self {
        let loads = wakers.iter().map(|_| AtomicUsize::new(0)).collect();
        Self { admission: Mutex::new(Admission::new(cap)), loads, wakers }
    }

    /// A connection of the loop is closed. If accepting had to wait for that, it goes on.
    pub(crate) fn handle_closed(&self, index: usize) {
        self.loads[index].fetch_sub(1, Relaxed);
        let mut admission = self.admission();
        let was_full = !admission.wants_accept();
        admission.handle_closed();
        drop(admission);
        if was_full {
            // The first loop accepts.
            self.wake(0);
        }
    }

    /// What wakes the loop.
    pub(crate) fn waker(&self, index: usize) -> Arc<Waker> {
        Arc::clone(&self.wakers[index])
    }

    fn wake(&self, index: usize) {
        // This fails only when the loop is gone.
        let _ = self.wakers[index].wake();
    }

    fn admission(&self) -> MutexGuard<'_, Admission> {
        self.admission.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
