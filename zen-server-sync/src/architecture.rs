//! What tells the blocking architectures apart: which thread accepts, and which one drives.

use std::io;
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, scope};
use std::time::Instant;

use zen_proto::{CloseReason, Conversation, Framing, Service};
use zen_server::{Counters, Setup};

use crate::bell::Bell;
use crate::drive::Connection;
use crate::gate::Gate;

/// What the threads of a server share.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) gate: Gate,
    pub(crate) bell: Bell,
}

/// A conversation and its service, or why there is none.
type Begun<S, F> = Result<(Conversation<F>, S), CloseReason>;

/// A connection that was accepted, until a thread takes it.
type Waiting<S, F> = Mutex<Option<(Begun<S, F>, TcpStream)>>;

/// The book's first server: accepts, serves that one conversation to its end, accepts the next. Everybody else stands in line.
pub(crate) fn one_at_a_time<S, F>(house: &House, setup: &Setup<S, F>)
where
    S: Service + Clone,
    F: Framing + Clone,
{
    while let Some(stream) = house.gate.accept(setup) {
        serve(house, setup.begin(Instant::now()), stream, &setup.counters);
    }
}

/// A fixed number of workers, each of them the server above.
pub(crate) fn pool<S, F>(house: &House, setup: &Setup<S, F>, workers: usize) -> io::Result<()>
where
    S: Service + Clone + Send,
    F: Framing + Clone + Send,
{
    // Cloned before the first worker starts, who would not end if a later one's service panicked over it.
    let setups: Vec<_> = (1..workers).map(|_| setup.clone()).collect();
    scope(|scope| {
        for (setup_here, index) in setups.into_iter().zip(1..) {
            let spawned = Builder::new()
                .name(format!("zen-worker-{index}"))
                .spawn_scoped(scope, move || one_at_a_time(house, &setup_here));
            if let Err(error) = spawned {
                // The workers that did start must end, or the scope would wait for them.
                setup.stop.stop();
                return Err(error);
            }
        }
        one_at_a_time(house, setup);
        Ok(())
    })
}

/// One thread accepts, and every conversation gets a thread of its own.
pub(crate) fn a_thread_each<S, F>(house: &House, setup: &Setup<S, F>)
where
    S: Service + Clone + Send,
    F: Framing + Clone + Send,
{
    let counters = &*setup.counters;
    scope(|scope| {
        while let Some(stream) = house.gate.accept(setup) {
            // Put where it stays while there is no thread to take it, so that nobody is turned away who was let in.
            let waiting = Arc::new(Mutex::new(Some((setup.begin(Instant::now()), stream))));
            let start = || {
                let waiting = Arc::clone(&waiting);
                let thread = move || serve_waiting(house, &waiting, counters);
                Builder::new().name("zen-conversation".into()).spawn_scoped(scope, thread)
            };
            while let Err(error) = start() {
                if house.gate.out_of_threads(setup, &error).is_none() {
                    // The server drains, so this thread has nothing else to do.
                    serve_waiting(house, &waiting, counters);
                    break;
                }
            }
        }
    });
}

/// The conversation that waits for a thread, on this one.
fn serve_waiting<S, F>(house: &House, waiting: &Waiting<S, F>, counters: &Counters)
where
    S: Service,
    F: Framing,
{
    let taken = waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some((begun, stream)) = taken {
        serve(house, begun, stream, counters);
    }
}

/// One conversation, from its first byte to its close. Whatever its service does, the server goes on.
fn serve<S, F>(house: &House, begun: Begun<S, F>, stream: TcpStream, counters: &Counters)
where
    S: Service,
    F: Framing,
{
    let drive = AssertUnwindSafe(|| {
        begun.map(|begun| Connection::new(&stream, begun, &house.bell, counters).drive())
    });
    // What panics here is not the answer, which the conversation sees to, but what the service does when it is dropped.
    let reason = catch_unwind(drive).unwrap_or(Err(CloseReason::ServiceFailed));
    counters.count_closed(reason.unwrap_or_else(|failed| failed));
    // The socket goes before the connection is counted as closed, so that the cap bounds descriptors too.
    drop(stream);
    house.gate.closed();
}
