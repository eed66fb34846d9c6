//! What the generator is told to do, and the moments at which it tells how far it is.

use std::net::SocketAddr;
use std::time::Duration;

use super::progress::Progress;
use crate::scenario::{Scenario, Workload};

/// Nanoseconds since the load began.
pub(crate) type Nanos = u64;

/// What to do to which server.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Load<'a> {
    /// Where the server listens.
    pub server: SocketAddr,
    /// How the clients behave.
    pub scenario: &'a Scenario,
    /// What they ask.
    pub workload: &'a Workload,
    /// How long the load goes on before it is measured, at least, counted from when the idle connections are in place.
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

impl<'a> Load<'a> {
    /// A load of 0.2 s of warm-up and a window of 0.6 s.
    pub fn new(server: SocketAddr, scenario: &'a Scenario, workload: &'a Workload) -> Self {
        Self {
            server,
            scenario,
            workload,
            warmup: Duration::from_millis(200),
            window: Duration::from_millis(600),
            capacity: None,
            seed: 1,
            progress: None,
        }
    }
}

/// The moments of a load that the generator tells of, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Moment {
    /// Shortly before the window opens: the time for samples that take long, as the load stands still meanwhile.
    Settling,
    /// The window opens. What is done now should be quick.
    Opens,
    /// Every tenth of a second throughout, from the start on.
    Passing,
    /// The window has closed.
    Closes,
}

/// A duration as nanoseconds; 584 years are as good as for ever.
pub(super) fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
