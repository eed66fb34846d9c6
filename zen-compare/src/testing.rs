//! Runs and settings for the tests of this crate.

use crate::results::{ContenderSettings, Run, Settings};
use crate::scenario::Scenario;

pub(crate) fn settings(contenders: &[&str], scenario: Scenario) -> Settings {
    let names = contenders.len();
    let contenders = contenders.iter().map(|&name| ContenderSettings {
        name: name.into(),
        command: name.into(),
        floor: name == "floor",
        changed_unix_ms: None,
    });
    Settings {
        contenders: contenders.collect(),
        scenarios: vec![scenario],
        repetitions: 3,
        warmup_s: 0.1,
        window_s: 1.0,
        capacity: None,
        seed: 1,
        system_calls: "not counted: a test".into(),
        runs: 3 * names,
        questions: "none: a test".into(),
    }
}

/// A run of one second at a given cost per question; the throughput is that of a core full of such
/// questions.
pub(crate) fn run(contender: &str, scenario: &Scenario, repetition: u32, cost_ns: f64) -> Run {
    let throughput = 1e9 / cost_ns;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Run {
        contender: contender.into(),
        scenario: scenario.name.clone(),
        repetition,
        window_s: 1.0,
        answers: throughput as u64,
        throughput,
        server_cpu_s: 1.0,
        cpu_per_question_ns: Some(cost_ns),
        occupancy: 1.0,
        context_switches_per_question: Some(0.5),
        threads: Some(1),
        memory_empty_bytes: Some(1000),
        memory_loaded_bytes: Some(1000 + 64 * scenario.clients as u64),
        clients: scenario.clients,
        clients_served: scenario.clients,
        fairness: Some(1.0),
        warmed_up: true,
        ..Run::default()
    }
}
