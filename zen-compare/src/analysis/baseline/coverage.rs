//! What only one of two reports covers, in as few lines as possible.

use crate::results::{Report, Summary};
use crate::units::list;

/// One line for all scenarios that only one report has, one for all contenders that only one has,
/// and one for each other contender that was measured under a scenario in only one of them.
pub(super) fn differences(baseline: &Report, now: &Report) -> Vec<String> {
    let mut lines = only_in(now, baseline, "new");
    lines.extend(only_in(baseline, now, "only in the baseline"));
    lines
}

fn only_in(one: &Report, other: &Report, state: &str) -> Vec<String> {
    let scenario: fn(&Summary) -> &str = |summary| &summary.scenario;
    let contender: fn(&Summary) -> &str = |summary| &summary.contender;
    let lacking = |of: fn(&Summary) -> &str| {
        let names = names(&one.summaries.iter().collect::<Vec<_>>(), of);
        let known = |name: &str| other.summaries.iter().any(|summary| of(summary) == name);
        names.into_iter().filter(|name| !known(name)).collect::<Vec<_>>()
    };
    let (scenarios, contenders) = (lacking(scenario), lacking(contender));
    let mut lines = Vec::new();
    for (what, names) in [("scenario", &scenarios), ("contender", &contenders)] {
        match names.as_slice() {
            [] => {}
            [name] => lines.push(format!("{what} {name} is {state}")),
            several => lines.push(format!("{what}s {} are {state}", list(several))),
        }
    }
    let alone = one.summaries.iter().filter(|summary| {
        let said = scenarios.contains(&scenario(summary)) || contenders.contains(&contender(summary));
        !said && other.summary(&summary.scenario, &summary.contender).is_none()
    });
    let alone: Vec<&Summary> = alone.collect();
    for name in names(&alone, contender) {
        let own = alone.iter().filter(|summary| summary.contender == name).map(|summary| scenario(summary));
        lines.push(format!("{name} under {} is {state}", list(&own.collect::<Vec<_>>())));
    }
    lines
}

/// Each name once, in the order of first appearance.
fn names<'a>(summaries: &[&'a Summary], of: fn(&Summary) -> &str) -> Vec<&'a str> {
    let mut names = Vec::new();
    for name in summaries.iter().map(|summary| of(summary)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
