//! A server that is compared with itself ties.

use std::io;
use std::time::Duration;

use super::check::{Check, CheckStatus};
use crate::plan::Plan;
use crate::results::{Report, Standing};
use crate::runner::compare::compare;
use crate::scenario::Scenario;
use crate::server::Contender;

/// Five runs of each are told apart by chance only if all runs of one are better than all runs of
/// the other. The probability of that is 2 / C(10, 5), one in 126.
const REPETITIONS: u32 = 5;
/// One in 126 is not rare enough for a check that is made every day, and a machine that is busy for
/// a moment makes runs wrong. That all attempts fail has a probability of one in two million,
/// unless the machine is busy for longer.
const ATTEMPTS: u64 = 3;

pub(super) fn check(twin: &Contender) -> io::Result<Check> {
    let mut standings = standings(twin, 1)?;
    for seed in 2..=ATTEMPTS {
        if judge(&standings) == CheckStatus::Passed {
            break;
        }
        standings = self::standings(twin, seed)?;
    }
    Ok(Check {
        name: "a server compared with itself",
        expected: "a tie".into(),
        seen: match standings.as_slice() {
            [Standing::Best, Standing::Tie] => "a tie".into(),
            other => format!("{other:?}"),
        },
        status: judge(&standings),
    })
}

fn standings(twin: &Contender, seed: u64) -> io::Result<Vec<Standing>> {
    // Clients that think set the pace, so the generator's speed does not matter.
    let think = Duration::from_millis(2);
    let scenario = Scenario {
        name: "twins".into(),
        clients: 16,
        think,
        questions_per_conversation: None,
        ..Scenario::book()
    };
    let contenders = ["one", "other"].map(|name| twin.clone().competing().named(name)).into();
    let plan = Plan {
        repetitions: REPETITIONS,
        warmup: Duration::from_millis(100),
        window: Duration::from_millis(400),
        seed,
        ..Plan::new(contenders, vec![scenario])
    };
    let Report { summaries, .. } = compare(&plan, &mut ()).map_err(io::Error::other)?;
    Ok(summaries.iter().map(|summary| summary.standing).collect())
}

fn judge(standings: &[Standing]) -> CheckStatus {
    match standings {
        [Standing::Best, Standing::Tie] => CheckStatus::Passed,
        _ if standings.contains(&Standing::Invalid) => {
            CheckStatus::Undecided("none of the runs of one of the two counts: the machine is busy".into())
        }
        _ => CheckStatus::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tie_is_a_tie() {
        assert_eq!(judge(&[Standing::Best, Standing::Tie]), CheckStatus::Passed);
        assert_eq!(judge(&[Standing::Best, Standing::Behind]), CheckStatus::Failed);
        assert_eq!(judge(&[Standing::Best]), CheckStatus::Failed);
        assert!(matches!(judge(&[Standing::Best, Standing::Invalid]), CheckStatus::Undecided(_)));
    }
}
