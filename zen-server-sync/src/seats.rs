//! Seats: where the stop handle finds the threads that wait for a question.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use slab::Slab;
use zen_proto::StopHandle;

/// One conversation's seat: its socket, and whether its thread waits in a read.
///
/// A blocked read can only be ended through its socket. Shutting down the reading side does it, and nothing that was sent is lost by it.
/// But a lingering close could not read on after it, so it is done only to threads that wait for a question while the server is not
/// yet draining; the others see the flag in their next turn.
#[derive(Debug)]
pub(crate) struct Seat {
    stream: TcpStream,
    waiting: AtomicBool,
    stop: StopHandle,
}

impl Seat {
    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    #[inline]
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_stopped()
    }

    /// Runs `read`, which may wait. None: the server stops, so that a conversation that is not draining yet must be told first.
    #[inline]
    pub(crate) fn wait(
        &self,
        draining: bool,
        read: impl FnOnce() -> io::Result<usize>,
    ) -> Option<io::Result<usize>> {
        if draining {
            return Some(read());
        }
        // First the flag, then the question whether to stop; `wake` asks in the other order. One of the two sees the other.
        self.waiting.store(true, SeqCst);
        let result = if self.stop.is_stopped() { None } else { Some(read()) };
        self.waiting.store(false, SeqCst);
        // Reading nothing at all is also what a woken read does.
        result.filter(|result| !(matches!(result, Ok(0)) && self.stop.is_stopped()))
    }

    fn wake(&self) {
        if self.waiting.load(SeqCst) {
            // It fails only when the connection is gone, and then nothing waits in it.
            let _ = self.stream.shutdown(Shutdown::Read);
        }
    }
}

/// All seats that are taken.
#[derive(Debug, Clone)]
pub(crate) struct Seats {
    taken: Arc<Mutex<Slab<Arc<Seat>>>>,
    stop: StopHandle,
}

impl Seats {
    /// Seats that the stop handle looks through when it is used.
    pub(crate) fn watched_by(stop: &StopHandle) -> Self {
        let taken = Arc::<Mutex<Slab<Arc<Seat>>>>::default();
        let watched = Arc::clone(&taken);
        stop.on_stop(move || lock(&watched).iter().for_each(|(_, seat)| seat.wake()));
        Self { taken, stop: stop.clone() }
    }

    /// Takes a seat for a connection, until the result is dropped.
    pub(crate) fn take(&self, stream: TcpStream) -> Taken<'_> {
        let seat = Arc::new(Seat { stream, waiting: AtomicBool::new(false), stop: self.stop.clone() });
        let key = lock(&self.taken).insert(Arc::clone(&seat));
        Taken { seat, key, seats: self }
    }
}

fn lock(seats: &Mutex<Slab<Arc<Seat>>>) -> MutexGuard<'_, Slab<Arc<Seat>>> {
    seats.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A seat that is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Taken<'a> {
    seat: Arc<Seat>,
    key: usize,
    seats: &'a Seats,
}

impl Deref for Taken<'_> {
    type Target = Seat;

    fn deref(&self) -> &Seat {
        &self.seat
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        lock(&self.seats.taken).remove(self.key);
    }
}
