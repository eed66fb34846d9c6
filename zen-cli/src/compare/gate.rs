//! The gate: compares a report with an earlier one, and decides whether it passes.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use zen_compare::{Changes, Finding, GateDecision, Invalidated, Report};

use super::saving::REPORT;
use crate::args::CompareArgs;
use crate::failure::Failure;
use crate::files::shown;

/// How much worse a metric must be to be worth a line, when no limit is given.
const WORTH_A_LINE: f64 = 0.05;

/// How many regressions the last sentence names; the lines above it list all of them.
const NAMED: usize = 3;

pub(crate) struct Gate {
    baseline: Report,
    allowed: f64,
    /// Whether a regression fails the comparison.
    fails: bool,
}

impl Gate {
    /// The gate, if the options ask for one.
    pub(crate) fn new(args: &CompareArgs) -> Result<Option<Self>, Failure> {
        let Some(place) = &args.baseline else { return Ok(None) };
        let file = if place.is_dir() { place.join(REPORT) } else { place.clone() };
        let baseline =
            read(&file).map_err(|why| Failure::Failed(format!("--baseline {}: {why}", shown(&file))))?;
        let fails = args.fail_on_regression.is_some();
        Ok(Some(Self { baseline, allowed: args.fail_on_regression.unwrap_or(WORTH_A_LINE), fails }))
    }

    /// The changes since the baseline.
    pub(crate) fn changes(&self, report: &Report) -> Changes {
        report.changes_since(&self.baseline, self.allowed)
    }

    /// Whether the report passes. A gate that could judge nothing lets nothing pass.
    pub(crate) fn judge(&self, report: &Report) -> Result<(), Failure> {
        let changes = self.changes(report);
        match changes.decide() {
            GateDecision::Passed => Ok(()),
            _ if !self.fails => Ok(()),
            GateDecision::Regressed => Err(Failure::Regressed(self.regression(&changes))),
            GateDecision::NothingInCommon => Err(Failure::Failed(
                "nothing could be judged: no contender was measured under the same scenario in the baseline and here; \
                 compare as the baseline was made, or make another one"
                    .into(),
            )),
            GateDecision::MostlyUnclear => {
                let (unclear, all) = (changes.count(Finding::Unclear), changes.metrics.len());
                let advice = if self.baseline.settings.repetitions.min(report.settings.repetitions) < 2 {
                    "it takes --repetitions 2 at least, for the baseline and here"
                } else {
                    "try again when the machine is idle, or with more --repetitions"
                };
                Err(Failure::Failed(format!(
                    "nothing could be judged: {unclear} of {all} metrics are unclear, because fewer than two runs of them \
                     count; {advice}"
                )))
            }
        }
    }

    fn regression(&self, changes: &Changes) -> String {
        let worse = regressions(changes);
        let more = worse.len().saturating_sub(NAMED);
        let more = if more == 0 { String::new() } else { format!("; and {more} more") };
        let named: Vec<String> = worse.into_iter().take(NAMED).collect();
        let allowed = self.allowed * 100.0;
        format!("regressed, with {allowed} % allowed: {}{more}", named.join("; "))
    }
}

/// Which contender has regressed under which load, and in which metrics; invalid contenders come
/// first.
fn regressions(changes: &Changes) -> Vec<String> {
    let subject = |contender: &str, scenario: &str| format!("{contender} under {scenario}");
    let invalidated = changes.invalidated.iter().map(|invalidated| {
        let Invalidated { scenario, contender, brief, .. } = invalidated;
        (subject(contender, scenario), vec![brief.clone()])
    });
    let mut found: Vec<(String, Vec<String>)> = invalidated.collect();
    for change in changes.metrics.iter().filter(|change| change.finding == Finding::Regressed) {
        let (regressed, metric) = (subject(&change.contender, &change.scenario), change.metric.to_string());
        match found.last_mut().filter(|(last, _)| *last == regressed) {
            Some((_, metrics)) => metrics.push(metric),
            None => found.push((regressed, vec![metric])),
        }
    }
    found.into_iter().map(|(subject, metrics)| format!("{subject} ({})", metrics.join(", "))).collect()
}

fn read(file: &Path) -> Result<Report, String> {
    let file = File::open(file).map_err(|error| format!("{error}; --json FILE or --out DIR makes one"))?;
    Report::read_json(BufReader::new(file)).map_err(|error| error.to_string())
}
