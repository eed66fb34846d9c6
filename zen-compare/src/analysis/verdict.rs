//! The verdict on a scenario or a sweep, in one sentence.

use super::judged::{Judged, ahead, failed, lead, value};
use super::rivals::Rivals;
use super::sweep::{self, sweeps};
use crate::results::{Report, Standing, Summary};
use crate::scenario::{Metric, Scenario};
use crate::units::{count, list, percent};

/// The verdict on a scenario, or on all points of a sweep.
pub(crate) struct Verdict<'a> {
    /// The name of the scenario; for a sweep, the names of its lowest and highest points.
    pub(crate) title: String,
    /// A description of the load.
    pub(crate) about: String,
    /// The scenarios, each with the contenders that are best or tie for it.
    pub(crate) points: Vec<(&'a Scenario, Vec<&'a str>)>,
    /// The winners, in as few groups as cover all points. A group is one contender, or several that
    /// tie at all points of the group.
    pub(crate) winners: Vec<&'a str>,
    /// Whether the winners tie with one another.
    pub(crate) tie: bool,
    /// Whether too few runs count to tell which contender is best at any point.
    pub(crate) undecided: bool,
    pub(crate) sentence: String,
}

impl Report {
    /// The title and the sentence of each verdict: which contender is best in the scenario and by
    /// how much, and which contenders leave clients without an answer. All points of a sweep, such
    /// as `open-10` and `open-30`, share one verdict, titled `open-10 to open-30`.
    pub fn verdicts(&self) -> Vec<(String, String)> {
        verdicts(self).into_iter().map(|verdict| (verdict.title, verdict.sentence)).collect()
    }
}

pub(crate) fn verdicts(report: &Report) -> Vec<Verdict<'_>> {
    let judged = report.by_scenario().map(|(scenario, summaries)| Judged {
        scenario,
        summaries,
        rivals: Rivals::of(&report.settings, scenario, &report.runs),
    });
    sweeps(judged).iter().map(|sweep| verdict(sweep)).collect()
}

fn verdict<'a>(sweep: &[Judged<'a>]) -> Verdict<'a> {
    let agreements = sweep::agreements(sweep);
    let undecided = agreements.is_empty() && sweep.iter().any(Judged::undecided);
    let sentence = match sweep {
        [only] => only.sentence(),
        points => sweep::sentence(points, &agreements),
    };
    Verdict {
        title: sweep::title(sweep),
        about: sweep::describe(sweep),
        points: sweep.iter().map(|judged| (judged.scenario, judged.winners())).collect(),
        tie: agreements.len() == 1 && agreements[0].names.len() > 1,
        winners: agreements.into_iter().flat_map(|agreement| agreement.names).collect(),
        undecided,
        sentence,
    }
}

impl Verdict<'_> {
    /// The last of its scenarios in the order of the report.
    pub(crate) fn below<'r>(&self, report: &'r Report) -> Option<&'r Scenario> {
        let own = |scenario: &&Scenario| self.points.iter().any(|(own, _)| own.name == scenario.name);
        report.settings.scenarios.iter().rfind(own)
    }

    /// The sentence without the winners' names at its beginning, for places where they stand beside
    /// it. The sentence on a sweep keeps them, because it names them with their points.
    pub(crate) fn without_names(&self) -> &str {
        let names = format!("{}{}: ", list(&self.winners), if self.tie { " tie" } else { "" });
        let alone = (self.points.len() == 1 && !self.winners.is_empty()).then_some(names);
        alone.and_then(|names| self.sentence.strip_prefix(&names)).unwrap_or(&self.sentence)
    }
}

impl Judged<'_> {
    /// The verdict on a single scenario that is not part of a sweep.
    fn sentence(&self) -> String {
        let mut parts = Vec::new();
        let winners = self.winners();
        match self.having(Standing::Best).next() {
            _ if self.undecided() => {
                parts.push(format!("not decided: {}", self.rivals.describe()));
                parts.extend(self.leader_so_far().map(|leader| {
                    format!("so far {}: {}", leader.contender, describe_best(self.scenario, leader))
                }));
            }
            Some(best) => {
                let lead = if winners.len() > 1 { None } else { lead(self) };
                let lead = lead.map(|(lead, next)| ahead(lead, lead, &next.contender)).unwrap_or_default();
                let tie = if winners.len() > 1 { " tie" } else { "" };
                parts.push(format!("{}{tie}: {}{lead}", list(&winners), describe_best(self.scenario, best)));
            }
            None if self.nobody_serves_all() => parts.push("no contender served every client".into()),
            None if self.none_counts() => parts.push("no run counts".into()),
            None => {}
        }
        let starving = self.starving();
        let starving: Vec<String> =
            starving.map(|s| format!("{} {}/{}", s.contender, s.clients_served, s.clients)).collect();
        if !starving.is_empty() {
            parts.push(format!("clients left waiting, served: {}", starving.join(", ")));
        }
        let faulty: Vec<String> = self.faulty().map(|s| format!("{} {}", s.contender, failed(s))).collect();
        if !faulty.is_empty() {
            parts.push(format!("not ranked, because runs failed: {}", faulty.join(", ")));
        }
        parts.join("; ")
    }
}

fn describe_best(scenario: &Scenario, best: &Summary) -> String {
    let floor =
        best.times_floor.map(|times| format!(", {:.2} × the floor", times.median)).unwrap_or_default();
    let metric = scenario.ranked_by();
    let said = metric.phrase(&value(metric, best));
    match metric {
        Metric::P99Latency => {
            let rate = best.offered_rate.map(|rate| format!(" at {} questions/s", count(rate.median)));
            if best.p99_ns.is_none() {
                return format!("too few answers for a p99{}", rate.unwrap_or_default());
            }
            format!("{said}{}", rate.unwrap_or_default())
        }
        Metric::Throughput => {
            let cost = value(Metric::CpuPerQuestion, best);
            format!("{said} at {cost} of CPU each{floor}")
        }
        _ => {
            let busy =
                best.occupancy.map(|busy| format!(", busy {}", percent(busy.median))).unwrap_or_default();
            format!("{said}{floor}{busy}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::summary::summarize;
    use crate::results::{Invalid, Run, Settings};
    use crate::testing::{run, settings};

    fn sentence(settings: &Settings, runs: &[Run]) -> String {
        let scenario = &settings.scenarios[0];
        let summaries = summarize(settings, runs);
        let rivals = Rivals::of(settings, scenario, runs);
        Judged { scenario, summaries: summaries.iter().collect(), rivals }.sentence()
    }

    fn verdict(scenario: &Scenario, costs: &[(&str, f64)], starving: &[&str]) -> String {
        let names: Vec<&str> = costs.iter().map(|(name, _)| *name).collect();
        let twice =
            |(name, cost): &(&str, f64)| [0, 1].map(|repetition| run(name, scenario, repetition, *cost));
        let mut runs: Vec<_> = costs.iter().flat_map(twice).collect();
        for run in runs.iter_mut().filter(|run| starving.contains(&run.contender.as_str())) {
            run.clients_served = 1;
        }
        sentence(&settings(&names, scenario.clone()), &runs)
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
    fn one_run_is_called_too_few() {
        let scenario = Scenario::saturate(1);
        let said = |of: &[(&str, u32)]| {
            let each = |&(name, runs): &(&str, u32)| {
                (0..runs).map(|repetition| run(name, &scenario, repetition, 1e6)).collect::<Vec<_>>()
            };
            let runs: Vec<_> = of.iter().flat_map(each).collect();
            let names: Vec<&str> = of.iter().map(|(name, _)| *name).collect();
            sentence(&settings(&names, scenario.clone()), &runs)
        };
        let merit = "1.00 k answers/s at 1.00 ms of CPU each";
        let so_far = |who: &str| {
            format!(
                "not decided: one valid run {who} is too few (--repetitions makes more); so far a: {merit}"
            )
        };
        assert_eq!(said(&[("a", 1), ("b", 1)]), so_far("each"));
        assert_eq!(said(&[("a", 1), ("b", 2)]), so_far("of a"));
        assert_eq!(said(&[("a", 2), ("b", 2), ("c", 1)]), so_far("of c"));
        // A single contender has nothing to be compared with.
        assert_eq!(said(&[("a", 1)]), format!("a: {merit}"));
    }

    #[test]
    fn shares_have_enough_digits() {
        let shares = [0.0, 0.000_01, 0.000_73, 0.003_4, 0.0996, 0.1234, 1.234, -0.004];
        let shown = ["0 %", "0 %", "0.07 %", "0.3 %", "10 %", "12 %", "123 %", "-0.4 %"];
        assert_eq!(shares.map(percent), shown);
        let far = [("a", 1000.0), ("b", 14_400.0)];
        assert!(verdict(&Scenario::book(), &far, &[]).ends_with(" (14.4 times as good as b)"));
    }

    #[test]
    fn ties_starvation_and_invalid_runs_are_reported() {
        assert_eq!(
            verdict(&Scenario::saturate(1), &[("a", 1e6), ("b", 1e6), ("c", 1e6)], &[]),
            "a, b and c tie: 1.00 k answers/s at 1.00 ms of CPU each"
        );
        assert_eq!(
            verdict(&Scenario::saturate(4), &[("a", 1e6)], &["a"]),
            "no contender served every client; clients left waiting, served: a 1/4"
        );
        assert_eq!(verdict(&Scenario::saturate(4), &[("floor", 1e6)], &[]), "");
        let scenario = Scenario::saturate(4);
        let mut invalid = run("a", &scenario, 0, 1e6);
        invalid.invalid.push(Invalid::ClosedEarly { conversations: 1 });
        assert_eq!(sentence(&settings(&["a"], scenario), &[invalid]), "no run counts");
    }

    #[test]
    fn no_winner_is_named_while_a_rival_is_missing() {
        let scenario = Scenario::saturate(1);
        let settings = settings(&["a", "b", "c"], scenario.clone());
        let runs = |names: &[&str]| {
            let each = |name: &&str| [0, 1].map(|repetition| run(name, &scenario, repetition, 1e6));
            names.iter().flat_map(each).collect::<Vec<_>>()
        };
        let so_far = "; so far a: 1.00 k answers/s at 1.00 ms of CPU each";
        assert_eq!(sentence(&settings, &runs(&["a", "b"])), format!("not decided: c was not run{so_far}"));
        let mut spoiled = runs(&["a", "b", "c"]);
        for run in &mut spoiled[4..] {
            run.invalid.push(Invalid::ServerDisturbed { cores: 0.5 });
        }
        assert_eq!(
            sentence(&settings, &spoiled),
            format!("not decided: no run of c counts (other programs ran on the server's cores){so_far}")
        );
        // One that fails by its own fault is not waited for.
        let mut failed = runs(&["a", "b", "c"]);
        failed[5].invalid.push(Invalid::ClosedEarly { conversations: 1 });
        assert_eq!(
            sentence(&settings, &failed),
            "a and b tie: 1.00 k answers/s at 1.00 ms of CPU each; not ranked, because runs failed: c 1/2"
        );
    }
}
