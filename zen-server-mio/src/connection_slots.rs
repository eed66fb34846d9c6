//! The slots for connections of all loops together, and how many each loop has.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::Waker;
use zen_server::Admission;

/// What the loops share with the acceptor: how many connections each has, and how many more may be
/// open.
#[derive(Debug)]
pub(crate) struct ConnectionSlots {
    admission: Mutex<Admission>,
    pub(crate) loads: Vec<AtomicUsize>,
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

    pub(crate) fn wake(&self, index: usize) {
        // This fails only when the loop is gone.
        let _ = self.wakers[index].wake();
    }

    pub(crate) fn admission(&self) -> MutexGuard<'_, Admission> {
        self.admission.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
