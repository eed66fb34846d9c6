//! The acceptor: takes new connections and gives each a task of its own.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep_until;
use zen_proto::{CloseReason, Framing, Service};
use zen_server::{Admission, LocalAddress, Observer, Setup, Source, Step, sources};

use crate::stream::Listener;
use crate::task::converse;

/// The files that report steps to an observer.
const SOURCES: &[Source] = sources!["acceptor.rs", "drive.rs", "server.rs", "task.rs"];

/// Serves until the stop handle is used and the last conversation is over.
pub(crate) async fn serve<S, F, O>(listener: zen_server::Listener, setup: Setup<S, F, O>) -> io::Result<()>
where
    S: Service<F> + Clone + Send + 'static,
    F: Framing + Clone + Send + 'static,
    O: Observer,
{
    setup.observer.add_sources(SOURCES);
    let local = LocalAddress::new(&listener);
    let listener = Listener::new(listener)?;
    let stopping = Arc::new(Notify::new());
    let notify = Arc::clone(&stopping);
    // The flag is set before this is called, so a task that registers too late to be notified sees
    // the flag.
    setup.stop.on_stop(move || notify.notify_waiters());
    let mut stopped = pin!(stopping.notified());
    stopped.as_mut().enable();
    let mut admission = Admission::new(setup.connections);
    let mut tasks = JoinSet::new();
    while !setup.stop.is_stopped() {
        let resume = admission.poll_timeout();
        setup.observer.step(Step::Accepting);
        tokio::select! {
            accepted = listener.accept(), if admission.wants_accept() => match accepted {
                Ok((stream, remote)) => {
                    let (peer, observer) = setup.handle_accepted(&mut admission, &stream, remote, &local);
                    let begun = match setup.begin(Instant::now()) {
                        Ok(begun) => begun,
                        Err(reason) => {
                            drop(stream);
                            observer.step(Step::Closed(reason));
                            setup.counters.count_closed(reason);
                            admission.handle_closed();
                            continue;
                        }
                    };
                    tasks.spawn(converse(stream, begun, &peer, &setup, observer, Arc::clone(&stopping)));
                }
                Err(error) => setup.handle_accept_error(&mut admission, &error, Instant::now()),
            },
            Some(ended) = tasks.join_next(), if !tasks.is_empty() => {
                setup.counters.count_closed(close_reason(ended));
                admission.handle_closed();
            }
            () = async { sleep_until(resume.unwrap_or_else(Instant::now).into()).await }, if resume.is_some() => {
                admission.handle_timeout(Instant::now());
            }
            () = &mut stopped => {}
        }
    }
    // The listener is closed: a client that connects now is refused at once, and may try elsewhere.
    drop(listener);
    while let Some(ended) = tasks.join_next().await {
        setup.counters.count_closed(close_reason(ended));
    }
    Ok(())
}

/// Why the conversation of a task ended. A task that panicked did so in its service's own code,
/// outside of any answer.
fn close_reason(ended: Result<CloseReason, JoinError>) -> CloseReason {
    ended.unwrap_or(CloseReason::ServiceFailed)
}
