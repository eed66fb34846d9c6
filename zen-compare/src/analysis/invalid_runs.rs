//! Notes on the invalid runs of a scenario, in as few lines as possible.

use crate::results::Invalid;
use crate::results::Run;
use crate::units::list;

/// The most names that one line lists.
const NAMES: usize = 3;

/// What is wrong with the runs of one scenario.
pub(crate) struct InvalidRunNotes<'a> {
    runs: Vec<&'a Run>,
}

impl<'a> InvalidRunNotes<'a> {
    pub(crate) fn collect(scenario: &str, runs: &'a [Run]) -> Self {
        Self { runs: runs.iter().filter(|run| run.scenario == scenario).collect() }
    }

    /// One line for each reason why contenders were left out: the scenario does not apply to them.
    pub(crate) fn left_out(&self) -> Vec<String> {
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for run in &self.runs {
            for reason in &run.invalid {
                let Invalid::DoesNotApply { what } = reason else { continue };
                let name = run.contender.as_str();
                match reasons.iter_mut().find(|(known, _)| known == what) {
                    Some((_, names)) if names.contains(&name) => {}
                    Some((_, names)) => names.push(name),
                    None => reasons.push((what, vec![name])),
                }
            }
        }
        reasons.into_iter().map(|(what, names)| format!("{} left out: {what}", list(&names))).collect()
    }

    /// One line for all runs that the machine made invalid, one for each kind of fault of the
    /// contenders, and one for each reason why some were left out.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.machine_note().into_iter().chain(self.faults()).chain(self.left_out()).collect()
    }

    fn machine_note(&self) -> Option<String> {
        let blames_machine = |run: &&&Run| {
            !run.is_valid() && !run.is_left_out() && !run.invalid.iter().any(Invalid::is_contenders_fault)
        };
        let invalid: Vec<&Run> = self.runs.iter().filter(blames_machine).copied().collect();
        let mut why: Vec<&str> = Vec::new();
        for reason in invalid.iter().flat_map(|run| &run.invalid).map(Invalid::brief) {
            if !why.contains(&reason) {
                why.push(reason);
            }
        }
        let made = self.runs.iter().filter(|run| !run.is_left_out()).count();
        let count = match invalid.len() {
            0 => return None,
            1 => format!("1 run of {made} does not count"),
            invalid => format!("{invalid} runs of {made} do not count"),
        };
        Some(format!("{count}: {}", list(&why)))
    }

    /// The faults by kind; of each contender, the first of each kind. The details of the run are
    /// included where few contenders share the fault, or where they are needed to know what is
    /// wrong.
    fn faults(&self) -> Vec<String> {
        let mut kinds: Vec<Vec<(&str, &Invalid)>> = Vec::new();
        for run in &self.runs {
            for reason in run.invalid.iter().filter(|reason| reason.is_contenders_fault()) {
                let first = (run.contender.as_str(), reason);
                match kinds.iter_mut().find(|kind| kind[0].1.brief() == reason.brief()) {
                    Some(kind) if kind.iter().any(|(name, _)| *name == first.0) => {}
                    Some(kind) => kind.push(first),
                    None => kinds.push(vec![first]),
                }
            }
        }
        kinds.iter().flat_map(|kind| self.describe_kind(kind)).collect()
    }

    fn describe_kind(&self, kind: &[(&str, &Invalid)]) -> Vec<String> {
        let one = |(name, reason): &(&str, &Invalid)| format!("{name}, {}: {reason}", self.share(name));
        let names: Vec<&str> = kind.iter().map(|(name, _)| *name).collect();
        let reason = kind[0].1;
        // The bytes received show what is wrong, and may differ between contenders.
        let telling = matches!(reason, Invalid::WrongAnswers { .. });
        match names.len() {
            1 => vec![one(&kind[0])],
            few if few <= NAMES && telling => kind.iter().map(one).collect(),
            few if few <= NAMES => vec![format!("{}: {}", list(&names), reason.brief())],
            many => {
                let example = if telling { format!(", as {}", one(&kind[0])) } else { String::new() };
                let (first, more) = (names[..NAMES].join(", "), many - NAMES);
                vec![format!("{first} and {more} more: {}{example}", reason.brief())]
            }
        }
    }

    /// How many of a contender's runs are invalid.
    fn share(&self, contender: &str) -> String {
        let own: Vec<_> = self.runs.iter().filter(|run| run.contender == contender).collect();
        let invalid = own.iter().filter(|run| !run.is_valid()).count();
        format!("{invalid} of {} runs", own.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::environment::Environment;
    use crate::results::{Report, SCHEMA};
    use crate::scenario::Scenario;
    use crate::testing::{run, settings};

    fn invalid(contender: &str, why: &[Invalid]) -> Run {
        Run { invalid: why.to_vec(), ..run(contender, &Scenario::think(), 0, 100.0) }
    }

    fn lines(runs: &[Run]) -> Vec<String> {
        InvalidRunNotes::collect("think", runs).lines()
    }

    #[test]
    fn runs_that_the_machine_made_invalid_are_one_line() {
        let starved = Invalid::GeneratorStarved { share: 0.4 };
        let disturbed = Invalid::ServerDisturbed { cores: 0.3 };
        let runs = [
            invalid("a", &[]),
            invalid("a", &[starved.clone(), disturbed.clone()]),
            invalid("b", std::slice::from_ref(&starved)),
            invalid("c", &[disturbed]),
        ];
        let said = "3 runs of 4 do not count: the generator waited for its core and other programs ran on the \
                    server's cores";
        assert_eq!(lines(&runs), [said]);
        assert_eq!(lines(&runs[..1]), [""; 0]);
        assert_eq!(lines(&runs[2..3]), ["1 run of 1 does not count: the generator waited for its core"]);
    }

    #[test]
    fn faults_are_named_with_their_contenders() {
        let early = |conversations| Invalid::ClosedEarly { conversations };
        let one = [invalid("a", &[early(7)]), invalid("a", &[early(8)]), invalid("b", &[])];
        assert_eq!(lines(&one), ["a, 2 of 2 runs: the server ended 7 conversations before they were over"]);
        let two = [invalid("a", &[early(7)]), invalid("b", &[early(1)])];
        assert_eq!(lines(&two), ["a and b: the server hung up"]);
        let five = ["a", "b", "c", "d", "e"].map(|name| invalid(name, &[early(7)]));
        assert_eq!(lines(&five), ["a, b, c and 2 more: the server hung up"]);
    }

    #[test]
    fn wrong_answers_are_quoted_for_each_of_a_few_or_for_one_of_many() {
        let wrong = |received: &str| Invalid::WrongAnswers {
            conversations: 2,
            expected: "Ugly.".into(),
            received: received.into(),
        };
        let two = [invalid("w", &[wrong("Wrong.")]), invalid("e", &[wrong("Ugl")])];
        let of = |name: &str, heard: &str| {
            format!("{name}, 1 of 1 runs: wrong answers in 2 conversations: `{heard}` instead of `Ugly.`")
        };
        assert_eq!(lines(&two), [of("w", "Wrong."), of("e", "Ugl")]);
        let five = ["a", "b", "c", "d", "e"].map(|name| invalid(name, &[wrong("?")]));
        assert_eq!(lines(&five), [format!("a, b, c and 2 more: wrong answers, as {}", of("a", "?"))]);
    }

    #[test]
    fn a_contender_that_cannot_take_part_is_left_out() {
        let cannot = || Invalid::DoesNotApply { what: "it cannot be told to work".into() };
        let runs = [invalid("floor", &[cannot()]), invalid("a", &[])];
        let notes = InvalidRunNotes::collect("think", &runs);
        assert_eq!(notes.left_out(), ["floor left out: it cannot be told to work"]);
        assert_eq!(notes.lines(), notes.left_out());
    }

    #[test]
    fn a_contender_that_was_left_out_has_not_failed() {
        let scenario = Scenario::think();
        let names = ["floor", "mio", "other"];
        let mut runs: Vec<Run> = names.iter().map(|name| run(name, &scenario, 0, 100.0)).collect();
        runs[2].invalid.push(Invalid::ClosedEarly { conversations: 7 });
        let mut report = Report {
            schema: SCHEMA.into(),
            environment: Environment::current(None),
            summaries: Vec::new(),
            settings: settings(&names, scenario),
            complete: true,
            runs,
        };
        // Older reports were made in this order: summarized first.
        report.summarize();
        for run in report.runs.iter_mut().filter(|run| run.contender == "floor") {
            run.invalid.push(Invalid::DoesNotApply { what: "it has no handler".into() });
        }
        let before = report.clone();
        report.summarize();
        assert!(report.summaries.iter().all(|summary| summary.contender != "floor"));
        let said = "floor left out: it has no handler";
        let markdown = crate::output::markdown(&report);
        for text in [report.to_table(100, false), markdown.clone(), crate::output::html(&report)] {
            assert!(text.contains(said), "{text}");
            assert!(!text.contains("it does not apply"), "{text}");
        }
        // The runs of `other` are invalid; the floor was not run at all.
        assert!(markdown.contains("| runs | 2, 1 of them invalid"), "{markdown}");
        assert!(crate::output::html(&report).contains("2, 1 of them invalid"));
        // The saved summary that counts it as failed is not taken over.
        let mut saved = Vec::new();
        before.write_json(&mut saved).unwrap();
        assert_eq!(Report::read_json(saved.as_slice()).unwrap().summaries.len(), 2);
    }
}
