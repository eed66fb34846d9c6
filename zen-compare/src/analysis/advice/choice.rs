//! The choice: of the contenders with enough valid runs that serve every client, those that answer
//! most, and of these the one that needs the least CPU time.

use crate::results::{Report, Standing, Summary};
use crate::scenario::{Metric, Scenario};
use crate::stats::Estimate;

use super::prediction::COMPUTES;
use crate::plan::{ENOUGH, NAME};

/// Throughputs closer than this count as equal, however narrow their intervals are.
pub(super) const SAME: f64 = 0.02;
/// Medians further apart than this are no tie even where the intervals overlap: the runs vary too
/// much to show one.
const NOISE: f64 = 0.10;
/// A server whose cores are less busy than this is idle, and its CPU cost hardly matters.
const IDLE: f64 = 0.05;

/// The contenders other than the floor, sorted by what their runs show. A contender is in one of
/// the lists; only those in `equals` are also in `fit`, and those in `ahead` also in `undecided`.
#[derive(Debug, Default)]
pub(super) struct Choice<'a> {
    /// The recommended contenders, the cheapest first: the best, and those that equal it. Empty
    /// when none can be recommended.
    pub(super) equals: Vec<&'a Summary>,
    /// Whether they are equal because all of them are idle, rather than because they cost the same.
    pub(super) idle: bool,
    /// Contenders with enough valid runs that serve every client.
    pub(super) fit: Vec<&'a Summary>,
    /// Contenders that leave clients without any answer.
    pub(super) starving: Vec<&'a Summary>,
    /// Contenders with too few valid runs, because the machine made the others invalid.
    pub(super) undecided: Vec<&'a Summary>,
    /// Contenders without a valid run, by their own fault.
    pub(super) invalid: Vec<&'a Summary>,
    /// Undecided contenders whose few runs look better than the best of the others, so that one is
    /// not recommended.
    pub(super) ahead: Vec<&'a Summary>,
}

/// How many valid runs a contender needs: three, or two where fewer than three were requested.
pub(super) fn enough(report: &Report) -> usize {
    report.settings.repetitions.clamp(2, ENOUGH) as usize
}

pub(super) fn throughput(summary: &Summary) -> f64 {
    summary.throughput.map_or(0.0, |throughput| throughput.median)
}

fn cost(summary: &Summary) -> f64 {
    summary.cpu_per_question_ns.map_or(f64::INFINITY, |cost| cost.median)
}

/// Chooses from the report. `computing` is the most answers per second that the computing of the
/// handler allows.
pub(super) fn choose(report: &Report, cores: f64, computing: Option<f64>) -> Choice<'_> {
    let enough = enough(report);
    // The floor is never a choice, not even when its runs do not count.
    let floor = report.settings.contenders.iter().find(|contender| contender.floor);
    let mut choice = Choice::default();
    let of_it = report.summaries.iter().filter(|summary| summary.scenario == NAME);
    for summary in of_it.filter(|summary| floor.is_none_or(|floor| floor.name != summary.contender)) {
        let list = if summary.standing == Standing::Invalid && is_its_own_fault(report, summary) {
            &mut choice.invalid
        } else if summary.valid_runs < enough {
            &mut choice.undecided
        } else if summary.clients_served < summary.clients {
            &mut choice.starving
        } else {
            &mut choice.fit
        };
        list.push(summary);
    }
    let scenario = report.settings.scenarios.iter().find(|scenario| scenario.name == NAME);
    let ranked_by = scenario.map_or(Metric::Throughput, Scenario::ranked_by);
    let Some(most) = choice.fit.iter().copied().max_by(|a, b| throughput(a).total_cmp(&throughput(b))) else {
        return choice;
    };
    let ahead = |summary: &&Summary| {
        summary.clients_served == summary.clients
            && throughput(summary) * (1.0 - SAME) > throughput(most)
            && !most.throughput_is_lower_bound
    };
    choice.ahead = choice.undecided.iter().copied().filter(ahead).collect();
    if choice.ahead.is_empty() {
        (choice.equals, choice.idle) = equals(&choice.fit, most, cores, ranked_by);
        // The handler's computing is the limit here, so how the threads take turns affects both
        // metrics: `NOISE` applies to both.
        if computing.is_some_and(|bound| throughput(most) > COMPUTES * bound) {
            let alike = |summary: &&Summary| {
                throughput(summary) >= throughput(most) * (1.0 - NOISE)
                    && cost(summary) <= cost(most) * (1.0 + NOISE)
            };
            choice.equals = choice.fit.iter().copied().filter(alike).collect();
            choice.equals.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
        }
    }
    choice
}

/// Whether one of the contender's runs is invalid for a reason other than the machine.
fn is_its_own_fault(report: &Report, summary: &Summary) -> bool {
    let runs = report.runs.iter().filter(|run| run.scenario == NAME && run.contender == summary.contender);
    runs.into_iter().any(|run| !run.is_valid() && !run.is_worth_rerunning())
}

/// Of the contenders that answer as much as the one with the most answers, the cheapest and those
/// that cost the same; or all of them, when all are idle.
fn equals<'a>(
    fit: &[&'a Summary],
    most: &Summary,
    cores: f64,
    ranked_by: Metric,
) -> (Vec<&'a Summary>, bool) {
    let as_quick = |summary: &&&Summary| {
        let share = throughput(summary) / throughput(most).max(f64::MIN_POSITIVE);
        // A contender that could have answered more is not known to answer less.
        summary.throughput_is_lower_bound
            || share >= 1.0 - SAME
            || share >= 1.0 - NOISE && (overlap(summary.throughput, most.throughput) || tie(summary, most))
    };
    let mut quick: Vec<&Summary> = fit.iter().filter(as_quick).copied().collect();
    quick.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    let idle = |summary: &&Summary| summary.occupancy.is_some_and(|busy| busy.median < IDLE * cores);
    if quick.len() > 1 && quick.iter().all(idle) {
        return (quick, true);
    }
    let best = quick.first().copied();
    // Only then are the standings ranked by cost.
    let paces = ranked_by == Metric::CpuPerQuestion;
    let as_cheap = |summary: &&Summary| {
        best.is_some_and(|best| {
            overlap(summary.cpu_per_question_ns, best.cpu_per_question_ns) || paces && tie(summary, best)
        }) || best.is_some_and(|best| best.contender == summary.contender)
    };
    (quick.into_iter().filter(as_cheap).collect(), false)
}

/// Whether the verdict calls the two a tie.
fn tie(one: &Summary, best: &Summary) -> bool {
    best.standing == Standing::Best && one.standing == Standing::Tie
}

/// Whether the intervals of the two overlap in this metric.
fn overlap(one: Option<Estimate>, other: Option<Estimate>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one.overlaps(&other))
}
