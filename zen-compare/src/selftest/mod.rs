//! Truth checks: the lab measures what is known beforehand, and says whether it found it.
//!
//! Each check loads a server whose behaviour follows from theory or from its construction. A machine that is busy
//! with other things can spoil a check; such a check is undecided, and says why, as neither of the two other
//! outcomes would be true.

mod economy;
mod honesty;
mod omission;
mod queueing;
mod theory;
mod twins;
mod worker;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::contender::Contender;
use crate::generator::{self, Load, Moment, Tally};
use crate::pin::{Cores, Pinned};
use crate::scenario::{Arrivals, Rate, Scenario, Spacing};
use crate::validity::judge_schedule;
use crate::workload::Workload;

/// What the servers of the checks answer to everything.
const ANSWER: &[u8] = b"Ugly.";

/// A generator that waits for its core for more than this share of the window is disturbed.
const STARVED: f64 = 0.03;

/// One thing that is known, and what the lab made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What is checked.
    pub name: &'static str,
    /// What is known beforehand.
    pub expected: String,
    /// What was measured.
    pub seen: String,
    /// Whether the two agree.
    pub outcome: Outcome,
}

/// Whether a check agrees with what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It does.
    Passed,
    /// It does not: the lab's numbers from this machine are not to be trusted.
    Failed,
    /// The machine did not let the check be made, for this reason. Try again when it is idle.
    Undecided(String),
}

impl Outcome {
    fn of(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Failed }
    }

    /// What does not pass on a disturbed machine is not the lab's fault.
    fn unless(disturbed: Option<String>, passed: bool) -> Self {
        match disturbed {
            Some(why) if !passed => Self::Undecided(why),
            _ => Self::of(passed),
        }
    }
}

/// Whether the generator was disturbed so much that what it saw says nothing, and how that shows.
fn disturbed(tally: &Tally) -> Option<String> {
    if tally.generator_starved.is_some_and(|starved| starved > tally.window.mul_f64(STARVED)) {
        return Some("the machine is busy: the generator waited for its core".into());
    }
    let missed = tally.schedule.as_ref().and_then(judge_schedule)?;
    Some(format!("the machine is busy: {missed}"))
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, expected, seen, outcome } = self;
        let word = match outcome {
            Outcome::Passed => "pass",
            Outcome::Failed => "FAIL",
            Outcome::Undecided(_) => "undecided",
        };
        write!(f, "{word}: {name}: expected {expected}; saw {seen}")?;
        if let Outcome::Undecided(why) = outcome { write!(f, "; {why}") } else { Ok(()) }
    }
}

/// Makes all checks, half a minute's worth and three seconds for each of `many`, and tells of each as it is over.
///
/// The `twin` is any server that answers rightly; it is compared with itself. The `many` are servers that answer rightly
/// and serve many clients at a time; the generator has to cost less than each of them.
///
/// # Errors
/// When the machine does not provide what it takes (a port, a thread, an event loop), and when a server does not start.
pub fn self_test(
    twin: &Contender,
    many: &[Contender],
    tell: &mut dyn FnMut(&Check),
) -> io::Result<Vec<Check>> {
    let lab = Lab { cores: Cores::split(None)? };
    let checks: [&dyn Fn() -> io::Result<Check>; 7] = [
        &|| queueing::check(&lab, 50),
        &|| queueing::check(&lab, 80),
        &|| omission::check(&lab),
        &|| honesty::a_slow_generator_is_noticed(&lab),
        &|| honesty::a_wrong_answer_is_noticed(&lab),
        &|| economy::check(&lab, many),
        &|| twins::check(twin),
    ];
    let mut made = Vec::with_capacity(checks.len());
    for check in checks {
        let check = check()?;
        tell(&check);
        made.push(check);
    }
    Ok(made)
}

/// Where servers and generator of the checks run.
struct Lab {
    cores: Option<Cores>,
}

impl Lab {
    /// Starts something that shall run where servers do.
    fn start_server<T>(&self, start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let _pinned = self.cores.as_ref().map(|cores| Pinned::to(&cores.server)).transpose()?;
        start()
    }

    /// Loads a server that answers [`ANSWER`], from where the generator runs.
    fn load(
        &self,
        server: SocketAddr,
        scenario: &Scenario,
        times: [Duration; 2],
        seed: u64,
        witness: &mut dyn FnMut(Moment),
    ) -> io::Result<Tally> {
        let workload = Workload::aphorisms().answered_by_constant(ANSWER);
        let [warmup, window] = times;
        let load = Load {
            server,
            scenario,
            workload: &workload,
            warmup,
            window,
            capacity: None,
            seed,
            progress: None,
        };
        let _pinned = self.cores.as_ref().map(|cores| Pinned::to(&cores.generator)).transpose()?;
        generator::generate(&load, &mut |moment| {
            witness(moment);
            ControlFlow::Continue(())
        })
    }
}

/// An open loop of so many connections, questions in flight on each, and questions a second.
fn open_loop(clients: usize, depth: usize, rate: u32, spacing: Spacing) -> Scenario {
    let arrivals = Arrivals { rate: Rate::PerSecond(rate), spacing };
    Scenario { clients, depth, arrivals: Some(arrivals), ..Scenario::open(1) }
}

/// Milliseconds, for people.
#[allow(clippy::cast_precision_loss, reason = "nanoseconds below 2^52")]
fn ms(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}
