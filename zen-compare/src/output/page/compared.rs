//! The figures of one number per contender and load: throughput, CPU per question, and memory.

use super::figure::{Figure, Source};
use crate::results::ENOUGH_CONNECTIONS;
use crate::scenario::{Metric, Scenario};

pub(super) fn throughput(source: Source<'_>) -> Option<Figure> {
    let scenarios = source.scenarios(|scenario| scenario.ranked_by() == Metric::Throughput);
    figure(
        source,
        "throughput",
        &scenarios,
        Metric::Throughput,
        &Words {
            title: "Throughput",
            reading: "Right answers per second when clients ask as fast as they are answered. More is better.",
            method: "Counted by the generator in the window, after the warm-up. Dots are medians of the repetitions, bars \
                 their 95 % bootstrap intervals; “≥” marks a lower bound, where the generator was full before the server.",
        },
    )
}

pub(super) fn cost(source: Source<'_>) -> Option<Figure> {
    let scenarios = source.scenarios(|scenario| scenario.arrivals.is_none());
    figure(
        source,
        "cost",
        &scenarios,
        Metric::CpuPerQuestion,
        &Words {
            title: "CPU per question",
            reading: "Server time, user and system, for one answer. Less is better; the dashed line is the floor, the least \
                  that any server can cost on this machine under this load.",
            method: "From the scheduler’s nanosecond clock of the whole process, not from 10 ms ticks, divided by the right \
                 answers in the same window.",
        },
    )
}

pub(super) fn memory(source: Source<'_>) -> Option<Figure> {
    let connections = |scenario: &Scenario| scenario.clients + scenario.background.connections();
    let scenarios = source
        .scenarios(|scenario| scenario.arrivals.is_none() && connections(scenario) >= ENOUGH_CONNECTIONS);
    figure(
        source,
        "memory",
        &scenarios,
        Metric::MemoryPerConnection,
        &Words {
            title: "Memory per connection",
            reading: "What one more connection costs. Less is better.",
            method: "Resident memory when the window closes, less that before the first connection, divided by the \
                 connections; of 64 or more, as fewer tell nothing of what each costs. The kernel’s socket buffers are not in it.",
        },
    )
}

struct Words {
    title: &'static str,
    reading: &'static str,
    method: &'static str,
}

fn figure(
    source: Source<'_>,
    id: &'static str,
    scenarios: &[&Scenario],
    metric: Metric,
    words: &Words,
) -> Option<Figure> {
    let panels = source.dots(scenarios, metric);
    (!panels.is_empty()).then(|| Figure {
        id,
        title: words.title.into(),
        reading: words.reading.into(),
        method: words.method.into(),
        panels,
        table: source.table(&format!("{}: medians and intervals", words.title), scenarios, metric),
    })
}
