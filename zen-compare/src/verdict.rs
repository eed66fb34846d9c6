//! What a scenario has shown, in one sentence.

use crate::report::{Report, Standing, Summary};
use crate::scenario::{RankedBy, Scenario};
use crate::table::{count, digits, time};

impl Report {
    /// For each scenario with runs, its name and who does best by how much, and whom the clients wait for in vain.
    pub fn verdicts(&self) -> Vec<(String, String)> {
        self.by_scenario()
            .map(|(scenario, summaries)| (scenario.name.clone(), sentence(scenario, &summaries)))
            .collect()
    }
}

pub(crate) fn sentence(scenario: &Scenario, summaries: &[&Summary]) -> String {
    let with = |standing| summaries.iter().filter(move |summary| summary.standing == standing).copied();
    let mut parts = Vec::new();
    let ties: Vec<&str> = with(Standing::Tie).map(|summary| summary.contender.as_str()).collect();
    match with(Standing::Best).next() {
        Some(best) if !ties.is_empty() => {
            let names = list(&[&[best.contender.as_str()], ties.as_slice()].concat());
            parts.push(format!("{names} tie: {}", merit(scenario, best)));
        }
        Some(best) => {
            let lead = with(Standing::Behind).next().and_then(|next| lead(scenario, best, next));
            parts.push(format!("{}: {}{}", best.contender, merit(scenario, best), lead.unwrap_or_default()));
        }
        None if with(Standing::Starves).next().is_some() => parts.push("nobody served every client".into()),
        None if with(Standing::Invalid).next().is_some() => parts.push("no run counts".into()),
        None => {}
    }
    let starving: Vec<String> = with(Standing::Starves)
        .map(|summary| format!("{} {}/{}", summary.contender, summary.clients_served, summary.clients))
        .collect();
    if !starving.is_empty() {
        parts.push(format!("clients left waiting, served: {}", starving.join(", ")));
    }
    parts.join("; ")
}

fn merit(scenario: &Scenario, best: &Summary) -> String {
    let floor =
        best.times_floor.map(|times| format!(", {:.2} × the floor", times.median)).unwrap_or_default();
    let cost = best.cpu_per_question_ns.map(|cost| time(cost.median)).unwrap_or_default();
    match scenario.ranked_by() {
        RankedBy::Throughput => {
            let throughput = best.throughput.map(|throughput| count(throughput.median)).unwrap_or_default();
            format!("{throughput} answers/s at {cost} of CPU each{floor}")
        }
        RankedBy::Latency => {
            let p99 = best.p99_ns.map(|p99| time(p99.median)).unwrap_or_default();
            let rate = best.offered_rate.map(|rate| format!(" at {} questions/s", count(rate.median)));
            format!("99 % answered within {p99}{}", rate.unwrap_or_default())
        }
        RankedBy::CpuPerQuestion => {
            let busy =
                best.occupancy.map(|busy| format!(", busy {}", percent(busy.median))).unwrap_or_default();
            format!("{cost} of CPU per question{floor}{busy}")
        }
    }
}

/// How far the best is ahead of the next.
fn lead(scenario: &Scenario, best: &Summary, next: &Summary) -> Option<String> {
    let (own, other) = match scenario.ranked_by() {
        RankedBy::Throughput => (best.throughput?.median, next.throughput?.median),
        RankedBy::CpuPerQuestion => (next.cpu_per_question_ns?.median, best.cpu_per_question_ns?.median),
        RankedBy::Latency => (next.p99_ns?.median, best.p99_ns?.median),
    };
    (other > 0.0).then(|| match own / other {
        // From here on, times say more than percents.
        times if times >= 1.995 => format!(" ({} times as good as {})", digits(times), next.contender),
        times => format!(" ({} better than {})", percent(times - 1.0), next.contender),
    })
}

/// A share as a percentage with one decimal below ten, and with a second one only where the first would be zero.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent.abs() {
        p if p < 0.005 => "0 %".to_owned(),
        p if p < 0.095 => format!("{percent:.2} %"),
        p if p < 9.95 => format!("{percent:.1} %"),
        _ => format!("{percent:.0} %"),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::summarize;
    use crate::summary::tests::{run, settings};
    use crate::validity::Invalid;

    fn verdict(scenario: &Scenario, costs: &[(&str, f64)], starving: &[&str]) -> String {
        let names: Vec<&str> = costs.iter().map(|(name, _)| *name).collect();
        let twice =
            |(name, cost): &(&str, f64)| [0, 1].map(|repetition| run(name, scenario, repetition, *cost));
        let mut runs: Vec<_> = costs.iter().flat_map(twice).collect();
        for run in runs.iter_mut().filter(|run| starving.contains(&run.contender.as_str())) {
            run.clients_served = 1;
        }
        let summaries = summarize(&settings(&names, scenario.clone()), &runs);
        sentence(scenario, &summaries.iter().collect::<Vec<_>>())
    }

    #[test]
    fn the_best_is_named_with_its_lead() {
        let costs = [("floor", 4000.0), ("mio", 5000.0), ("async", 6000.0), ("blocking", 5000.0)];
        assert_eq!(
            verdict(&Scenario::saturate(16), &costs, &["blocking"]),
            "mio: 200 k answers/s at 5.00 µs of CPU each, 1.25 × the floor (20 % better than async); \
             clients left waiting, served: blocking 1/16"
        );
        assert_eq!(
            verdict(&Scenario::book(), &costs[..3], &[]),
            "mio: 5.00 µs of CPU per question, 1.25 × the floor, busy 100 % (20 % better than async)"
        );
    }

    #[test]
    fn shares_have_the_digits_that_matter() {
        let shares = [0.0, 0.000_01, 0.000_73, 0.003_4, 0.0996, 0.1234, 1.234, -0.004];
        let told = ["0 %", "0 %", "0.07 %", "0.3 %", "10 %", "12 %", "123 %", "-0.4 %"];
        assert_eq!(shares.map(percent), told);
        let far = [("a", 1000.0), ("b", 14_400.0)];
        assert!(verdict(&Scenario::book(), &far, &[]).ends_with(" (14.4 times as good as b)"));
    }

    #[test]
    fn ties_and_absence_are_said() {
        assert_eq!(
            verdict(&Scenario::saturate(1), &[("a", 1e6), ("b", 1e6), ("c", 1e6)], &[]),
            "a, b and c tie: 1.00 k answers/s at 1.00 ms of CPU each"
        );
        assert_eq!(
            verdict(&Scenario::saturate(4), &[("a", 1e6)], &["a"]),
            "nobody served every client; clients left waiting, served: a 1/4"
        );
        assert_eq!(verdict(&Scenario::saturate(4), &[("floor", 1e6)], &[]), "");
        let scenario = Scenario::saturate(4);
        let mut invalid = run("a", &scenario, 0, 1e6);
        invalid.invalid.push(Invalid::ClosedEarly { conversations: 1 });
        let summaries = summarize(&settings(&["a"], scenario.clone()), &[invalid]);
        assert_eq!(sentence(&scenario, &[&summaries[0]]), "no run counts");
    }
}
