//! What would change the advice: predictions from measured costs, each with the formula it comes from.
//!
//! The model is that of machine and repairmen. `N` clients think for `Z` and then wait for an answer that takes `D` at the
//! least, so together they ask at most `N / (Z + D)` questions a second. A server answers at most `C` a second. Whichever is less
//! is what is seen; both meet at `N = C × (Z + D)` clients. When the server is the limit, answers take `N / C − Z`.

use crate::report::Summary;
use crate::scenario::WorkKind;
use crate::table::{count, time};
use crate::wish::Wish;

/// A server is the limit itself when it answers less than this share of what the clients could ask, and takes this many times
/// as long as an answer takes at the least: a short stall does the one, a long queue does both.
const FULL: f64 = 0.9;
const QUEUES: f64 = 2.0;
/// A server that uses more than this share of its cores has nothing left to speak of.
const BUSY: f64 = 0.7;
/// How much more a server must be able to answer to be called better.
const BETTER: f64 = 1.05;

/// What the model knows of a contender. Times are in seconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    name: String,
    /// CPU time per question.
    cpu: f64,
    /// The least time an answer takes: CPU time, and what the handler waits.
    least: f64,
    /// Answers per second at the most.
    capacity: f64,
    /// Whether that was reached, or is what its cores would allow.
    is_full: bool,
    /// Whether all clients were served.
    serves_all: bool,
    served: usize,
}

impl Measured {
    /// `None` when there is no answer to go by.
    pub(crate) fn of(wish: &Wish, summary: &Summary, cores: usize) -> Option<Self> {
        let cpu = summary.cpu_per_question_ns?.median / 1e9;
        let throughput = summary.throughput?.median;
        if cpu <= 0.0 || throughput <= 0.0 {
            return None;
        }
        let waits = if wish.work_kind == WorkKind::Sleep { wish.work.as_secs_f64() } else { 0.0 };
        let least = cpu + waits;
        let offered = clients(wish) / (wish.think.as_secs_f64() + least);
        let threads = summary.threads.map_or(1.0, |threads| threads.median.max(1.0));
        #[allow(clippy::cast_precision_loss, reason = "a number of cores")]
        let usable = threads.min(cores as f64);
        let busy = summary.occupancy.is_some_and(|occupancy| occupancy.median > BUSY * usable);
        // A quick answer spends most of its time on the way, so only one that waits for its handler's sake tells of a queue.
        let queues = waits > 0.0 && summary.p50_ns.is_none_or(|p50| p50.median / 1e9 > QUEUES * least);
        let is_full = throughput < FULL * offered && (busy || queues);
        Some(Self {
            name: summary.contender.clone(),
            cpu,
            least,
            capacity: if is_full { throughput } else { usable / cpu },
            is_full,
            serves_all: summary.clients_served == summary.clients,
            served: summary.clients_served,
        })
    }

    /// How many handlers work at a time when it is full (Little's law).
    fn at_a_time(&self) -> f64 {
        self.capacity * self.least
    }

    /// Clients that it can just keep up with when they think for so long.
    fn keeps_up_with(&self, think: f64) -> f64 {
        self.capacity * (think + self.least)
    }
}

#[allow(clippy::cast_precision_loss, reason = "a number of clients")]
fn clients(wish: &Wish) -> f64 {
    wish.clients as f64
}

/// What would change the advice to take `best` rather than one of `others`, a line each.
pub(crate) fn change_of_mind(wish: &Wish, best: &Measured, others: &[Measured]) -> Vec<String> {
    let mut lines =
        vec!["What would change this (predicted from what was measured, not measured):".to_owned()];
    lines.push(limit(wish, best, others));
    lines.extend(others.iter().filter_map(|other| comeback(wish, best, other)));
    lines
}

/// Where the best comes to its limit, and who would go further.
fn limit(wish: &Wish, best: &Measured, others: &[Measured]) -> String {
    let think = wish.think.as_secs_f64();
    let capacity = count(best.capacity);
    let Measured { name, .. } = best;
    let line = if best.is_full {
        let response = (clients(wish) / best.capacity - think).max(best.least);
        format!(
            "  {name} is full: {capacity} answers/s are all it has. More clients only wait longer: N / {capacity} − think, {} now",
            time(response * 1e9)
        )
    } else {
        let most = best.keeps_up_with(think);
        let least = clients(wish) / best.capacity - best.least;
        let thinking = if least > 0.0 && least < think {
            format!(", or at less than {} of thought", time(least * 1e9))
        } else {
            String::new()
        };
        format!(
            "  {name} is full at about {} clients{thinking}: {capacity} answers/s (cores / CPU per question) × (think + answer)",
            whole(most)
        )
    };
    let further = others.iter().filter(|other| other.serves_all && other.capacity > BETTER * best.capacity);
    let beyond = match further.max_by(|a, b| a.capacity.total_cmp(&b.capacity)) {
        Some(other) => {
            format!("beyond that take {}, which goes up to {} answers/s", other.name, count(other.capacity))
        }
        None => "none of the others would answer more".into(),
    };
    format!("{line}; {beyond}")
}

/// Under which smaller load one that costs less would answer as much.
fn comeback(wish: &Wish, best: &Measured, other: &Measured) -> Option<String> {
    if !other.serves_all {
        return comeback_of_the_starving(wish, best, other);
    }
    if other.cpu >= best.cpu || !other.is_full {
        return None;
    }
    let think = wish.think.as_secs_f64();
    let line = format!(
        "  {} would answer as many, at {} of CPU instead of {}, with up to {} clients ({} answers/s × (think + answer))",
        other.name,
        time(other.cpu * 1e9),
        time(best.cpu * 1e9),
        whole(other.keeps_up_with(think)),
        count(other.capacity),
    );
    // N (cpu + w) = p (Z + w), solved for the handler's waiting time w.
    let at_a_time = other.at_a_time();
    let spare = at_a_time * think - clients(wish) * other.cpu;
    if wish.work_kind == WorkKind::Spin || clients(wish) <= at_a_time || spare <= 0.0 {
        return Some(line);
    }
    let waits = spare / (clients(wish) - at_a_time);
    Some(format!(
        "{line}, or with a handler that waits no longer than {} ((p × think − N × CPU) / (N − p), p = {at_a_time:.1} at a time)",
        time(waits * 1e9),
    ))
}

/// Those that were served keep their places, so such a server has room for as many as it served.
fn comeback_of_the_starving(wish: &Wish, best: &Measured, other: &Measured) -> Option<String> {
    let Measured { name, served, .. } = other;
    if *served == 0 || *served >= wish.clients {
        return None;
    }
    let saved = if other.cpu < best.cpu {
        format!(", at {} less CPU time", time((best.cpu - other.cpu) * 1e9))
    } else {
        String::new()
    };
    let clients = if *served == 1 { "1 client".into() } else { format!("{served} clients") };
    Some(format!("  {name} would serve everybody if there were no more than {clients} at a time{saved}"))
}

fn whole(clients: f64) -> String {
    if clients < 10_000.0 { format!("{:.0}", clients.floor().max(1.0)) } else { count(clients) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::Latency;
    use crate::run::Run;
    use crate::summary::summarize;
    use crate::summary::tests::{run, settings};
    use crate::wish::tests::wish;

    fn measured(name: &str, cpu_us: f64, capacity: f64, is_full: bool) -> Measured {
        let cpu = cpu_us / 1e6;
        Measured { name: name.into(), cpu, least: cpu, capacity, is_full, serves_all: true, served: 50 }
    }

    #[test]
    fn a_server_with_room_is_full_where_the_lines_meet() {
        // 10 µs on one core are 100 000 answers/s: with 40 ms of thought those of 4 001 clients.
        let best = measured("mio", 10.0, 100_000.0, false);
        let multi = measured("mio-multi", 12.0, 300_000.0, false);
        let lines = change_of_mind(&wish(), &best, &[multi]);
        assert_eq!(lines.len(), 2);
        let expected =
            "  mio is full at about 4001 clients, or at less than 490 µs of thought: 100 k answers/s";
        assert!(lines[1].starts_with(expected), "{}", lines[1]);
        assert!(
            lines[1].ends_with("beyond that take mio-multi, which goes up to 300 k answers/s"),
            "{}",
            lines[1]
        );
    }

    #[test]
    fn a_quick_answer_that_is_long_on_its_way_fills_no_server() {
        let wish = Wish { clients: 5, think: Duration::from_millis(1), ..wish() };
        let scenario = wish.scenario();
        let of = |occupancy: f64| {
            let [p50_ns, p90_ns, p99_ns, p99_9_ns, max_ns] = [117_000, 150_000, 322_000, 400_000, 500_000];
            let samples = Some(10_000);
            let latency = Latency { samples, mean_ns: 12e4, p50_ns, p90_ns, p99_ns, p99_9_ns, max_ns };
            let run = Run {
                throughput: 4_280.0,
                occupancy,
                latency: Some(latency),
                ..run("mio", &scenario, 0, 12_000.0)
            };
            let summary = summarize(&settings(&["mio"], scenario.clone()), &[run]).remove(0);
            Measured::of(&wish, &summary, 1).unwrap().is_full
        };
        assert!(!of(0.05), "it does next to nothing");
        assert!(of(0.95), "it has no more to give");
    }

    #[test]
    fn a_full_server_makes_its_clients_wait() {
        let wish = Wish { clients: 1_000, ..wish() };
        // 10 000 answers/s to 1 000 clients are 100 ms for each round, of which they think for 40.
        let lines = change_of_mind(&wish, &measured("mio", 100.0, 10_000.0, true), &[]);
        assert!(
            lines[1].contains("mio is full: 10.0 k answers/s") && lines[1].contains("60.0 ms now"),
            "{lines:?}"
        );
        assert!(lines[1].ends_with("none of the others would answer more"), "{lines:?}");
    }

    #[test]
    fn one_that_waits_in_its_handler_comes_back_with_less_to_wait_for() {
        let wish = Wish { work: Duration::from_millis(10), work_kind: WorkKind::Sleep, ..wish() };
        let best = Measured { least: 0.010_03, ..measured("async", 30.0, 33_333.0, false) };
        let least = 0.010_02;
        // One handler at a time.
        let other = Measured { least, ..measured("mio", 20.0, 1.0 / least, true) };
        let lines = change_of_mind(&wish, &best, &[other]);
        // (40 ms + 10.02 ms) / 10.02 ms = 4.99 clients.
        assert!(
            lines[2].contains("mio would answer as many") && lines[2].contains("up to 4 clients"),
            "{}",
            lines[2]
        );
        // (40 ms − 50 × 20 µs) / 49 = 796 µs; with that, 50 × 816 µs = 40.8 ms = 40 ms + 796 µs.
        assert!(lines[2].contains("waits no longer than 796 µs"), "{}", lines[2]);
    }

    #[test]
    fn one_that_starves_would_do_for_those_it_served() {
        let best = measured("mio", 10.0, 100_000.0, false);
        let pool = Measured { serves_all: false, served: 4, ..measured("pool", 8.0, 100.0, true) };
        let dear = Measured { served: 0, ..pool.clone() };
        let lines = change_of_mind(&wish(), &best, &[pool, dear]);
        assert_eq!(lines.len(), 3);
        assert!(
            lines[2].contains("no more than 4 clients at a time, at 2.00 µs less CPU time"),
            "{}",
            lines[2]
        );
    }
}
