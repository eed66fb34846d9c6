//! A scenario with what its runs say: who is best, who ties with it, and by how much.

use crate::results::{Standing, Summary};
use crate::scenario::{Metric, Scenario};
use crate::units::{digits, percent, range};

/// How an interval comes to be where there is none.
pub(crate) const MORE: &str = "--repetitions makes more";

/// A scenario that has runs, with what they say; the best first.
pub(crate) struct Judged<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) summaries: Vec<&'a Summary>,
}

impl<'a> Judged<'a> {
    pub(crate) fn with(&self, standing: Standing) -> impl Iterator<Item = &'a Summary> {
        self.summaries.iter().copied().filter(move |summary| summary.standing == standing)
    }

    /// The summary of a contender.
    pub(crate) fn summary(&self, name: &str) -> Option<&'a Summary> {
        self.summaries.iter().copied().find(|summary| summary.contender == name)
    }

    /// Who leaves clients without an answer.
    pub(crate) fn starving(&self) -> impl Iterator<Item = &'a Summary> {
        self.with(Standing::Starves)
    }

    pub(crate) fn nobody_serves_all(&self) -> bool {
        self.with(Standing::Best).next().is_none() && self.starving().next().is_some()
    }

    pub(crate) fn none_counts(&self) -> bool {
        self.with(Standing::Best).next().is_none()
            && self.starving().next().is_none()
            && self.with(Standing::Invalid).next().is_some()
    }

    /// Whose single run tells nothing: a single run has no interval, so nothing sets it apart from those of others. Where it is the
    /// leader's, nobody is known to be best.
    pub(crate) fn undecided(&self) -> Vec<&'a Summary> {
        let alone = |summary: &&Summary| summary.valid_runs < 2;
        // With nobody beside it, a single run claims nothing.
        let others = self.with(Standing::Tie).next().is_some();
        let best = self.with(Standing::Best).filter(|_| others);
        best.chain(self.with(Standing::Tie)).filter(alone).collect()
    }

    /// Whether there is one who leads, and too little to tell whether that is chance.
    pub(crate) fn leader_is_undecided(&self) -> bool {
        self.undecided().iter().any(|summary| summary.standing == Standing::Best)
    }

    /// Who is best, and who ties with it by intervals that overlap. Empty when there is nobody, or it cannot be told.
    pub(crate) fn winners(&self) -> Vec<&'a str> {
        if self.leader_is_undecided() {
            return Vec::new();
        }
        let ties = self.with(Standing::Tie).filter(|summary| summary.valid_runs > 1);
        self.with(Standing::Best).chain(ties).map(|summary| summary.contender.as_str()).collect()
    }
}

/// The median of a metric; empty where it is not known.
pub(crate) fn value(metric: Metric, summary: &Summary) -> String {
    metric.estimate(summary).map(|estimate| metric.format(estimate.median)).unwrap_or_default()
}

/// How many times as good the best is as the next that is worse, and who that is.
pub(crate) fn lead<'a>(judged: &Judged<'a>) -> Option<(f64, &'a Summary)> {
    let (best, next) = (judged.with(Standing::Best).next()?, judged.with(Standing::Behind).next()?);
    let metric = judged.scenario.ranked_by();
    let ratio = metric.ratio(metric.estimate(best)?.median, metric.estimate(next)?.median)?;
    Some((ratio, next))
}

/// By how much the best is ahead, at one point or from the least to the most on several.
pub(crate) fn ahead(least: f64, most: f64, next: &str) -> String {
    // From here on, times say more than percents.
    if most >= 1.995 {
        return format!(" ({} times as good as {next})", range(&digits(least), &digits(most)));
    }
    format!(" ({} better than {next})", range(&percent(least - 1.0), &percent(most - 1.0)))
}
