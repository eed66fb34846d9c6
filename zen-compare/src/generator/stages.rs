//! Which stage a load is in.

use std::time::Duration;

use super::load::{Load, Nanos, nanos};
use crate::machine::thread_usage::ThreadUsage;

/// The most time between [`Moment::Settling`](super::load::Moment::Settling) and
/// [`Moment::Opens`](super::load::Moment::Opens).
const SETTLE: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Gathering,
    WarmingUp,
    Settling,
    Open,
}

/// Which stage a load is in, and the times that belong to it.
#[derive(Debug)]
pub(super) struct Stages {
    pub(super) stage: Stage,
    /// When the stage ends, or when to check it again.
    pub(super) ends: Nanos,
    /// When the warm-up began.
    pub(super) warmup_began: Nanos,
    /// The least length of the warm-up, and the length of the settling after it.
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

    /// When the stage or the time has to be checked next.
    pub(super) fn next_moment(&self) -> Nanos {
        self.ends.min(self.next_passing)
    }
}
