//! The capacity of each contender: measured under a load that never pauses, or estimated where that
//! was not possible.

use crate::results::Invalid;
use crate::results::{Report, Run, Summary};
use crate::stats::median;

use crate::plan::UserLoad;

/// An answer has waited in a queue when its latency is more than `QUEUES` times the time that its
/// handler waits, plus one `TICK`: some timers count whole milliseconds.
const QUEUES: f64 = 3.0;
const TICK: f64 = 1e-3;
/// A server that uses more than this share of its cores has hardly any capacity left.
pub(super) const BUSY: f64 = 0.7;
/// A single run cannot be distinguished from chance.
const AT_LEAST_RUNS: usize = 2;

/// The capacity of a contender. Times are in seconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Saturation {
    /// Answers per second.
    pub(super) rate: f64,
    /// Whether it could answer more: the generator, or the number of clients, was the limit.
    pub(super) at_least: bool,
    /// Why this is only an estimate; `None` when it was measured.
    pub(super) estimate: Option<String>,
    /// CPU time per question at this rate.
    pub(super) cpu: f64,
    /// How many clients it served, if it answered those repeatedly while others got no answer.
    pub(super) client_limit: Option<usize>,
}

impl Saturation {
    /// The capacity of this contender from the report's runs under [`UserLoad::saturating`], or
    /// else from those under the user load itself. `None` when it has not answered anything.
    pub(super) fn find(user_load: &UserLoad, report: &Report, summary: &Summary, cores: f64) -> Option<Self> {
        match measured(user_load, report, &summary.contender, cores) {
            Ok(saturation) => Some(saturation),
            Err(why) => estimated(user_load, summary, why, cores),
        }
    }
}

/// The capacity, or why it was not measured.
fn measured(user_load: &UserLoad, report: &Report, name: &str, cores: f64) -> Result<Saturation, String> {
    let scenario = user_load.saturating();
    let own = |run: &&Run| run.scenario == scenario.name && run.contender == name;
    let runs: Vec<&Run> = report.runs.iter().filter(own).collect();
    let usable: Vec<&Run> = runs.iter().copied().filter(|run| counts(run)).collect();
    if usable.len() < AT_LEAST_RUNS {
        let invalid = runs.iter().flat_map(|run| &run.invalid).find(|reason| !is_bound(reason));
        return Err(match (runs.len(), invalid) {
            (0, _) => "its capacity was not measured".to_owned(),
            (_, Some(reason)) => format!("its runs at capacity do not count: {}", reason.brief()),
            (_, None) => "one run at capacity is too few".to_owned(),
        });
    }
    let middle = |of: &dyn Fn(&Run) -> Option<f64>| {
        median(&usable.iter().filter_map(|run| of(run)).collect::<Vec<_>>())
    };
    let rate = middle(&|run| Some(run.throughput)).filter(|rate| *rate > 0.0);
    let cpu = middle(&|run| run.cpu_per_question_ns).filter(|cost| *cost > 0.0);
    let (Some(rate), Some(cpu)) = (rate, cpu) else {
        return Err("it answered nothing at capacity".to_owned());
    };
    let bound = usable.iter().any(|run| run.throughput_is_lower_bound);
    let at_limit = |run: &&&Run| is_at_its_limit(user_load, run, cores);
    let unfilled = usable.iter().filter(at_limit).count() * 2 <= usable.len();
    // A limit is the same in each run. A busy machine, which also leaves some clients unserved, is
    // not.
    let served = usable[0].clients_served;
    let limited = usable.iter().all(|run| shuts_out(run) && run.clients_served == served);
    let client_limit = limited.then_some(served);
    Ok(Saturation {
        rate,
        at_least: client_limit.is_none() && (bound || unfilled),
        estimate: None,
        cpu: cpu / 1e9,
        client_limit,
    })
}

/// Whether a run shows a capacity; when the generator was the limit, it shows a lower bound.
fn counts(run: &Run) -> bool {
    run.invalid.iter().all(is_bound)
}

fn is_bound(reason: &Invalid) -> bool {
    matches!(reason, Invalid::GeneratorWasBottleneck { .. })
}

/// Whether more clients would get no more answers. If the handler does not wait, clients that never
/// think keep a server busy all the time. If it waits, there may have been too few clients.
fn is_at_its_limit(user_load: &UserLoad, run: &Run, cores: f64) -> bool {
    let waits = user_load.waits();
    let queues = run.latency.is_none_or(|latency| latency.mean_ns / 1e9 > QUEUES * waits + TICK);
    waits <= 0.0 || queues || run.occupancy > BUSY * usable_cores(run.threads, cores)
}

/// Whether some clients are answered repeatedly while others never are. Where all clients take
/// turns, a window that is too short for all of them holds about one answer for each client that it
/// serves.
fn shuts_out(run: &Run) -> bool {
    run.clients_served < run.clients && run.answers >= 2 * run.clients_served as u64
}

/// The number of cores that this many threads can use.
pub(super) fn usable_cores(threads: Option<usize>, cores: f64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a number of threads")]
    threads.map_or(1.0, |threads| threads.max(1) as f64).min(cores)
}

/// Estimates the rate at which the CPU time per question under the user load would fill the cores.
/// Under a light load, a question costs several times as much as under a full one, so the true rate
/// could be far higher. For a handler that waits, CPU time says nothing about capacity.
fn estimated(user_load: &UserLoad, summary: &Summary, why: String, cores: f64) -> Option<Saturation> {
    let cpu = summary.cpu_per_question_ns.filter(|cost| cost.median > 0.0)?.median / 1e9;
    let seen = summary.throughput.filter(|rate| rate.median > 0.0)?.median;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of threads")]
    let threads = summary.threads.map(|threads| threads.median as usize);
    let rate = if user_load.waits() > 0.0 { seen } else { seen.max(usable_cores(threads, cores) / cpu) };
    let client_limit = (summary.clients_served < summary.clients).then_some(summary.clients_served);
    Some(Saturation { rate, at_least: true, estimate: Some(why), cpu, client_limit })
}
