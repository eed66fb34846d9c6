//! Sweeps judged as a whole: at which points the same contenders are best, and which are best at
//! the others.

use super::judged::{Judged, ahead, failed, lead, value};
use super::point::place;
use super::rivals::Runs;
use crate::results::Summary;
use crate::scenario::{Metric, Scenario};
use crate::units::count;
use crate::units::{list, range};

/// A scenario on its own, or the points of a sweep from the lowest to the highest.
pub(crate) type Sweep<'a> = Vec<Judged<'a>>;

/// Groups the scenarios that differ only in their number into sweeps. A sweep stands where its
/// first scenario stood.
pub(crate) fn sweeps<'a>(scenarios: impl Iterator<Item = Judged<'a>>) -> Vec<Sweep<'a>> {
    let mut sweeps: Vec<Sweep<'a>> = Vec::new();
    for judged in scenarios {
        match sweeps.iter_mut().find(|sweep| same_sweep(sweep[0].scenario, judged.scenario)) {
            Some(sweep) => sweep.push(judged),
            None => sweeps.push(vec![judged]),
        }
    }
    let number = |judged: &Judged<'_>| place(&judged.scenario.name).map_or(0.0, |(_, number)| number);
    for sweep in &mut sweeps {
        sweep.sort_by(|left, right| number(left).total_cmp(&number(right)));
    }
    sweeps
}

fn same_sweep(one: &Scenario, other: &Scenario) -> bool {
    // A share of the capacity and a number of questions a second are different kinds of number.
    let kind = |scenario: &Scenario| (scenario.name.ends_with("/s"), scenario.ranked_by());
    let sweeps = place(&one.name).zip(place(&other.name));
    kind(one) == kind(other) && sweeps.is_some_and(|((one, _), (other, _))| one == other)
}

/// The title of a sweep.
pub(crate) fn title(sweep: &[Judged<'_>]) -> String {
    match sweep {
        [] => String::new(),
        [only] => only.scenario.name.clone(),
        [first, .., last] => format!("{} to {}", first.scenario.name, last.scenario.name),
    }
}

/// The loads of a sweep in one line: what they have in common, and the range of the number in which
/// they differ.
pub(crate) fn describe(sweep: &[Judged<'_>]) -> String {
    let (Some(first), Some(last)) = (sweep.first(), sweep.last()) else { return String::new() };
    let (first, last) = (first.scenario.describe(), last.scenario.describe());
    let words: Vec<_> = first.split(' ').zip(last.split(' ')).collect();
    let grouped = words.iter().map(|(first, last)| {
        let numbers = first.parse::<f64>().is_ok() && last.parse::<f64>().is_ok();
        // Besides the numbers, `client` and `clients` differ.
        if first != last && numbers { format!("{first} to {last}") } else { (*last).to_owned() }
    });
    grouped.collect::<Vec<_>>().join(" ")
}

/// The points at which the same contenders win.
pub(crate) struct Agreement<'a> {
    /// The contenders that win at all of them, alone or in a tie.
    pub(crate) names: Vec<&'a str>,
    points: Vec<usize>,
}

/// The verdict in one sentence: which contender is best at which points, which leave clients
/// without an answer, and where the runs are too few to tell.
pub(crate) fn sentence(sweep: &[Judged<'_>], agreements: &[Agreement<'_>]) -> String {
    let mut parts: Vec<String> = agreements.iter().map(|agreement| agreed(sweep, agreement)).collect();
    for (which, says) in [
        (points_where(sweep, Judged::nobody_serves_all), "no contender served every client"),
        (points_where(sweep, Judged::none_counts), "no run counts"),
    ] {
        if !which.is_empty() {
            parts.push(format!("{says} {}", describe_points(sweep, &which)));
        }
    }
    let undecided = points_where(sweep, Judged::undecided);
    if !undecided.is_empty() {
        let why = why_undecided(sweep, &undecided);
        parts.push(format!("not decided {}: {why}", describe_points(sweep, &undecided)));
    }
    let starving = spans(sweep, |judged| {
        let starving = judged.starving();
        starving.map(|s| (s.contender.as_str(), format!(" {}/{}", s.clients_served, s.clients))).collect()
    });
    if !starving.is_empty() {
        parts.push(format!("clients left waiting, served: {}", starving.join(", ")));
    }
    let faulty = spans(sweep, |judged| {
        judged.faulty().map(|s| (s.contender.as_str(), format!(" {}", failed(s)))).collect()
    });
    if !faulty.is_empty() {
        parts.push(format!("not ranked, because runs failed: {}", faulty.join(", ")));
    }
    parts.join("; ")
}

/// Who is missing at the undecided points. A contender is named with its points, unless the same
/// ones are missing at all of them.
fn why_undecided(sweep: &[Judged<'_>], undecided: &[usize]) -> String {
    if let Some(first) = undecided.first().map(|&point| &sweep[point].rivals)
        && undecided.iter().all(|&point| sweep[point].rivals == *first)
    {
        return first.describe();
    }
    let parts = Runs::ALL.into_iter().filter_map(|runs| {
        let names = spans(sweep, |judged| {
            let missing = judged.rivals.missing.iter().filter(|one| judged.undecided() && one.runs == runs);
            missing.map(|one| (one.name, String::new())).collect()
        });
        (!names.is_empty()).then(|| runs.describe(&names.join(", "), true))
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// The points for which `pass` holds.
fn points_where<'a>(sweep: &[Judged<'a>], pass: impl Fn(&Judged<'a>) -> bool) -> Vec<usize> {
    (0..sweep.len()).filter(|&point| pass(&sweep[point])).collect()
}

/// As few agreements as possible. Each is formed around the contender that wins at most of the
/// remaining points.
pub(crate) fn agreements<'a>(sweep: &[Judged<'a>]) -> Vec<Agreement<'a>> {
    let winners: Vec<Vec<&str>> = sweep.iter().map(Judged::winners).collect();
    let mut left: Vec<usize> = (0..sweep.len()).filter(|&point| !winners[point].is_empty()).collect();
    let mut agreements = Vec::new();
    while !left.is_empty() {
        let wins = |name: &str| left.iter().filter(|&&point| winners[point].contains(&name)).count();
        let candidates = left.iter().flat_map(|&point| &winners[point]).copied();
        // The first of those that win equally often: `max_by_key` would take the last.
        let most = candidates.reduce(|best, name| if wins(name) > wins(best) { name } else { best });
        let Some(most) = most else { break };
        let (points, others): (Vec<usize>, Vec<usize>) =
            left.iter().partition(|&&point| winners[point].contains(&most));
        let on_all = |name: &&str| points.iter().all(|&point| winners[point].contains(name));
        let names = winners[points[0]].iter().copied().filter(on_all).collect();
        agreements.push(Agreement { names, points });
        left = others;
    }
    agreements
}

/// The text for one agreement: the contenders, the points, their metric and their lead.
fn agreed(sweep: &[Judged<'_>], Agreement { names, points }: &Agreement<'_>) -> String {
    let with_others = |point: &&usize| sweep[**point].winners().len() > names.len();
    let (wide, narrow): (Vec<usize>, Vec<usize>) = points.iter().partition(with_others);
    let contenders = match names.as_slice() {
        [one] => (*one).to_owned(),
        several => format!("{} tie", list(several)),
    };
    let alone = match (names.len(), narrow.len(), wide.len()) {
        (_, _, 0) => String::new(),
        (1, 0, _) => ", in ties with others".to_owned(),
        (1, ..) => format!(", alone {} and tied elsewhere", describe_points(sweep, &narrow)),
        _ => ", at some points with others".to_owned(),
    };
    let next = if wide.is_empty() { "the next" } else { "the next there" };
    let leads = if names.len() == 1 { leads(sweep, &narrow, next) } else { String::new() };
    format!(
        "{contenders} {}{alone}: {}{leads}",
        describe_points(sweep, points),
        describe_range(sweep, points, names[0])
    )
}

/// The contender's metric, from the lowest to the highest of these points.
fn describe_range(sweep: &[Judged<'_>], points: &[usize], name: &str) -> String {
    let of = |point: &usize| sweep[*point].summary(name).map(|summary| (sweep[*point].scenario, summary));
    let ends = [points.first(), points.last()].map(|point| point.and_then(of));
    let [Some((scenario, low)), Some((_, high))] = ends else { return String::new() };
    let metric_range = |summary| value(scenario.ranked_by(), summary);
    let metric_range = range(&metric_range(low), &metric_range(high));
    let times = points.iter().filter_map(|point| Some(of(point)?.1.times_floor?.median));
    let floor = match times.clone().reduce(f64::min).zip(times.reduce(f64::max)) {
        Some((least, most)) => {
            format!(", {} × the floor", range(&format!("{least:.2}"), &format!("{most:.2}")))
        }
        None => String::new(),
    };
    let said = scenario.ranked_by().phrase(&metric_range);
    if scenario.ranked_by() != Metric::P99Latency {
        return said + &floor;
    }
    let rate = |summary: &Summary| summary.offered_rate.map(|rate| count(rate.median));
    let rates = rate(low).zip(rate(high)).map(|(low, high)| range(&low, &high));
    said + &rates.map(|rates| format!(" at {rates} questions/s")).unwrap_or_default()
}

/// How far the best contender is ahead at these points.
fn leads(sweep: &[Judged<'_>], points: &[usize], next: &str) -> String {
    let leads = || points.iter().filter_map(|&point| Some(lead(&sweep[point])?.0));
    let ends = leads().reduce(f64::min).zip(leads().reduce(f64::max));
    ends.map(|(least, most)| ahead(least, most, next)).unwrap_or_default()
}

/// The contenders to name at some of the points, each with its points. Contenders with the same
/// points share one entry. A remark that differs between points is given for the lowest and the
/// highest of them.
fn spans<'a>(sweep: &[Judged<'a>], remarks: impl Fn(&Judged<'a>) -> Vec<(&'a str, String)>) -> Vec<String> {
    struct Span<'a> {
        name: &'a str,
        points: Vec<usize>,
        said: [String; 2],
    }
    let mut spans: Vec<Span<'_>> = Vec::new();
    for (point, judged) in sweep.iter().enumerate() {
        for (name, said) in remarks(judged) {
            match spans.iter_mut().find(|span| span.name == name) {
                Some(span) => {
                    span.points.push(point);
                    span.said[1] = said;
                }
                None => spans.push(Span { name, points: vec![point], said: [said.clone(), said] }),
            }
        }
    }
    let mut grouped: Vec<(Vec<usize>, Vec<String>)> = Vec::new();
    for Span { name, points, said: [from, to] } in spans {
        let said = format!("{name}{}", if from == to { from } else { format!("{from} to{to}") });
        match grouped.iter_mut().find(|(same, _)| *same == points) {
            Some((_, names)) => names.push(said),
            None => grouped.push((points, vec![said])),
        }
    }
    let said = |(points, names): (Vec<usize>, Vec<String>)| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        format!("{} {}", list(&names), describe_points(sweep, &points))
    };
    grouped.into_iter().map(said).collect()
}

/// These points as text, such as `at every point` or `from saturate-16 to saturate-512`.
fn describe_points(sweep: &[Judged<'_>], points: &[usize]) -> String {
    let name = |point: usize| sweep[point].scenario.name.as_str();
    let in_a_row = points.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    match *points {
        _ if points.len() == sweep.len() => "at every point".to_owned(),
        [first, _, .., last] if in_a_row && points.len() > 2 => {
            format!("from {} to {}", name(first), name(last))
        }
        _ => format!("at {}", list(&points.iter().map(|&point| name(point)).collect::<Vec<_>>())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::rivals::Rivals;
    use crate::machine::environment::Environment;
    use crate::results::Run;
    use crate::results::{Report, Settings};
    use crate::testing::{run, settings};

    /// A report with two runs of each contender, at these costs for each scenario.
    fn report(scenarios: &[Scenario], costs: &[(&str, &[f64])]) -> Report {
        let names: Vec<&str> = costs.iter().map(|(name, _)| *name).collect();
        let settings = Settings { scenarios: scenarios.to_vec(), ..settings(&names, Scenario::book()) };
        let mut report = Report {
            schema: crate::results::SCHEMA.into(),
            environment: Environment::current(None),
            settings,
            complete: true,
            summaries: Vec::new(),
            runs: Vec::new(),
        };
        for (name, costs) in costs {
            for (scenario, &cost) in scenarios.iter().zip(*costs) {
                report.runs.extend([0, 1].map(|repetition| run(name, scenario, repetition, cost)));
            }
        }
        report.summarize();
        report
    }

    fn saturate() -> Vec<Scenario> {
        [1, 16, 64, 512].map(Scenario::saturate).into()
    }

    fn only(report: &Report) -> String {
        let verdicts = report.verdicts();
        assert_eq!(verdicts.len(), 1, "{verdicts:?}");
        assert_eq!(verdicts[0].0, "saturate-1 to saturate-512");
        verdicts[0].1.clone()
    }

    #[test]
    fn points_that_agree_are_one_verdict() {
        let floor = ("floor", &[1e4, 4e3, 4e3, 4e3][..]);
        let alone =
            report(&saturate(), &[floor, ("a", &[1e4, 5e3, 5e3, 5e3]), ("b", &[11e3, 6e3, 5.5e3, 6e3])]);
        let said = "a at every point: 100 k to 200 k answers/s, 1.00 to 1.25 × the floor (10 % to 20 % better than the next)";
        assert_eq!(only(&alone), said);
        let tied = report(&saturate(), &[("a", &[5e3; 4]), ("b", &[5e3; 4]), ("c", &[9e3; 4])]);
        assert_eq!(only(&tied), "a and b tie at every point: 200 k answers/s");
        // The order in which the scenarios were requested does not matter.
        let reversed: Vec<Scenario> = saturate().into_iter().rev().collect();
        assert_eq!(only(&report(&reversed, &[("a", &[5e3; 4]), ("b", &[5e3; 4])])), only(&tied));
    }

    #[test]
    fn other_winners_are_named_with_their_points() {
        let sentence = only(&report(
            &saturate(),
            &[("a", &[5e3, 5e3, 5e3, 9e3]), ("b", &[5e3, 6e3, 5e3, 9e3]), ("c", &[9e3, 9e3, 5e3, 6e3])],
        ));
        assert_eq!(
            sentence,
            "a from saturate-1 to saturate-64, alone at saturate-16 and tied elsewhere: 200 k answers/s (20 % better than the \
             next there); c at saturate-512: 167 k answers/s (50 % better than the next)"
        );
        let sentence =
            only(&report(&saturate(), &[("a", &[5e3, 9e3, 5e3, 9e3]), ("b", &[9e3, 5e3, 9e3, 5e3])]));
        assert!(sentence.starts_with("a at saturate-1 and saturate-64: "), "{sentence}");
        assert!(sentence.contains("; b at saturate-16 and saturate-512: "), "{sentence}");
    }

    #[test]
    fn starving_and_undecided_contenders_are_named_once() {
        let costs: [(&str, &[f64]); 3] = [("a", &[5e3; 4]), ("b", &[5e3; 4]), ("pool", &[6e3; 4])];
        let mut report = report(&saturate(), &costs);
        let starves = |run: &&mut Run| run.contender == "pool" && run.clients > 4;
        for run in report.runs.iter_mut().filter(starves) {
            run.clients_served = 4;
        }
        // One run of `b` is left at the second point, and one run of each contender at the first.
        report.runs.retain(|run| {
            run.repetition == 0 || !(run.clients == 1 || run.clients == 16 && run.contender == "b")
        });
        report.summarize();
        assert_eq!(
            only(&report),
            "a and b tie at saturate-64 and saturate-512: 200 k answers/s; not decided at saturate-1 and saturate-16: one valid \
             run of a and pool at saturate-1, b at saturate-1 and saturate-16 is too few (--repetitions makes more); clients left waiting, served: pool 4/16 to 4/512 from saturate-16 to saturate-512"
        );
        report.runs.retain(|run| run.contender == "pool" && run.clients > 1);
        report.settings.contenders.retain(|contender| contender.name == "pool");
        report.summarize();
        let (title, sentence) = &report.verdicts()[0];
        assert_eq!(title, "saturate-16 to saturate-512");
        assert!(
            sentence.starts_with("no contender served every client at every point; clients left"),
            "{sentence}"
        );
    }

    #[test]
    fn scenarios_that_differ_in_more_than_a_number_are_no_sweep() {
        let names =
            ["open-10", "book", "open-500/s", "open-30", "uniform-30", "work-spin", "work-sleep", "idle-9"];
        let scenarios: Vec<Scenario> = names.iter().flat_map(|name| Scenario::named(name).unwrap()).collect();
        let report = report(&scenarios, &[("a", &[5e3; 8]), ("b", &[6e3; 8])]);
        let titles: Vec<String> = report.verdicts().into_iter().map(|(title, _)| title).collect();
        let expected =
            ["open-10 to open-30", "book", "open-500/s", "uniform-30", "work-spin", "work-sleep", "idle-9"];
        assert_eq!(titles, expected);
        // In the terminal, the verdict stands below the last table of the sweep.
        let text = report.to_table(100, false);
        let (above, below) = text.split_once("→ open-10 to open-30: ").unwrap();
        assert!(above.contains("open-30 — ") && !above.contains("uniform-30 — "), "{text}");
        assert!(!below.contains("open-10"), "{text}");
    }

    #[test]
    fn a_sweep_is_described_by_its_ends() {
        let scenarios = saturate();
        let sweep: Vec<_> = scenarios
            .iter()
            .map(|scenario| Judged { scenario, summaries: Vec::new(), rivals: Rivals::default() })
            .collect();
        assert_eq!(describe(&sweep), "1 to 512 clients");
        assert_eq!(describe(&sweep[..1]), "1 client");
    }
}
