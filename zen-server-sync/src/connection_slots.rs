//! The slots for connections of all threads together.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use zen_server::{Admission, Observer, Step, StopHandle};

/// How many connections may still be open.
#[derive(Debug)]
pub(crate) struct ConnectionSlots {
    admission: Mutex<Admission>,
    changed: Condvar,
}

impl ConnectionSlots {
    pub(crate) fn new(cap: usize) -> Self {
        Self { admission: Mutex::new(Admission::new(cap)), changed: Condvar::new() }
    }

    pub(crate) fn admission(&self) -> MutexGuard<'_, Admission> {
        self.admission.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection was closed.
    pub(crate) fn handle_closed(&self) {
        self.admission().handle_closed();
        self.changed.notify_one();
    }

    /// The server stops, so every wait ends.
    pub(crate) fn drain(&self) {
        self.admission().drain();
        self.changed.notify_all();
    }

    /// Waits until `holds` is true of the admission. `None` once the server drains.
    pub(crate) fn wait_until(
        &self,
        stop: &StopHandle,
        observer: &impl Observer,
        holds: impl Fn(&Admission) -> bool,
    ) -> Option<()> {
        let mut admission = self.admission();
        loop {
            let now = Instant::now();
            admission.handle_timeout(now);
            if stop.is_stopped() {
                return None;
            }
            if holds(&admission) {
                return Some(());
            }
            observer.step(Step::WaitingForSlot);
            admission = match admission.poll_timeout() {
                None => self.changed.wait(admission).unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    let pause = at.saturating_duration_since(now);
                    self.changed.wait_timeout(admission, pause).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}
