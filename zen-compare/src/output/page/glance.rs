//! Everything on one screen: how well each contender does under each load, compared with the best.

use super::figure::{Source, failed};
use super::identity::Identity;
use crate::analysis::advice::Advice;
use crate::analysis::judged::is_near;
use crate::analysis::verdict;
use crate::output::escape;
use crate::output::number;
use crate::results::{Standing, Summary};
use crate::scenario::{Metric, Scenario};

/// The loads as rows and the contenders as columns.
pub(super) struct Glance {
    /// The indexes of the contenders.
    pub(super) columns: Vec<usize>,
    pub(super) rows: Vec<Row>,
}

/// One load.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) measure: String,
    pub(super) cells: Vec<Cell>,
}

/// One contender under one load.
pub(super) struct Cell {
    /// The contender's index: on a phone each cell shows its name.
    pub(super) identity: usize,
    pub(super) class: &'static str,
    pub(super) text: String,
    /// The text with the contender, the load and the interval.
    pub(super) tip: String,
}

/// The verdict on one load, or on the points of a sweep.
pub(super) struct VerdictView {
    pub(super) title: String,
    pub(super) about: String,
    /// The indexes of the winners: one, several that tie, or several for the points of a sweep.
    pub(super) winners: Vec<usize>,
    pub(super) tie: bool,
    /// Whether there are too few runs to tell which contender wins.
    pub(super) undecided: bool,
    pub(super) sentence: String,
    /// For each of the loads, the indexes of the winners.
    loads: Vec<Vec<usize>>,
}

pub(super) fn glance(source: Source<'_>) -> Glance {
    // The floor stands last.
    let mut order: Vec<_> = source.identities.iter().collect();
    order.sort_by_key(|identity| identity.floor);
    let row = |scenario: &Scenario| {
        let metric = scenario.ranked_by();
        let of_it = source.summaries(&scenario.name);
        // While it is not decided which one is best, they are compared with the one ahead so far.
        let leads = |summary: &&Summary| matches!(summary.standing, Standing::Best | Standing::Undecided);
        let best = of_it.iter().map(|(_, summary)| *summary).find(leads);
        let cells = order.iter().map(|identity| {
            let own =
                of_it.iter().find(|(other, _)| other.index == identity.index).map(|(_, summary)| *summary);
            cell(identity.index, own, best, metric)
        });
        Row {
            name: scenario.name.clone(),
            about: scenario.describe(),
            measure: metric.name().to_owned(),
            cells: cells.collect(),
        }
    };
    let rows = source.report.by_scenario().map(|(scenario, _)| row(scenario)).collect();
    Glance { columns: order.iter().map(|identity| identity.index).collect(), rows }
}

fn cell(identity: usize, own: Option<&Summary>, best: Option<&Summary>, metric: Metric) -> Cell {
    let Some(summary) = own else {
        return Cell { identity, class: "none", text: "–".into(), tip: "not run".into() };
    };
    let estimate = metric.estimate(summary);
    let bound = if metric.more_is_better() && summary.throughput_is_lower_bound { "≥ " } else { "" };
    let value = estimate.map_or_else(|| "–".to_owned(), |e| format!("{bound}{}", metric.format(e.median)));
    let whole = estimate.map_or_else(
        || "–".to_owned(),
        |e| format!("{bound}{}", number::interval(&e, |value| metric.format(value))),
    );
    let behind =
        best.and_then(|best| metric.ratio(metric.estimate(best)?.median, metric.estimate(summary)?.median));
    let times = behind.map_or_else(|| value.clone(), times);
    let tip = format!("{}: {whole} {}", summary.contender, metric.name());
    match summary.standing {
        Standing::Best => Cell { identity, class: "best", text: value, tip: format!("{tip}, best") },
        // The runs vary so much that even this distance may be chance. That shows no equality.
        Standing::Tie if !behind.is_some_and(is_near) => Cell {
            identity,
            class: "undecided",
            text: value,
            tip: format!("{tip}, not told apart from the best"),
        },
        Standing::Tie => Cell { identity, class: "tie", text: value, tip: format!("{tip}, tie") },
        Standing::Undecided => {
            Cell { identity, class: "undecided", text: value, tip: format!("{tip}, not decided") }
        }
        Standing::Floor => Cell { identity, class: "floor", text: value, tip },
        Standing::Behind => Cell { identity, class: distance(behind), text: times, tip },
        Standing::Starves => Cell {
            identity,
            class: "starves",
            text: format!("{}/{}", summary.clients_served, summary.clients),
            tip: format!("{tip}; {} of {} clients served", summary.clients_served, summary.clients),
        },
        Standing::Faulty => {
            let text = failed(summary);
            Cell { identity, class: "invalid", tip: format!("{tip}; {text}"), text }
        }
        Standing::Invalid => Cell {
            identity,
            class: "invalid",
            text: "invalid".into(),
            tip: format!("{tip}; invalid: {}", summary.invalid.join("; ")),
        },
    }
}

/// How many times as good the best is, with enough digits that the next best never looks equal.
fn times(behind: f64) -> String {
    match behind {
        close if close < 1.0095 => format!("{close:.3} ×"),
        near if near < 1.995 => format!("{near:.2} ×"),
        far => format!("{} ×", number::digits(far)),
    }
}

fn distance(behind: Option<f64>) -> &'static str {
    match behind {
        Some(times) if is_near(times) => "near",
        Some(times) if times < 2.0 => "mid",
        _ => "far",
    }
}

pub(super) fn verdicts(source: Source<'_>) -> Vec<VerdictView> {
    let places = |names: &[&str]| -> Vec<usize> {
        names.iter().filter_map(|name| Some(source.identities.get(name)?.index)).collect()
    };
    let verdicts = verdict::verdicts(source.report);
    let said = verdicts.into_iter().filter(|verdict| !verdict.sentence.is_empty());
    said.map(|verdict| VerdictView {
        winners: places(&verdict.winners),
        tie: verdict.tie,
        undecided: verdict.undecided,
        sentence: verdict.without_names().to_owned(),
        loads: verdict.points.iter().map(|(_, winners)| places(winners)).collect(),
        title: verdict.title,
        about: verdict.about,
    })
    .collect()
}

/// Which contenders are best, alone or in a tie, under most loads, as escaped HTML.
pub(super) fn headline(source: Source<'_>, verdicts: &[VerdictView]) -> String {
    let summaries = &source.report.summaries;
    if !summaries.is_empty() && summaries.iter().all(|summary| summary.valid_runs == 0) {
        return "None of these runs counts.".to_owned();
    }
    let nobody = || {
        let undecided = verdicts.iter().any(|verdict| verdict.undecided);
        if undecided { "Too few runs count to tell which is best." } else { "No contender comes first." }
            .to_owned()
    };
    winners(source, verdicts).unwrap_or_else(nobody)
}

fn winners(source: Source<'_>, verdicts: &[VerdictView]) -> Option<String> {
    let loads: Vec<&Vec<usize>> = verdicts.iter().flat_map(|verdict| &verdict.loads).collect();
    let wins = |index: usize| loads.iter().filter(|winners| winners.contains(&index)).count();
    let most =
        source.identities.iter().map(|identity| wins(identity.index)).max().filter(|most| *most > 0)?;
    let first = source.identities.iter().filter(|identity| wins(identity.index) == most).map(called);
    let first: Vec<String> = first.collect();
    let names = list(&first)?;
    let verb = if first.len() == 1 { "is" } else { "are each" };
    Some(match (loads.len(), most) {
        (1, _) if first.len() > 1 => format!("{names} tie."),
        (1, _) => format!("{names} comes first."),
        (all, most) if all == most => format!("{names} {verb} best, or tied for it, under all {all} loads."),
        (all, most) => format!("{names} {verb} best, or tied for it, under {most} of {all} loads."),
    })
}

/// Which contender to choose for the user load, as escaped HTML.
pub(super) fn choice(source: Source<'_>, advice: &Advice) -> String {
    let names = advice.choice.iter().filter_map(|name| source.identities.get(name)).map(called);
    let names: Vec<String> = names.collect();
    match list(&names) {
        Some(names) if advice.choice.len() == 1 => format!("Choose {names} for your workload."),
        Some(names) => format!("Choose any of {names} for your workload: they tie."),
        None => {
            let why = advice.declined.as_deref().unwrap_or("no contender could be judged");
            format!("No recommendation for your workload: {}.", escape::html(why))
        }
    }
}

fn called(identity: &Identity) -> String {
    format!("<b class=\"who c{}\">{}</b>", identity.index, escape::html(&identity.name))
}

fn list(names: &[String]) -> Option<String> {
    match names {
        [] => None,
        [one] => Some(one.clone()),
        [most @ .., last] => Some(format!("{} and {last}", most.join(", "))),
    }
}
