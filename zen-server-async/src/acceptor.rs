//! The acceptor: takes new connections and gives each a task of its own.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};
use zen_proto::{Admission, CloseReason, Framing, Setup};

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
    let (stopping, stopped) = watch::channel(false);
    setup.stop.on_stop(move || {
        stopping.send_replace(true);
    });
    let mut drained = stopped.clone();
    let mut admission = Admission::new(setup.connections);
    let mut tasks = JoinSet::new();
    loop {
        if setup.stop.is_stopped() {
            admission.drain();
        }
        if admission.is_drained() {
            return Ok(());
        }
        let resume = admission.poll_timeout();
        tokio::select! {
            accepted = listener.accept(), if admission.wants_accept() => match accepted {
                Ok((stream, _)) => {
                    setup.counters.count_accepted();
                    admission.handle_accepted();
                    if setup.options.nodelay {
                        // It fails only on a connection that is broken already, which the first read will tell.
                        let _ = stream.set_nodelay(true);
                    }
                    tasks.spawn(converse(stream, setup.begin(Instant::now()), Shared::of(&setup, &stopped)));
                }
                Err(error) => {
                    setup.counters.count_accept_error();
                    if let Some(trouble) = admission.handle_error(&error, Instant::now()) {
                        tracing::warn!(%error, failures = trouble.failures, pause = ?trouble.pause, "cannot accept");
                    }
                }
            },
            Some(ended) = tasks.join_next(), if !tasks.is_empty() => {
                // A task that panicked did so in its service's own code, outside of any answer.
                setup.counters.count_closed(ended.unwrap_or(CloseReason::ServiceFailed));
                admission.handle_closed();
            }
            () = async { sleep_until(resume.unwrap_or_else(Instant::now).into()).await }, if resume.is_some() => {
                admission.handle_timeout(Instant::now());
            }
            _ = drained.wait_for(|stopped| *stopped), if !setup.stop.is_stopped() => {}
        }
    }
}

/// What a conversation's task needs of its server.
struct Shared {
    counters: Arc<zen_proto::Counters>,
    stop: zen_proto::StopHandle,
    stopped: watch::Receiver<bool>,
    budget: usize,
}

impl Shared {
    fn of<A, F>(setup: &Setup<A, F>, stopped: &watch::Receiver<bool>) -> Self {
        Self {
            counters: Arc::clone(&setup.counters),
            stop: setup.stop.clone(),
            stopped: stopped.clone(),
            budget: setup.options.turn_budget,
        }
    }
}

/// One conversation, from its first turn to its last.
async fn converse<A, F>(
    stream: TcpStream,
    (conversation, answering): (zen_proto::Conversation<F>, A),
    mut shared: Shared,
) -> CloseReason
where
    A: Answering,
    F: Framing,
{
    let mut stopped = pin!(shared.stopped.wait_for(|stopped| *stopped));
    let sleep = pin!(sleep(std::time::Duration::ZERO));
    let mut connection = Connection {
        stream,
        conversation,
        answering,
        alarm: Alarm::new(sleep),
        stop: shared.stop,
        counters: &shared.counters,
        budget: shared.budget,
    };
    // Polled once, the stop wakes this task whenever it comes, and every turn looks at the flag: no need to poll it again, which would
    // take a lock for every question.
    let _ = poll_fn(|cx| std::task::Poll::Ready(stopped.as_mut().poll(cx).is_ready())).await;
    poll_fn(|cx| connection.poll_turn(cx)).await
}
