//! The acceptor: takes new connections and gives each a task of its own.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, sleep_until};
use zen_proto::{CloseReason, Conversation, Framing};
use zen_server::{Admission, Counters, Setup, StopHandle};

use crate::alarm::Alarm;
use crate::answering::Answering;
use crate::drive::Connection;

/// Serves until the setup's stop handle is used and the last conversation is over.
pub(crate) async fn serve<A, F>(listener: std::net::TcpListener, setup: Setup<A, F>) -> io::Result<()>
where
    A: Answering,
    F: Framing + Clone + Send + 'static,
{
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let stopping = Arc::new(Notify::new());
    let notify = Arc::clone(&stopping);
    // The flag is set by now, so whoever comes too late to be notified sees it.
    setup.stop.on_stop(move || notify.notify_waiters());
    let mut stopped = pin!(stopping.notified());
    stopped.as_mut().enable();
    let mut admission = Admission::new(setup.connections);
    let mut tasks = JoinSet::new();
    while !setup.stop.is_stopped() {
        let resume = admission.poll_timeout();
        tokio::select! {
            accepted = listener.accept(), if admission.wants_accept() => match accepted {
                Ok((stream, _)) => {
                    setup.handle_accepted(&mut admission, &stream);
                    let begun = match setup.begin(Instant::now()) {
                        Ok(begun) => begun,
                        Err(reason) => {
                            drop(stream);
                            setup.counters.count_closed(reason);
                            admission.handle_closed();
                            continue;
                        }
                    };
                    let shared = Shared {
                        counters: Arc::clone(&setup.counters),
                        stop: setup.stop.clone(),
                        stopping: Arc::clone(&stopping),
                        budget: setup.options.turn_budget,
                    };
                    tasks.spawn(converse(stream, begun, shared));
                }
                Err(error) => setup.handle_accept_error(&mut admission, &error, Instant::now()),
            },
            Some(ended) = tasks.join_next(), if !tasks.is_empty() => {
                setup.counters.count_closed(reason(ended));
                admission.handle_closed();
            }
            () = async { sleep_until(resume.unwrap_or_else(Instant::now).into()).await }, if resume.is_some() => {
                admission.handle_timeout(Instant::now());
            }
            () = &mut stopped => {}
        }
    }
    // The listener goes: who comes now is refused at once, and may try elsewhere.
    drop(listener);
    while let Some(ended) = tasks.join_next().await {
        setup.counters.count_closed(reason(ended));
    }
    Ok(())
}

/// A task that panicked did so in its service's own code, outside of any answer.
fn reason(ended: Result<CloseReason, JoinError>) -> CloseReason {
    ended.unwrap_or(CloseReason::ServiceFailed)
}

/// What a conversation's task needs of its server.
struct Shared {
    counters: Arc<Counters>,
    stop: StopHandle,
    stopping: Arc<Notify>,
    budget: usize,
}

/// One conversation, from its first turn to its last.
///
/// A block rather than an `async fn`: what is moved into it lies there once, while arguments of an `async fn` that are moved again lie there twice.
fn converse<A, F>(
    stream: TcpStream,
    (conversation, answering): (Conversation<F>, A),
    shared: Shared,
) -> impl Future<Output = CloseReason>
where
    A: Answering,
    F: Framing,
{
    let Shared { counters, stop, stopping, budget } = shared;
    let mut connection = Connection { stream, conversation, answering, stop, counters, budget };
    async move {
        let sleep = pin!(sleep(Duration::ZERO));
        let mut alarm = Alarm::new(sleep);
        // Polled once, it wakes this task whenever the server stops, and every turn looks at the flag: no need to poll it again, which
        // would take a lock for every question.
        let mut stopping = pin!(stopping.notified());
        stopping.as_mut().enable();
        poll_fn(|cx| {
            if !connection.stop.is_stopped() && !alarm.is_set() {
                let _ = stopping.as_mut().poll(cx);
            }
            connection.poll_turn(&mut alarm, cx)
        })
        .await
    }
}
