//! From runs to a ranking: combines the repetitions, and orders the contenders.

use std::cmp::Ordering;
use std::mem::discriminant;

use super::point::sweep_point;
use super::rivals::Rivals;
use crate::results::Invalid;
use crate::results::{Latency, Report, Run, Settings, Standing, Summary};
use crate::scenario::{Metric, Scenario};
use crate::stats::Estimate;
use crate::stats::curve::combine;
use crate::stats::significance::least_significant_ratio;

impl Report {
    /// Recomputes the summaries from the runs. Call it after removing runs, or after merging
    /// reports.
    pub fn summarize(&mut self) {
        self.summaries = summarize(&self.settings, &self.runs);
    }

    /// Recomputes the summaries of one scenario when nothing has changed in the others. Resampling
    /// a whole long comparison after each run would take longer than saving it does.
    pub(crate) fn summarize_scenario(&mut self, name: &str) {
        self.summaries.retain(|summary| summary.scenario != name);
        let Self { settings, summaries, runs, .. } = self;
        let place = |name: &str| settings.scenarios.iter().position(|scenario| scenario.name == name);
        if let Some(scenario) = place(name).and_then(|place| settings.scenarios.get(place)) {
            summaries.extend(summarize_scenario(settings, scenario, runs));
        }
        // The sort is stable, so the ranking within a scenario stays.
        summaries.sort_by_key(|summary| place(&summary.scenario));
    }
}

/// Summaries of every scenario and contender that has runs. Scenarios are in the order of the
/// settings. Within each, the floor comes first, then the contenders from the best to those that
/// cannot be ranked.
pub(crate) fn summarize(settings: &Settings, runs: &[Run]) -> Vec<Summary> {
    settings.scenarios.iter().flat_map(|scenario| summarize_scenario(settings, scenario, runs)).collect()
}

/// The summaries of one scenario.
pub(crate) fn summarize_scenario(settings: &Settings, scenario: &Scenario, runs: &[Run]) -> Vec<Summary> {
    let undecided = Rivals::of(settings, scenario, runs).undecided();
    let runs: Vec<&Run> =
        runs.iter().filter(|run| run.scenario == scenario.name && !run.is_left_out()).collect();
    let floor_name =
        settings.contenders.iter().find(|contender| contender.floor).map(|floor| floor.name.as_str());
    let floor: Vec<&Run> = runs
        .iter()
        .copied()
        .filter(|run| Some(run.contender.as_str()) == floor_name && run.is_valid())
        .collect();
    let mut summaries: Vec<Summary> = settings
        .contenders
        .iter()
        .filter_map(|contender| {
            let own: Vec<&Run> = runs.iter().copied().filter(|run| run.contender == contender.name).collect();
            let standing = if contender.floor { Standing::Floor } else { Standing::Behind };
            (!own.is_empty()).then(|| summarize_contender(scenario, &own, &floor, standing, settings.seed))
        })
        .collect();
    let by = scenario.ranked_by();
    let ranked = summaries.iter().filter(|summary| summary.standing == Standing::Behind);
    let samples: Vec<Vec<f64>> = ranked
        .map(|summary| {
            let own = runs.iter().filter(|run| run.contender == summary.contender && run.is_valid());
            own.filter_map(|run| by.value(run)).collect()
        })
        .collect();
    rank(by, least_significant_ratio(&samples, settings.seed), undecided, &mut summaries);
    summaries
}

fn summarize_contender(
    scenario: &Scenario,
    runs: &[&Run],
    floor: &[&Run],
    standing: Standing,
    seed: u64,
) -> Summary {
    let valid: Vec<&Run> = runs.iter().copied().filter(|run| run.is_valid()).collect();
    let standing = match standing {
        _ if valid.is_empty() => Standing::Invalid,
        Standing::Behind if runs.iter().any(|run| run.is_contenders_fault()) => Standing::Faulty,
        Standing::Behind if valid.iter().any(|run| run.clients_served < run.clients) => Standing::Starves,
        given => given,
    };
    let counted = if valid.is_empty() { runs.to_vec() } else { valid.clone() };
    let estimate = |measure: &dyn Fn(&Run) -> Option<f64>| {
        let values: Vec<f64> = counted.iter().filter_map(|run| measure(run)).collect();
        Estimate::from_values(&values, seed)
    };
    let percentile = |which: fn(&Run) -> Option<Latency>, quantile: f64, of: fn(Latency) -> u64| {
        // If some runs lack samples, no run is used: those that happen to have enough would be the
        // ones with the most answers.
        let told = counted.iter().all(|run| which(run).is_none_or(|latency| run.tells(&latency, quantile)));
        // The clients that a server serves are quick because it leaves the others waiting.
        let told = told && counted.iter().all(|run| run.clients_served >= run.clients);
        #[allow(clippy::cast_precision_loss, reason = "nanoseconds far below 2^52")]
        told.then(|| estimate(&|run| which(run).map(|latency| of(latency) as f64))).flatten()
    };
    let latency = |quantile: f64, of: fn(Latency) -> u64| percentile(|run| run.latency, quantile, of);
    let mut invalid: Vec<&Invalid> = Vec::new();
    for reason in runs.iter().flat_map(|run| &run.invalid) {
        if !invalid.iter().any(|known| discriminant(*known) == discriminant(reason)) {
            invalid.push(reason);
        }
    }
    let curves = |of: fn(&Run) -> &[[f64; 2]]| {
        let curves: Vec<_> = counted.iter().map(|run| of(run)).filter(|curve| !curve.is_empty()).collect();
        combine(&curves)
    };
    let share =
        |seconds: Option<f64>, run: &Run| (run.window_s > 0.0).then(|| Some(seconds? / run.window_s))?;
    #[allow(clippy::cast_precision_loss, reason = "threads and descriptors are few")]
    let number = |number: Option<usize>| number.map(|number| number as f64);
    Summary {
        scenario: runs[0].scenario.clone(),
        contender: runs[0].contender.clone(),
        sweep_point: sweep_point(scenario, &counted),
        standing,
        runs: runs.len(),
        valid_runs: valid.len(),
        failed_runs: runs.iter().filter(|run| run.is_contenders_fault()).count(),
        throughput: estimate(&|run| Some(run.throughput)),
        throughput_is_lower_bound: counted.iter().any(|run| run.throughput_is_lower_bound),
        p50_ns: latency(0.5, |latency| latency.p50_ns),
        p90_ns: latency(0.9, |latency| latency.p90_ns),
        p99_ns: latency(0.99, |latency| latency.p99_ns),
        p99_9_ns: latency(0.999, |latency| latency.p99_9_ns),
        max_ns: latency(0.0, |latency| latency.max_ns),
        p99_uncorrected_ns: percentile(|run| run.latency_uncorrected, 0.99, |latency| latency.p99_ns),
        latency_curve: curves(|run| &run.latency_curve),
        latency_curve_uncorrected: curves(|run| &run.latency_curve_uncorrected),
        offered_rate: estimate(&|run| run.offered_rate),
        cpu_per_question_ns: estimate(&|run| run.cpu_per_question_ns),
        times_floor: estimate(&|run| times_floor(run, floor)),
        occupancy: estimate(&|run| Some(run.occupancy)),
        occupancy_user: estimate(&|run| share(run.server_user_s, run)),
        occupancy_system: estimate(&|run| share(run.server_system_s, run)),
        context_switches_per_question: estimate(&|run| run.context_switches_per_question),
        system_calls_per_question: estimate(&|run| run.system_calls_per_question),
        memory_per_connection_bytes: estimate(&Run::memory_per_connection_bytes),
        threads: estimate(&|run| number(run.threads)),
        descriptors: estimate(&|run| number(run.descriptors)),
        clients: runs[0].clients,
        clients_served: counted.iter().map(|run| run.clients_served).min().unwrap_or(0),
        groups: counted
            .iter()
            .min_by_key(|run| run.groups.iter().map(|group| group.served).sum::<usize>())
            .map(|run| run.groups.clone())
            .unwrap_or_default(),
        connections_held: counted.iter().filter_map(|run| run.connections_held).min(),
        fairness: estimate(&|run| run.fairness),
        unsteady_runs: counted.iter().filter(|run| !run.warmed_up).count(),
        invalid: invalid.into_iter().map(ToString::to_string).collect(),
    }
}

/// The run's cost as a multiple of the floor's in the same repetition, so that a machine whose
/// speed changes between repetitions does not affect it.
fn times_floor(run: &Run, floor: &[&Run]) -> Option<f64> {
    let floor = floor.iter().find(|floor| floor.repetition == run.repetition)?;
    Some(run.cpu_per_question_ns? / floor.cpu_per_question_ns.filter(|&cost| cost > 0.0)?)
}

/// Gives each contender a standing and sorts by it. Two medians whose ratio is not above `chance`
/// do not differ significantly. While it is `undecided` which one is best, none is called best.
fn rank(by: Metric, chance: f64, undecided: bool, summaries: &mut [Summary]) {
    summaries.sort_by(|left, right| {
        let place = |summary: &Summary| match summary.standing {
            Standing::Floor => 0,
            Standing::Best | Standing::Tie | Standing::Undecided | Standing::Behind => 1,
            Standing::Starves => 2,
            Standing::Faulty => 3,
            Standing::Invalid => 4,
        };
        place(left).cmp(&place(right)).then_with(|| rank_estimates(by, left, right))
    });
    let Some(best) = summaries.iter().position(|summary| summary.standing == Standing::Behind) else {
        return;
    };
    let best_estimate = by.estimate(&summaries[best]);
    let best_is_alone = summaries[best].valid_runs < 2;
    for summary in &mut summaries[best + 1..] {
        if summary.standing == Standing::Behind {
            // A single run has no interval, so nothing shows that it differs.
            let alone = best_is_alone || summary.valid_runs < 2;
            let own = by.estimate(summary);
            // A metric without an estimate, such as the p99 of a few samples, shows no difference
            // either.
            let as_good = best_estimate.zip(own).is_none_or(|(best, own)| {
                let (more, less) = (best.median.max(own.median), best.median.min(own.median));
                best.overlaps(&own) || more <= less * chance
            });
            summary.standing = match alone || as_good {
                true if undecided => Standing::Undecided,
                true => Standing::Tie,
                false => Standing::Behind,
            };
        }
    }
    summaries[best].standing = if undecided { Standing::Undecided } else { Standing::Best };
}

fn rank_estimates(by: Metric, left: &Summary, right: &Summary) -> Ordering {
    match (by.estimate(left), by.estimate(right)) {
        (Some(left), Some(right)) => by.rank(left.median, right.median),
        (left, right) => right.is_some().cmp(&left.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::environment::Environment;
    use crate::results::SCHEMA;
    use crate::testing::{run, settings};

    fn standings(summaries: &[Summary]) -> Vec<(&str, Standing)> {
        summaries.iter().map(|summary| (summary.contender.as_str(), summary.standing)).collect()
    }

    #[test]
    fn ranks_ties_starvation_and_invalidity() {
        let scenario = Scenario::saturate(16);
        let settings = settings(&["broken", "greedy", "slow", "close", "fast", "floor"], scenario.clone());
        let costs = [
            ("floor", [90.0, 90.0, 90.0]),
            ("fast", [100.0, 110.0, 120.0]),
            ("close", [105.0, 115.0, 125.0]),
            ("slow", [200.0, 210.0, 220.0]),
            ("greedy", [50.0, 50.0, 50.0]),
            ("broken", [10.0, 10.0, 10.0]),
        ];
        let mut runs = Vec::new();
        for (contender, costs) in costs {
            for (repetition, cost) in (0..).zip(costs) {
                let mut run = run(contender, &scenario, repetition, cost);
                if contender == "greedy" {
                    run.clients_served = 1;
                }
                if contender == "broken" {
                    run.invalid.push(Invalid::ClosedEarly { conversations: 1 });
                }
                runs.push(run);
            }
        }
        let summaries = summarize(&settings, &runs);
        let expected = [
            ("floor", Standing::Floor),
            ("fast", Standing::Best),
            ("close", Standing::Tie),
            ("slow", Standing::Behind),
            ("greedy", Standing::Starves),
            ("broken", Standing::Invalid),
        ];
        assert_eq!(standings(&summaries), expected);
        let broken = &summaries[5];
        assert_eq!((broken.runs, broken.valid_runs, broken.invalid.len()), (3, 0, 1));
        assert_eq!(summaries[4].clients_served, 1);
    }

    #[test]
    fn costs_are_compared_with_the_floor_of_the_same_repetition() {
        let scenario = Scenario::book();
        let settings = settings(&["floor", "one"], scenario.clone());
        let mut runs = Vec::new();
        for (repetition, pace) in [(0, 1.0), (1, 3.0), (2, 2.0)] {
            runs.push(run("floor", &scenario, repetition, 100.0 * pace));
            runs.push(run("one", &scenario, repetition, 150.0 * pace));
        }
        let summaries = summarize(&settings, &runs);
        let times_floor = summaries[1].times_floor.unwrap();
        assert_eq!((times_floor.low, times_floor.median, times_floor.high), (1.5, 1.5, 1.5));
        // An invalid floor run is not compared with.
        runs[0].invalid.push(Invalid::GeneratorStarved { share: 0.5 });
        runs.truncate(2);
        assert_eq!(summarize(&settings, &runs)[1].times_floor, None);
    }

    #[test]
    fn a_scenario_that_is_summarized_again_keeps_its_place() {
        let scenarios = [Scenario::saturate(1), Scenario::book(), Scenario::think()];
        let mut settings = settings(&["fast", "slow"], scenarios[0].clone());
        settings.scenarios = scenarios.to_vec();
        let mut report = Report {
            schema: SCHEMA.into(),
            environment: Environment::current(None),
            settings,
            complete: false,
            summaries: Vec::new(),
            runs: Vec::new(),
        };
        for repetition in 0..2 {
            for scenario in &scenarios {
                for (name, cost) in [("slow", 900.0), ("fast", 100.0)] {
                    report.runs.push(run(name, scenario, repetition, cost));
                    report.summarize_scenario(&scenario.name);
                    assert_eq!(report.summaries, summarize(&report.settings, &report.runs));
                }
            }
        }
    }

    #[test]
    fn single_runs_decide_nothing() {
        let scenario = Scenario::saturate(1);
        let settings = settings(&["fast", "slow"], scenario.clone());
        let mut runs = vec![run("fast", &scenario, 0, 100.0), run("slow", &scenario, 0, 900.0)];
        let undecided = [("fast", Standing::Undecided), ("slow", Standing::Undecided)];
        assert_eq!(standings(&summarize(&settings, &runs)), undecided);
        runs.push(run("fast", &scenario, 1, 100.0));
        assert_eq!(standings(&summarize(&settings, &runs)), undecided);
        runs.push(run("slow", &scenario, 1, 900.0));
        let apart = [("fast", Standing::Best), ("slow", Standing::Behind)];
        assert_eq!(standings(&summarize(&settings, &runs)), apart);
    }

    #[test]
    fn one_that_fails_now_and_then_ranks_below_all_that_never_do() {
        let scenario = Scenario::saturate(4);
        let settings = settings(&["flaky", "greedy", "sound"], scenario.clone());
        let mut runs: Vec<Run> = (0..3).map(|repetition| run("flaky", &scenario, repetition, 10.0)).collect();
        runs[1]
            .invalid
            .push(Invalid::ServerDied { status: "exit status: 1".into(), last_words: String::new() });
        runs.extend((0..3).map(|repetition| run("sound", &scenario, repetition, 100.0)));
        runs.extend((0..3).map(|repetition| run("greedy", &scenario, repetition, 20.0)));
        runs[7].clients_served = 1;
        let summaries = summarize(&settings, &runs);
        let expected =
            [("sound", Standing::Best), ("greedy", Standing::Starves), ("flaky", Standing::Faulty)];
        assert_eq!(standings(&summaries), expected);
        assert_eq!((summaries[2].valid_runs, summaries[2].failed_runs), (2, 1));
    }

    #[test]
    fn none_is_best_while_a_rival_has_no_run_that_counts() {
        let scenario = Scenario::saturate(4);
        let settings = settings(&["quick", "slow", "spoiled", "late"], scenario.clone());
        let costs = [("quick", 100.0), ("slow", 900.0), ("spoiled", 50.0)];
        let each = |(name, cost)| (0..3).map(move |repetition| (name, repetition, cost));
        let mut runs: Vec<Run> = costs
            .into_iter()
            .flat_map(each)
            .map(|(name, repetition, cost)| run(name, &scenario, repetition, cost))
            .collect();
        for run in &mut runs[6..] {
            run.invalid.push(Invalid::ServerDisturbed { cores: 0.5 });
        }
        let expected =
            [("quick", Standing::Undecided), ("slow", Standing::Behind), ("spoiled", Standing::Invalid)];
        assert_eq!(standings(&summarize(&settings, &runs)), expected);
    }

    #[test]
    fn an_invalid_run_does_not_affect_the_valid_ones() {
        let scenario = Scenario::saturate(1);
        let settings = settings(&["one"], scenario.clone());
        let mut runs: Vec<Run> = (0..3).map(|repetition| run("one", &scenario, repetition, 100.0)).collect();
        runs[1].throughput = 1.0;
        runs[1].invalid.push(Invalid::GeneratorStarved { share: 0.5 });
        runs.push(Run {
            repetition: 3,
            invalid: vec![Invalid::GeneratorStarved { share: 0.4 }],
            ..runs[0].clone()
        });
        let summaries = summarize(&settings, &runs);
        assert_eq!(
            (summaries[0].standing, summaries[0].runs, summaries[0].valid_runs),
            (Standing::Best, 4, 2)
        );
        // One line for each kind of reason.
        assert_eq!(summaries[0].invalid, [runs[1].invalid[0].to_string()]);
        assert_eq!(summaries[0].throughput.unwrap().low, 1e7);
        assert_eq!(summaries[0].memory_per_connection_bytes, None, "one connection tells nothing");
    }
}
