//! Where a load stands in its course.

use std::time::Duration;

use super::load::{Load, Nanos, nanos};
use crate::machine::thread_usage::ThreadUsage;

/// The most time between [`Moment::Settling`] and [`Moment::Opens`].
const SETTLE: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Gathering,
    WarmingUp,
    Settling,
    Open,
}

/// Where a load stands in its course.
#[derive(Debug)]
pub(super) struct Stages {
    pub(super) stage: Stage,
    /// When the stage ends, or is looked at again.
    pub(super) ends: Nanos,
    /// When the warm-up began.
    pub(super) warmup_began: Nanos,
    /// How long the warm-up is at least, and how long it then takes to settle.
    pub(super) warmup: Nanos,
    pub(super) settle: Nanos,
    pub(super) next_passing: Nanos,
    pub(super) opened: Nanos,
    pub(super) usage_opened: ThreadUsage,
    pub(super) answers_settling: u64,
}

impl Stages {
    pub(super) fn new(load: &Load<'_>) -> Self {
        let settle = SETTLE.min(load.warmup / 2);
        Self {
            stage: Stage::Gathering,
            ends: 0,
            warmup_began: 0,
            warmup: nanos(load.warmup.saturating_sub(settle)),
            settle: nanos(settle),
            next_passing: 0,
            opened: 0,
            usage_opened: ThreadUsage::default(),
            answers_settling: 0,
        }
    }

    pub(super) fn window_is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// When the window opened, if it has.
    pub(super) fn opened(&self) -> Option<Nanos> {
        self.window_is_open().then_some(self.opened)
    }

    /// When time has to be looked at again.
    pub(super) fn next_moment(&self) -> Nanos {
        self.ends.min(self.next_passing)
    }
}
