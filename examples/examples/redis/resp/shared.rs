//! What all conversations share: the data, the subscriptions, and what INFO tells.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::resp::clock::Clock;
use crate::resp::hub::Hub;
use crate::resp::keyspace::Keyspace;

/// How many databases there are.
pub(crate) const DATABASES: usize = 16;

/// What all conversations share.
pub(crate) struct Shared {
    data: Mutex<Data>,
    pub(crate) hub: Hub,
    /// How many clients are connected, and how many ever were.
    pub(crate) clients: AtomicUsize,
    all_clients: AtomicU64,
    /// When the server started, in milliseconds since 1970.
    pub(crate) started: i64,
}

/// The databases.
///
/// One lock guards them all, so every command, and a whole transaction, takes place at one instant
/// for everybody else, as in Redis. A flavor with one thread finds it free at all times.
pub(crate) struct Data {
    pub(crate) databases: [Keyspace; DATABASES],
}

impl Shared {
    pub(crate) fn new(clock: impl Clock + 'static) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(clock);
        Self {
            started: clock.now(),
            data: Mutex::new(Data { databases: std::array::from_fn(|_| Keyspace::new(Arc::clone(&clock))) }),
            hub: Hub::default(),
            clients: AtomicUsize::new(0),
            all_clients: AtomicU64::new(0),
        }
    }

    /// The data. A command that panics leaves it as it was or as it was to be, so it serves on.
    #[inline]
    pub(crate) fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client has connected. Returns its number, which no other client has.
    pub(crate) fn connected(&self) -> u64 {
        self.clients.fetch_add(1, Ordering::Relaxed);
        1 + self.all_clients.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn disconnected(&self) {
        self.clients.fetch_sub(1, Ordering::Relaxed);
    }
}
