//! The measure by which a scenario ranks, and how it is told.

use super::number;
use crate::results::Summary;
use crate::scenario::{RankedBy, Scenario};
use crate::stats::Estimate;
use crate::units::interval;

/// A measure of a summary: its name, its value, and how the value is told.
#[derive(Clone, Copy)]
pub(super) struct Merit {
    pub(super) name: &'static str,
    pub(super) more_is_better: bool,
    pub(super) of: fn(&Summary) -> Option<Estimate>,
    pub(super) show: fn(f64) -> String,
    /// The unit in which an axis up to some value has round ticks.
    pub(super) unit: fn(f64) -> f64,
}

pub(super) const THROUGHPUT: Merit = Merit {
    name: "answers/s",
    more_is_better: true,
    of: |summary| summary.throughput,
    show: number::count,
    unit: |_| 1.0,
};
pub(super) const COST: Merit = Merit {
    name: "CPU per question",
    more_is_better: false,
    of: |summary| summary.cpu_per_question_ns,
    show: number::time,
    unit: |_| 1.0,
};
const P99: Merit = Merit {
    name: "p99 latency",
    more_is_better: false,
    of: |summary| summary.p99_ns,
    show: number::time,
    unit: |_| 1.0,
};

impl Merit {
    /// What decides who comes first in a scenario.
    pub(super) fn of_scenario(scenario: &Scenario) -> Self {
        match scenario.ranked_by() {
            RankedBy::Throughput => THROUGHPUT,
            RankedBy::CpuPerQuestion => COST,
            RankedBy::Latency => P99,
        }
    }

    /// The ends of its interval; a dash where it is not known.
    pub(super) fn ends(&self, summary: &Summary) -> String {
        let ends = |estimate| interval(&estimate, summary.counted(), self.show);
        (self.of)(summary).map_or_else(|| "–".to_owned(), ends)
    }

    /// How many times as good the best is; 1 is as good.
    pub(super) fn behind(&self, best: &Summary, other: &Summary) -> Option<f64> {
        let (best, other) = ((self.of)(best)?.median, (self.of)(other)?.median);
        let (more, less) = if self.more_is_better { (best, other) } else { (other, best) };
        (less > 0.0).then(|| more / less)
    }
}
