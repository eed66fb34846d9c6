//! A report beside an earlier one: what has become worse, by more than chance and by more than is allowed.

use std::fmt::{self, Write};

use crate::report::{Report, Standing, Summary};
use crate::scenario::RankedBy;
use crate::stats::Estimate;
use crate::table::{count, time};
use crate::verdict::percent;

/// What two reports say of each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// Every figure that both have, in the order of the newer report.
    pub figures: Vec<Change>,
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
    /// What it was.
    pub before: Estimate,
    /// What it is.
    pub now: Estimate,
    /// By how much it is worse, as a share of what it was; negative when it is better.
    pub worse_by: f64,
    /// What to make of it.
    pub finding: Finding,
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
    /// One of the two is of a single run, or of runs that do not count: nothing can be said.
    Unclear,
}

impl Report {
    /// Holds this report against an earlier one. A figure has regressed when it is worse by more than the share
    /// `allowed` (0.1 is 10 %) and the 95 % intervals do not overlap, or when clients go without answers that did not before.
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
        let mut figures = Vec::new();
        for (scenario, summaries) in self.by_scenario() {
            let earlier = baseline.settings.scenarios.iter().find(|earlier| earlier.name == scenario.name);
            if earlier.is_some_and(|earlier| earlier != scenario) {
                warnings.push(format!("scenario {} was another one, and is not compared", scenario.name));
                continue;
            }
            for now in summaries {
                let of_both = |before: &&Summary| {
                    (&before.scenario, &before.contender) == (&now.scenario, &now.contender)
                };
                let Some(before) = baseline.summaries.iter().find(of_both) else {
                    warnings.push(format!("{} under {} is new", now.contender, now.scenario));
                    continue;
                };
                figures.extend(changes(scenario.ranked_by(), same_machine, before, now, allowed));
            }
        }
        for gone in &baseline.summaries {
            let still = |now: &Summary| (&now.scenario, &now.contender) == (&gone.scenario, &gone.contender);
            if !self.summaries.iter().any(still) {
                warnings.push(format!("{} under {} is only in the baseline", gone.contender, gone.scenario));
            }
        }
        Changes { figures, warnings }
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
    let compared = figures.into_iter().filter(|(_, compared, ..)| *compared);
    let changes = compared.filter_map(|(figure, _, earlier, later)| {
        let (earlier, later) = earlier.zip(later)?;
        let worse_by = figure.worse_by(&earlier, &later)?;
        let apart = !earlier.overlaps(&later);
        let unclear = [before, now].iter().any(|summary| match figure {
            // One run is enough to see somebody starve.
            Figure::ClientsServed => summary.valid_runs < 1,
            _ => summary.valid_runs < 2,
        });
        let allowed = if figure == Figure::ClientsServed { 0.0 } else { allowed };
        let finding = match worse_by {
            _ if unclear => Finding::Unclear,
            worse if apart && worse > allowed => Finding::Regressed,
            worse if apart && -worse > allowed => Finding::Improved,
            _ => Finding::Same,
        };
        let (scenario, contender) = (now.scenario.clone(), now.contender.clone());
        Some(Change { scenario, contender, figure, before: earlier, now: later, worse_by, finding })
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
    /// Whether any figure has regressed: a gate is closed.
    pub fn regressed(&self) -> bool {
        self.figures.iter().any(|change| change.finding == Finding::Regressed)
    }

    /// What has changed, a line each, with the regressions first, and a line that counts the rest.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let of = |finding| self.figures.iter().filter(move |change| change.finding == finding);
        for (finding, sign) in [(Finding::Regressed, "✗"), (Finding::Improved, "✓")] {
            for change in of(finding) {
                let Change { scenario, contender, figure, before, now, worse_by, .. } = change;
                let direction = if *worse_by > 0.0 { "worse" } else { "better" };
                // Writing to a string cannot fail.
                let _ = writeln!(
                    text,
                    "{sign} {scenario} {contender}: {figure} {} → {} ({} {direction})",
                    figure.show(before.median),
                    figure.show(now.median),
                    percent(worse_by.abs()),
                );
            }
        }
        let counted = |finding| of(finding).count();
        let _ = writeln!(
            text,
            "{} figures beside the baseline: {} worse, {} better, {} the same, {} unclear",
            self.figures.len(),
            counted(Finding::Regressed),
            counted(Finding::Improved),
            counted(Finding::Same),
            counted(Finding::Unclear),
        );
        for warning in &self.warnings {
            let _ = writeln!(text, "! {warning}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::report::SCHEMA;
    use crate::scenario::Scenario;
    use crate::summary::summarize;
    use crate::summary::tests::{run, settings};

    /// Three runs each of these costs.
    fn report(costs: &[(&str, f64)], spread: f64) -> Report {
        let scenario = Scenario::think();
        let names: Vec<&str> = costs.iter().map(|(name, _)| *name).collect();
        let settings = settings(&names, scenario.clone());
        let runs: Vec<_> = costs
            .iter()
            .flat_map(|&(name, cost)| {
                [(0, -spread), (1, 0.0), (2, spread)]
                    .map(|(rep, by)| run(name, &scenario, rep, cost * (1.0 + by)))
            })
            .collect();
        let summaries = summarize(&settings, &runs);
        let environment = Environment::current(None);
        Report { schema: SCHEMA.into(), environment, settings, complete: true, summaries, runs }
    }

    fn findings(changes: &Changes) -> Vec<(&str, Figure, Finding)> {
        let worth_it = changes.figures.iter().filter(|change| change.finding != Finding::Same);
        worth_it.map(|change| (change.contender.as_str(), change.figure, change.finding)).collect()
    }

    #[test]
    fn worse_by_more_than_is_allowed_and_more_than_chance_is_a_regression() {
        let before = report(&[("floor", 100.0), ("a", 200.0), ("b", 200.0), ("c", 200.0)], 0.01);
        let now = report(&[("floor", 100.0), ("a", 230.0), ("b", 215.0), ("c", 160.0)], 0.01);
        let changes = now.changes_since(&before, 0.1);
        assert!(changes.regressed());
        let expected = [
            ("c", Figure::CpuPerQuestion, Finding::Improved),
            ("a", Figure::CpuPerQuestion, Finding::Regressed),
        ];
        assert_eq!(findings(&changes), expected);
        let text = changes.to_text();
        assert!(
            text.starts_with("✗ think a: CPU/question 200 ns → 230 ns (15 % worse)\n✓ think c: "),
            "{text}"
        );
        assert!(
            text.contains("8 figures beside the baseline: 1 worse, 1 better, 6 the same, 0 unclear"),
            "{text}"
        );
        assert!(!now.changes_since(&before, 0.2).regressed());
        // With so much noise, 15 % is chance.
        let noisy = report(&[("floor", 100.0), ("a", 230.0), ("b", 215.0), ("c", 160.0)], 0.2);
        assert!(!noisy.changes_since(&before, 0.1).regressed());
        assert!(!now.changes_since(&now, 0.0).regressed());
    }

    #[test]
    fn nothing_is_said_of_a_single_run() {
        let before = report(&[("a", 100.0)], 0.0);
        let mut now = report(&[("a", 900.0)], 0.0);
        now.runs.truncate(1);
        now.summaries = summarize(&now.settings, &now.runs);
        let changes = now.changes_since(&before, 0.1);
        assert_eq!(findings(&changes), [("a", Figure::CpuPerQuestion, Finding::Unclear)]);
        assert!(!changes.regressed());
    }

    #[test]
    fn who_begins_to_starve_has_regressed_whatever_is_allowed() {
        let before = report(&[("a", 100.0)], 0.01);
        let mut now = before.clone();
        now.runs[1].clients_served = 49;
        now.summaries = summarize(&now.settings, &now.runs);
        let changes = now.changes_since(&before, 0.5);
        assert_eq!(findings(&changes), [("a", Figure::ClientsServed, Finding::Regressed)]);
        assert!(changes.to_text().contains("clients served 50 → 49 (2.0 % worse)"), "{}", changes.to_text());
    }

    #[test]
    fn on_another_machine_only_multiples_of_the_floor_compare() {
        let before = report(&[("floor", 100.0), ("a", 200.0), ("b", 200.0)], 0.01);
        let mut now = report(&[("floor", 300.0), ("a", 600.0), ("b", 900.0)], 0.01);
        now.environment.processor = Some("Slow".into());
        let changes = now.changes_since(&before, 0.1);
        assert_eq!(findings(&changes), [("b", Figure::TimesFloor, Finding::Regressed)]);
        assert!(changes.warnings[0].contains("processor") && changes.warnings[0].contains("Slow here"));
    }

    #[test]
    fn what_cannot_be_compared_is_named() {
        let before = report(&[("a", 100.0), ("gone", 100.0)], 0.01);
        let mut now = report(&[("a", 100.0), ("new", 100.0)], 0.01);
        now.complete = false;
        let warnings = now.changes_since(&before, 0.1).warnings;
        let expected = [
            "this report is of an interrupted comparison",
            "new under think is new",
            "gone under think is only in the baseline",
        ];
        assert_eq!(warnings, expected);
        now.settings.scenarios[0].clients = 9;
        let changes = now.changes_since(&before, 0.1);
        assert!(changes.figures.is_empty());
        assert!(changes.warnings.iter().any(|warning| warning.contains("think was another one")));
    }
}
