//! A report in which everything happens: all loads, a tie, starvation, invalid runs, and hostile
//! names.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::json;

use crate::analysis::summary::summarize;
use crate::machine::environment::Environment;
use crate::machine::pin::Cores;
use crate::results::Invalid;
use crate::results::{
    ContenderSettings, GeneratorUse, Group, Latency, Report, Run, SCHEMA, ScheduleStats, Settings, ThreadCpu,
};
use crate::scenario::Scenario;
use crate::stats::curve::curve;

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

/// The floor's CPU time per question, in nanoseconds.
const FLOOR_NS: f64 = 3_900.0;
/// Answers per second of a closed loop. Open loops offer shares of this.
const CAPACITY: f64 = 205_000.0;

/// A trace of two contenders, one of them with the hostile name: each has a thread that serves two
/// clients, one after the other.
pub(super) fn trace() -> zen_trace::Trace {
    let ms = |ms: u64| ms * 1_000_000;
    let conversation = |number: u64, from: u64| {
        let span =
            |from: u64, to: u64, kind: &str| json!({ "from_ns": ms(from), "to_ns": ms(to), "kind": kind });
        json!({
            "number": number, "opened_ns": ms(from), "closed_ns": ms(from + 50), "close_reason": "finished",
            "client_spans": [span(1, 2, "connecting"), span(2, from + 40, "thinking"),
                span(from + 40, from + 50, "waiting")],
        })
    };
    let steps = |number: u64, from: u64| {
        [
            json!([ms(from), ms(from) / 100, number, 0, "waiting_for_question"]),
            json!([ms(from + 40), ms(from + 1) / 100, number, 0, "answering"]),
            json!([ms(from + 48), ms(from + 6) / 100, number, 0, "answered", 1]),
            json!([ms(from + 50), ms(from + 7) / 100, number, 0, "closed", "finished"]),
        ]
    };
    let both = [steps(1, 2), steps(2, 60)].concat();
    let server = |name: &str| {
        json!({
            "name": name, "clock_ns": 1, "cost_per_step_ns": 100.0,
            "places": [{ "file": "src/drive.rs", "line": 7, "text": "step();" }],
            "threads": [{
                "id": 1, "name": "main", "lost": 0, "switches": [], "started_ns": 0, "ended_ns": ms(120),
                "cpu_ns": ms(2), "run_delay_ns": 0, "steps": both,
            }],
            "conversations": [conversation(1, 2), conversation(2, 60)],
        })
    };
    let trace = json!({ "schema": "zen-trace/1", "servers": [server("blocking"), server(BITES)] });
    zen_trace::Trace::read_json(trace.to_string().as_bytes()).unwrap()
}

/// Every scenario there is, nine contenders, three repetitions.
pub(super) fn report() -> Report {
    let names = ["book", "think", "saturate", "pipeline", "churn", "open", "slow", "idle", "work"];
    report_of(names.iter().filter_map(|name| Scenario::named(name)).flatten().collect())
}

pub(super) fn report_of(scenarios: Vec<Scenario>) -> Report {
    let contenders = CONTENDERS.map(|(name, _)| ContenderSettings {
        name: name.into(),
        command: format!("zen serve 127.0.0.1:0 --flavor {name}"),
        floor: name == "floor",
        changed_unix_ms: None,
    });
    let runs = scenarios.len() * CONTENDERS.len() * 3;
    let settings = Settings {
        contenders: contenders.into(),
        scenarios,
        repetitions: 3,
        warmup_s: 0.3,
        window_s: 1.0,
        seed: 1,
        capacity: Some(CAPACITY),
        system_calls: "not counted: the kernel does not let us".into(),
        runs,
        questions: "3, 0123456789abcdef".into(),
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
        machine: Some("A Cloud <of> machines".into()),
        container: Some("docker".into()),
        clock_source: Some("tsc".into()),
        congestion_control: Some("cubic".into()),
        open_files: Some(20_000),
        ..Environment::current(None)
    };
    let summaries = summarize(&settings, &runs);
    Report { schema: SCHEMA.into(), environment, settings, complete: true, summaries, runs }
}

/// How a contender performs under a load.
struct Course {
    /// CPU per question, in nanoseconds.
    cost: f64,
    throughput: f64,
    served: usize,
    held: usize,
    /// How long an answer takes, as a multiple of its cost.
    wait: f64,
}

fn course(name: &str, times: f64, scenario: &Scenario, noise: f64) -> Course {
    let crowd = 1.0 + 0.03 * float(scenario.clients).log2();
    let work_ns = scenario.work.map_or(0.0, |work| work.time.as_secs_f64() * 1e9);
    let connect = if scenario.questions_per_conversation.is_some() { 3.0 } else { 1.0 };
    let batch = if scenario.depth > 1 { 0.06 } else { 1.0 };
    let cost = FLOOR_NS * times * noise * crowd * connect * batch + work_ns;
    // These serve one conversation at a time, or four: the others wait until the server hangs up on
    // somebody.
    let seats = match name {
        "blocking" => 1,
        "pool" if scenario.clients > 100 => 377,
        "pool" => 4,
        _ => usize::MAX,
    };
    let stays = scenario.questions_per_conversation.is_none();
    let left = if stays && scenario.background.connections() > 0 && seats < usize::MAX { 0 } else { seats };
    let served = if stays { scenario.clients.min(left) } else { scenario.clients };
    let held = scenario.background.idle.min(if name == "threaded" { 1_000 } else { seats });
    let think = scenario.think.as_secs_f64();
    let throughput = match open_share(scenario) {
        _ if served == 0 => 0.0,
        Some(share) => (CAPACITY * share).min(1e9 / cost),
        None if think > 0.0 => float(scenario.clients) / (think + cost / 1e9),
        None => 1e9 / cost,
    };
    let queue = if think > 0.0 { 1.0 } else { float(served * scenario.depth) };
    let wait = open_share(scenario).map_or(queue, |share| 1.0 / (1.0 - (share * times * 0.8).min(0.97)));
    Course { cost, throughput, served, held, wait }
}

/// Latencies from the write of the question, and from when the question was due.
fn samples(course: &Course, scenario: &Scenario, random: &mut fastrand::Rng) -> [Histogram<u64>; 2] {
    let [mut written, mut due] = [(); 2].map(|()| Histogram::new(3).unwrap());
    let late = if open_share(scenario).is_some_and(|share| share > 0.6) { 9 } else { 1 };
    for _ in 0..if course.served == 0 { 0 } else { 3_000 } {
        let tail = (-random.f64().max(1e-9).ln()).powi(2) * 0.3 + 0.8;
        let nanoseconds = whole(course.cost * course.wait * tail) + 9_000;
        written.record(nanoseconds).unwrap();
        due.record(nanoseconds * late).unwrap();
    }
    [written, due]
}

fn groups(course: &Course, scenario: &Scenario) -> Vec<Group> {
    let background = scenario.background;
    let kinds = [
        ("good", scenario.clients, course.served, scenario.clients),
        ("trickler", background.tricklers, 0, background.tricklers / 2),
        ("non-reader", background.non_readers, 0, background.non_readers / 2),
        ("quiet", background.idle, 0, course.held),
    ];
    let there = kinds.into_iter().filter(|(_, clients, ..)| *clients > 0 && background.connections() > 0);
    let group = |(name, clients, served, open): (&str, usize, usize, usize)| Group {
        name: name.into(),
        clients,
        served,
        answers: if name == "good" { whole(course.throughput) } else { 0 },
        ended_by_server: (clients - open) as u64,
        open,
    };
    there.map(group).collect()
}

fn run(name: &str, times: f64, scenario: &Scenario, repetition: u32, random: &mut fastrand::Rng) -> Run {
    let noise = 0.99 + 0.02 * random.f64();
    let course = course(name, times, scenario, noise);
    let [written, due] = samples(&course, scenario, random);
    let open = open_share(scenario);
    let uncorrected = open.map(|_| &written);
    let latency = if open.is_some() { &due } else { &written };
    let answers = whole(course.throughput);
    let busy = course.throughput * course.cost / 1e9;
    let divided = busy > 0.2;
    let each = whole(500.0 * times * times * noise);
    let (clients, clients_served) = (scenario.clients, course.served);
    Run {
        contender: name.into(),
        scenario: scenario.name.clone(),
        repetition,
        window_s: 1.0,
        answers,
        throughput: course.throughput,
        throughput_is_lower_bound: scenario.depth > 1 && times < 1.1,
        latency: Latency::from_histogram(latency),
        latency_uncorrected: uncorrected.and_then(Latency::from_histogram),
        latency_curve: curve(latency),
        latency_curve_uncorrected: uncorrected.map(curve).unwrap_or_default(),
        offered_rate: open.map(|share| CAPACITY * share),
        schedule: open.map(|_| ScheduleStats { due: answers, late: 3, latest_ns: 40_000, unsent: 0 }),
        server_cpu_s: busy,
        server_user_s: divided.then_some(busy * 0.35),
        server_system_s: divided.then_some(busy * 0.65),
        cpu_per_question_ns: (answers > 0).then_some(course.cost),
        occupancy: busy,
        context_switches_per_question: Some(times / 4.0),
        threads: Some(1),
        thread_cpu: ThreadCpu::from_times(
            &[Duration::from_millis(510), Duration::from_millis(490)],
            Duration::from_secs(1),
        ),
        descriptors: Some(12 + clients),
        memory_empty_bytes: Some(3 << 20),
        memory_loaded_bytes: Some((3 << 20) + (clients + course.held) as u64 * each),
        clients,
        clients_served,
        groups: groups(&course, scenario),
        connections_held: (scenario.background.idle > 0).then_some(course.held),
        fairness: (clients_served > 0).then(|| float(clients_served) / float(clients)),
        clients_waiting: clients - clients_served,
        longest_wait_ns: if clients_served < clients { 1_000_000_000 } else { 0 },
        warmup_s: 0.3,
        warmed_up: !(name == "async-multi" && scenario.name == "churn"),
        generator: GeneratorUse {
            cpu_s: 0.6,
            occupancy: 0.6,
            cpu_per_question_ns: Some(900.0),
            starved_s: Some(0.001),
            sampler_cpu_s: 0.01,
        },
        invalid: invalid(name, scenario),
        ..Run::default()
    }
}

fn invalid(name: &str, scenario: &Scenario) -> Vec<Invalid> {
    match (name, scenario.name.as_str()) {
        ("mio-multi", "saturate-512") => vec![Invalid::GeneratorWasBottleneck {
            generator_occupancy: 0.99,
            server_occupancy: 0.7,
            server_capacity: 1.0,
        }],
        (BITES, "pipeline") => vec![Invalid::WrongAnswers {
            conversations: 3,
            expected: "Ugly.".into(),
            received: "<script>alert(1)</script>".into(),
        }],
        _ => Vec::new(),
    }
}

#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn float(number: usize) -> f64 {
    number as f64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers, none below zero")]
fn whole(number: f64) -> u64 {
    number as u64
}

/// The share of the capacity that an open loop offers.
fn open_share(scenario: &Scenario) -> Option<f64> {
    scenario.arrivals?;
    let percent: f64 = scenario.name.rsplit_once('-')?.1.parse().ok()?;
    Some(percent / 100.0)
}
