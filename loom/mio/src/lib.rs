//! mio's waker, made of loom's parts. A wait takes its place in a poll.
#![forbid(unsafe_code)]

use loom::sync::Notify;

/// Ends a wait of the event loop, or the next one if none is under way.
#[derive(Debug)]
pub struct Waker(Notify);

impl Waker {
    /// Nothing has been woken yet.
    pub fn unused() -> Self {
        Self(Notify::new())
    }

    /// As mio's.
    pub fn wake(&self) -> std::io::Result<()> {
        self.0.notify();
        Ok(())
    }

    /// Waits as a poll without a timeout does.
    pub fn wait(&self) {
        self.0.wait();
    }
}
