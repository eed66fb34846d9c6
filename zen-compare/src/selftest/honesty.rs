//! A run whose generator is too slow is called invalid, and a wrong answer is called wrong.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::check::{Check, CheckStatus};
use super::lab::{ANSWER, Lab, disturbed, open_loop};
use super::worker::{Service, Worker};
use crate::analysis::validity::judge_schedule;
use crate::generator::{LoadResult, Moment};
use crate::scenario::{Scenario, Spacing};

const TIMES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(1_500)];
/// How long the slow generator sleeps in each tenth of a second.
const SLEEP: Duration = Duration::from_millis(60);
/// One answer in this many is wrong.
const WRONG: u64 = 100;

/// Answers at once. With `lies`, it answers wrongly now and then.
struct Prompt {
    answers: u64,
    lies: bool,
}

impl Service for Prompt {
    fn leaves(&mut self, begin: Instant) -> Instant {
        begin
    }

    fn answer(&mut self) -> &'static [u8] {
        self.answers += 1;
        if self.lies && self.answers.is_multiple_of(WRONG) { b"Ugli." } else { ANSWER }
    }
}

/// The same load twice: by the generator as it is, and by one that sleeps.
pub(super) fn a_slow_generator_is_noticed(lab: &Lab) -> io::Result<Check> {
    let worker = lab.start_server(|| Worker::start(Prompt { answers: 0, lies: false }))?;
    let scenario = open_loop(16, 1, 1_000, Spacing::Uniform);
    let awake = lab.load(worker.address, &scenario, TIMES, 1, &mut |_| {})?;
    let asleep = lab.load(worker.address, &scenario, TIMES, 1, &mut |moment| {
        if moment == Moment::Passing {
            thread::sleep(SLEEP);
        }
    })?;
    let called = asleep.schedule.as_ref().and_then(judge_schedule);
    let disturbed = disturbed(&awake);
    let (awake, asleep) = (late_percent(&awake), late_percent(&asleep));
    Ok(Check {
        name: "a generator that sleeps 60 of each 100 ms",
        expected: "an invalid run, and a far better kept schedule when it does not sleep".into(),
        seen: format!(
            "{}; {awake:.1} % of the questions were late when it did not sleep, {asleep:.1} % when it did",
            called.as_ref().map_or("a valid run".to_owned(), ToString::to_string)
        ),
        status: CheckStatus::unless(disturbed, called.is_some() && asleep > 2.0 * awake),
    })
}

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn late_percent(result: &LoadResult) -> f64 {
    result.schedule.map_or(0.0, |schedule| 100.0 * schedule.late as f64 / schedule.due.max(1) as f64)
}

/// A server whose every hundredth answer is wrong in one letter.
pub(super) fn a_wrong_answer_is_noticed(lab: &Lab) -> io::Result<Check> {
    let worker = lab.start_server(|| Worker::start(Prompt { answers: 0, lies: true }))?;
    let times = [Duration::ZERO, Duration::from_millis(300)];
    let result = lab.load(worker.address, &Scenario::saturate(4), times, 1, &mut |_| {})?;
    let wrong = result.failures.wrong_answers;
    let shown = result.failures.first_wrong.is_some_and(|(_, received)| received.contains("Ugli."));
    Ok(Check {
        name: "a server whose every hundredth answer is wrong in one letter",
        expected: "wrong answers, and far more right ones".into(),
        seen: format!("{wrong} wrong and {} right", result.answers),
        status: CheckStatus::from_passed(shown && wrong > 0 && result.answers > 10 * wrong),
    })
}
