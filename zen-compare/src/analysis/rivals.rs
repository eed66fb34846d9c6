//! Who could still be best: contenders of which too few runs count to rank them.
//!
//! A winner is named only over rivals that have enough runs that count. Otherwise the one that
//! other programs happened to leave alone would win.

use crate::results::{Invalid, Run, Settings};
use crate::scenario::Scenario;
use crate::units::list;

/// What to do where a single run has no interval.
pub(crate) const MORE: &str = "--repetitions makes more";
/// The fewest runs that have an interval.
const ENOUGH: usize = 2;

/// A contender that could be best, for all that its runs tell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Missing<'a> {
    pub(crate) name: &'a str,
    pub(crate) runs: Runs,
    /// Why its other runs do not count.
    why: Vec<&'static str>,
}

/// The runs of a contender that could still be best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runs {
    /// None was made.
    NotMade,
    /// None counts.
    NoneCounts,
    /// One counts, and has no interval.
    OneCounts,
}

impl Runs {
    pub(crate) const ALL: [Self; 3] = [Self::NotMade, Self::NoneCounts, Self::OneCounts];

    /// What is wrong with the runs of these contenders.
    pub(crate) fn describe(self, names: &str, several: bool) -> String {
        match self {
            Self::NotMade => format!("{names} {} not run", if several { "were" } else { "was" }),
            Self::NoneCounts => format!("no run of {names} counts"),
            Self::OneCounts => format!("one valid run of {names} is too few ({MORE})"),
        }
    }
}

/// How a scenario's contenders compete.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rivals<'a> {
    /// Those that could be best: they take part, serve every client, and none of their runs failed
    /// by their own fault.
    pub(crate) sound: usize,
    /// Those of them that have too few runs that count.
    pub(crate) missing: Vec<Missing<'a>>,
}

impl<'a> Rivals<'a> {
    pub(crate) fn of(settings: &'a Settings, scenario: &Scenario, runs: &[Run]) -> Self {
        let mut rivals = Self::default();
        for contender in settings.contenders.iter().filter(|contender| !contender.floor) {
            let ours = |run: &&Run| run.scenario == scenario.name && run.contender == contender.name;
            let own: Vec<&Run> = runs.iter().filter(ours).collect();
            let starves = |run: &&Run| run.is_valid() && run.clients_served < run.clients;
            if own.iter().any(|run| run.is_left_out() || run.is_contenders_fault() || starves(run)) {
                continue;
            }
            rivals.sound += 1;
            let runs = match own.iter().filter(|run| run.is_valid()).count() {
                _ if own.is_empty() => Runs::NotMade,
                0 => Runs::NoneCounts,
                few if few < ENOUGH => Runs::OneCounts,
                _ => continue,
            };
            let mut why: Vec<&str> = own.iter().flat_map(|run| &run.invalid).map(Invalid::brief).collect();
            why.sort_unstable();
            why.dedup();
            rivals.missing.push(Missing { name: &contender.name, runs, why });
        }
        rivals
    }

    /// Whether it is not known which contender is best. One alone has no rival, and claims nothing
    /// by being best.
    pub(crate) fn undecided(&self) -> bool {
        self.sound > 1 && !self.missing.is_empty()
    }

    /// Who is missing, and why.
    pub(crate) fn describe(&self) -> String {
        if self.missing.len() == self.sound && self.missing.iter().all(|one| one.runs == Runs::OneCounts) {
            return format!("one valid run each is too few ({MORE})");
        }
        let parts = Runs::ALL.into_iter().filter_map(|runs| {
            let those: Vec<&Missing<'_>> = self.missing.iter().filter(|one| one.runs == runs).collect();
            let names: Vec<&str> = those.iter().map(|one| one.name).collect();
            let said = runs.describe(&list(&names), names.len() > 1);
            (!those.is_empty()).then(|| said + &why(&those))
        });
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// Why the runs of these contenders do not count, in brackets.
fn why(those: &[&Missing<'_>]) -> String {
    let mut reasons: Vec<&str> = those.iter().flat_map(|one| one.why.iter().copied()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    if reasons.is_empty() { String::new() } else { format!(" ({})", list(&reasons)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{run, settings};

    fn described(names: &[&str], runs: &[Run]) -> (bool, String) {
        let settings = settings(names, Scenario::think());
        let rivals = Rivals::of(&settings, &Scenario::think(), runs);
        (rivals.undecided(), rivals.describe())
    }

    fn two_runs(names: &[&str]) -> Vec<Run> {
        let each = |name: &&str| [0, 1].map(|repetition| run(name, &Scenario::think(), repetition, 100.0));
        names.iter().flat_map(each).collect()
    }

    #[test]
    fn a_rival_without_runs_that_count_could_be_best() {
        let names = ["floor", "a", "b", "c", "d"];
        assert_eq!(described(&names, &two_runs(&names[1..])), (false, String::new()));
        let mut runs = two_runs(&["a", "b", "c"]);
        runs[2].invalid.push(Invalid::ServerDisturbed { cores: 0.5 });
        runs[4].invalid.push(Invalid::GeneratorStarved { share: 0.5 });
        runs[5].invalid.push(Invalid::CoresStolen { cores: 0.5 });
        let said = "d was not run, no run of c counts (the generator waited for its core and the machine's host took \
                    cores away), one valid run of b is too few (--repetitions makes more) (other programs ran on the \
                    server's cores)";
        assert_eq!(described(&names, &runs), (true, said.into()));
    }

    #[test]
    fn one_that_has_failed_starves_or_takes_no_part_is_no_rival() {
        for spoil in [
            |run: &mut Run| run.invalid.push(Invalid::ClosedEarly { conversations: 1 }),
            |run: &mut Run| run.invalid.push(Invalid::DoesNotApply { what: "work".into() }),
            |run: &mut Run| run.clients_served = 1,
        ] {
            let mut runs = two_runs(&["a", "b", "c"]);
            spoil(&mut runs[5]);
            runs.remove(4);
            assert_eq!(described(&["a", "b", "c"], &runs), (false, String::new()));
            // One that is alone claims nothing.
            assert!(!described(&["a", "c"], &[runs[0].clone(), runs[4].clone()]).0);
        }
    }
}
