//! The three blocking architectures: which thread accepts, and which one drives.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, scope};
use std::time::Instant;

use zen_proto::{CloseReason, Framing, Service};
use zen_server::{Counters, Observer, Session, Setup, Step, StopHandle};

use crate::acceptor::{Accepted, Acceptor};
use crate::drive::Connection;
use crate::wait::StopPipe;

/// What the threads of a server share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) acceptor: Acceptor,
    pub(crate) stop_pipe: StopPipe,
    pub(crate) stop: StopHandle,
    pub(crate) counters: Arc<Counters>,
}

/// A conversation and its service, or why there is none.
type Begun<S, F> = Result<(Session<F>, S), CloseReason>;

/// A connection that was accepted, until a thread takes it.
type Waiting<S, F, O> = Mutex<Option<(Begun<S, F>, Accepted<O>)>>;

/// The book's first server: accepts a connection, serves its conversation to the end, accepts the
/// next. All other clients wait in the backlog.
pub(crate) fn serve_one_at_a_time<S, F, O>(shared: &Shared, setup: &Setup<S, F, O>)
where
    S: Service<F> + Clone,
    F: Framing + Clone,
    O: Observer,
{
    while let Some(accepted) = shared.acceptor.accept(setup) {
        serve(shared, setup.begin(Instant::now()), accepted);
    }
}

/// A fixed number of workers, each of them the server above.
pub(crate) fn serve_with_a_pool<S, F, O>(
    shared: &Shared,
    setup: &Setup<S, F, O>,
    workers: usize,
) -> io::Result<()>
where
    S: Service<F> + Clone + Send,
    F: Framing + Clone + Send,
    O: Observer,
{
    // Cloned before the first worker starts: if a later clone panicked, the workers that had
    // started would not end.
    let setups: Vec<_> = (1..workers).map(|_| setup.clone()).collect();
    scope(|scope| {
        for (setup_here, index) in setups.into_iter().zip(1..) {
            let spawned = Builder::new()
                .name(format!("zen-worker-{index}"))
                .spawn_scoped(scope, move || serve_one_at_a_time(shared, &setup_here));
            if let Err(error) = spawned {
                // The workers that did start must end, or the scope would wait for them.
                setup.stop.stop();
                return Err(error);
            }
        }
        serve_one_at_a_time(shared, setup);
        Ok(())
    })
}

/// One thread accepts, and every conversation gets a thread of its own.
pub(crate) fn serve_with_a_thread_each<S, F, O>(shared: &Shared, setup: &Setup<S, F, O>)
where
    S: Service<F> + Clone + Send,
    F: Framing + Clone + Send,
    O: Observer,
{
    scope(|scope| {
        while let Some(accepted) = shared.acceptor.accept(setup) {
            // The connection stays here until a thread takes it, so that it is not lost if there is
            // no thread.
            let waiting = Arc::new(Mutex::new(Some((setup.begin(Instant::now()), accepted))));
            let start = || {
                let waiting = Arc::clone(&waiting);
                let thread = move || serve_waiting(shared, &waiting);
                Builder::new().name("zen-conversation".into()).spawn_scoped(scope, thread)
            };
            while let Err(error) = start() {
                if shared.acceptor.handle_no_thread(setup, &error).is_none() {
                    // The server drains, so this thread has nothing else to do.
                    serve_waiting(shared, &waiting);
                    break;
                }
            }
        }
    });
}

/// Serves, on this thread, the conversation that waits for one.
fn serve_waiting<S, F, O>(shared: &Shared, waiting: &Waiting<S, F, O>)
where
    S: Service<F>,
    F: Framing,
    O: Observer,
{
    let taken = waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some((begun, accepted)) = taken {
        serve(shared, begun, accepted);
    }
}

/// Serves one conversation, from its first byte to its close. Whatever its service does, the server
/// goes on.
fn serve<S, F, O>(shared: &Shared, begun: Begun<S, F>, accepted: Accepted<O>)
where
    S: Service<F>,
    F: Framing,
    O: Observer,
{
    let Accepted { stream, peer, observer } = accepted;
    let connect = |begun| Connection::new(&stream, begun, &peer, shared, observer.clone());
    let drive = AssertUnwindSafe(|| begun.map(|begun| connect(begun).drive()));
    // The conversation catches what panics in an answer. What panics here is the service when it is
    // dropped.
    let reason = catch_unwind(drive).unwrap_or(Err(CloseReason::ServiceFailed));
    let reason = reason.unwrap_or_else(|failed| failed);
    // The socket is closed before the connection is counted as closed, so that the cap bounds
    // descriptors too.
    drop(stream);
    observer.step(Step::Closed(reason));
    shared.counters.count_closed(reason);
    shared.acceptor.handle_closed();
}
