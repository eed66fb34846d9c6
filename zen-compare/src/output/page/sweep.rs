//! The same load at several sizes: latency against offered questions, throughput against
//! connections.

use super::figure::{Figure, Panel, Source, exactly, standing};
use super::identity::Identity;
use super::latency::remark;
use super::lines::{self, Axis, Line, Size, Spot};
use super::scale::Kind;
use super::table::{Cell, Table};
use crate::output::number;
use crate::results::{Standing, Summary};
use crate::stats::Estimate;

/// One contender's points, from the lowest.
type Curve<'a> = (&'a Identity, Vec<(f64, &'a Summary)>);

/// Latency against offered load, for each open loop with several rates.
pub(super) fn open(source: Source<'_>) -> Option<Figure> {
    let x = Axis { kind: Kind::Linear, title: "questions due per second", show: number::count };
    let y = Axis { kind: Kind::Log, title: "p99 latency", show: number::time };
    let corrected = Measure { x: &x, y: &y, of: |summary| summary.p99_ns, says: "p99", starving: false };
    let uncorrected =
        Measure { of: |summary| summary.p99_uncorrected_ns, says: "p99 from the write", ..corrected };
    let sweeps = sweeps(source, "questions/s");
    let panels = sweeps.iter().filter_map(|sweep| {
        let curves = curves(source, sweep, "questions/s");
        panel(sweep, &curves, &corrected, Some(&uncorrected))
    });
    let panels: Vec<Panel> = panels.collect();
    let head = [
        "load",
        "flavor",
        "due per s",
        "answered per s",
        "served",
        "p99, ns",
        "95 % from",
        "95 % to",
        "p99 from the write, ns",
        "standing",
    ];
    let mut rows = Vec::new();
    for (identity, points) in sweeps.iter().flat_map(|sweep| curves(source, sweep, "questions/s")) {
        for (at, summary) in points {
            let mut row = vec![
                Cell::words(&summary.scenario),
                Cell::name(&identity.name, identity.index),
                Cell::number(number::exact(at), at),
            ];
            row.push(Cell::shown(summary.throughput.map(|throughput| throughput.median), number::exact));
            row.push(Cell::words(format!("{} of {}", summary.clients_served, summary.clients)));
            row.extend(exactly(summary.p99_ns));
            row.push(Cell::shown(summary.p99_uncorrected_ns.map(|e| e.median), number::exact));
            row.push(Cell::words(standing(summary)));
            rows.push(row);
        }
    }
    (!panels.is_empty()).then(|| Figure {
        id: "open",
        title: "Latency against offered load".into(),
        reading: format!(
            "Questions arrive whether or not earlier ones have been answered, as strangers’ questions do. Lower is better; where a \
             line turns up, the server has reached its capacity.{}",
            left_out(source, &sweeps)
        ),
        method: "Solid: counted from the moment each question was due. Thin and dashed: from the moment it could be \
                 written, which is what a generator sees that waits for the server (coordinated omission)."
            .into(),
        panels,
        table: Table {
            caption: "Latency against offered load".into(),
            head: head.map(str::to_owned).into(),
            rows,
        },
    })
}

/// Names the contenders that are not drawn: a server that answers only a few of its clients has few
/// questions to answer, and so answers them quickly.
fn left_out(source: Source<'_>, sweeps: &[String]) -> String {
    let curves = sweeps.iter().flat_map(|sweep| curves(source, sweep, "questions/s"));
    let names = curves.filter_map(|(identity, points)| {
        let starving = points.iter().filter(|(_, summary)| summary.standing == Standing::Starves);
        let (_, worst) = starving.min_by_key(|(_, summary)| summary.clients_served)?;
        Some(format!("{} ({} of {} served)", identity.name, worst.clients_served, worst.clients))
    });
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        return String::new();
    }
    format!(" Not drawn where clients were left without any answer: {}.", names.join(", "))
}

/// Throughput against connections, for each closed loop with several numbers of clients.
pub(super) fn connections(source: Source<'_>) -> Option<Figure> {
    let x = Axis { kind: Kind::Log, title: "connections", show: number::digits };
    let y = Axis { kind: Kind::Linear, title: "answers per second", show: number::count };
    let throughput =
        Measure { x: &x, y: &y, of: |summary| summary.throughput, says: "answers/s", starving: true };
    let sweeps = sweeps(source, "clients");
    let panels =
        sweeps.iter().filter_map(|sweep| panel(sweep, &curves(source, sweep, "clients"), &throughput, None));
    let panels: Vec<Panel> = panels.collect();
    let head = ["load", "flavor", "connections", "answers/s", "95 % from", "95 % to", "served", "standing"];
    let mut rows = Vec::new();
    for (identity, points) in sweeps.iter().flat_map(|sweep| curves(source, sweep, "clients")) {
        for (at, summary) in points {
            let mut row = vec![
                Cell::words(&summary.scenario),
                Cell::name(&identity.name, identity.index),
                Cell::number(number::exact(at), at),
            ];
            row.extend(exactly(summary.throughput));
            row.push(Cell::words(format!("{} of {}", summary.clients_served, summary.clients)));
            row.push(Cell::words(standing(summary)));
            rows.push(row);
        }
    }
    (!panels.is_empty()).then(|| Figure {
        id: "connections",
        title: "Throughput against connections".into(),
        reading: "How the answers per second change with more clients at once. Higher is better, and level is good.".into(),
        method: "The same closed loop with more clients each time, a process of its own for each. Hollow marks are of \
                 contenders that leave clients without an answer, or whose runs do not count."
            .into(),
        panels,
        table: Table {
            caption: "Throughput against connections".into(),
            head: head.map(str::to_owned).into(),
            rows,
        },
    })
}

#[derive(Clone, Copy)]
struct Measure<'a> {
    x: &'a Axis<'a>,
    y: &'a Axis<'a>,
    of: fn(&Summary) -> Option<Estimate>,
    says: &'static str,
    /// Whether contenders that leave clients without an answer are drawn.
    starving: bool,
}

/// The sweeps by this number that have at least two points.
fn sweeps(source: Source<'_>, by: &str) -> Vec<String> {
    let mut sweeps: Vec<(String, Vec<&str>)> = Vec::new();
    for summary in &source.report.summaries {
        let Some(point) = summary.sweep_point.as_ref().filter(|point| point.by == by) else { continue };
        match sweeps.iter_mut().find(|(sweep, _)| *sweep == point.sweep) {
            Some((_, points)) if points.contains(&summary.scenario.as_str()) => {}
            Some((_, points)) => points.push(&summary.scenario),
            None => sweeps.push((point.sweep.clone(), vec![&summary.scenario])),
        }
    }
    sweeps.into_iter().filter(|(_, points)| points.len() > 1).map(|(sweep, _)| sweep).collect()
}

fn curves<'a>(source: Source<'a>, sweep: &str, by: &str) -> Vec<Curve<'a>> {
    let curve = |identity: &'a Identity| {
        let own = source.report.summaries.iter().filter(|summary| summary.contender == identity.name);
        let mut points: Vec<(f64, &Summary)> = own
            .filter_map(|summary| {
                let point =
                    summary.sweep_point.as_ref().filter(|point| point.sweep == sweep && point.by == by)?;
                Some((point.at, summary))
            })
            .collect();
        points.sort_by(|(left, _), (right, _)| left.total_cmp(right));
        (!points.is_empty()).then_some((identity, points))
    };
    source.identities.iter().filter_map(curve).collect()
}

fn panel(
    sweep: &str,
    curves: &[Curve<'_>],
    main: &Measure<'_>,
    aside: Option<&Measure<'_>>,
) -> Option<Panel> {
    let line = |measure: &Measure<'_>, (identity, points): &Curve<'_>| {
        let spots: Vec<Spot> = points.iter().filter_map(|point| spot(identity, *point, measure)).collect();
        spots
    };
    let lines = |measure: &'_ Measure<'_>, aside: bool| {
        curves
            .iter()
            .map(|curve| Line { identity: curve.0, spots: line(measure, curve), aside })
            .filter(|line| !line.spots.is_empty())
            .collect::<Vec<_>>()
    };
    let mut all = aside.map(|measure| lines(measure, true)).unwrap_or_default();
    all.extend(lines(main, false));
    let told: Vec<String> = curves
        .iter()
        .filter_map(|(identity, points)| {
            let (at, summary) = points.last()?;
            spot(identity, (*at, *summary), main)?;
            let value = (main.y.show)((main.of)(summary)?.median);
            Some(format!("{} {} {value} at {}", identity.name, main.says, (main.x.show)(*at)))
        })
        .collect();
    let says = format!("{} by {}, {sweep}: {}.", main.y.title, main.x.title, told.join("; "));
    Some(Panel {
        title: String::new(),
        about: String::new(),
        wide: lines::draw(Size::Wide, &says, main.x, main.y, &all)?,
        narrow: lines::draw(Size::Panel, &says, main.x, main.y, &all)?,
    })
}

fn spot(identity: &Identity, (at, summary): (f64, &Summary), measure: &Measure<'_>) -> Option<Spot> {
    if summary.standing == Standing::Starves && !measure.starving {
        return None;
    }
    let estimate = (measure.of)(summary)?;
    let tip = format!(
        "{}: {} {} at {} {}{}",
        identity.name,
        measure.says,
        number::interval(&estimate, measure.y.show),
        (measure.x.show)(at),
        measure.x.title,
        remark(summary)
    );
    Some(Spot {
        x: at,
        y: estimate.median,
        interval: Some((estimate.low, estimate.high)),
        tip: Some(tip),
        counts: !matches!(summary.standing, Standing::Starves | Standing::Faulty | Standing::Invalid),
    })
}
