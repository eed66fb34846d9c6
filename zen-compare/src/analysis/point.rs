//! Sweeps: scenarios that differ in one number, and are drawn as a line in a chart.

use crate::results::{Run, SweepPoint};
use crate::scenario::Scenario;
use crate::stats::median;

/// The scenario's point in its sweep, when its name ends in a number (`saturate-16`) or its load
/// has a rate.
pub(crate) fn sweep_point(scenario: &Scenario, runs: &[&Run]) -> Option<SweepPoint> {
    let (sweep, number) = place(&scenario.name)?;
    let rates: Vec<f64> = runs.iter().filter_map(|run| run.offered_rate).collect();
    let (by, at) = match median(&rates) {
        Some(rate) => ("questions/s", rate),
        None => ("clients", number),
    };
    Some(SweepPoint { sweep: sweep.into(), by: by.into(), at })
}

/// The part of the name that all scenarios of a sweep share, and the number in which they differ.
pub(crate) fn place(name: &str) -> Option<(&str, f64)> {
    let (sweep, number) = name.rsplit_once('-')?;
    Some((sweep, number.trim_end_matches("/s").parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::run;

    #[test]
    fn a_number_at_the_end_makes_a_point() {
        let scenario = Scenario::saturate(16);
        let place = sweep_point(&scenario, &[&run("a", &scenario, 0, 1.0)]).unwrap();
        assert_eq!((place.sweep.as_str(), place.by.as_str(), place.at), ("saturate", "clients", 16.0));
        assert_eq!(sweep_point(&Scenario::book(), &[]), None);
    }

    #[test]
    fn an_open_loop_is_placed_by_its_rate() {
        let scenario = Scenario { name: "open-70".into(), ..Scenario::saturate(1) };
        let runs = [100.0, 120.0, 110.0].map(|rate| {
            let mut run = run("a", &scenario, 0, 1.0);
            run.offered_rate = Some(rate);
            run
        });
        let place = sweep_point(&scenario, &runs.each_ref()).unwrap();
        assert_eq!((place.sweep.as_str(), place.by.as_str(), place.at), ("open", "questions/s", 110.0));
    }
}
