//! The load: one thread, one event loop, any number of clients, every answer checked.
//!
//! The generator has to be cheaper per question than any server it loads, or it measures itself. So per question
//! there is one read, one write, a look at the clock for each, a comparison of bytes and a histogram bucket, and nothing
//! is allocated: questions and answers lie ready on a encoded. Connections are registered once
//! (edge-triggered), and a short read spares the read that would only say `WouldBlock`. Reads and writes go to the
//! kernel without the C library, whose own are points of cancellation, for which a process with several threads pays.
//! All answers that are there are read before anyone asks again. Who has to wait for a moment is woken by a timer of
//! the kernel's that counts nanoseconds, as the event loop's own counts milliseconds.
//!
//! It ends when its time is over, whatever the server does: a client that is never answered is a finding.

mod alarms;
mod client;
mod clock;
mod connect;
mod encoded_questions;
mod engine;
mod idle_connections;
mod load;
mod load_result;
mod phases;
mod progress;
mod ramp;
mod schedule;
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

/// Loads a server for `warmup + window` and tells what happened.
///
/// `on_moment` is called on this thread at each [`Moment`]; when it breaks, the load ends early and the result is
/// of what there was. Before the warm-up, the idle connections of the scenario are made; that takes
/// 20 seconds at most.
///
/// # Errors
/// When the event loop itself fails, and when the scenario's rate is a share of a capacity that is not given.
/// Whatever the server does is in the result instead.
pub fn generate(
    load: &Load<'_>,
    on_moment: &mut dyn FnMut(Moment) -> ControlFlow<()>,
) -> io::Result<LoadResult> {
    Generator::new(load)?.run(on_moment)
}
