//! What would change the advice: how many clients fill each contender, calculated from its
//! capacity.
//!
//! The model is the machine repairmen model. `N` clients think for `Z` and then wait for an answer
//! that takes at least `D`, so together they ask at most `N / (Z + D)` questions a second. A server
//! answers at most `C` a second. The throughput is the smaller of the two. The two are equal when
//! there are `N = C × (Z + D)` clients. When the server is the limit, answers take `N / C − Z`.

use std::cmp::Ordering;

use crate::results::{Report, Summary};
use crate::scenario::WorkKind;
use crate::units::list;
use crate::units::{count, time};

use super::saturation::{BUSY, Saturation, usable_cores};
use crate::plan::UserLoad;

/// A server is the limit when it answers less than the share `FULL` of what the clients could ask,
/// and its cores are busy or its answers take more than `QUEUES` times the least time. A short
/// stall lowers only the share; a long queue shows in both.
const FULL: f64 = 0.9;
const QUEUES: f64 = 2.0;
/// Clients that think for less than this are limited by the time on the way to the server and back,
/// which the model leaves out.
const ON_THE_WAY: f64 = 100e-6;
/// By what factor a server must be able to answer more to be called better.
const BETTER: f64 = 1.05;
/// A handler that computes is the limit when a server answers at least this share of what its cores
/// could compute.
pub(super) const COMPUTES: f64 = 0.7;

/// What the model knows about a contender. Times are in seconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Prospect {
    pub(super) name: String,
    /// CPU time per question under the user load.
    pub(super) cpu: f64,
    /// The least time that an answer takes: CPU time, and the time that the handler waits.
    pub(super) least: f64,
    /// Its capacity; where the user load fills it, the throughput that was measured there.
    pub(super) most: Saturation,
    /// Whether the user load fills it.
    pub(super) is_full: bool,
    /// Whether it has answered every client of the user load.
    pub(super) serves_all: bool,
    pub(super) served: usize,
}

impl Prospect {
    /// `None` when the contender has not answered anything.
    pub(super) fn predict(
        user_load: &UserLoad,
        report: &Report,
        summary: &Summary,
        cores: f64,
    ) -> Option<Self> {
        let most = Saturation::find(user_load, report, summary, cores)?;
        let cpu = summary.cpu_per_question_ns?.median / 1e9;
        let throughput = summary.throughput?.median;
        let least = most.cpu + user_load.waits();
        let offered = user_load.clients() / (user_load.think.as_secs_f64() + least);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of threads")]
        let usable = usable_cores(summary.threads.map(|threads| threads.median as usize), cores);
        let busy = summary.occupancy.is_some_and(|occupancy| occupancy.median > BUSY * usable);
        // A quick answer spends most of its time on the way. So a long latency shows a queue only
        // where the handler waits.
        let waits = user_load.waits() > 0.0;
        let queues = waits && summary.p50_ns.is_none_or(|p50| p50.median / 1e9 > QUEUES * least);
        // When the generator was the limit, the server was not.
        let is_full = !summary.throughput_is_lower_bound && throughput < FULL * offered && (busy || queues);
        let most = if is_full {
            Saturation { rate: throughput, at_least: false, estimate: None, ..most }
        } else {
            most
        };
        Some(Self {
            name: summary.contender.clone(),
            cpu,
            least,
            most,
            is_full,
            serves_all: summary.clients_served == summary.clients,
            served: summary.clients_served,
        })
    }

    /// How many handlers work at the same time when it is full (Little's law).
    fn at_a_time(&self) -> f64 {
        self.most.rate * self.least
    }

    /// The most clients that it can keep up with when they think for this long.
    fn keeps_up_with(&self, think: f64) -> f64 {
        self.most.rate * (think + self.least)
    }

    /// Its capacity as text, marked `≥` where it could answer more.
    fn rate(&self) -> String {
        let at_least = if self.most.at_least { "≥ " } else { "" };
        format!("{at_least}{} answers/s", count(self.most.rate))
    }

    /// The load that fills it, in a few words.
    fn filled_by(&self, think: f64) -> String {
        let at_least = if self.most.at_least { "≥ " } else { "" };
        let estimate = if self.most.estimate.is_some() { " (estimate)" } else { "" };
        match self.most.client_limit {
            Some(clients) => format!("{} {clients} at a time", self.name),
            None if think > 0.0 => {
                format!("{} {at_least}{}{estimate}", self.name, whole(self.keeps_up_with(think)))
            }
            None => format!("{} {}{estimate}", self.name, self.rate()),
        }
    }
}

/// What would change the advice to choose `best` rather than one of `others`, one line each. The
/// contenders that `ties` names cost as much as the best.
pub(super) fn change_of_mind(
    user_load: &UserLoad,
    cores: f64,
    best: &Prospect,
    others: &[Prospect],
    ties: &[String],
) -> Vec<String> {
    let measured = std::iter::once(best).chain(others).any(|prospect| prospect.most.estimate.is_none());
    let basis = if measured {
        let clients = user_load.saturating().clients;
        format!(
            "capacity was measured with {clients} clients that never think, and the rest is calculated from it"
        )
    } else {
        "estimated, not measured".to_owned()
    };
    let mut lines = vec![format!("What would change this ({basis}):")];
    lines.push(limit(user_load, best, others));
    lines.extend(computing(user_load, cores, best, others));
    lines.extend(each(user_load, best, others));
    let contenders = others.iter().filter(|other| !ties.contains(&other.name));
    lines.extend(contenders.filter_map(|other| comeback(user_load, best, other)));
    let mut why: Vec<(&str, Vec<&str>)> = Vec::new();
    for prospect in std::iter::once(best).chain(others) {
        let Some(reason) = prospect.most.estimate.as_deref() else { continue };
        match why.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, names)) => names.push(&prospect.name),
            None => why.push((reason, vec![&prospect.name])),
        }
    }
    lines.extend(why.into_iter().map(|(reason, names)| {
        format!("  estimates, and rather too low, from this load: {} ({reason})", list(&names))
    }));
    lines
}

/// Where the best reaches its limit, and which contender could answer more.
fn limit(user_load: &UserLoad, best: &Prospect, others: &[Prospect]) -> String {
    let think = user_load.think.as_secs_f64();
    let (name, rate) = (&best.name, best.rate());
    let most = best.keeps_up_with(think);
    let line = match best.most.client_limit {
        Some(clients) => {
            let clients = if clients == 1 { "1 client".into() } else { format!("{clients} clients") };
            format!(
                "  {name} answers {clients} at a time, however little they ask, and leaves the others waiting"
            )
        }
        None if best.is_full => {
            let response = (user_load.clients() / best.most.rate - think).max(best.least);
            let capacity = count(best.most.rate);
            format!(
                "  {name} is full: it answers no more than {rate}. More clients only wait longer: N / {capacity} − think, {} now",
                time(response * 1e9)
            )
        }
        None if think <= 0.0 => format!("  {name} answers {rate} when it has enough clients"),
        None if most <= user_load.clients() => {
            format!("  {name} was not seen to be full: it answers {rate}")
        }
        None if best.most.at_least => {
            format!("  {name} has room for at least {} clients: {rate} × (think + answer)", whole(most))
        }
        None => {
            let least = user_load.clients() / best.most.rate - best.least;
            let thinking = if least > ON_THE_WAY && least < think {
                format!(", or at less than {} of thought", time(least * 1e9))
            } else {
                String::new()
            };
            format!("  {name} is full at about {} clients{thinking}: {rate} × (think + answer)", whole(most))
        }
    };
    format!("{line}; {}", beyond(user_load, best, others))
}

/// Which contender to choose when the best is full.
fn beyond(user_load: &UserLoad, best: &Prospect, others: &[Prospect]) -> String {
    let mut able: Vec<&Prospect> =
        others.iter().filter(|other| other.serves_all && other.most.client_limit.is_none()).collect();
    able.sort_by(|a, b| b.most.rate.total_cmp(&a.most.rate));
    let more = |other: &Prospect| other.most.rate > BETTER * best.most.rate;
    // The first that is known to answer more. When the best was not at its limit, no contender is.
    let first =
        able.first().filter(|other| best.most.client_limit.is_some() || !best.most.at_least && more(other));
    if let Some(other) = first {
        let think = user_load.think.as_secs_f64();
        let until = if think > 0.0 && !other.most.at_least {
            format!(" and is full at about {} clients", whole(other.keeps_up_with(think)))
        } else {
            String::new()
        };
        return format!("beyond that choose {}, which answers {}{until}", other.name, other.rate());
    }
    let unseen = able.iter().filter(|other| other.most.at_least || best.most.at_least && more(other));
    let unseen: Vec<&str> = unseen.map(|other| other.name.as_str()).collect();
    if unseen.is_empty() {
        "none of the others answers more".into()
    } else {
        format!("whether {} would answer more was not seen", list(&unseen))
    }
}

/// A line for the case that the handler's computing fills the cores: no architecture changes that.
fn computing(user_load: &UserLoad, cores: f64, best: &Prospect, others: &[Prospect]) -> Option<String> {
    let bound = user_load.computes(cores).filter(|_| !best.most.at_least)?;
    let further = others.iter().any(|other| other.serves_all && other.most.rate > BETTER * best.most.rate);
    (best.most.rate > COMPUTES * bound && !further).then(|| {
        format!(
            "  the handler is the limit, whatever the flavor: {:?} of computing on {cores} {} are some {} answers/s; more cores or less to compute change that",
            user_load.work,
            if cores > 1.0 { "cores" } else { "core" },
            count(bound)
        )
    })
}

/// The load that fills each contender, the largest first.
fn each(user_load: &UserLoad, best: &Prospect, others: &[Prospect]) -> Option<String> {
    let think = user_load.think.as_secs_f64();
    let mut all: Vec<&Prospect> = std::iter::once(best).chain(others).collect();
    all.sort_by(|a, b| match (a.most.client_limit, b.most.client_limit) {
        (None, None) => b.most.rate.total_cmp(&a.most.rate),
        (a_room, b_room) if a_room.is_some() == b_room.is_some() => b_room.cmp(&a_room),
        (Some(_), _) => Ordering::Greater,
        _ => Ordering::Less,
    });
    let filled: Vec<String> = all.iter().map(|prospect| prospect.filled_by(think)).collect();
    let what = if think > 0.0 { "clients of this kind that fill each" } else { "the most that each answers" };
    (filled.len() > 1).then(|| format!("  {what}: {}", filled.join(", ")))
}

/// The smaller load under which a cheaper contender would answer as much.
fn comeback(user_load: &UserLoad, best: &Prospect, other: &Prospect) -> Option<String> {
    if !other.serves_all {
        return comeback_of_the_starving(user_load, best, other);
    }
    if other.cpu >= best.cpu || !other.is_full {
        return None;
    }
    let think = user_load.think.as_secs_f64();
    let line = format!(
        "  {} would answer as many, at {} of CPU instead of {}, with up to {} clients ({} answers/s × (think + answer))",
        other.name,
        time(other.cpu * 1e9),
        time(best.cpu * 1e9),
        whole(other.keeps_up_with(think)),
        count(other.most.rate),
    );
    // N (cpu + w) = p (Z + w), solved for the handler's waiting time w.
    let at_a_time = other.at_a_time();
    let spare = at_a_time * think - user_load.clients() * other.cpu;
    if user_load.work_kind == WorkKind::Spin || user_load.clients() <= at_a_time || spare <= 0.0 {
        return Some(line);
    }
    let waits = spare / (user_load.clients() - at_a_time);
    Some(format!(
        "{line}, or with a handler that waits no longer than {} ((p × think − N × CPU) / (N − p), p = {at_a_time:.1} at a time)",
        time(waits * 1e9),
    ))
}

/// Clients that are served keep their places, so such a server has room for as many as it served.
fn comeback_of_the_starving(user_load: &UserLoad, best: &Prospect, other: &Prospect) -> Option<String> {
    let Prospect { name, served, .. } = other;
    if *served == 0 || *served >= user_load.clients {
        return None;
    }
    let saved = if other.cpu < best.cpu {
        format!(", at {} less CPU time", time((best.cpu - other.cpu) * 1e9))
    } else {
        String::new()
    };
    let clients = if *served == 1 { "1 client".into() } else { format!("{served} clients") };
    Some(format!("  {name} would serve every client if there were no more than {clients} at a time{saved}"))
}

fn whole(clients: f64) -> String {
    if clients < 10_000.0 { format!("{:.0}", clients.floor().max(1.0)) } else { count(clients) }
}
