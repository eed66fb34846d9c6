//! A report in which everything happens: all loads, a tie, starvation, runs that do not count, and names that bite.

use hdrhistogram::Histogram;

use crate::curve::curve;
use crate::environment::Environment;
use crate::pin::Cores;
use crate::report::{
    ContenderSettings, GeneratorUse, Group, Latency, Report, Run, SCHEMA, Schedule, Settings,
};
use crate::scenario::{RankedBy, Scenario};
use crate::summary::summarize;
use crate::validity::Invalid;

/// A name that tries to be HTML, a formula, a table cell, a link and another text direction.
pub(super) const BITES: &str = "=1|<b>\"x\"</b>\u{202e}[y](http://z.example)";

/// Contenders with their CPU per question, as multiples of the floor's.
const CONTENDERS: [(&str, f64); 9] = [
    ("floor", 1.0),
    ("blocking", 1.32),
    ("threaded", 1.9),
    ("pool", 1.42),
    ("mio", 1.06),
    ("mio-multi", 1.065),
    ("async", 1.21),
    ("async-multi", 1.55),
    (BITES, 9.7),
];

/// What the floor spends on a question, in nanoseconds.
const FLOOR_NS: f64 = 3_900.0;

/// Every scenario there is, nine contenders, three repetitions.
pub(super) fn report() -> Report {
    let names = ["book", "think", "saturate", "pipeline", "churn", "open", "slow", "idle", "work"];
    of(names.iter().filter_map(|name| Scenario::named(name)).flatten().collect())
}

pub(super) fn of(scenarios: Vec<Scenario>) -> Report {
    let contenders = CONTENDERS.map(|(name, _)| ContenderSettings {
        name: name.into(),
        command: format!("zen serve 127.0.0.1:0 --flavor {name}"),
        floor: name == "floor",
    });
    let settings = Settings {
        contenders: contenders.into(),
        scenarios,
        repetitions: 3,
        warmup_s: 0.3,
        window_s: 1.0,
        seed: 1,
        capacity: Some(205_000.0),
        system_calls: "not counted: the kernel does not let us".into(),
    };
    let mut random = fastrand::Rng::with_seed(7);
    let mut runs = Vec::new();
    for repetition in 0..settings.repetitions {
        for scenario in &settings.scenarios {
            for (name, times) in CONTENDERS {
                runs.push(run(name, times, scenario, repetition, &mut random));
            }
        }
    }
    let environment = Environment {
        began_unix: 1_760_000_000,
        command_line: ["zen", "compare", "--full"].map(str::to_owned).into(),
        debug_build: false,
        processor: Some("A Processor <of> some & kind @ 3.2 GHz".into()),
        virtual_machine: Some(true),
        shares_physical_core: Some(false),
        pinning: Some(Cores { server: vec![0], generator: vec![1] }),
        load_average: Some(0.12),
        ..Environment::current(None)
    };
    let summaries = summarize(&settings, &runs);
    Report { schema: SCHEMA.into(), environment, settings, complete: true, summaries, runs }
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]
fn run(name: &str, times: f64, scenario: &Scenario, repetition: u32, random: &mut fastrand::Rng) -> Run {
    let noise = 0.99 + 0.02 * random.f64();
    let crowd = 1.0 + 0.03 * (scenario.clients as f64).log2();
    let work_ns = scenario.work.map_or(0.0, |work| work.time.as_nanos() as f64);
    let connect = if scenario.questions_per_conversation.is_some() { 3.0 } else { 1.0 };
    let batch = if scenario.depth > 1 { 0.06 } else { 1.0 };
    let cost = FLOOR_NS * times * noise * crowd * connect * batch + work_ns;
    let full = 1e9 / cost;
    // One conversation at a time, or four: the others wait for ever unless somebody hangs up.
    let seats = match name {
        "blocking" => 1,
        "pool" => 4,
        _ => usize::MAX,
    };
    let waits = scenario.questions_per_conversation.is_none();
    let taken = if waits { scenario.company.tricklers + scenario.company.non_readers + scenario.company.quiet } else { 0 };
    let left = if taken > 0 && seats < usize::MAX { 0 } else { seats };
    let served = if waits { scenario.clients.min(left) } else { scenario.clients };
    let share = open_share(scenario);
    let think = scenario.think.as_secs_f64();
    let throughput = match share {
        _ if served == 0 => 0.0,
        Some(share) => (1e9 / FLOOR_NS * 0.8 * share).min(full),
        None if think > 0.0 => scenario.clients as f64 / (think + cost / 1e9),
        None => full,
    };
    let busy = throughput * cost / 1e9;
    let mut samples = Histogram::new(3).unwrap();
    let mut late = Histogram::new(3).unwrap();
    let waiting = if think > 0.0 { 1.0 } else { (served * scenario.depth) as f64 };
    let load = share.map_or(waiting, |share| 1.0 / (1.0 - (share * times * 0.8).min(0.97)));
    for _ in 0..if served == 0 { 0 } else { 3_000 } {
        let tail = (-random.f64().max(1e-9).ln()).powi(2) * 0.3 + 0.8;
        let nanoseconds = (cost * load * tail + 9_000.0) as u64;
        samples.record(nanoseconds).unwrap();
        late.record(if share.is_some_and(|share| share > 0.6) { nanoseconds * 9 } else { nanoseconds }).unwrap();
    }
    let (latency, uncorrected) = if share.is_some() { (&late, Some(&samples)) } else { (&samples, None) };
    let group = |name: &str, clients: usize, served: usize, open: usize| Group {
        name: name.into(),
        clients,
        served,
        answers: throughput as u64 * u64::from(name == "good"),
        ended_by_server: (clients - open) as u64,
        open,
    };
    let company = scenario.company;
    let held = company.quiet.min(match name {
        "threaded" => 1_000,
        _ => seats,
    });
    let mut groups = Vec::new();
    if company.connections() > 0 {
        groups.push(group("good", scenario.clients, served, scenario.clients));
        for (name, clients) in [("trickler", company.tricklers), ("non-reader", company.non_readers)] {
            groups.extend((clients > 0).then(|| group(name, clients, 0, clients / 2)));
        }
        groups.extend((company.quiet > 0).then(|| group("quiet", company.quiet, 0, held)));
    }
    let mut run = Run {
        contender: name.into(),
        scenario: scenario.name.clone(),
        repetition,
        window_s: 1.0,
        answers: throughput as u64,
        throughput,
        throughput_is_lower_bound: scenario.depth > 1 && times < 1.1,
        latency: Latency::of(latency),
        latency_uncorrected: uncorrected.and_then(Latency::of),
        latency_curve: curve(latency),
        latency_curve_uncorrected: uncorrected.map(curve).unwrap_or_default(),
        offered_rate: share.map(|share| 1e9 / FLOOR_NS * 0.8 * share),
        schedule: share.map(|_| Schedule { due: throughput as u64, late: 3, latest_ns: 40_000, unsent: 0 }),
        server_cpu_s: busy,
        server_user_s: (busy > 0.2).then_some(busy * 0.35),
        server_system_s: (busy > 0.2).then_some(busy * 0.65),
        cpu_per_question_ns: (throughput > 0.0).then_some(cost),
        occupancy: busy,
        context_switches_per_question: Some(times / 4.0),
        threads: Some(1),
        descriptors: Some(12 + scenario.clients),
        memory_empty_bytes: Some(3 << 20),
        memory_loaded_bytes: Some(
            (3 << 20) + (scenario.clients + held) as u64 * (500.0 * times * times * noise) as u64,
        ),
        clients: scenario.clients,
        clients_served: served,
        groups,
        connections_held: (company.quiet > 0).then_some(held),
        fairness: (served > 0).then(|| served as f64 / scenario.clients as f64),
        clients_waiting: scenario.clients - served,
        longest_wait_ns: if served < scenario.clients { 1_000_000_000 } else { 0 },
        warmup_s: 0.3,
        warmed_up: !(name == "async-multi" && scenario.name == "churn"),
        generator: GeneratorUse { cpu_s: 0.6, occupancy: 0.6, cpu_per_question_ns: Some(900.0), starved_s: Some(0.001) },
        ..Run::default()
    };
    let full_generator = scenario.name == "saturate-512" && name == "mio-multi";
    if full_generator && scenario.ranked_by() == RankedBy::Throughput {
        run.invalid.push(Invalid::GeneratorWasBottleneck {
            generator_occupancy: 0.99,
            server_occupancy: 0.7,
            server_capacity: 1.0,
        });
    }
    if name == BITES && scenario.name == "pipeline" {
        run.invalid.push(Invalid::WrongAnswers {
            conversations: 3,
            expected: "Ugly.".into(),
            received: "<script>alert(1)</script>".into(),
        });
    }
    run
}

/// The share of the capacity that an open loop asks for.
fn open_share(scenario: &Scenario) -> Option<f64> {
    scenario.arrivals?;
    let percent: f64 = scenario.name.rsplit_once('-')?.1.parse().ok()?;
    Some(percent / 100.0)
}
