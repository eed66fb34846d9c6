//! The load: one thread, one event loop, any number of clients, every answer checked.
//!
//! The generator has to be cheaper per question than any server it loads, or it measures itself. So per question
//! there is one read, one write, a look at the clock for each, a comparison of bytes and a histogram bucket, and nothing
//! is allocated: questions and answers lie ready on a tape. Connections are registered once
//! (edge-triggered), and a short read spares the read that would only say `WouldBlock`. Reads and writes go to the
//! kernel without the C library, whose own are points of cancellation, for which a process with several threads pays.
//! All answers that are there are read before anyone asks again. Who has to wait for a moment is woken by a timer of
//! the kernel's that counts nanoseconds, as the event loop's own counts milliseconds.
//!
//! It ends when its time is over, whatever the server does: a client that is never answered is a finding.

mod alarms;
mod arrival;
mod client;
mod clock;
mod company;
mod connect;
mod engine;
mod open_loop;
mod stages;
mod steps;
mod tally;
mod tape;

use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::Duration;

pub(crate) use self::connect::raise_open_files;
use self::engine::Generator;
pub(crate) use self::open_loop::Schedule;
pub use self::tally::{Failures, Tally};
use crate::progress::Progress;
use crate::scenario::Scenario;
use crate::workload::Workload;

/// Nanoseconds since the load began.
pub(crate) type Nanos = u64;

/// What to do to which server.
#[derive(Debug, Clone)]
pub struct Load<'a> {
    /// Where the server listens.
    pub server: SocketAddr,
    /// How the clients behave.
    pub scenario: &'a Scenario,
    /// What they ask.
    pub workload: &'a Workload,
    /// How long the load goes on before it is measured, at least, counted from when the quiet connections are in place.
    pub warmup: Duration,
    /// How long it is measured.
    pub window: Duration,
    /// Answers per second of a closed loop, of which the rate of an open loop may be a share.
    pub capacity: Option<f64>,
    /// Decides the order of the questions and when they are due. The same seed asks the same questions.
    pub seed: u64,
    /// For those who watch from another thread, and decide when the load has warmed up.
    pub progress: Option<&'a Progress>,
}

/// The moments of a load at which its witness is called, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Shortly before the window opens: the time for samples that take long, as the load stands still meanwhile.
    Settling,
    /// The window opens. The witness should be quick.
    Opens,
    /// Every tenth of a second throughout, from the start on.
    Passing,
    /// The window has closed.
    Closes,
}

/// Loads a server for `warmup + window` and tells what happened.
///
/// The witness is called on this thread at each [`Moment`]; when it breaks, the load ends early and the tally is
/// of what there was. Before the warm-up, the quiet connections of the scenario are made; that takes
/// 20 seconds at most.
///
/// # Errors
/// When the event loop itself fails, and when the scenario's rate is a share of a capacity that is not given.
/// Whatever the server does is in the tally instead.
pub fn generate(load: &Load<'_>, witness: &mut dyn FnMut(Moment) -> ControlFlow<()>) -> io::Result<Tally> {
    Generator::new(load)?.run(witness)
}

/// A duration as nanoseconds; 584 years are as good as for ever.
fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
