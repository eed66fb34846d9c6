//! What the generator is told to do, and the moments of a load that it reports.

use std::net::SocketAddr;
use std::time::Duration;

use super::progress::Progress;
use crate::scenario::{Scenario, Workload};

/// Nanoseconds since the load began.
pub(crate) type Nanos = u64;

/// What load to put on which server.
///
/// ```
/// use zen_compare::generator::Load;
/// use zen_compare::{Scenario, Workload};
///
/// let (scenario, workload) = (Scenario::saturate(16), Workload::aphorisms());
/// let load = Load::new(([127, 0, 0, 1], 1060).into(), &scenario, &workload);
/// assert_eq!(load.window.as_millis(), 600);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Load<'a> {
    /// Where the server listens.
    pub server: SocketAddr,
    /// How the clients behave.
    pub scenario: &'a Scenario,
    /// What they ask.
    pub workload: &'a Workload,
    /// The least time that the load goes on before it is measured, counted from when the idle
    /// connections are in place.
    pub warmup: Duration,
    /// How long it is measured.
    pub window: Duration,
    /// Answers per second of a closed loop. The rate of an open loop may be given as a share of it.
    pub capacity: Option<f64>,
    /// Decides the order of the questions and when they are due. The same seed asks the same
    /// questions.
    pub seed: u64,
    /// Shared with another thread, which monitors the load and decides when it has warmed up.
    pub progress: Option<&'a Progress>,
}

impl<'a> Load<'a> {
    /// A load with a warm-up of 0.2 s and a window of 0.6 s.
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

/// The moments of a load that the generator reports: [`Passing`](Self::Passing) throughout, each of
/// the others once, in this order.
///
/// ```
/// use std::ops::ControlFlow;
/// use zen_compare::generator::Moment;
///
/// let mut marks = Vec::new();
/// let mut on_moment = |moment| -> ControlFlow<()> {
///     if moment != Moment::Passing {
///         marks.push(moment);
///     }
///     ControlFlow::Continue(())
/// };
/// # assert!(on_moment(Moment::Opens).is_continue());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Moment {
    /// Shortly before the window opens. Samples that take long belong here, as the load stands
    /// still meanwhile.
    Settling,
    /// The window opens. What is done now should be quick.
    Opens,
    /// Every tenth of a second, from the start on.
    Passing,
    /// The window has closed.
    Closes,
}

/// A duration in nanoseconds, at most 584 years.
pub(super) fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
