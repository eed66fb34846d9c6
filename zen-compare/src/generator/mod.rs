//! The load: one thread, one event loop, any number of clients, every answer checked.
//!
//! The generator has to be cheaper per question than any server it loads, or it measures itself. So
//! each question costs one read, one write, a look at the clock for each, a comparison of bytes and
//! a histogram bucket. Nothing is allocated, because questions and answers are encoded beforehand.
//! Connections are registered once (edge-triggered), and after a short read, the read that would
//! only say `WouldBlock` is left out. Reads and writes go to the kernel without the C library: its
//! functions are thread cancellation points, which cost extra in a process with several threads.
//! All answers that have arrived are read before any question is asked. A client that waits for a
//! moment is woken by a kernel timer, which counts nanoseconds, as the event loop's own timeout
//! counts milliseconds.
//!
//! The load ends when its time is over, whatever the server does: a client that is never answered
//! is a result, not an error.

mod alarms;
mod client;
mod clock;
mod connect;
mod encoded_questions;
mod engine;
mod flood;
mod idle_connections;
mod load;
mod load_result;
mod progress;
mod ramp;
mod schedule;
mod stages;
#[cfg(test)]
mod tests;

use std::io;
use std::ops::ControlFlow;

use self::engine::Generator;
pub(crate) use self::load::Nanos;
pub use self::load::{Load, Moment};
pub use self::load_result::{Failures, LoadResult};
pub use self::progress::Progress;
pub(crate) use self::schedule::Schedule;

/// Loads a server for `warmup + window` and returns what happened.
///
/// `on_moment` is called on this thread at each [`Moment`]. When it breaks, the load ends early,
/// and the result covers the time until then. Before the warm-up, the idle connections of the
/// scenario are made; that takes 20 seconds at most.
///
/// ```no_run
/// use std::ops::ControlFlow;
/// use zen_compare::generator::{Load, generate};
/// use zen_compare::{Scenario, Workload};
///
/// let (scenario, workload) = (Scenario::saturate(16), Workload::aphorisms());
/// let load = Load::new(([127, 0, 0, 1], 1060).into(), &scenario, &workload);
/// let result = generate(&load, &mut |_| ControlFlow::Continue(()))?;
/// println!("{:.0} answers/s", result.throughput());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// When the event loop itself fails, or when the scenario's rate is a share of a capacity that is
/// not given. What the server does wrong is in the result instead.
pub fn generate(
    load: &Load<'_>,
    on_moment: &mut dyn FnMut(Moment) -> ControlFlow<()>,
) -> io::Result<LoadResult> {
    Generator::new(load)?.run(on_moment)
}
