//! Reruns of what the machine made invalid.

use crate::plan::{Job, Plan};
use crate::results::{Report, Run};

/// How many rounds of reruns there are, after everything else. Each round finds the machine at
/// another moment.
pub(crate) const ROUNDS: usize = 3;

/// The runs to rerun. For each contender with fewer valid runs than the plan asks for, they are as
/// many as it lacks, out of the runs that the machine made invalid.
pub(crate) fn lacking<'a>(plan: &'a Plan, report: &Report) -> Vec<Job<'a>> {
    let wanted = plan.valid_at_least.min(plan.repetitions) as usize;
    let mut jobs: Vec<Job<'a>> = Vec::new();
    for job in plan.jobs() {
        let own = |run: &&Run| run.scenario == job.scenario.name && run.contender == job.contender.name();
        let valid = report.runs.iter().filter(own).filter(|run| run.is_valid()).count();
        let to_come = jobs.iter().filter(|known| known.is_like(&job)).count();
        let invalid = report.runs.iter().any(|run| job.made(run) && run.is_worth_rerunning());
        if invalid && valid + to_come < wanted {
            jobs.push(job);
        }
    }
    jobs
}

/// Adds a run to the report, in place of an earlier run of the same job.
pub(crate) fn take(report: &mut Report, job: Job<'_>, mut run: Run) {
    if let Some(place) = report.runs.iter().position(|run| job.made(run)) {
        // The earlier run counts as a retry, and so do its own retries, as they leave the report
        // with it.
        run.retries += report.runs.remove(place).retries + 1;
    }
    report.runs.push(run);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::environment::Environment;
    use crate::results::Invalid;
    use crate::results::SCHEMA;
    use crate::scenario::Scenario;
    use crate::server::Contender;
    use crate::testing::{run, settings};

    #[test]
    fn as_many_are_rerun_as_are_lacking() {
        let scenario = Scenario::saturate(1);
        let contender = |name| Contender::new(name, "true", [""; 0]);
        let contenders = vec![contender("a"), contender("b"), contender("c")];
        let plan =
            Plan { repetitions: 5, valid_at_least: 3, ..Plan::new(contenders, vec![scenario.clone()]) };
        let settings = settings(&["a", "b", "c"], scenario.clone());
        let environment = Environment::current(None);
        let (schema, summaries) = (SCHEMA.into(), Vec::new());
        let mut report =
            Report { schema, environment, settings, complete: true, summaries, runs: Vec::new() };
        let invalid = Invalid::GeneratorStarved { share: 0.5 };
        for job in plan.jobs() {
            let mut run = run(job.contender.name(), &scenario, job.repetition, 100.0);
            match (job.contender.name(), job.repetition) {
                // Contender `a` has too few valid runs, contender `b` has enough.
                ("a", 1..) | ("b", 3..) => run.invalid.push(invalid.clone()),
                // A server's own fault would come again.
                ("c", _) => run.invalid.push(Invalid::ClosedEarly { conversations: 1 }),
                _ => {}
            }
            take(&mut report, job, run);
        }
        let found = lacking(&plan, &report);
        let of: Vec<_> = found.iter().map(|job| (job.contender.name(), job.repetition)).collect();
        assert_eq!(of, [("a", 1), ("a", 2)]);
        for job in found {
            take(&mut report, job, run("a", &scenario, job.repetition, 100.0));
        }
        assert_eq!(report.runs.len(), plan.runs());
        let attempts = |name: &str| {
            report.runs.iter().filter(|run| run.contender == name).map(|run| run.retries).sum::<u32>()
        };
        assert_eq!((attempts("a"), attempts("b")), (2, 0));
        assert!(lacking(&plan, &report).is_empty());
        // A plan with fewer repetitions wants no more valid runs than repetitions.
        assert!(lacking(&Plan { repetitions: 1, ..plan }, &report).is_empty());
    }
}
