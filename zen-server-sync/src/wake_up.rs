//! The wake-up of one conversation's thread, which another thread has something for.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

/// How long a thread waits that cannot be woken, before it looks whether something has come.
pub(crate) const LOOK_UP: Duration = Duration::from_millis(20);

/// What ends the wait of one thread, made when that is first needed. It takes two descriptors.
///
/// If the system has none left, the thread looks for itself every [`LOOK_UP`].
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

    /// What becomes readable when the waker is used; `None` if there is nothing.
    pub(crate) fn reader(&self) -> Option<&UnixStream> {
        self.made.as_ref().map(|(_, reader)| reader)
    }

    /// The thread is awake, so what has woken it is forgotten.
    pub(crate) fn reset(&self) {
        if let Some(mut reader) = self.reader() {
            // It does not wait, and whatever is left ends the next wait.
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
