//! A scenario with its judged results: which contender is best, which tie with it, and the lead.

use super::rivals::Rivals;
use crate::results::{Standing, Summary};
use crate::scenario::{Metric, Scenario};
use crate::units::{digits, percent, range};

/// A scenario that has runs, with their summaries, the best first.
pub(crate) struct Judged<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) summaries: Vec<&'a Summary>,
    /// Which of its contenders could be best, and which of them have too few runs that count.
    pub(crate) rivals: Rivals<'a>,
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

    /// The contenders that failed in some of their runs, and so cannot be best.
    pub(crate) fn faulty(&self) -> impl Iterator<Item = &'a Summary> {
        self.having(Standing::Faulty)
    }

    pub(crate) fn nobody_serves_all(&self) -> bool {
        self.rivals.sound == 0 && self.starving().next().is_some()
    }

    pub(crate) fn none_counts(&self) -> bool {
        !self.undecided()
            && self.having(Standing::Best).next().is_none()
            && self.starving().next().is_none()
            && self.having(Standing::Invalid).next().is_some()
    }

    /// Whether too few runs count to tell which contender is best.
    pub(crate) fn undecided(&self) -> bool {
        self.rivals.undecided()
    }

    /// The contender that seems to be best while that is not decided.
    pub(crate) fn leader_so_far(&self) -> Option<&'a Summary> {
        self.having(Standing::Undecided).next()
    }

    /// The best contender and those that tie with it. Empty when there is none, or when the runs
    /// are too few to tell.
    pub(crate) fn winners(&self) -> Vec<&'a str> {
        let winners = self.having(Standing::Best).chain(self.having(Standing::Tie));
        winners.map(|summary| summary.contender.as_str()).collect()
    }
}

/// Whether a distance from the best may be called a tie. The runs may vary so much that a greater
/// distance is not significant either, but that shows no equality.
pub(crate) fn is_near(times: f64) -> bool {
    times < 1.25
}

/// The median of a metric as text; empty where it is not known.
pub(crate) fn value(metric: Metric, summary: &Summary) -> String {
    metric.estimate(summary).map(|estimate| metric.format(estimate.median)).unwrap_or_default()
}

/// In how many of its runs a contender failed.
pub(crate) fn failed(summary: &Summary) -> String {
    format!("{}/{}", summary.failed_runs, summary.runs)
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
