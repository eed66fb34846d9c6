//! What makes a run invalid, and the rules that detect it.

use std::time::Duration;

use crate::results::Interference;
use crate::results::Invalid;
use crate::results::ScheduleStats;
use crate::scenario::Metric;

/// The generator counts as full from this share of its core on. It loses a little to the kernel
/// between its events.
const GENERATOR_FULL: f64 = 0.95;
/// A server that uses less than this share of the CPU time available to it was not loaded to its
/// limit.
const SERVER_FULL: f64 = 0.90;
/// The longest time that the generator may wait for its core, as a share of the window.
const STARVED: f64 = 0.10;
/// The most CPU time that other programs, or the host, may take from the server's cores, in cores.
const DISTURBED: f64 = 0.10;
/// The largest share of the due questions that an open loop may ask late. More would show in the
/// 99th percentile.
const LATE: f64 = 0.01;
/// No process answers a question in less CPU time: receiving one byte and sending one takes longer.
const LEAST_CPU_PER_QUESTION: Duration = Duration::from_nanos(5);
/// An open loop may leave one of this many due questions unasked: those that are waiting when the
/// window closes.
const UNASKED: u64 = 20;
/// The fewest answers for which `LEAST_CPU_PER_QUESTION` is checked.
const ENOUGH_ANSWERS: u64 = 1_000;

/// What is known about a run's load when the run is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence {
    /// The metric by which the scenario is ranked.
    pub(crate) ranked_by: Metric,
    pub(crate) window: Duration,
    pub(crate) answers: u64,
    pub(crate) generator_cpu: Duration,
    pub(crate) generator_starved: Option<Duration>,
    pub(crate) server_cpu: Duration,
    /// The number of cores that the server could use.
    pub(crate) server_cores: usize,
    /// Threads of the server that used CPU time; `None` when unknown.
    pub(crate) busy_threads: Option<usize>,
    /// Whether an open loop left more than a few of its questions unasked.
    pub(crate) fell_behind: bool,
    /// CPU time that others took from the server's cores; `None` when unknown.
    pub(crate) interference: Option<Interference>,
}

/// The result of judging a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judgement {
    /// Why the run does not count; empty when it does.
    pub(crate) invalid: Vec<Invalid>,
    /// Whether the generator was the limit, so the server could have answered more.
    pub(crate) throughput_is_lower_bound: bool,
}

/// Judges a run by its load.
///
/// A generator at its limit makes a throughput invalid. It does not make the cost per question
/// invalid: that only needs the same load for all contenders. The throughput is then marked as a
/// lower bound.
pub(crate) fn judge(evidence: &Evidence) -> Judgement {
    let mut invalid = Vec::new();
    if evidence.window.is_zero() {
        return Judgement { invalid, throughput_is_lower_bound: false };
    }
    let share = |time: Duration| time.as_secs_f64() / evidence.window.as_secs_f64();
    let generator_occupancy = share(evidence.generator_cpu);
    let server_occupancy = share(evidence.server_cpu);
    // A server with one thread is full when it uses one core, however many cores it was given.
    let capacity = evidence.busy_threads.unwrap_or(1).clamp(1, evidence.server_cores.max(1));
    #[allow(clippy::cast_precision_loss, reason = "a number of cores")]
    let server_capacity = capacity as f64;
    let full = generator_occupancy > GENERATOR_FULL && server_occupancy < SERVER_FULL * server_capacity;
    // An open loop that keeps its schedule is busy because it polls the clock.
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

/// Whether an open loop left more than a few of its questions unasked, because of the server or
/// because of itself.
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
    fn a_full_generator_with_an_idle_server_is_a_bottleneck() {
        let found = reasons(&Evidence { server_cpu: ms(600), ..fine() });
        assert!(matches!(found[..], [Invalid::GeneratorWasBottleneck { .. }]), "{found:?}");
        // Both are partly idle when each waits for the other.
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
    fn a_busy_open_loop_is_valid_while_it_keeps_up() {
        let evidence = Evidence { ranked_by: Metric::P99Latency, server_cpu: ms(300), ..fine() };
        assert_eq!(judge(&evidence), Judgement { invalid: vec![], throughput_is_lower_bound: false });
        let found = reasons(&Evidence { fell_behind: true, ..evidence });
        assert!(matches!(found[..], [Invalid::GeneratorWasBottleneck { .. }]), "{found:?}");
    }

    #[test]
    fn a_server_is_full_when_its_threads_are() {
        let four_cores = Evidence { server_cores: 4, server_cpu: ms(990), ..fine() };
        assert_eq!(reasons(&Evidence { busy_threads: Some(1), ..four_cores }), []);
        let found = reasons(&Evidence { busy_threads: Some(4), ..four_cores });
        assert!(
            matches!(found[..], [Invalid::GeneratorWasBottleneck { server_capacity: 4.0, .. }]),
            "{found:?}"
        );
        // Many threads on one core share that core.
        assert_eq!(reasons(&Evidence { busy_threads: Some(16), ..fine() }), []);
    }

    #[test]
    fn a_generator_that_waits_for_its_core_is_noticed() {
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
    fn a_process_that_uses_no_cpu_time_is_not_the_server() {
        let found =
            reasons(&Evidence { server_cpu: Duration::from_micros(90), generator_cpu: ms(500), ..fine() });
        assert!(matches!(found[..], [Invalid::ServerNotMeasured { .. }]), "{found:?}");
    }
}
