//! What tells the blocking architectures apart: which thread accepts, and which one drives.

use std::io;
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{Builder, scope};
use std::time::Instant;

use zen_proto::{CloseReason, Conversation, Counters, Framing, Service, Setup};

use crate::drive::Connection;
use crate::gate::Gate;
use crate::seats::Seats;

/// What the threads of a server share.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) gate: Gate,
    pub(crate) seats: Seats,
}

/// The book's first server: accepts, serves that one conversation to its end, accepts the next. Everybody else stands in line.
pub(crate) fn one_at_a_time<S, F>(house: &House, setup: &Setup<S, F>)
where
    S: Service + Clone,
    F: Framing + Clone,
{
    while let Some(stream) = house.gate.accept() {
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
    scope(|scope| {
        while let Some(stream) = house.gate.accept() {
            let (begun, counters) = (setup.begin(Instant::now()), &*setup.counters);
            let thread = move || serve(house, begun, stream, counters);
            if let Err(error) = Builder::new().name("zen-conversation".into()).spawn_scoped(scope, thread) {
                // The connection went with the closure; it was accepted, and is lost.
                setup.counters.count_closed(CloseReason::ConnectionLost);
                house.gate.closed();
                house.gate.trouble(&error);
            }
        }
    });
}

/// One conversation, from its seat to its close. Whatever its service does, the server goes on.
fn serve<S, F>(
    house: &House,
    begun: Result<(Conversation<F>, S), CloseReason>,
    stream: TcpStream,
    counters: &Counters,
) where
    S: Service,
    F: Framing,
{
    let seat = house.seats.take(stream);
    let drive = AssertUnwindSafe(|| begun.map(|begun| Connection::new(&seat, begun, counters).drive()));
    // What panics here is not the answer, which the conversation sees to, but what the service does when it is dropped.
    let reason = catch_unwind(drive).unwrap_or(Err(CloseReason::ServiceFailed));
    counters.count_closed(reason.unwrap_or_else(|failed| failed));
    // The socket goes before the connection is counted as closed, so that the cap bounds descriptors too.
    drop(seat);
    house.gate.closed();
}
