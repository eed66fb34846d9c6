//! What has changed since a baseline, in lines for people.

use std::fmt::Write;

use super::{Broken, Change, Changes, Finding};
use crate::units::percent;

impl Changes {
    /// What has changed, a line each, with the regressions first, and a line that counts the rest.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for Broken { scenario, contender, why, .. } in &self.broken {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "✗ {scenario} {contender}: no run counts any more: {why}");
        }
        for (finding, sign) in [(Finding::Regressed, "✗"), (Finding::Improved, "✓")] {
            for change in self.figures.iter().filter(|change| change.finding == finding) {
                let Change { scenario, contender, figure, before, now, worse_by, .. } = change;
                // What was found to be either has all of these.
                let Some(((before, now), worse_by)) = before.zip(*now).zip(*worse_by) else { continue };
                let direction = if worse_by > 0.0 { "worse" } else { "better" };
                let _ = writeln!(
                    text,
                    "{sign} {scenario} {contender}: {figure} {} → {} ({} {direction})",
                    figure.show(before.median),
                    figure.show(now.median),
                    percent(worse_by.abs()),
                );
            }
        }
        let broken = match self.broken.len() {
            0 => String::new(),
            broken => format!(", and {broken} broken"),
        };
        let _ = writeln!(
            text,
            "{} figures beside the baseline: {} worse, {} better, {} the same, {} unclear{broken}",
            self.figures.len(),
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
