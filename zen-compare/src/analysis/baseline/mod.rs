//! A report compared with an earlier one: which metrics are worse by more than chance and by more
//! than is allowed.

mod coverage;
#[cfg(test)]
mod tests;
mod text;

use crate::results::Invalid;
use crate::results::{Report, Run, Standing, Summary};
use crate::scenario::Metric;
use crate::stats::Estimate;

/// The comparison of two reports.
///
/// ```
/// use zen_compare::{Finding, GateDecision, Report};
///
/// /// A gate: prints what has changed, and says whether this is good enough.
/// fn passes(baseline: &Report, now: &Report) -> bool {
///     let changes = now.changes_since(baseline, 0.10);
///     print!("{}", changes.to_text());
///     println!("{} better", changes.count(Finding::Improved));
///     changes.decide() == GateDecision::Passed
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Changes {
    /// Every metric that both reports should have, in the order of the newer report.
    pub metrics: Vec<Change>,
    /// Contenders that have no valid run any more, by their own fault. Their metrics are not
    /// listed.
    pub invalidated: Vec<Invalidated>,
    /// What a reader of the metrics must know.
    pub warnings: Vec<String>,
}

/// One metric, before and now.
///
/// ```
/// use zen_compare::Change;
///
/// /// A line for a log.
/// fn line(change: &Change) -> String {
///     let Change { scenario, contender, metric, .. } = change;
///     let percent = |share: f64| format!("{:.0} %", share * 100.0);
///     let worse = change.worse_by.map_or_else(|| "?".to_owned(), percent);
///     format!("{contender} in {scenario}: {metric} worse by {worse}")
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// Name of the scenario.
    pub scenario: String,
    /// Name of the contender.
    pub contender: String,
    /// The metric.
    pub metric: Metric,
    /// Its value in the baseline; `None` when it could not be measured.
    pub before: Option<Estimate>,
    /// Its value now; `None` when it could not be measured.
    pub now: Option<Estimate>,
    /// How much worse it is, as a share of the baseline's value; negative when it is better; `None`
    /// when that is unknown.
    pub worse_by: Option<f64>,
    /// What the change means.
    pub finding: Finding,
}

/// A contender that had valid runs in the baseline and now has none, by its own fault.
///
/// ```
/// use zen_compare::{Changes, Invalidated};
///
/// fn faults(changes: &Changes) -> impl Iterator<Item = String> {
///     let line = |it: &Invalidated| format!("{}: {}", it.contender, it.brief);
///     changes.invalidated.iter().map(line)
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Invalidated {
    /// Name of the scenario.
    pub scenario: String,
    /// Name of the contender.
    pub contender: String,
    /// Its fault, in a few words.
    pub brief: String,
    /// The same with the details of one run.
    pub why: String,
}

/// What a change means.
///
/// ```
/// use zen_compare::{Changes, Finding};
///
/// fn regressions(changes: &Changes) -> Vec<&str> {
///     let metrics = changes.metrics.iter().filter(|change| change.finding == Finding::Regressed);
///     metrics.map(|change| change.contender.as_str()).collect()
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// Worse by more than is allowed, and the intervals do not overlap.
    Regressed,
    /// Better by more than is allowed, and the intervals do not overlap.
    Improved,
    /// Neither of these two.
    Same,
    /// Unknown: one of the two values is missing, is of a single run, or is of invalid runs.
    Unclear,
}

/// Whether a report passes the gate.
///
/// ```
/// use std::process::ExitCode;
/// use zen_compare::GateDecision;
///
/// fn status(decision: GateDecision) -> ExitCode {
///     match decision {
///         GateDecision::Passed => ExitCode::SUCCESS,
///         GateDecision::Regressed => 3.into(),
///         GateDecision::NothingInCommon | GateDecision::MostlyUnclear => ExitCode::FAILURE,
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateDecision {
    /// Most of the metrics that both have could be judged, and none has regressed.
    Passed,
    /// A metric has regressed, or a contender is newly invalid.
    Regressed,
    /// The reports have nothing in common.
    NothingInCommon,
    /// No metric that could be judged has regressed, but more than half of the metrics are unclear.
    MostlyUnclear,
}

impl Report {
    /// Compares this report with an earlier one. A metric has regressed when it is worse by more
    /// than the share `allowed` (0.1 is 10 %) and the 95 % intervals do not overlap, or when more
    /// clients go without answers than before. A contender that has no valid run any more, by its
    /// own fault, is listed as invalid.
    ///
    /// When the two come from different machines, only costs as multiples of the floor's are
    /// compared, because the floor was measured on each.
    ///
    /// ```
    /// use zen_compare::{GateDecision, Report};
    ///
    /// fn is_slower(baseline: &Report, now: &Report) -> bool {
    ///     now.changes_since(baseline, 0.10).decide() == GateDecision::Regressed
    /// }
    /// ```
    pub fn changes_since(&self, baseline: &Self, allowed: f64) -> Changes {
        let mut warnings = Vec::new();
        let differences = baseline.environment.differences(&self.environment);
        let same_machine = differences.is_empty();
        if !same_machine {
            let differences = differences.join("; ");
            warnings.push(format!(
                "the baseline is from another machine or state, so only costs as multiples of the floor's are compared: {differences}"
            ));
        }
        for (name, report) in [("the baseline", baseline), ("this report", self)] {
            if !report.complete {
                warnings.push(format!("{name} is from an interrupted comparison"));
            }
        }
        let (mut metrics, mut invalidated) = (Vec::new(), Vec::new());
        for (scenario, summaries) in self.by_scenario() {
            let earlier = baseline.settings.scenarios.iter().find(|earlier| earlier.name == scenario.name);
            if earlier.is_some_and(|earlier| earlier != scenario) {
                warnings
                    .push(format!("scenario {} was defined differently, and is not compared", scenario.name));
                continue;
            }
            for now in summaries {
                let Some(before) = baseline.summary(&now.scenario, &now.contender) else { continue };
                let (earlier, later) =
                    (Fate::determine(before, &baseline.runs), Fate::determine(now, &self.runs));
                match (earlier, later) {
                    (Fate::AtFault(reason), _) => warnings.push(format!(
                        "{} under {} was invalid in the baseline, and is not compared: {}",
                        now.contender,
                        now.scenario,
                        reason.brief()
                    )),
                    (Fate::Counts, Fate::AtFault(reason)) => invalidated.push(Invalidated {
                        scenario: now.scenario.clone(),
                        contender: now.contender.clone(),
                        brief: reason.brief().to_owned(),
                        why: reason.to_string(),
                    }),
                    // The machine is not busy throughout every run, so the silence is the
                    // contender's own.
                    (Fate::Counts, Fate::NotAtFault { silent: true }) => invalidated.push(Invalidated {
                        scenario: now.scenario.clone(),
                        contender: now.contender.clone(),
                        brief: "no client is served".into(),
                        why: format!("none of {} clients had an answer in any run", now.clients),
                    }),
                    _ => {
                        metrics.extend(changes(scenario.ranked_by(), same_machine, before, now, allowed));
                    }
                }
            }
        }
        warnings.extend(coverage::differences(baseline, self));
        Changes { metrics, invalidated, warnings }
    }

    fn summary(&self, scenario: &str, contender: &str) -> Option<&Summary> {
        self.summaries.iter().find(|summary| summary.scenario == scenario && summary.contender == contender)
    }
}

/// The outcome of a contender's runs under one scenario.
enum Fate<'a> {
    /// Some of them are valid.
    Counts,
    /// None is valid, and this is the contender's fault in one of them.
    AtFault(&'a Invalid),
    /// None is valid, and the contender is not at fault. It is silent when none of the runs had an
    /// answer.
    NotAtFault { silent: bool },
}

impl<'a> Fate<'a> {
    fn determine(summary: &Summary, runs: &'a [Run]) -> Self {
        if summary.valid_runs > 0 {
            return Self::Counts;
        }
        let own = |run: &&Run| run.scenario == summary.scenario && run.contender == summary.contender;
        let own: Vec<&Run> = runs.iter().filter(own).collect();
        let mut reasons = own.iter().flat_map(|run| &run.invalid);
        match reasons.find(|reason| reason.is_contenders_fault()) {
            Some(reason) => Self::AtFault(reason),
            None => Self::NotAtFault { silent: own.iter().all(|run| run.answers == 0) && !own.is_empty() },
        }
    }
}

fn changes(by: Metric, same_machine: bool, before: &Summary, now: &Summary, allowed: f64) -> Vec<Change> {
    let at_its_limit = before.throughput_is_lower_bound || now.throughput_is_lower_bound;
    // The floor is not compared with itself.
    let floor = now.standing == Standing::Floor;
    let metrics = [
        (Metric::ClientsServed, true),
        (Metric::Throughput, same_machine && by == Metric::Throughput && !at_its_limit),
        (Metric::P99Latency, same_machine && by == Metric::P99Latency),
        (Metric::CpuPerQuestion, same_machine),
        (Metric::TimesFloor, !same_machine && !floor),
    ];
    // A metric that neither report has is not compared: a server that was not asked, for example,
    // has no latency.
    let compared = metrics.into_iter().filter(|(_, compared)| *compared);
    let compared = compared.map(|(metric, _)| (metric, metric.estimate(before), metric.estimate(now)));
    let compared = compared.filter(|(_, before, now)| before.is_some() || now.is_some());
    let changes = compared.map(|(metric, earlier, later)| {
        let both = earlier.zip(later);
        let worse_by = both.and_then(|(earlier, later)| worse_by(metric, &earlier, &later));
        let apart = both.is_some_and(|(earlier, later)| !earlier.overlaps(&later));
        let unclear = [before, now].iter().any(|summary| match metric {
            // One run is enough to show that clients are not served.
            Metric::ClientsServed => summary.valid_runs < 1,
            _ => summary.valid_runs < 2,
        });
        let allowed = if metric == Metric::ClientsServed { 0.0 } else { allowed };
        let finding = match worse_by {
            _ if unclear || both.is_none() => Finding::Unclear,
            Some(worse) if apart && worse > allowed => Finding::Regressed,
            Some(worse) if apart && -worse > allowed => Finding::Improved,
            _ => Finding::Same,
        };
        let (scenario, contender) = (now.scenario.clone(), now.contender.clone());
        Change { scenario, contender, metric, before: earlier, now: later, worse_by, finding }
    });
    changes.collect()
}

fn worse_by(metric: Metric, before: &Estimate, now: &Estimate) -> Option<f64> {
    let grown = now.median / before.median - 1.0;
    let worse = if metric.more_is_better() { -grown } else { grown };
    worse.is_finite().then_some(worse)
}

impl Changes {
    /// Whether the newer report passes the gate.
    pub fn decide(&self) -> GateDecision {
        let regressed = self.count(Finding::Regressed) > 0 || !self.invalidated.is_empty();
        match self.metrics.len() {
            _ if regressed => GateDecision::Regressed,
            0 => GateDecision::NothingInCommon,
            all if self.count(Finding::Unclear) * 2 > all => GateDecision::MostlyUnclear,
            _ => GateDecision::Passed,
        }
    }

    /// The number of metrics with this finding.
    pub fn count(&self, finding: Finding) -> usize {
        self.metrics.iter().filter(|change| change.finding == finding).count()
    }
}
