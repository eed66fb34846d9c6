//! Where the checks run, and what they have in common.

use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::analysis::validity::judge_schedule;
use crate::generator::{self, Load, LoadResult, Moment};
use crate::machine::pin::{Cores, Pinned};
use crate::scenario::{Arrivals, Rate, Scenario, Spacing, Workload};

/// What the servers of the checks answer to everything.
pub(super) const ANSWER: &[u8] = b"Ugly.";

/// A generator that waits for its core for more than this share of the window is disturbed.
const STARVED: f64 = 0.03;

/// The cores that the servers and the generator of the checks run on.
pub(super) struct Lab {
    pub(super) cores: Option<Cores>,
}

impl Lab {
    /// Starts something that is to run where servers do.
    pub(super) fn start_server<T>(&self, start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let _pinned = self.cores.as_ref().map(|cores| Pinned::pin_to(&cores.server)).transpose()?;
        start()
    }

    /// Loads a server that answers [`ANSWER`], from where the generator runs.
    pub(super) fn load(
        &self,
        server: SocketAddr,
        scenario: &Scenario,
        times: [Duration; 2],
        seed: u64,
        on_moment: &mut dyn FnMut(Moment),
    ) -> io::Result<LoadResult> {
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
        let _pinned = self.cores.as_ref().map(|cores| Pinned::pin_to(&cores.generator)).transpose()?;
        generator::generate(&load, &mut |moment| {
            on_moment(moment);
            ControlFlow::Continue(())
        })
    }
}

/// Whether the generator was disturbed so much that its results mean nothing, and how that shows.
pub(super) fn disturbed(result: &LoadResult) -> Option<String> {
    if result.generator_starved.is_some_and(|starved| starved > result.window.mul_f64(STARVED)) {
        return Some("the machine is busy: the generator waited for its core".into());
    }
    let missed = result.schedule.as_ref().and_then(judge_schedule)?;
    Some(format!("the machine is busy: {missed}"))
}

/// An open loop with this many connections, questions in flight on each, and questions a second.
pub(super) fn open_loop(clients: usize, depth: usize, rate: u32, spacing: Spacing) -> Scenario {
    let arrivals = Arrivals { rate: Rate::PerSecond(rate), spacing };
    Scenario { clients, depth, arrivals: Some(arrivals), ..Scenario::open(1) }
}

/// Milliseconds, for people to read.
#[allow(clippy::cast_precision_loss, reason = "nanoseconds below 2^52")]
pub(super) fn ms(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}
