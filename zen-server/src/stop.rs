//! The stop handle: asks a running server to drain, from any thread.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

type Waker = Box<dyn Fn() + Send + Sync>;

/// Asks a server to drain: it accepts nothing more, finishes what is owed, and its `run` returns.
///
/// Clones stop the same server. Stopping twice is the same as once.
///
/// ```
/// use zen_server::StopHandle;
///
/// let stop = StopHandle::default();
/// let elsewhere = stop.clone();
/// std::thread::spawn(move || elsewhere.stop()).join().unwrap();
/// assert!(stop.is_stopped());
/// ```
#[derive(Clone, Default)]
pub struct StopHandle {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    stopped: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl StopHandle {
    /// Starts the drain and returns at once; the server's `run` returns when it is done.
    pub fn stop(&self) {
        let wakers = {
            // The flag is set under the lock. So a waker either is called here or finds the flag
            // set when it registers.
            let mut wakers = self.inner.wakers.lock().unwrap_or_else(PoisonError::into_inner);
            self.inner.stopped.store(true, Ordering::SeqCst);
            std::mem::take(&mut *wakers)
        };
        // The wakers are dropped, so that a handle that outlives its server does not keep the
        // server's descriptors open.
        for wake in wakers {
            wake();
        }
    }

    /// Whether the server was asked to drain.
    #[inline]
    pub fn is_stopped(&self) -> bool {
        self.inner.stopped.load(Ordering::SeqCst)
    }

    /// Calls `wake` once when the server is asked to drain, or at once if it was already. A driver
    /// uses it to end a wait during which it cannot look at [`is_stopped`](Self::is_stopped).
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use zen_server::StopHandle;
    ///
    /// let (stop, (wake, woken)) = (StopHandle::default(), mpsc::channel());
    /// stop.on_stop(move || drop(wake.send(())));
    /// stop.stop();
    /// assert_eq!(woken.recv(), Ok(()));
    /// ```
    pub fn on_stop(&self, wake: impl Fn() + Send + Sync + 'static) {
        let mut wakers = self.inner.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_stopped() {
            drop(wakers);
            wake();
        } else {
            wakers.push(Box::new(wake));
        }
    }
}

impl fmt::Debug for StopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopHandle").field("stopped", &self.is_stopped()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn a_waker_is_dropped_once_it_was_called() {
        let owned = Arc::new(());
        let wakers = Arc::clone(&owned);
        let stop = StopHandle::default();
        stop.on_stop(move || assert_eq!(Arc::strong_count(&wakers), 2));
        stop.stop();
        assert_eq!(Arc::strong_count(&owned), 1);
    }

    #[test]
    fn every_waker_is_called_once_whenever_it_registers() {
        let calls = Arc::new(AtomicU32::new(0));
        let count = || {
            let calls = Arc::clone(&calls);
            move || {
                calls.fetch_add(1, Ordering::SeqCst);
            }
        };
        let stop = StopHandle::default();
        stop.on_stop(count());
        assert_eq!(calls.load(Ordering::SeqCst), 0);
        stop.clone().stop();
        stop.stop();
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        stop.on_stop(count());
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }
}
