//! A report beside an earlier one: what has become worse, by more than chance and by more than is allowed.

mod coverage;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;

use crate::results::Invalid;
use crate::results::{Report, Run, Standing, Summary};
use crate::scenario::RankedBy;
use crate::stats::Estimate;
use crate::units::{count, time};

/// What two reports say of each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// Every figure that both should have, in the order of the newer report.
    pub figures: Vec<Change>,
    /// Contenders that can no longer be measured, and it is their own fault. Their figures are not listed.
    pub broken: Vec<Broken>,
    /// What a reader of the figures must know.
    pub warnings: Vec<String>,
}

/// One figure then and now.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Name of the scenario.
    pub scenario: String,
    /// Name of the contender.
    pub contender: String,
    /// What was measured.
    pub figure: Figure,
    /// What it was; `None` when it could not be measured.
    pub before: Option<Estimate>,
    /// What it is; `None` when it could not be measured.
    pub now: Option<Estimate>,
    /// By how much it is worse, as a share of what it was; negative when it is better; `None` when that cannot be said.
    pub worse_by: Option<f64>,
    /// What to make of it.
    pub finding: Finding,
}

/// A contender whose runs counted in the baseline, and none of which counts now for what it did itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Broken {
    /// Name of the scenario.
    pub scenario: String,
    /// Name of the contender.
    pub contender: String,
    /// What it did, in a few words.
    pub brief: String,
    /// The same with the figures of one run.
    pub why: String,
}

/// The figures that are held against a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Answers per second, where a scenario is ranked by it.
    Throughput,
    /// 99th percentile of the latency in nanoseconds, where a scenario is ranked by it.
    P99,
    /// Server CPU time per answer in nanoseconds.
    CpuPerQuestion,
    /// That as a multiple of the floor's: instead of the others where the machines differ.
    TimesFloor,
    /// Clients with an answer.
    ClientsServed,
}

/// What to make of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Worse by more than is allowed, and the intervals do not overlap.
    Regressed,
    /// Better by more than is allowed, and the intervals do not overlap.
    Improved,
    /// Neither.
    Same,
    /// One of the two is of a single run, of runs that do not count, or missing: nothing can be said.
    Unclear,
}

/// Whether a report may pass beside its baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Most of what both have could be judged, and none of it has regressed.
    Passed,
    /// A figure has regressed, or a contender is broken that was not.
    Regressed,
    /// The reports have nothing in common.
    NothingInCommon,
    /// Nothing has regressed as far as can be seen, and more than half of the figures are unclear.
    MostlyUnclear,
}

impl Report {
    /// Holds this report against an earlier one. A figure has regressed when it is worse by more than the share
    /// `allowed` (0.1 is 10 %) and the 95 % intervals do not overlap, or when clients go without answers that did not before.
    /// A contender that has no run that counts any more, by a fault of its own, is broken.
    ///
    /// Where the two come from different machines, only costs as multiples of the floor's are compared, as the floor
    /// was measured on each.
    pub fn changes_since(&self, baseline: &Self, allowed: f64) -> Changes {
        let mut warnings = Vec::new();
        let differences = baseline.environment.differences(&self.environment);
        let same_machine = differences.is_empty();
        if !same_machine {
            let differences = differences.join("; ");
            warnings.push(format!(
                "the baseline is of another machine or state, so only costs as multiples of the floor's are compared: {differences}"
            ));
        }
        for (name, report) in [("the baseline", baseline), ("this report", self)] {
            if !report.complete {
                warnings.push(format!("{name} is of an interrupted comparison"));
            }
        }
        let (mut figures, mut broken) = (Vec::new(), Vec::new());
        for (scenario, summaries) in self.by_scenario() {
            let earlier = baseline.settings.scenarios.iter().find(|earlier| earlier.name == scenario.name);
            if earlier.is_some_and(|earlier| earlier != scenario) {
                warnings.push(format!("scenario {} was another one, and is not compared", scenario.name));
                continue;
            }
            for now in summaries {
                let Some(before) = baseline.summary(&now.scenario, &now.contender) else { continue };
                let (earlier, later) = (Fate::of(before, &baseline.runs), Fate::of(now, &self.runs));
                match (earlier, later) {
                    (Fate::Broken(reason), _) => warnings.push(format!(
                        "{} under {} was broken in the baseline, and is not compared: {}",
                        now.contender,
                        now.scenario,
                        reason.brief()
                    )),
                    (Fate::Counts, Fate::Broken(reason)) => broken.push(Broken {
                        scenario: now.scenario.clone(),
                        contender: now.contender.clone(),
                        brief: reason.brief().to_owned(),
                        why: reason.to_string(),
                    }),
                    // A moment in which the machine was busy does not last for all of the runs.
                    (Fate::Counts, Fate::Spoiled { silent: true }) => broken.push(Broken {
                        scenario: now.scenario.clone(),
                        contender: now.contender.clone(),
                        brief: "nobody is served".into(),
                        why: format!("none of {} clients had an answer in any run", now.clients),
                    }),
                    _ => {
                        figures.extend(changes(scenario.ranked_by(), same_machine, before, now, allowed));
                    }
                }
            }
        }
        warnings.extend(coverage::differences(baseline, self));
        Changes { figures, broken, warnings }
    }

    fn summary(&self, scenario: &str, contender: &str) -> Option<&Summary> {
        self.summaries.iter().find(|summary| summary.scenario == scenario && summary.contender == contender)
    }
}

/// What became of a contender's runs under one scenario.
enum Fate<'a> {
    /// Some of them count.
    Counts,
    /// None counts, and this is what the contender did in one of them.
    Broken(&'a Invalid),
    /// None counts, and the contender cannot help it. It is silent when there was no answer in any of them.
    Spoiled { silent: bool },
}

impl<'a> Fate<'a> {
    fn of(summary: &Summary, runs: &'a [Run]) -> Self {
        if summary.valid_runs > 0 {
            return Self::Counts;
        }
        let own = |run: &&Run| run.scenario == summary.scenario && run.contender == summary.contender;
        let own: Vec<&Run> = runs.iter().filter(own).collect();
        let mut reasons = own.iter().flat_map(|run| &run.invalid);
        match reasons.find(|reason| reason.is_the_contenders()) {
            Some(reason) => Self::Broken(reason),
            None => Self::Spoiled { silent: own.iter().all(|run| run.answers == 0) && !own.is_empty() },
        }
    }
}

fn changes(by: RankedBy, same_machine: bool, before: &Summary, now: &Summary, allowed: f64) -> Vec<Change> {
    let exact = |clients: usize| {
        #[allow(clippy::cast_precision_loss, reason = "a number of clients")]
        let clients = clients as f64;
        Some(Estimate { median: clients, low: clients, high: clients })
    };
    let at_its_limit = before.throughput_is_lower_bound || now.throughput_is_lower_bound;
    // A yardstick is not held against itself.
    let floor = now.standing == Standing::Floor;
    let figures = [
        (Figure::ClientsServed, true, exact(before.clients_served), exact(now.clients_served)),
        (
            Figure::Throughput,
            same_machine && by == RankedBy::Throughput && !at_its_limit,
            before.throughput,
            now.throughput,
        ),
        (Figure::P99, same_machine && by == RankedBy::Latency, before.p99_ns, now.p99_ns),
        (Figure::CpuPerQuestion, same_machine, before.cpu_per_question_ns, now.cpu_per_question_ns),
        (Figure::TimesFloor, !same_machine && !floor, before.times_floor, now.times_floor),
    ];
    // What neither has, as a server that nobody asked has no latency, is no figure of theirs.
    let compared = figures
        .into_iter()
        .filter(|(_, compared, before, now)| *compared && (before.is_some() || now.is_some()));
    let changes = compared.map(|(figure, _, earlier, later)| {
        let both = earlier.zip(later);
        let worse_by = both.and_then(|(earlier, later)| figure.worse_by(&earlier, &later));
        let apart = both.is_some_and(|(earlier, later)| !earlier.overlaps(&later));
        let unclear = [before, now].iter().any(|summary| match figure {
            // One run is enough to see somebody starve.
            Figure::ClientsServed => summary.valid_runs < 1,
            _ => summary.valid_runs < 2,
        });
        let allowed = if figure == Figure::ClientsServed { 0.0 } else { allowed };
        let finding = match worse_by {
            _ if unclear || both.is_none() => Finding::Unclear,
            Some(worse) if apart && worse > allowed => Finding::Regressed,
            Some(worse) if apart && -worse > allowed => Finding::Improved,
            _ => Finding::Same,
        };
        let (scenario, contender) = (now.scenario.clone(), now.contender.clone());
        Change { scenario, contender, figure, before: earlier, now: later, worse_by, finding }
    });
    changes.collect()
}

impl Figure {
    fn more_is_better(self) -> bool {
        matches!(self, Self::Throughput | Self::ClientsServed)
    }

    fn worse_by(self, before: &Estimate, now: &Estimate) -> Option<f64> {
        let grown = now.median / before.median - 1.0;
        let worse = if self.more_is_better() { -grown } else { grown };
        worse.is_finite().then_some(worse)
    }

    fn show(self, value: f64) -> String {
        match self {
            Self::Throughput => count(value),
            Self::P99 | Self::CpuPerQuestion => time(value),
            Self::TimesFloor => format!("{value:.2}"),
            Self::ClientsServed => format!("{value:.0}"),
        }
    }
}

/// As the tables call it.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Throughput => "answers/s",
            Self::P99 => "p99",
            Self::CpuPerQuestion => "CPU/question",
            Self::TimesFloor => "× floor",
            Self::ClientsServed => "clients served",
        })
    }
}

impl Changes {
    /// What a gate makes of it.
    pub fn outcome(&self) -> Outcome {
        let regressed = self.count(Finding::Regressed) > 0 || !self.broken.is_empty();
        match self.figures.len() {
            _ if regressed => Outcome::Regressed,
            0 => Outcome::NothingInCommon,
            all if self.count(Finding::Unclear) * 2 > all => Outcome::MostlyUnclear,
            _ => Outcome::Passed,
        }
    }

    /// How many figures have it.
    pub fn count(&self, finding: Finding) -> usize {
        self.figures.iter().filter(|change| change.finding == finding).count()
    }
}
