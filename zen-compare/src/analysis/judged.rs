//! A scenario with its judged results: which contender is best, which tie with it, and the lead.

use crate::results::{Standing, Summary};
use crate::scenario::{Metric, Scenario};
use crate::units::{digits, percent, range};

/// What to do where a single run has no interval.
pub(crate) const MORE: &str = "--repetitions makes more";

/// A scenario that has runs, with their summaries, the best first.
pub(crate) struct Judged<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) summaries: Vec<&'a Summary>,
}

impl<'a> Judged<'a> {
    pub(crate) fn having(&self, standing: Standing) -> impl Iterator<Item = &'a Summary> {
        self.summaries.iter().copied().filter(move |summary| summary.standing == standing)
    }

    /// The summary of a contender.
    pub(crate) fn summary(&self, name: &str) -> Option<&'a Summary> {
        self.summaries.iter().copied().find(|summary| summary.contender == name)
    }

    /// The contenders that leave clients without an answer.
    pub(crate) fn starving(&self) -> impl Iterator<Item = &'a Summary> {
        self.having(Standing::Starves)
    }

    pub(crate) fn nobody_serves_all(&self) -> bool {
        self.having(Standing::Best).next().is_none() && self.starving().next().is_some()
    }

    pub(crate) fn none_counts(&self) -> bool {
        self.having(Standing::Best).next().is_none()
            && self.starving().next().is_none()
            && self.having(Standing::Invalid).next().is_some()
    }

    /// The contenders whose single valid run is too few to rank them. A single run has no interval,
    /// so nothing shows that it differs from the others. If the leader has only one, no contender
    /// is known to be best.
    pub(crate) fn undecided(&self) -> Vec<&'a Summary> {
        let alone = |summary: &&Summary| summary.valid_runs < 2;
        // A single run without others to compare it with claims nothing.
        let others = self.having(Standing::Tie).next().is_some();
        let best = self.having(Standing::Best).filter(|_| others);
        best.chain(self.having(Standing::Tie)).filter(alone).collect()
    }

    /// Whether a contender leads with too few runs to tell whether that is chance.
    pub(crate) fn leader_is_undecided(&self) -> bool {
        self.undecided().iter().any(|summary| summary.standing == Standing::Best)
    }

    /// The best contender and those whose overlapping intervals make a tie with it. Empty when
    /// there is none, or when the runs are too few to tell.
    pub(crate) fn winners(&self) -> Vec<&'a str> {
        if self.leader_is_undecided() {
            return Vec::new();
        }
        let ties = self.having(Standing::Tie).filter(|summary| summary.valid_runs > 1);
        self.having(Standing::Best).chain(ties).map(|summary| summary.contender.as_str()).collect()
    }
}

/// The median of a metric as text; empty where it is not known.
pub(crate) fn value(metric: Metric, summary: &Summary) -> String {
    metric.estimate(summary).map(|estimate| metric.format(estimate.median)).unwrap_or_default()
}

/// How many times as good the best is as the next contender that is behind, and that contender.
pub(crate) fn lead<'a>(judged: &Judged<'a>) -> Option<(f64, &'a Summary)> {
    let (best, next) = (judged.having(Standing::Best).next()?, judged.having(Standing::Behind).next()?);
    let metric = judged.scenario.ranked_by();
    let ratio = metric.ratio(metric.estimate(best)?.median, metric.estimate(next)?.median)?;
    Some((ratio, next))
}

/// By how much the best is ahead: at one point, or as a range from the smallest to the largest lead
/// at several points.
pub(crate) fn ahead(least: f64, most: f64, next: &str) -> String {
    // From 2 times on, a factor is easier to read than a percentage.
    if most >= 1.995 {
        return format!(" ({} times as good as {next})", range(&digits(least), &digits(most)));
    }
    format!(" ({} better than {next})", range(&percent(least - 1.0), &percent(most - 1.0)))
}
