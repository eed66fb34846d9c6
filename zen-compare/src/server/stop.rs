//! A flag that ends a comparison early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends a comparison early, from any thread or a signal handler. The run under way is dropped
/// within about a tenth of a second, and the report holds the runs made before it.
///
/// ```
/// use zen_compare::{Contender, Plan, Scenario, StopFlag};
///
/// let mine = Contender::new("mine", "./server", ["127.0.0.1:0"]);
/// let plan = Plan::quick(vec![mine], vec![Scenario::saturate(16)]);
/// // For whatever notices an interrupt.
/// let stop: StopFlag = plan.stop.clone();
/// stop.stop();
/// assert!(plan.stop.is_stopped());
/// ```
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Ends the comparison.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the comparison is to end.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// For callers that have the flag already, as signal handlers do.
impl From<Arc<AtomicBool>> for StopFlag {
    fn from(flag: Arc<AtomicBool>) -> Self {
        Self(flag)
    }
}
