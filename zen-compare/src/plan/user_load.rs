//! The user's own load: what it is, and the plan that runs just that.

use std::time::Duration;

use super::{Length, Plan};
use crate::scenario::{Scenario, Work, WorkKind};
use crate::server::Contender;

/// The name of a user load's scenario.
pub(crate) const NAME: &str = "yours";
/// The longest window and the longest warm-up: a client that thinks for longer is not waited for.
const LONGEST_WINDOW: Duration = Duration::from_secs(10);
/// How many valid runs of each contender are needed to choose between them.
pub(crate) const ENOUGH: u32 = 3;
/// The number of clients with which the open loop's capacity is measured, too: with one question
/// each, no server is ever without work.
const SATURATING: usize = 64;
/// Beyond this many, connections cost more than they add.
const MOST_SATURATING: usize = 4096;
/// Clients that wait for a sleeping handler leave a server idle. So there have to be as many
/// clients as are waiting at this rate, in answers per second.
const SATURATING_RATE: f64 = 200_000.0;

/// A workload as its owner describes it.
///
/// ```
/// use std::time::Duration;
/// use zen_compare::{Contender, Report, UserLoad, WorkKind};
///
/// let mut load = UserLoad::new(200);
/// load.think = Duration::from_millis(500);
/// (load.work, load.work_kind) = (Duration::from_millis(2), WorkKind::Sleep);
/// assert_eq!(load.scenario().clients, 200);
/// assert!(load.saturating().clients >= 200, "enough to see the capacity");
///
/// let plan = load.plan(vec![Contender::new("mine", "./server", ["127.0.0.1:0"]).taking_work()]);
/// assert_eq!(plan.repetitions, 5);
///
/// /// What to choose, once the plan is carried out.
/// fn advise(load: &UserLoad, report: &Report) {
///     for line in load.advice(report).lines {
///         println!("{line}");
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserLoad {
    /// How long a client pauses before each question.
    pub think: Duration,
    /// How long the handler works for each answer. Zero means that it does not.
    pub work: Duration,
    /// Whether the handler computes or waits in that time.
    pub work_kind: WorkKind,
    /// How many clients there are, each on a connection that stays open. At least 1.
    pub clients: usize,
    /// How many cores the server has. `None` means as [`Plan::server_cores`] says.
    pub server_cores: Option<usize>,
}

impl UserLoad {
    /// Clients that never think, and a server whose handler does no work.
    pub fn new(clients: usize) -> Self {
        Self {
            think: Duration::ZERO,
            work: Duration::ZERO,
            work_kind: WorkKind::Spin,
            clients,
            server_cores: None,
        }
    }

    /// The user load as a scenario.
    pub fn scenario(&self) -> Scenario {
        Scenario {
            name: NAME.into(),
            think: self.think,
            work: self.works(),
            ..Scenario::saturate(self.clients)
        }
    }

    /// The same work for clients that never think, and enough of them to keep a server busy, so
    /// that its capacity is seen. With a handler that waits, there are as many clients as would be
    /// waiting at 200 000 answers a second, 4096 at most.
    pub fn saturating(&self) -> Scenario {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it saturates, and is cut anyway"
        )]
        let waiting = (self.waits() * SATURATING_RATE) as usize;
        let clients = self.clients.max(waiting).clamp(SATURATING, MOST_SATURATING);
        Scenario { work: self.works(), ..Scenario::saturate(clients) }
    }

    /// A plan that runs just this load: five repetitions, with a window of ten questions per
    /// client, of at least one second and at most ten. Between them, each contender's capacity is
    /// measured in shorter runs under [`UserLoad::saturating`]. Contenders that have to work must
    /// be [`taking_work`](Contender::taking_work).
    pub fn plan(&self, contenders: Vec<Contender>) -> Plan {
        let ms = Duration::from_millis;
        let cycle = self.think.saturating_add(self.work);
        let times = |time: Duration, times: u32, least: u64| {
            time.saturating_mul(times).clamp(ms(least), LONGEST_WINDOW)
        };
        let saturating = self.saturating();
        let length = Length { warmup: times(self.work, 2, 200), window: times(self.work, 10, 300) };
        Plan {
            repetitions: 5,
            valid_at_least: ENOUGH,
            warmup: times(cycle, 1, 300),
            window: times(cycle, 10, 1_000),
            server_cores: self.server_cores,
            shorter: vec![(saturating.name.clone(), length)],
            ..Plan::new(contenders, vec![self.scenario(), saturating])
        }
    }

    pub(crate) fn works(&self) -> Option<Work> {
        (!self.work.is_zero()).then_some(Work { time: self.work, kind: self.work_kind })
    }

    /// Seconds that the handler waits for each answer.
    pub(crate) fn waits(&self) -> f64 {
        if self.work_kind == WorkKind::Sleep { self.work.as_secs_f64() } else { 0.0 }
    }

    /// Answers per second that this many cores can compute; `None` when the handler computes
    /// nothing.
    pub(crate) fn computes(&self, cores: f64) -> Option<f64> {
        let computes = self.work_kind == WorkKind::Spin && !self.work.is_zero();
        computes.then(|| cores / self.work.as_secs_f64())
    }

    #[allow(clippy::cast_precision_loss, reason = "a number of clients")]
    pub(crate) fn clients(&self) -> f64 {
        self.clients as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn user_load(clients: usize, think_ms: u32) -> UserLoad {
        UserLoad {
            think: MS * think_ms,
            work: Duration::ZERO,
            work_kind: WorkKind::Spin,
            clients,
            server_cores: None,
        }
    }

    fn working(user_load: UserLoad, work_ms: u32, work_kind: WorkKind) -> UserLoad {
        UserLoad { work: MS * work_ms, work_kind, ..user_load }
    }

    #[test]
    fn the_plan_has_the_user_load_and_one_that_saturates() {
        let long = UserLoad { server_cores: Some(1), ..user_load(50, 400) };
        let plan = long.plan(vec![]);
        assert_eq!((plan.window, plan.server_cores, plan.valid_at_least), (MS * 4000, Some(1), 3));
        let [yours, full] = &plan.scenarios[..] else { panic!("{plan:?}") };
        assert_eq!((yours.clients, yours.think, yours.work), (50, MS * 400, None));
        assert_eq!((full.clients, full.think, full.work), (64, Duration::ZERO, None));
        // Clients do not think there, so no client has to be waited for.
        assert_eq!(plan.length_of(full), Length { warmup: MS * 200, window: MS * 300 });
        assert_eq!(plan.length_of(yours), Length { warmup: MS * 400, window: MS * 4000 });
        let hurried = Plan { window: MS * 100, ..plan.clone() };
        assert_eq!(hurried.length_of(full).window, MS * 100);
        let forever = UserLoad { think: Duration::from_secs(3600), ..long }.plan(vec![]);
        assert_eq!((forever.warmup, forever.window), (LONGEST_WINDOW, LONGEST_WINDOW));
        // Clients that wait for a handler take up no server time, so there are more of them.
        let waiting = working(long, 2, WorkKind::Sleep).saturating();
        assert_eq!((waiting.clients, waiting.work.is_some()), (400, true));
        assert_eq!(working(long, 2, WorkKind::Spin).saturating().clients, 64);
        assert_eq!(user_load(100_000, 1).saturating().clients, MOST_SATURATING);
    }
}
