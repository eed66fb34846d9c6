//! The advice on synthetic reports.

mod loads;

use std::time::Duration;

use super::*;
use crate::analysis::summary::summarize;
use crate::machine::environment::Environment;
use crate::machine::pin::Cores;
use crate::results::{Invalid, Latency, Report, Run, SCHEMA};
use crate::scenario::Scenario;
use crate::testing::{run, settings};

const MS: Duration = Duration::from_millis(1);

fn user_load(clients: usize, think_ms: u32) -> UserLoad {
    UserLoad {
        think: MS * think_ms,
        work: Duration::ZERO,
        work_kind: WorkKind::Spin,
        clients,
        server_cores: None,
    }
}

fn working(user_load: UserLoad, work_ms: u32, work_kind: WorkKind) -> UserLoad {
    UserLoad { work: MS * work_ms, work_kind, ..user_load }
}

/// What was measured of one contender.
#[derive(Clone, Copy)]
struct Seen {
    name: &'static str,
    /// Under the user load: answers per second, CPU per question, clients served.
    rate: f64,
    cost_us: f64,
    served: usize,
    valid: u32,
    /// At capacity: answers per second, and clients served; `None` when it was not measured.
    most: Option<(f64, usize)>,
    most_is_bound: bool,
}

fn seen(name: &'static str, rate: f64, cost_us: f64, served: usize, most: f64) -> Seen {
    Seen { name, rate, cost_us, served, valid: 3, most: Some((most, usize::MAX)), most_is_bound: false }
}

fn report(user_load: &UserLoad, of: &[Seen]) -> Report {
    let (own, full) = (user_load.scenario(), user_load.saturating());
    let names: Vec<&str> = of.iter().map(|seen| seen.name).collect();
    let mut settings = settings(&names, own.clone());
    settings.scenarios.push(full.clone());
    let mut runs = Vec::new();
    for seen in of {
        for repetition in 0..3 {
            // A little noise.
            let noise = 1.0 + f64::from(repetition) / 1000.0;
            let of_load = |scenario: &Scenario, rate: f64, cost_us: f64, served: usize| {
                let mut run = run(seen.name, scenario, repetition, cost_us * 1e3 * noise);
                run.throughput = rate * noise;
                run.occupancy = (run.throughput * cost_us / 1e6).min(1.0);
                run.clients_served = served.min(scenario.clients);
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    clippy::cast_precision_loss
                )]
                {
                    run.answers = rate as u64;
                    let mean_ns =
                        (run.clients_served as f64 / rate - scenario.think.as_secs_f64()).max(2e-4) * 1e9;
                    let ns = mean_ns as u64;
                    run.latency = Some(Latency {
                        samples: Some(10_000),
                        mean_ns,
                        p50_ns: ns,
                        p90_ns: ns,
                        p99_ns: ns,
                        p99_9_ns: ns,
                        max_ns: ns,
                    });
                }
                run
            };
            let mut yours = of_load(&own, seen.rate, seen.cost_us, seen.served);
            if repetition >= seen.valid {
                yours.invalid.push(Invalid::ServerDisturbed { cores: 0.5 });
            }
            runs.push(yours);
            if let Some((most, served)) = seen.most {
                let cost_us = (1e6 / most).min(seen.cost_us);
                let mut run = of_load(&full, most, cost_us, served);
                if seen.most_is_bound {
                    run.throughput_is_lower_bound = true;
                    let (generator_occupancy, server_occupancy, server_capacity) = (0.99, 0.5, 1.0);
                    run.invalid.push(Invalid::GeneratorWasBottleneck {
                        generator_occupancy,
                        server_occupancy,
                        server_capacity,
                    });
                }
                runs.push(run);
            }
        }
    }
    report_of(settings, runs)
}

fn report_of(settings: crate::results::Settings, runs: Vec<Run>) -> Report {
    let summaries = summarize(&settings, &runs);
    let cores = Cores { server: vec![1], generator: vec![0] };
    let environment = Environment::current(Some(&cores));
    Report { schema: SCHEMA.into(), environment, settings, complete: true, summaries, runs }
}

/// A user load, what was measured, the expected choice, and texts that the advice must and must not
/// contain.
struct Case {
    user_load: UserLoad,
    seen: Vec<Seen>,
    choice: &'static [&'static str],
    says: &'static [&'static str],
    never: &'static [&'static str],
}

fn check(case: &Case) -> Advice {
    wrong(case).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// The advice, or what is wrong with it.
fn wrong(case: &Case) -> Result<Advice, String> {
    let advice = case.user_load.advice(&report(&case.user_load, &case.seen));
    let text = advice.lines.join("\n");
    let mut wrong = Vec::new();
    if advice.choice != case.choice || advice.declined.is_some() != case.choice.is_empty() {
        wrong.push(format!("{:?} instead of {:?}", advice.choice, case.choice));
    }
    wrong.extend(
        case.says.iter().filter(|says| !text.contains(**says)).map(|says| format!("not said: {says}")),
    );
    wrong.extend(
        case.never.iter().filter(|never| text.contains(**never)).map(|never| format!("said: {never}")),
    );
    if wrong.is_empty() { Ok(advice) } else { Err(format!("{}\n{text}", wrong.join("\n"))) }
}

#[test]
fn one_valid_run_never_makes_a_tie() {
    let alone = |name, rate, cost| Seen { valid: 1, ..seen(name, rate, cost, 40, 9e3) };
    let user_load = working(user_load(40, 5), 2, WorkKind::Sleep);
    // A contender that is slower and has a single valid run is left out.
    let advice = check(&Case {
        user_load,
        seen: vec![seen("async-multi", 4.79e3, 30.0, 40, 40e3), alone("mio-multi", 469.0, 10.0)],
        choice: &["async-multi"],
        says: &["→ async-multi: ", "undecided: one valid run is too few: mio-multi (other programs ran on"],
        never: &["tie", "and mio-multi"],
    });
    assert!(advice.lines[1].starts_with("→ async-multi: 4.79 k"), "{advice:?}");
    // A contender that looks far better prevents the other from being recommended.
    let advice = check(&Case {
        user_load,
        seen: vec![alone("async-multi", 4.79e3, 30.0), seen("mio-multi", 469.0, 10.0, 40, 480.0)],
        choice: &[],
        says: &[
            "→ no recommendation: async-multi (4.79 k answers/s) looks better than mio-multi (469 answers/s)",
        ],
        never: &["What would change", "tie"],
    });
    assert!(advice.declined.is_some_and(|why| why.ends_with("too few of its runs count to tell")));
    // Two of three valid runs are too few as well, so no contender is left.
    let two = Seen { valid: 2, ..seen("mio", 469.0, 10.0, 40, 480.0) };
    check(&Case {
        user_load,
        seen: vec![alone("async", 4.79e3, 30.0), two],
        choice: &[],
        says: &[
            "→ no recommendation: too few runs count to tell",
            "one valid run is too few: async (",
            "two valid runs are too few: mio (",
        ],
        never: &["no contender served"],
    });
}

#[test]
fn wide_intervals_do_not_make_a_tie_of_distant_medians() {
    let user_load = working(user_load(40, 5), 2, WorkKind::Sleep);
    let mut report =
        report(&user_load, &[seen("async", 4.8e3, 30.0, 40, 4e4), seen("mio", 469.0, 10.0, 40, 480.0)]);
    // One lucky run and one unlucky run.
    report.runs.iter_mut().find(|run| run.contender == "mio").unwrap().throughput = 4.9e3;
    report.runs.iter_mut().find(|run| run.contender == "async").unwrap().throughput = 460.0;
    report.summarize();
    let advice = user_load.advice(&report);
    assert_eq!(advice.choice, ["async"], "{advice:?}");
}

#[test]
fn a_single_repetition_recommends_nothing() {
    let user_load = user_load(50, 40);
    let mut report =
        report(&user_load, &[seen("mio", 1240.0, 10.0, 50, 9e4), seen("async", 1240.0, 30.0, 50, 9e4)]);
    report.runs.retain(|run| run.repetition == 0);
    report.settings.repetitions = 1;
    report.summarize();
    let advice = user_load.advice(&report);
    assert!(advice.choice.is_empty());
    let expected = "→ no recommendation: one run of each is too few to tell (--repetitions makes more)";
    assert_eq!(advice.lines[1], expected);
    assert_eq!(advice.lines[2], "  undecided: one valid run is too few: mio and async");
}

#[test]
fn no_recommendation_is_explained() {
    let user_load = user_load(50, 40);
    let seen = [seen("blocking", 25.0, 5.0, 1, 9e4), seen("other", 9.0, 9.0, 50, 9e4)];
    let mut none = report(&user_load, &seen);
    for run in none.runs.iter_mut().filter(|run| run.contender == "other") {
        run.invalid.push(Invalid::ClosedEarly { conversations: 1 });
    }
    none.summarize();
    let advice = user_load.advice(&none);
    assert!(advice.choice.is_empty());
    let text = advice.lines.join("\n");
    assert!(text.contains("→ no recommendation: no contender served every client"), "{text}");
    assert!(text.contains("none of their runs counts: other"), "{text}");
}

#[test]
fn the_lines_make_a_nested_list() {
    let user_load = user_load(2, 40);
    let advice = user_load
        .advice(&report(&user_load, &[seen("mio", 49.8, 24.0, 2, 3e5), seen("pool", 49.7, 60.0, 2, 1e5)]));
    let depths: Vec<usize> = advice.outline().map(|(depth, _)| depth).collect();
    assert_eq!(depths[..3], [0, 1, 2], "{advice:?}");
    assert!(advice.outline().all(|(_, line)| !line.starts_with(' ')));
    let change = advice.outline().find(|(_, line)| line.starts_with("What would change")).unwrap();
    assert_eq!(change.0, 1);
}
