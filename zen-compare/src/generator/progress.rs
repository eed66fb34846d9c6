//! What a load and its monitor, which is on another thread, tell each other while the load goes on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Shared between the load and its monitor; see
/// [`Load::progress`](crate::generator::load::Load::progress).
///
/// ```
/// use std::time::Duration;
/// use zen_compare::Progress;
///
/// // Shared with the thread that generates the load; this thread watches the pace.
/// let progress = Progress::new(Duration::from_millis(400));
/// if progress.answers() == 0 {
///     progress.set_steady(false);
/// }
/// assert!(!progress.is_steady());
/// ```
#[derive(Debug, Default)]
pub struct Progress {
    answers: AtomicU64,
    steady: AtomicBool,
    extra_warmup: Duration,
}

impl Progress {
    /// For a load whose warm-up may take up to `extra_warmup` longer than asked for, until it is
    /// called [steady](Self::set_steady).
    pub fn new(extra_warmup: Duration) -> Self {
        Self { extra_warmup, ..Self::default() }
    }

    /// Right answers since the load began.
    pub fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// Sets whether the answers come at a steady pace now, so that the window may open.
    pub fn set_steady(&self, steady: bool) {
        self.steady.store(steady, Ordering::Relaxed);
    }

    /// Whether the answers were last said to come at a steady pace.
    pub fn is_steady(&self) -> bool {
        self.steady.load(Ordering::Relaxed)
    }

    pub(crate) fn set_answers(&self, answers: u64) {
        self.answers.store(answers, Ordering::Relaxed);
    }

    /// Whether a load that has warmed up for `spent` should go on warming up, where `asked` was
    /// asked for.
    pub(crate) fn wants_more_warmup(&self, spent: Duration, asked: Duration) -> bool {
        !self.is_steady() && spent < asked + self.extra_warmup
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warm_up_ends_when_steady_or_out_of_time() {
        let ms = Duration::from_millis;
        let progress = Progress::new(ms(50));
        assert!(progress.wants_more_warmup(ms(100), ms(100)));
        assert!(!progress.wants_more_warmup(ms(150), ms(100)));
        progress.set_steady(true);
        assert!(!progress.wants_more_warmup(ms(100), ms(100)));
    }
}
