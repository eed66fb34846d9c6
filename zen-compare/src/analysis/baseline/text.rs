//! The changes since a baseline, as text.

use std::fmt::Write;

use super::{Change, Changes, Finding, Invalidated};
use crate::units::percent;

impl Changes {
    /// The changes, one line each, with the regressions first, and a line that counts all findings.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for Invalidated { scenario, contender, why, .. } in &self.invalidated {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "✗ {scenario} {contender}: no run counts any more: {why}");
        }
        for (finding, sign) in [(Finding::Regressed, "✗"), (Finding::Improved, "✓")] {
            for change in self.metrics.iter().filter(|change| change.finding == finding) {
                let Change { scenario, contender, metric, before, now, worse_by, .. } = change;
                // A change with either finding has all of these.
                let Some(((before, now), worse_by)) = before.zip(*now).zip(*worse_by) else { continue };
                let direction = if worse_by > 0.0 { "worse" } else { "better" };
                let _ = writeln!(
                    text,
                    "{sign} {scenario} {contender}: {metric} {} → {} ({} {direction})",
                    metric.format(before.median),
                    metric.format(now.median),
                    percent(worse_by.abs()),
                );
            }
        }
        let invalidated = match self.invalidated.len() {
            0 => String::new(),
            invalidated => format!(", and {invalidated} invalid"),
        };
        let _ = writeln!(
            text,
            "{} metrics compared with the baseline: {} worse, {} better, {} the same, {} unclear{invalidated}",
            self.metrics.len(),
            self.count(Finding::Regressed),
            self.count(Finding::Improved),
            self.count(Finding::Same),
            self.count(Finding::Unclear),
        );
        for warning in &self.warnings {
            let _ = writeln!(text, "! {warning}");
        }
        text
    }
}
