//! The wake-up of one conversation's thread, which another thread has something for.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

/// How long a thread that cannot be woken waits before it checks whether anything has come.
pub(crate) const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// What ends the wait of one thread, made when it is first needed. It takes two descriptors.
///
/// If the system has none left, the thread checks every [`CHECK_INTERVAL`] instead.
#[derive(Debug, Default)]
pub(crate) struct WakeUp {
    made: Option<(Waker, UnixStream)>,
}

impl WakeUp {
    pub(crate) fn waker(&mut self) -> &Waker {
        if self.made.is_none() {
            self.made = make().ok();
        }
        self.made.as_ref().map_or(Waker::noop(), |(waker, _)| waker)
    }

    /// What becomes readable when the waker is used; `None` if it could not be made.
    pub(crate) fn reader(&self) -> Option<&UnixStream> {
        self.made.as_ref().map(|(_, reader)| reader)
    }

    /// Forgets what has woken the thread.
    pub(crate) fn reset(&self) {
        if let Some(mut reader) = self.reader() {
            // This read does not block. Whatever it leaves behind ends the next wait.
            let _ = reader.read(&mut [0; 64]);
        }
    }
}

fn make() -> io::Result<(Waker, UnixStream)> {
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    writer.set_nonblocking(true)?;
    Ok((Arc::new(ThreadWaker(writer)).into(), reader))
}

struct ThreadWaker(UnixStream);

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // This fails only when the thread has been woken often enough already, or is gone.
        let _ = (&self.0).write(&[0]);
    }
}
