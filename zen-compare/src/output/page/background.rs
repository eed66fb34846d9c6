//! The figures of loads with background connections: how many measured clients are served among
//! slow ones, and how many idle connections are held.

use super::figure::{Figure, Panel, Source, standing};
use super::identity::Identity;
use super::shares::{self, Bar, Shares};
use super::table::{Cell, Table};
use crate::output::number;
use crate::results::{Standing, Summary};
use crate::scenario::Scenario;

/// How many measured clients are served among slow senders and non-readers.
pub(super) fn slow(source: Source<'_>) -> Option<Figure> {
    let scenarios =
        source.scenarios(|scenario| scenario.background.tricklers + scenario.background.non_readers > 0);
    figure(source, &scenarios, (180.0, 132.0), slow_bar, Figure {
        id: "slow",
        title: "Which servers survive slow clients".into(),
        reading: "Measured clients among background connections that send a byte now and then, or ask and never read. A full bar: \
                  every measured client was answered. The time is the longest that 99 % of their answers took."
            .into(),
        method: "Measured clients with at least one answer in the window, in the repetition that served the fewest. The latency \
                 is of those answers only."
            .into(),
        panels: Vec::new(),
        table: groups_table(source, &scenarios),
    })
}

/// How many idle connections are held.
pub(super) fn idle(source: Source<'_>) -> Option<Figure> {
    let scenarios = source.scenarios(|scenario| scenario.background.idle > 0);
    figure(source, &scenarios, (200.0, 172.0), idle_bar, Figure {
        id: "idle",
        title: "Which servers hold idle connections".into(),
        reading: "Idle connections beside a few busy clients. A full bar: all of them were held. Beside it: what each cost in \
                  memory, and the longest that 99 % of the busy clients’ answers took."
            .into(),
        method: "Idle connections that were open when the window closed, in the repetition that held the fewest. They come from \
                 several loopback addresses, because one has too few ports."
            .into(),
        panels: Vec::new(),
        table: groups_table(source, &scenarios),
    })
}

type ToBar = for<'a> fn(&'a Identity, &Summary, &Scenario) -> Bar<'a>;

/// A figure of bars, with room for texts of this many pixels beside them on a wide page and on a
/// narrow one.
fn figure(
    source: Source<'_>,
    scenarios: &[&Scenario],
    (wide, narrow): (f64, f64),
    bar: ToBar,
    figure: Figure,
) -> Option<Figure> {
    let panel = |scenario: &&Scenario| {
        let of_it = source.summaries(&scenario.name);
        let bars: Vec<Bar<'_>> =
            of_it.iter().map(|(identity, summary)| bar(identity, summary, scenario)).collect();
        let shares = Shares { overview: Vec::new(), whole: 1.0, bars, detail: 1.0, show: number::share };
        let says = format!("{}, {}", figure.title, scenario.name);
        Some(Panel {
            title: scenario.name.clone(),
            about: scenario.describe(),
            wide: shares::draw(960.0, wide, &says, &shares)?,
            narrow: shares::draw(336.0, narrow, &says, &shares)?,
        })
    };
    let panels: Vec<Panel> = scenarios.iter().filter_map(panel).collect();
    (!panels.is_empty()).then_some(Figure { panels, ..figure })
}

fn slow_bar<'a>(identity: &'a Identity, summary: &Summary, _: &Scenario) -> Bar<'a> {
    let (served, clients) = (summary.clients_served, summary.clients);
    let p99 = summary.p99_ns.map(|p99| format!("p99 {}", number::time(p99.median)));
    let slow = summary.groups.iter().filter(|group| group.name != "good");
    let ended: u64 = slow.map(|group| group.ended_by_server).sum();
    let mut told = vec![format!("{}: {served} of {clients} measured clients served", identity.name)];
    told.extend(p99.clone());
    told.extend((ended > 0).then(|| format!("{ended} slow connections ended")));
    let mut text = vec![format!("{served}/{clients}")];
    text.extend(p99);
    row(identity, summary, share(served, clients), &text, &told)
}

fn idle_bar<'a>(identity: &'a Identity, summary: &Summary, scenario: &Scenario) -> Bar<'a> {
    let idle = scenario.background.idle;
    let Some(held) = summary.connections_held else {
        let told = format!("{}: the number held is unknown", identity.name);
        return row(identity, summary, 0.0, &["–".to_owned()], &[told]);
    };
    let memory = summary.memory_per_connection_bytes.map(|memory| number::bytes(memory.median));
    let p99 = summary.p99_ns.map(|p99| number::time(p99.median));
    let (served, clients) = (summary.clients_served, summary.clients);
    let mut told = vec![format!("{}: {held} of {idle} idle connections held", identity.name)];
    told.extend(memory.as_ref().map(|memory| format!("{memory} each")));
    told.extend(p99.as_ref().map(|p99| format!("busy clients’ p99 {p99}")));
    told.extend((served < clients).then(|| format!("{served} of {clients} busy clients served")));
    #[allow(clippy::cast_precision_loss, reason = "a number of connections")]
    let mut text = vec![number::tick(&number::count(held as f64))];
    text.extend(memory);
    text.extend(p99);
    row(identity, summary, share(held, idle), &text, &told)
}

/// A bar, the parts of the text beside it, and the parts of its tip.
fn row<'a>(
    identity: &'a Identity,
    summary: &Summary,
    share: f64,
    text: &[String],
    told: &[String],
) -> Bar<'a> {
    let invalid = summary.standing == Standing::Invalid;
    let tip = told.join(", ");
    Bar {
        identity: Some(identity),
        name: identity.label(shares::NAMES - 22.0),
        standing: summary.standing,
        parts: vec![("part survives", share)],
        predicted: None,
        text: if invalid { "invalid".to_owned() } else { text.join(" · ") },
        tip: if invalid { format!("{tip}, invalid") } else { tip },
    }
}

fn share(part: usize, whole: usize) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a number of connections")]
    let (part, whole) = (part as f64, whole as f64);
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn groups_table(source: Source<'_>, scenarios: &[&Scenario]) -> Table {
    let head = [
        "load",
        "flavor",
        "kind of client",
        "clients",
        "served",
        "answers",
        "ended by server",
        "open at the end",
        "standing",
    ];
    #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let whole = |number: u64| Cell::number(number.to_string(), number as f64);
    let mut rows = Vec::new();
    for scenario in scenarios {
        for (identity, summary) in source.summaries(&scenario.name) {
            for group in &summary.groups {
                rows.push(vec![
                    Cell::words(&scenario.name),
                    Cell::name(&identity.name, identity.index),
                    Cell::words(&group.name),
                    whole(group.clients as u64),
                    whole(group.served as u64),
                    whole(group.answers),
                    whole(group.ended_by_server),
                    whole(group.open as u64),
                    Cell::words(standing(summary)),
                ]);
            }
        }
    }
    Table {
        caption: "Kinds of clients, in the repetition that served the fewest".into(),
        head: head.map(str::to_owned).into(),
        rows,
    }
}
