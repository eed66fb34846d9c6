//! The user's own workload: what it is, the plan that runs just that, and the advice that comes out.

use std::time::Duration;

use crate::contender::Contender;
use crate::plan::Plan;
use crate::prediction::{Measured, change_of_mind};
use crate::report::{Report, Standing, Summary};
use crate::scenario::{Scenario, Work, WorkKind};
use crate::stats::Estimate;
use crate::table::{count, time};
use crate::verdict::{MORE, list, percent};

/// What the scenario of a wish is called.
const NAME: &str = "yours";
/// Throughputs closer than this are the same for all practical purposes, however narrow their intervals are.
const SAME: f64 = 0.02;
/// The longest window: a client that thinks for longer is not waited for.
const LONGEST_WINDOW: Duration = Duration::from_secs(10);

/// A workload as its owner knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// How long a client pauses before each question.
    pub think: Duration,
    /// How long the handler works for each answer. Zero: not at all.
    pub work: Duration,
    /// Whether it computes or waits meanwhile.
    pub work_kind: WorkKind,
    /// How many clients there are, each on a connection that stays open. At least 1.
    pub clients: usize,
    /// How many cores the server has; `None`: as [`Plan::server_cores`] says.
    pub server_cores: Option<usize>,
}

/// Which contender a wish's owner should take, and what that rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// Names of those to take: one, or several that could not be told apart, the least costly first. Empty when nobody serves every
    /// client.
    pub choice: Vec<String>,
    /// Who, why, by how much, and what would change the answer: a sentence or two a line.
    pub lines: Vec<String>,
}

impl Wish {
    /// The wish as a scenario.
    pub fn scenario(&self) -> Scenario {
        let work = Work { time: self.work, kind: self.work_kind };
        Scenario {
            name: NAME.into(),
            think: self.think,
            work: (!self.work.is_zero()).then_some(work),
            ..Scenario::saturate(self.clients)
        }
    }

    /// A plan that runs just this: five repetitions, with a window of ten questions of each client, of a second at least and of ten at
    /// most. Contenders that are to work must be [`taking_work`](Contender::taking_work).
    pub fn plan(&self, contenders: Vec<Contender>) -> Plan {
        let cycle = self.think.saturating_add(self.work);
        let window = cycle.saturating_mul(10).clamp(Duration::from_secs(1), LONGEST_WINDOW);
        Plan {
            repetitions: 5,
            warmup: Duration::from_millis(300).max(cycle.min(LONGEST_WINDOW)),
            window,
            server_cores: self.server_cores,
            ..Plan::new(contenders, vec![self.scenario()])
        }
    }

    /// What a report of this wish's plan says: of those that leave nobody waiting, who answers most; and of those
    /// that answer as much, who does so at the least CPU time.
    pub fn advice(&self, report: &Report) -> Advice {
        let cores = report.environment.pinning.as_ref().map_or(1, |cores| cores.server.len());
        let of_it = report.summaries.iter().filter(|summary| summary.scenario == NAME);
        // The yardstick is no choice, not even where its runs do not count.
        let floor = report.settings.contenders.iter().find(|contender| contender.floor);
        let others: Vec<&Summary> =
            of_it.filter(|summary| floor.is_none_or(|floor| floor.name != summary.contender)).collect();
        let counted = |summary: &&&Summary| summary.standing != Standing::Invalid;
        let serves_all = |summary: &&&Summary| summary.clients_served == summary.clients;
        let starving: Vec<&Summary> =
            others.iter().filter(counted).filter(|s| !serves_all(s)).copied().collect();
        let fit: Vec<&Summary> = others.iter().filter(counted).filter(serves_all).copied().collect();
        let measured = |summaries: &[&Summary]| -> Vec<Measured> {
            summaries.iter().filter_map(|summary| Measured::of(self, summary, cores)).collect()
        };
        let mut lines = vec![self.describe(cores)];
        let mut choice = Vec::new();
        if let Some((best, equals)) = choose(&fit) {
            choice = equals.iter().map(|summary| summary.contender.clone()).collect();
            lines.push(recommendation(best, &equals));
            lines.extend(reasons(best, &equals, &fit));
            lines.extend(starvation(&starving));
            let rest: Vec<&Summary> = fit
                .iter()
                .chain(&starving)
                .filter(|summary| !choice.contains(&summary.contender))
                .copied()
                .collect();
            if let Some(best) = Measured::of(self, best, cores) {
                lines.extend(change_of_mind(self, &best, &measured(&rest)));
            }
        } else {
            let why = if starving.is_empty() { "no run counts" } else { "nobody served every client" };
            lines.push(format!("→ none: {why}"));
            lines.extend(starvation(&starving));
        }
        let invalid: Vec<&str> = others
            .iter()
            .filter(|summary| summary.standing == Standing::Invalid)
            .map(|summary| summary.contender.as_str())
            .collect();
        if !invalid.is_empty() {
            lines.push(format!("not considered, as none of their runs counts: {}", list(&invalid)));
        }
        Advice { choice, lines }
    }

    fn describe(&self, cores: usize) -> String {
        let clients = if self.clients == 1 { "1 client".into() } else { format!("{} clients", self.clients) };
        let think = if self.think.is_zero() {
            "ask again at once".to_owned()
        } else {
            format!("think for {:?}", self.think)
        };
        let work = match (self.work.is_zero(), self.work_kind) {
            (true, _) => "a handler that answers at once".to_owned(),
            (false, WorkKind::Spin) => format!("a handler that computes for {:?}", self.work),
            (false, WorkKind::Sleep) => format!("a handler that waits for {:?}", self.work),
        };
        let cores = if cores == 1 { "1 core".into() } else { format!("{cores} cores") };
        format!("{clients} that {think}, {work}, {cores} for the server:")
    }
}

/// The best and all that are as good, itself first.
fn choose<'a>(fit: &[&'a Summary]) -> Option<(&'a Summary, Vec<&'a Summary>)> {
    let throughput = |summary: &Summary| summary.throughput.map_or(0.0, |throughput| throughput.median);
    let cost = |summary: &Summary| summary.cpu_per_question_ns.map_or(f64::INFINITY, |cost| cost.median);
    let most = fit.iter().max_by(|a, b| throughput(a).total_cmp(&throughput(b)))?;
    let mut quick: Vec<&Summary> = fit
        .iter()
        .filter(|summary| {
            throughput(summary) >= throughput(most) * (1.0 - SAME)
                || overlap(summary, most, |summary| summary.throughput)
        })
        .copied()
        .collect();
    quick.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    let best = *quick.first()?;
    let equals = quick
        .into_iter()
        .filter(|summary| overlap(summary, best, |summary| summary.cpu_per_question_ns))
        .collect();
    Some((best, equals))
}

/// Whether the two cannot be told apart by this measure.
fn overlap(one: &Summary, other: &Summary, measure: fn(&Summary) -> Option<Estimate>) -> bool {
    // A single run has no interval, so nothing tells it apart from anything.
    let alone = one.valid_runs < 2 || other.valid_runs < 2;
    alone || measure(one).zip(measure(other)).is_some_and(|(one, other)| one.overlaps(&other))
}

fn recommendation(best: &Summary, equals: &[&Summary]) -> String {
    let names: Vec<&str> = equals.iter().map(|summary| summary.contender.as_str()).collect();
    let alone = equals.iter().any(|summary| summary.valid_runs < 2);
    let tie = match (names.len(), alone) {
        (..2, _) => String::new(),
        (_, false) => " (a tie)".to_owned(),
        (_, true) => format!(" (one valid run is too few to tell; {MORE})"),
    };
    let of = |estimate: Option<Estimate>, show: fn(f64) -> String| {
        estimate.map_or_else(|| "–".to_owned(), |estimate| show(estimate.median))
    };
    format!(
        "→ {}{tie}: {} answers/s, 99 % within {}, {} of CPU per question, busy {}, {}/{} clients served",
        list(&names),
        of(best.throughput, count),
        of(best.p99_ns, time),
        of(best.cpu_per_question_ns, time),
        of(best.occupancy, percent),
        best.clients_served,
        best.clients,
    )
}

/// Why the best is preferred to each of the others that serve everybody.
fn reasons(best: &Summary, equals: &[&Summary], fit: &[&Summary]) -> Vec<String> {
    let mut lines = Vec::new();
    let [mut slower, mut dearer] = [Vec::new(), Vec::new()];
    for other in fit.iter().filter(|other| !equals.iter().any(|equal| equal.contender == other.contender)) {
        let medians = |measure: fn(&Summary) -> Option<Estimate>| {
            let (other, best) = (measure(other)?.median, measure(best)?.median);
            (best > 0.0).then(|| other / best - 1.0)
        };
        match medians(|summary| summary.throughput) {
            Some(more) if more < -SAME => slower.push(format!("{} {}", other.contender, percent(-more))),
            _ => {
                let more = medians(|summary| summary.cpu_per_question_ns);
                dearer.extend(more.map(|more| format!("{} {}", other.contender, percent(more))));
            }
        }
    }
    if !slower.is_empty() {
        lines.push(format!("  answers fewer: {}", slower.join(", ")));
    }
    if !dearer.is_empty() {
        lines.push(format!("  answers as many and takes more CPU time: {}", dearer.join(", ")));
    }
    lines
}

fn starvation(starving: &[&Summary]) -> Option<String> {
    let who: Vec<String> = starving
        .iter()
        .map(|summary| {
            format!("{} served {} of {}", summary.contender, summary.clients_served, summary.clients)
        })
        .collect();
    (!who.is_empty()).then(|| format!("  leaves clients without any answer: {}", who.join(", ")))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::pin::Cores;
    use crate::report::SCHEMA;
    use crate::summary::summarize;
    use crate::summary::tests::{run, settings};

    pub(crate) fn wish() -> Wish {
        Wish {
            think: Duration::from_millis(40),
            work: Duration::ZERO,
            work_kind: WorkKind::Spin,
            clients: 50,
            server_cores: None,
        }
    }

    /// A report of three runs each of these: name, answers per second, nanoseconds of CPU, clients served.
    fn report(wish: &Wish, of: &[(&str, f64, f64, usize)]) -> Report {
        let scenario = wish.scenario();
        let names: Vec<&str> = of.iter().map(|(name, ..)| *name).collect();
        let settings = settings(&names, scenario.clone());
        let runs: Vec<_> = of
            .iter()
            .flat_map(|&(name, throughput, cost, served)| {
                let scenario = scenario.clone();
                (0..3).map(move |repetition| {
                    let mut run = run(name, &scenario, repetition, cost);
                    run.throughput = throughput * (1.0 + f64::from(repetition) / 1000.0);
                    run.occupancy = throughput * cost / 1e9;
                    run.clients_served = served;
                    run
                })
            })
            .collect();
        let summaries = summarize(&settings, &runs);
        let cores = Cores { server: vec![1], generator: vec![0] };
        let environment = Environment::current(Some(&cores));
        Report { schema: SCHEMA.into(), environment, settings, complete: true, summaries, runs }
    }

    #[test]
    fn among_equally_quick_ones_the_cheapest_is_chosen() {
        let wish = wish();
        let report = report(
            &wish,
            &[
                ("floor", 1240.0, 9_000.0, 50),
                ("threaded", 1235.0, 40_000.0, 50),
                ("mio", 1240.0, 10_000.0, 50),
                ("async", 1241.0, 10_000.0, 50),
                ("blocking", 25.0, 5_000.0, 1),
            ],
        );
        let advice = wish.advice(&report);
        assert_eq!(advice.choice, ["mio", "async"]);
        let text = advice.lines.join("\n");
        assert!(text.starts_with("50 clients that think for 40ms, a handler that answers at once, 1 core for the server:\n→ mio and async (a tie): 1.24 k answers/s"), "{text}");
        assert!(text.contains("takes more CPU time: threaded 300 %"), "{text}");
        assert!(text.contains("without any answer: blocking served 1 of 50"), "{text}");
    }

    #[test]
    fn one_run_is_called_too_few() {
        let wish = wish();
        let mut report = report(&wish, &[("mio", 1240.0, 10_000.0, 50), ("async", 1240.0, 30_000.0, 50)]);
        report.runs.retain(|run| run.repetition == 0);
        report.summarize();
        let advice = wish.advice(&report);
        assert_eq!(advice.choice, ["mio", "async"]);
        let expected = "→ mio and async (one valid run is too few to tell; --repetitions makes more): 1.24 k";
        assert!(advice.lines[1].starts_with(expected), "{:?}", advice.lines);
    }

    #[test]
    fn who_answers_more_is_worth_more_cpu_time() {
        let wish = Wish { work: Duration::from_millis(10), work_kind: WorkKind::Sleep, ..wish() };
        let report = report(&wish, &[("mio", 99.0, 20_000.0, 50), ("async", 990.0, 30_000.0, 50)]);
        let advice = wish.advice(&report);
        assert_eq!(advice.choice, ["async"]);
        let text = advice.lines.join("\n");
        assert!(text.contains("answers fewer: mio 90 %"), "{text}");
        assert!(text.contains("a handler that waits for 10ms"), "{text}");
    }

    #[test]
    fn nobody_is_an_answer() {
        let wish = wish();
        let mut none = report(&wish, &[("blocking", 25.0, 5_000.0, 1), ("other", 9.0, 9.0, 50)]);
        for run in none.runs.iter_mut().filter(|run| run.contender == "other") {
            run.invalid.push(crate::Invalid::ClosedEarly { conversations: 1 });
        }
        none.summaries = summarize(&none.settings, &none.runs);
        let advice = wish.advice(&none);
        assert!(advice.choice.is_empty());
        let text = advice.lines.join("\n");
        assert!(text.contains("→ none") && text.contains("none of their runs counts: other"), "{text}");
    }

    #[test]
    fn the_plan_is_just_that() {
        let plan = Wish { think: Duration::from_millis(400), server_cores: Some(1), ..wish() }.plan(vec![]);
        assert_eq!((plan.window, plan.server_cores), (Duration::from_secs(4), Some(1)));
        assert_eq!(plan.scenarios.len(), 1);
        let scenario = &plan.scenarios[0];
        assert_eq!((scenario.clients, scenario.think, scenario.work), (50, Duration::from_millis(400), None));
        let forever = Wish { think: Duration::from_secs(3600), ..wish() }.plan(vec![]);
        assert_eq!((forever.warmup, forever.window), (LONGEST_WINDOW, LONGEST_WINDOW));
    }
}
