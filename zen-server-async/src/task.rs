//! The task of one conversation: drives it whenever it is woken.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;
use zen_proto::{CloseReason, Framing, Peer, Service};
use zen_server::{Observer, Session, Setup, Step};

use crate::alarm::Alarm;
use crate::drive::{Connection, Turn};
use crate::stream::Stream;

/// One conversation, from its first turn to its last. `stopping` is notified when the server stops.
///
/// Returns a block instead of being an `async fn`, to save memory: what is moved into a block lies
/// there once, while arguments of an `async fn` that are moved again lie there twice.
pub(crate) fn converse<S, F, O>(
    stream: Stream,
    begun: (Session<F>, S),
    peer: &Peer,
    setup: &Setup<S, F, O>,
    observer: O,
    stopping: Arc<Notify>,
) -> impl Future<Output = CloseReason> + use<S, F, O>
where
    S: Service<F>,
    F: Framing,
    O: Observer,
{
    let mut connection = Connection::new(stream, begun, peer, setup, observer);
    async move {
        let sleep = pin!(sleep(Duration::ZERO));
        let mut alarm = Alarm::new(sleep);
        // Once polled, it wakes this task when the server stops, and every turn looks at the flag.
        // To poll it again would take a lock for every question.
        let mut stopping = pin!(stopping.notified());
        stopping.as_mut().enable();
        let reason = poll_fn(|cx| {
            if !connection.stop.is_stopped() && !alarm.is_set() {
                let _ = stopping.as_mut().poll(cx);
            }
            match connection.drive(cx) {
                Turn::Wait => alarm.set(connection.session.poll_timeout(), cx),
                Turn::Again => {
                    connection.observer.step(Step::WaitingForTurn);
                    cx.waker().wake_by_ref();
                }
                Turn::Over(reason) => return Poll::Ready(reason),
            }
            Poll::Pending
        })
        .await;
        // The socket is closed before the connection is counted as closed, so that the cap bounds
        // descriptors too.
        let observer = connection.observer.clone();
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(connection)));
        // A service that panics when it is dropped ends its own conversation only.
        let reason = dropped.map_or(CloseReason::ServiceFailed, |()| reason);
        observer.step(Step::Closed(reason));
        reason
    }
}
