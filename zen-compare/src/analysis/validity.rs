//! What makes a run worthless, and the rules that find it out.

use std::time::Duration;

use crate::results::Interference;
use crate::results::Invalid;
use crate::results::ScheduleStats;
use crate::scenario::Metric;

/// The generator counts as full from this share of its core on. A little is lost to the kernel between its events.
const GENERATOR_FULL: f64 = 0.95;
/// A server that uses less than this share of what it could use was not loaded to its limit.
const SERVER_FULL: f64 = 0.90;
/// The most time the generator may spend waiting for its core, as a share of the window.
const STARVED: f64 = 0.10;
/// The most that others may take of the server's cores, in cores.
const DISTURBED: f64 = 0.10;
/// The most questions that an open loop may ask late, as a share of those due: more would show in the 99th percentile.
const LATE: f64 = 0.01;
/// No process answers a question for less: one byte in and one out take longer.
const LEAST_CPU_PER_QUESTION: Duration = Duration::from_nanos(5);
/// Of so many questions that are due, an open loop may leave one unasked: those that wait when the window closes.
const UNASKED: u64 = 20;
/// How many answers it takes to say so.
const ENOUGH_ANSWERS: u64 = 1_000;

/// What is known about a run's load when it is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence {
    /// What the run is to show.
    pub(crate) ranked_by: Metric,
    pub(crate) window: Duration,
    pub(crate) answers: u64,
    pub(crate) generator_cpu: Duration,
    pub(crate) generator_starved: Option<Duration>,
    pub(crate) server_cpu: Duration,
    /// Cores that the server was allowed.
    pub(crate) server_cores: usize,
    /// Threads of the server that did something; `None` when unknown.
    pub(crate) busy_threads: Option<usize>,
    /// Whether an open loop left more than a few of its questions unasked.
    pub(crate) fell_behind: bool,
    /// Who else used the server's cores; `None` when unknown.
    pub(crate) interference: Option<Interference>,
}

/// What the evidence says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judgement {
    /// Why the run does not count.
    pub(crate) invalid: Vec<Invalid>,
    /// Whether the server could have answered more than it was asked.
    pub(crate) throughput_is_lower_bound: bool,
}

/// Judges a run by what its load looked like.
///
/// A generator at its limit spoils a throughput. It does not spoil the cost of a question, for which only the
/// load has to be the same for all; the throughput is then marked as what it is, a lower bound.
pub(crate) fn judge(evidence: &Evidence) -> Judgement {
    let mut invalid = Vec::new();
    if evidence.window.is_zero() {
        return Judgement { invalid, throughput_is_lower_bound: false };
    }
    let share = |time: Duration| time.as_secs_f64() / evidence.window.as_secs_f64();
    let generator_occupancy = share(evidence.generator_cpu);
    let server_occupancy = share(evidence.server_cpu);
    // A server with one thread is full with one core's worth, however many cores it was given.
    let capacity = evidence.busy_threads.unwrap_or(1).clamp(1, evidence.server_cores.max(1));
    #[allow(clippy::cast_precision_loss, reason = "a number of cores")]
    let server_capacity = capacity as f64;
    let full = generator_occupancy > GENERATOR_FULL && server_occupancy < SERVER_FULL * server_capacity;
    // An open loop that is in time is busy because it looks at the clock.
    let bottleneck = full && (evidence.ranked_by != Metric::P99Latency || evidence.fell_behind);
    if bottleneck && evidence.ranked_by != Metric::CpuPerQuestion {
        invalid.push(Invalid::GeneratorWasBottleneck {
            generator_occupancy,
            server_occupancy,
            server_capacity,
        });
    }
    if let Some(starved) = evidence.generator_starved.map(share).filter(|&starved| starved > STARVED) {
        invalid.push(Invalid::GeneratorStarved { share: starved });
    }
    if let Some(Interference { other_programs, stolen }) = evidence.interference {
        if other_programs > DISTURBED {
            invalid.push(Invalid::ServerDisturbed { cores: other_programs });
        }
        if stolen > DISTURBED {
            invalid.push(Invalid::CoresStolen { cores: stolen });
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let cpu_ns_per_question = evidence.server_cpu.as_secs_f64() * 1e9 / evidence.answers.max(1) as f64;
    #[allow(clippy::cast_precision_loss, reason = "a handful of nanoseconds")]
    let least = LEAST_CPU_PER_QUESTION.as_nanos() as f64;
    if evidence.answers >= ENOUGH_ANSWERS && cpu_ns_per_question < least {
        invalid.push(Invalid::ServerNotMeasured { cpu_ns_per_question });
    }
    Judgement { invalid, throughput_is_lower_bound: bottleneck }
}

/// Whether an open loop left more than a few of its questions unasked, be it for the server or for itself.
pub(crate) fn fell_behind(schedule: &ScheduleStats) -> bool {
    schedule.unsent > schedule.due / UNASKED
}

/// Whether the generator kept to the schedule of an open loop.
pub(crate) fn judge_schedule(schedule: &ScheduleStats) -> Option<Invalid> {
    let &ScheduleStats { due, late, latest_ns, .. } = schedule;
    #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let missed = late as f64 > LATE * due as f64;
    missed.then_some(Invalid::MissedSchedule { due, late, latest_ns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_kept_or_missed() {
        let schedule = |due, late| ScheduleStats { due, late, latest_ns: 7_000_000, unsent: 0 };
        assert_eq!(judge_schedule(&schedule(0, 0)), None);
        assert_eq!(judge_schedule(&schedule(1_000, 10)), None);
        let missed = judge_schedule(&schedule(1_000, 11)).unwrap();
        assert_eq!(
            missed.to_string(),
            "the generator missed its schedule: 11 of 1000 questions were late, by up to 7.0 ms"
        );
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    const WINDOW: u64 = 1_000;

    fn fine() -> Evidence {
        Evidence {
            ranked_by: Metric::Throughput,
            window: ms(WINDOW),
            answers: 100_000,
            generator_cpu: ms(960),
            generator_starved: Some(ms(5)),
            server_cpu: ms(980),
            server_cores: 1,
            busy_threads: Some(1),
            fell_behind: false,
            interference: Some(Interference { other_programs: 0.02, stolen: 0.0 }),
        }
    }

    fn reasons(evidence: &Evidence) -> Vec<Invalid> {
        judge(evidence).invalid
    }

    #[test]
    fn two_full_cores_are_fine() {
        assert_eq!(reasons(&fine()), []);
    }

    #[test]
    fn a_full_generator_before_an_idle_server_is_a_bottleneck() {
        let found = reasons(&Evidence { server_cpu: ms(600), ..fine() });
        assert!(matches!(found[..], [Invalid::GeneratorWasBottleneck { .. }]), "{found:?}");
        // The server is idle as well when everybody waits for everybody else.
        assert_eq!(reasons(&Evidence { server_cpu: ms(600), generator_cpu: ms(700), ..fine() }), []);
    }

    #[test]
    fn a_bottleneck_leaves_the_cost_valid() {
        let evidence = Evidence { ranked_by: Metric::CpuPerQuestion, server_cpu: ms(300), ..fine() };
        assert_eq!(judge(&evidence), Judgement { invalid: vec![], throughput_is_lower_bound: true });
        let evidence = Evidence { generator_cpu: ms(500), ..evidence };
        assert_eq!(judge(&evidence), Judgement { invalid: vec![], throughput_is_lower_bound: false });
    }

    #[test]
    fn an_open_loop_may_be_busy_as_long_as_it_asks() {
        let evidence = Evidence { ranked_by: Metric::P99Latency, server_cpu: ms(300), ..fine() };
        assert_eq!(judge(&evidence), Judgement { invalid: vec![], throughput_is_lower_bound: false });
        let found = reasons(&Evidence { fell_behind: true, ..evidence });
        assert!(matches!(found[..], [Invalid::GeneratorWasBottleneck { .. }]), "{found:?}");
    }

    #[test]
    fn a_server_is_full_when_the_threads_it_has_are() {
        let four_cores = Evidence { server_cores: 4, server_cpu: ms(990), ..fine() };
        assert_eq!(reasons(&Evidence { busy_threads: Some(1), ..four_cores }), []);
        let found = reasons(&Evidence { busy_threads: Some(4), ..four_cores });
        assert!(
            matches!(found[..], [Invalid::GeneratorWasBottleneck { server_capacity: 4.0, .. }]),
            "{found:?}"
        );
        // Many threads on one core have one core.
        assert_eq!(reasons(&Evidence { busy_threads: Some(16), ..fine() }), []);
    }

    #[test]
    fn a_crowded_machine_is_noticed() {
        let found = reasons(&Evidence { generator_starved: Some(ms(200)), ..fine() });
        assert!(matches!(found[..], [Invalid::GeneratorStarved { .. }]), "{found:?}");
        assert_eq!(reasons(&Evidence { generator_starved: None, ..fine() }), []);
    }

    #[test]
    fn runs_that_the_machine_made_invalid_can_be_rerun() {
        let interference = |other_programs, stolen| Evidence {
            interference: Some(Interference { other_programs, stolen }),
            ..fine()
        };
        let invalid = [interference(0.2, 0.0), interference(0.0, 0.2)];
        let found: Vec<Invalid> = invalid.iter().flat_map(reasons).collect();
        assert!(
            matches!(found[..], [Invalid::ServerDisturbed { .. }, Invalid::CoresStolen { .. }]),
            "{found:?}"
        );
        assert!(found.iter().all(Invalid::is_machines_fault));
        assert!(!Invalid::ClosedEarly { conversations: 1 }.is_machines_fault());
        assert_eq!(reasons(&Evidence { interference: None, ..fine() }), []);
    }

    #[test]
    fn a_server_that_costs_nothing_is_another() {
        let found =
            reasons(&Evidence { server_cpu: Duration::from_micros(90), generator_cpu: ms(500), ..fine() });
        assert!(matches!(found[..], [Invalid::ServerNotMeasured { .. }]), "{found:?}");
    }
}
