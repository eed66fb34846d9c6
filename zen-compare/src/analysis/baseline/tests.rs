use super::*;
use crate::analysis::summary::summarize;
use crate::machine::environment::Environment;
use crate::results::SCHEMA;
use crate::scenario::Scenario;
use crate::testing::{run, settings};

/// A report with three runs of each contender, at these costs.
fn report(costs: &[(&str, f64)], spread: f64) -> Report {
    let scenario = Scenario::think();
    let names: Vec<&str> = costs.iter().map(|(name, _)| *name).collect();
    let settings = settings(&names, scenario.clone());
    let runs: Vec<_> = costs
        .iter()
        .flat_map(|&(name, cost)| {
            [(0, -spread), (1, 0.0), (2, spread)]
                .map(|(rep, by)| run(name, &scenario, rep, cost * (1.0 + by)))
        })
        .collect();
    let summaries = summarize(&settings, &runs);
    let environment = Environment::current(None);
    Report { schema: SCHEMA.into(), environment, settings, complete: true, summaries, runs }
}

fn findings(changes: &Changes) -> Vec<(&str, Metric, Finding)> {
    let worth_it = changes.metrics.iter().filter(|change| change.finding != Finding::Same);
    worth_it.map(|change| (change.contender.as_str(), change.metric, change.finding)).collect()
}

#[test]
fn worse_by_more_than_is_allowed_and_more_than_chance_is_a_regression() {
    let before = report(&[("floor", 100.0), ("a", 200.0), ("b", 200.0), ("c", 200.0)], 0.01);
    let now = report(&[("floor", 100.0), ("a", 230.0), ("b", 215.0), ("c", 160.0)], 0.01);
    let changes = now.changes_since(&before, 0.1);
    assert_eq!(changes.decide(), GateDecision::Regressed);
    let expected =
        [("c", Metric::CpuPerQuestion, Finding::Improved), ("a", Metric::CpuPerQuestion, Finding::Regressed)];
    assert_eq!(findings(&changes), expected);
    let text = changes.to_text();
    assert!(text.starts_with("✗ think a: CPU/question 200 ns → 230 ns (15 % worse)\n✓ think c: "), "{text}");
    assert!(
        text.contains("8 metrics compared with the baseline: 1 worse, 1 better, 6 the same, 0 unclear"),
        "{text}"
    );
    assert_eq!(now.changes_since(&before, 0.2).decide(), GateDecision::Passed);
    // With this much noise, 15 % is chance.
    let noisy = report(&[("floor", 100.0), ("a", 230.0), ("b", 215.0), ("c", 160.0)], 0.2);
    assert_eq!(noisy.changes_since(&before, 0.1).decide(), GateDecision::Passed);
    assert_eq!(now.changes_since(&now, 0.0).decide(), GateDecision::Passed);
}

#[test]
fn single_runs_are_unclear() {
    let before = report(&[("a", 100.0)], 0.0);
    let mut now = report(&[("a", 900.0)], 0.0);
    now.runs.truncate(1);
    now.summaries = summarize(&now.settings, &now.runs);
    let changes = now.changes_since(&before, 0.1);
    assert_eq!(findings(&changes), [("a", Metric::CpuPerQuestion, Finding::Unclear)]);
    assert_ne!(changes.decide(), GateDecision::Regressed);
}

#[test]
fn a_contender_that_begins_to_starve_has_regressed_whatever_is_allowed() {
    let before = report(&[("a", 100.0)], 0.01);
    let mut now = before.clone();
    now.runs[1].clients_served = 49;
    now.summaries = summarize(&now.settings, &now.runs);
    let changes = now.changes_since(&before, 0.5);
    assert_eq!(findings(&changes), [("a", Metric::ClientsServed, Finding::Regressed)]);
    assert!(changes.to_text().contains("clients served 50 → 49 (2.0 % worse)"), "{}", changes.to_text());
}

#[test]
fn on_another_machine_only_multiples_of_the_floor_compare() {
    let before = report(&[("floor", 100.0), ("a", 200.0), ("b", 200.0)], 0.01);
    let mut now = report(&[("floor", 300.0), ("a", 600.0), ("b", 900.0)], 0.01);
    now.environment.processor = Some("Slow".into());
    let changes = now.changes_since(&before, 0.1);
    assert_eq!(findings(&changes), [("b", Metric::TimesFloor, Finding::Regressed)]);
    assert!(changes.warnings[0].contains("processor") && changes.warnings[0].contains("Slow here"));
}

#[test]
fn what_cannot_be_compared_is_named() {
    let before = report(&[("a", 100.0), ("gone", 100.0)], 0.01);
    let mut now = report(&[("a", 100.0), ("new", 100.0)], 0.01);
    now.complete = false;
    let warnings = now.changes_since(&before, 0.1).warnings;
    let expected = [
        "this report is from an interrupted comparison",
        "contender new is new",
        "contender gone is only in the baseline",
    ];
    assert_eq!(warnings, expected);
    now.settings.scenarios[0].clients = 9;
    let changes = now.changes_since(&before, 0.1);
    assert_eq!((changes.metrics.len(), changes.decide()), (0, GateDecision::NothingInCommon));
    assert!(changes.warnings.iter().any(|warning| warning.contains("think was defined differently")));
}

/// The report, with this reason added to all runs of `contender`.
fn invalid(report: &Report, contender: &str, reason: &Invalid) -> Report {
    let mut report = report.clone();
    for run in report.runs.iter_mut().filter(|run| run.contender == contender) {
        run.invalid.push(reason.clone());
    }
    report.summarize();
    report
}

#[test]
fn a_contender_that_becomes_invalid_has_regressed() {
    let good = report(&[("floor", 100.0), ("a", 200.0), ("b", 200.0)], 0.01);
    for (reason, brief) in [
        (
            Invalid::WrongAnswers { conversations: 3, expected: "Ugly.".into(), received: "?".into() },
            "wrong answers",
        ),
        (
            Invalid::ServerDied { status: "exit status 3".into(), last_words: String::new() },
            "the server died",
        ),
        (Invalid::ClosedEarly { conversations: 7 }, "the server hung up"),
        (Invalid::NotStarted { error: "no such file".into() }, "the server could not be started"),
    ] {
        let bad = invalid(&good, "a", &reason);
        let changes = bad.changes_since(&good, 0.1);
        assert_eq!(changes.decide(), GateDecision::Regressed, "{reason}");
        let invalidated: Vec<_> = changes
            .invalidated
            .iter()
            .map(|invalidated| (&*invalidated.contender, &*invalidated.brief))
            .collect();
        assert_eq!(invalidated, [("a", brief)]);
        assert_eq!(changes.count(Finding::Unclear), 0, "it is not counted as unclear as well");
        let text = changes.to_text();
        assert!(
            text.starts_with(&format!("✗ think a: no run counts any more: {reason}\n4 metrics ")),
            "{text}"
        );
        assert!(text.contains("0 unclear, and 1 invalid\n"), "{text}");
        // A contender that was invalid before cannot regress, and is not compared.
        let later = bad.changes_since(&bad, 0.1);
        assert_eq!((later.decide(), later.metrics.len()), (GateDecision::Passed, 4));
        assert_eq!(
            later.warnings,
            [format!("a under think was invalid in the baseline, and is not compared: {brief}")]
        );
        // The machine may make the runs invalid as well: the contender's fault is known
        // nevertheless.
        let noisy = invalid(&bad, "a", &Invalid::GeneratorStarved { share: 0.5 });
        assert_eq!(noisy.changes_since(&good, 0.1).decide(), GateDecision::Regressed, "{reason}");
        // With one valid run left, the contender is not invalid.
        let mut flaky = bad;
        flaky.runs.iter_mut().find(|run| run.contender == "a").unwrap().invalid.clear();
        flaky.summarize();
        assert_eq!(flaky.changes_since(&good, 0.1).invalidated, []);
    }
}

#[test]
fn a_contender_that_serves_nobody_any_more_has_regressed() {
    let good = report(&[("floor", 100.0), ("a", 200.0)], 0.01);
    let mut silent = good.clone();
    for run in silent.runs.iter_mut().filter(|run| run.contender == "a") {
        (run.answers, run.clients_served, run.cpu_per_question_ns) = (0, 0, None);
    }
    silent.summarize();
    let changes = silent.changes_since(&good, 0.1);
    assert_eq!(changes.decide(), GateDecision::Regressed);
    let unclear_or_worse =
        [("a", Metric::ClientsServed, Finding::Regressed), ("a", Metric::CpuPerQuestion, Finding::Unclear)];
    assert_eq!(findings(&changes), unclear_or_worse, "a metric that is missing now is listed");
    // The same holds when the machine made all runs invalid.
    let invalid = invalid(&silent, "a", &Invalid::ServerDisturbed { cores: 0.3 });
    let changes = invalid.changes_since(&good, 0.1);
    assert_eq!(
        (changes.decide(), &*changes.invalidated[0].brief),
        (GateDecision::Regressed, "no client is served")
    );
}

#[test]
fn runs_that_the_machine_made_invalid_neither_pass_nor_regress() {
    let good = report(&[("floor", 100.0), ("a", 200.0), ("b", 200.0)], 0.01);
    let starved = Invalid::GeneratorStarved { share: 0.5 };
    let one = invalid(&good, "a", &starved);
    assert_eq!(one.changes_since(&good, 0.1).decide(), GateDecision::Passed, "most could be judged");
    let most = invalid(&one, "b", &starved);
    for changes in [most.changes_since(&good, 0.1), good.changes_since(&most, 0.1)] {
        assert_eq!((changes.decide(), changes.count(Finding::Unclear)), (GateDecision::MostlyUnclear, 4));
    }
}

#[test]
fn what_only_one_report_has_is_one_line_each() {
    let both = |contenders: &[&str], scenarios: &[Scenario]| {
        let costs: Vec<_> = contenders.iter().map(|name| (*name, 100.0)).collect();
        let mut report = report(&costs, 0.01);
        report.settings.scenarios = scenarios.to_vec();
        let of_think = report.runs.clone();
        report.runs = scenarios
            .iter()
            .flat_map(|scenario| {
                of_think.iter().map(|run| Run { scenario: scenario.name.clone(), ..run.clone() })
            })
            .collect();
        report.summarize();
        report
    };
    let [book, think, churn] = [Scenario::book(), Scenario::think(), Scenario::churn()];
    let before = both(&["floor", "a", "x", "y"], &[book, think.clone(), churn.clone()]);
    let mut now = both(&["floor", "a", "b"], &[think, churn.clone()]);
    now.runs.retain(|run| run.contender != "a" || run.scenario != churn.name);
    now.summarize();
    let changes = now.changes_since(&before, 0.1);
    let expected = [
        "contender b is new",
        "scenario book is only in the baseline",
        "contenders x and y are only in the baseline",
        "a under churn is only in the baseline",
    ];
    assert_eq!(changes.warnings, expected);
    // A contender that was not measured this time is no failure.
    assert_eq!(changes.decide(), GateDecision::Passed);
}

#[test]
fn a_contender_that_is_left_out_is_not_compared() {
    let good = report(&[("floor", 100.0), ("a", 200.0)], 0.01);
    let cannot = Invalid::DoesNotApply { what: "it has no handler".into() };
    let without = invalid(&good, "floor", &cannot);
    let changes = without.changes_since(&without, 0.1);
    assert_eq!(
        (changes.decide(), changes.metrics.len(), changes.warnings.len()),
        (GateDecision::Passed, 2, 0)
    );
    let changes = without.changes_since(&good, 0.1);
    assert_eq!(changes.warnings, ["contender floor is only in the baseline"]);
    assert_eq!(changes.decide(), GateDecision::Passed);
}
