//! Wake-ups: how other threads tell a loop which of its connections they have something for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The connections of a loop that another thread has something for.
///
/// A key may be that of a connection that has ended, or of a later one that has the same key. To
/// drive the wrong connection changes nothing.
#[derive(Debug)]
pub(crate) struct WakeUps {
    keys: Mutex<Vec<usize>>,
    event_loop: Arc<mio::Waker>,
}

impl WakeUps {
    pub(crate) fn new(event_loop: Arc<mio::Waker>) -> Self {
        Self { keys: Mutex::default(), event_loop }
    }

    /// Takes what has come. The loop does this each time that it is woken.
    pub(crate) fn take(&self) -> Vec<usize> {
        std::mem::take(&mut *self.keys())
    }

    fn add(&self, key: usize) {
        let mut keys = self.keys();
        keys.push(key);
        let is_first = keys.len() == 1;
        drop(keys);
        // The others find the loop woken already.
        if is_first {
            // This fails only when the loop is gone.
            let _ = self.event_loop.wake();
        }
    }

    fn keys(&self) -> MutexGuard<'_, Vec<usize>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What wakes the loop for one connection, made when that is first needed.
#[derive(Debug)]
pub(crate) struct WakeUp {
    key: usize,
    wake_ups: Arc<WakeUps>,
    waker: Option<Waker>,
}

impl WakeUp {
    pub(crate) fn new(key: usize, wake_ups: &Arc<WakeUps>) -> Self {
        Self { key, wake_ups: Arc::clone(wake_ups), waker: None }
    }

    pub(crate) fn waker(&mut self) -> &Waker {
        let (key, wake_ups) = (self.key, &self.wake_ups);
        self.waker
            .get_or_insert_with(|| Arc::new(ConnectionWaker { key, wake_ups: Arc::clone(wake_ups) }).into())
    }
}

struct ConnectionWaker {
    key: usize,
    wake_ups: Arc<WakeUps>,
}

impl Wake for ConnectionWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_ups.add(self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mio::{Events, Poll, Token};

    use super::*;

    #[test]
    fn no_wake_up_is_lost_between_a_wait_and_the_next() {
        let mut poll = Poll::new().expect("a poll");
        let waker = Arc::new(mio::Waker::new(poll.registry(), Token(0)).expect("a waker"));
        let wake_ups = Arc::new(WakeUps::new(waker));
        let mut events = Events::with_capacity(8);
        let mut woken = |timeout| {
            poll.poll(&mut events, Some(timeout)).expect("waits");
            if events.is_empty() { None } else { Some(wake_ups.take()) }
        };
        let (mut first, mut second) = (WakeUp::new(7, &wake_ups), WakeUp::new(8, &wake_ups));
        first.waker().wake_by_ref();
        second.waker().wake_by_ref();
        assert_eq!(woken(Duration::from_secs(9)), Some(vec![7, 8]));
        assert_eq!(woken(Duration::ZERO), None);
        first.waker().wake_by_ref();
        assert_eq!(woken(Duration::from_secs(9)), Some(vec![7]));
    }
}
