//! How busy each server was, drawn to scale: the measure of the page that started this project.

use super::figure::{Figure, Panel, Source, exactly, failed, standing};
use super::identity::Identity;
use super::shares::{self, Bar, Shares};
use super::table::{Cell, Table};
use crate::output::number;
use crate::output::number::share as percent;
use crate::results::{Standing, Summary};
use crate::scenario::Scenario;

/// The occupancy that the page measured: 0.01 s of 0.14 s.
const THE_PAGE: f64 = 0.07;
/// When all bars are below this share of the whole, they are magnified.
const TOO_SHORT: f64 = 0.25;

/// Loads whose clients think: any server is idle most of the time.
pub(super) fn thinking(source: Source<'_>) -> Option<Figure> {
    let scenarios = source.scenarios(|scenario| !scenario.think.is_zero());
    figure(
        source,
        &scenarios,
        "occupancy",
        "Occupancy while clients think",
        format!(
            "Clients think between questions. The server that the page traced was {} occupied and waited for its client the rest \
         of the time. So do these servers, and their idle time is room for other clients. The tick on a bar is what \
         service ÷ (service + think) predicts.",
            number::tick(&percent(THE_PAGE))
        ),
        true,
    )
}

/// Closed loops whose clients do not think.
pub(super) fn busy(source: Source<'_>) -> Option<Figure> {
    let scenarios = source.scenarios(|scenario| scenario.think.is_zero() && scenario.arrivals.is_none());
    let reading = "Where the server’s time goes when clients do not think. A bar that ends before one core is a server that \
                   waits, for its clients, for itself, or for the generator."
        .to_owned();
    figure(source, &scenarios, "busy", "Occupancy under full load", reading, false)
}

fn figure(
    source: Source<'_>,
    scenarios: &[&Scenario],
    id: &'static str,
    title: &str,
    reading: String,
    wide: bool,
) -> Option<Figure> {
    let panels: Vec<Panel> = scenarios.iter().filter_map(|scenario| panel(source, scenario, wide)).collect();
    (!panels.is_empty()).then(|| Figure {
        id,
        title: title.into(),
        reading,
        method: "Server CPU seconds per second of wall clock, from the scheduler’s nanosecond clock: 100 % is one core full. \
                 The kernel counts its division into user and system in ticks of 10 ms; where there were too few of them, \
                 the bar is not divided."
            .into(),
        panels,
        table: table(source, scenarios, title),
    })
}

fn panel(source: Source<'_>, scenario: &Scenario, wide: bool) -> Option<Panel> {
    let of_it = source.summaries(&scenario.name);
    let most = of_it
        .iter()
        .filter_map(|(_, summary)| summary.occupancy)
        .map(|occupancy| occupancy.median)
        .fold(0.0, f64::max);
    // Two clocks are read one after the other, so a full core can seem a little more than full.
    let whole = if most < 1.05 { 1.0 } else { most };
    let too_short = wide && most < TOO_SHORT * whole;
    let detail = if too_short { most } else { whole };
    let bars: Vec<Bar<'_>> =
        of_it.iter().filter_map(|(identity, summary)| bar(identity, summary, scenario)).collect();
    let overview = if too_short { overview(&bars, most) } else { Vec::new() };
    let shares = Shares { overview, whole, bars, detail, show: percent };
    let says = format!("occupancy, {}", scenario.name);
    Some(Panel {
        title: scenario.name.clone(),
        about: scenario.describe(),
        wide: if wide { shares::draw(960.0, 90.0, &says, &shares)? } else { String::new() },
        narrow: shares::draw(336.0, 84.0, &says, &shares)?,
    })
}

fn overview(bars: &[Bar<'_>], most: f64) -> Vec<Bar<'static>> {
    let measure = |name: &str, share: f64, tip: String| Bar {
        identity: None,
        name: name.into(),
        standing: Standing::Behind,
        parts: vec![("part whole", share)],
        predicted: None,
        text: number::tick(&percent(share)),
        tip,
    };
    let busiest = if bars.len() > 1 { "busiest here" } else { "here" };
    vec![
        measure(
            "on the page",
            THE_PAGE,
            format!("on the page: {} occupied", number::tick(&percent(THE_PAGE))),
        ),
        measure(busiest, most, format!("{busiest}: {} occupied", percent(most))),
    ]
}

fn bar<'a>(identity: &'a Identity, summary: &Summary, scenario: &Scenario) -> Option<Bar<'a>> {
    let occupancy = summary.occupancy?.median;
    let split = summary.occupancy_user.zip(summary.occupancy_system);
    let parts = match split {
        Some((user, system)) => vec![("part user", user.median), ("part system", system.median)],
        None => vec![("part whole", occupancy)],
    };
    let predicted = predicted(summary, scenario);
    let divided = split
        .map(|(user, system)| {
            format!(", user {} and system {}", percent(user.median), percent(system.median))
        })
        .unwrap_or_default();
    let theory = predicted.map(|share| format!(", predicted {}", percent(share))).unwrap_or_default();
    let instead = match summary.standing {
        Standing::Starves => Some(format!("{}/{} served", summary.clients_served, summary.clients)),
        Standing::Faulty => Some(failed(summary)),
        Standing::Invalid => Some("invalid".to_owned()),
        _ => None,
    };
    let remark = instead.as_ref().map(|instead| format!(", {instead}")).unwrap_or_default();
    Some(Bar {
        identity: Some(identity),
        name: identity.label(shares::NAMES - 22.0),
        standing: summary.standing,
        parts,
        predicted,
        text: instead.unwrap_or_else(|| percent(occupancy)),
        tip: format!("{}: {} occupied{divided}{theory}{remark}", identity.name, percent(occupancy)),
    })
}

/// The prediction of the book's chapter: a client's time is split into service, when the server is
/// busy, and thought, when it is not.
fn predicted(summary: &Summary, scenario: &Scenario) -> Option<f64> {
    let (service, think) = (summary.cpu_per_question_ns?.median * 1e-9, scenario.think.as_secs_f64());
    #[allow(clippy::cast_precision_loss, reason = "a number of clients")]
    let served = summary.clients_served as f64;
    (think > 0.0).then(|| (served * service / (service + think)).min(served))
}

fn table(source: Source<'_>, scenarios: &[&Scenario], caption: &str) -> Table {
    let head =
        ["load", "flavor", "cores busy", "95 % from", "95 % to", "user", "system", "predicted", "standing"];
    let mut rows = Vec::new();
    for scenario in scenarios {
        for (identity, summary) in source.summaries(&scenario.name) {
            let mut row = vec![Cell::words(&scenario.name), Cell::name(&identity.name, identity.index)];
            row.extend(exactly(summary.occupancy));
            for part in [summary.occupancy_user, summary.occupancy_system] {
                row.push(Cell::shown(part.map(|part| part.median), number::exact));
            }
            row.push(Cell::shown(predicted(summary, scenario), number::exact));
            row.push(Cell::words(standing(summary)));
            rows.push(row);
        }
    }
    Table { caption: caption.into(), head: head.map(str::to_owned).into(), rows }
}
