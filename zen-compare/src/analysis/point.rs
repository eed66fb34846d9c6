//! Ladders: scenarios that differ in one number, and so make a line in a chart.

use crate::results::{Run, Rung};
use crate::scenario::Scenario;
use crate::stats::median;

/// The scenario's place among its like, when its name ends in a number (`saturate-16`) or its load has a rate.
pub(crate) fn rung(scenario: &Scenario, runs: &[&Run]) -> Option<Rung> {
    let (family, number) = place(&scenario.name)?;
    let rates: Vec<f64> = runs.iter().filter_map(|run| run.offered_rate).collect();
    let (by, at) = match median(&rates) {
        Some(rate) => ("questions/s", rate),
        None => ("clients", number),
    };
    Some(Rung { family: family.into(), by: by.into(), at })
}

/// What a scenario's name has in common with its like, and the number in which it differs.
pub(crate) fn place(name: &str) -> Option<(&str, f64)> {
    let (family, number) = name.rsplit_once('-')?;
    Some((family, number.trim_end_matches("/s").parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::run;

    #[test]
    fn a_number_at_the_end_makes_a_rung() {
        let scenario = Scenario::saturate(16);
        let place = rung(&scenario, &[&run("a", &scenario, 0, 1.0)]).unwrap();
        assert_eq!((place.family.as_str(), place.by.as_str(), place.at), ("saturate", "clients", 16.0));
        assert_eq!(rung(&Scenario::book(), &[]), None);
    }

    #[test]
    fn an_open_loop_stands_where_its_rate_is() {
        let scenario = Scenario { name: "open-70".into(), ..Scenario::saturate(1) };
        let runs = [100.0, 120.0, 110.0].map(|rate| {
            let mut run = run("a", &scenario, 0, 1.0);
            run.offered_rate = Some(rate);
            run
        });
        let place = rung(&scenario, &runs.each_ref()).unwrap();
        assert_eq!((place.family.as_str(), place.by.as_str(), place.at), ("open", "questions/s", 110.0));
    }
}
