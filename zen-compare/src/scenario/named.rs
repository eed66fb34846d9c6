//! The scenarios that have names.

use std::time::Duration;

use super::{Arrivals, BackgroundConnections, Rate, Scenario, Spacing, Work, WorkKind};

/// The think time of the book's page.
pub const BOOK_THINK: Duration = Duration::from_millis(40);
/// The clients of the scenario `pipeline`, and the questions in flight on each.
pub(crate) const PIPELINE: (usize, usize) = (16, 64);
/// How long a working handler works.
const WORK: Duration = Duration::from_millis(2);
/// The points of the open loop's sweep, in percent of what was answered in a closed loop.
const OPEN_PERCENTS: [u32; 5] = [10, 30, 50, 70, 90];
/// How many connections the scenario `idle` holds open.
const IDLE_CONNECTIONS: usize = 10_000;

impl Scenario {
    /// Every name that [`Scenario::named`] knows, for help and for error messages.
    pub const NAMES: &'static [&'static str] = &[
        "book",
        "think",
        "saturate",
        "saturate-N",
        "pipeline",
        "pipeline-NxN",
        "churn",
        "open",
        "open-N",
        "uniform-N",
        "slow",
        "idle",
        "idle-N",
        "work",
        "work-spin",
        "work-sleep",
    ];

    /// One client that holds conversations of three questions, with a think time of 40 ms before
    /// each: the book's page.
    pub fn book() -> Self {
        Self { think: BOOK_THINK, questions_per_conversation: Some(3), ..Self::asking("book".into(), 1) }
    }

    /// Fifty of [`Scenario::book`]'s clients.
    pub fn think() -> Self {
        Self { name: "think".into(), clients: 50, ..Self::book() }
    }

    /// `clients` connections that stay open and ask again as soon as they are answered.
    pub fn saturate(clients: usize) -> Self {
        Self::asking(format!("saturate-{clients}"), clients)
    }

    /// `clients` connections with `depth` questions in flight on each. The scenario `pipeline` has
    /// 16 with 64.
    pub fn pipeline(clients: usize, depth: usize) -> Self {
        let name = match (clients, depth) {
            PIPELINE => "pipeline".to_owned(),
            _ => format!("pipeline-{clients}x{depth}"),
        };
        Self { depth, ..Self::asking(name, clients) }
    }

    /// 16 clients that connect, ask three questions, and hang up, without a pause.
    pub fn churn() -> Self {
        Self { questions_per_conversation: Some(3), ..Self::asking("churn".into(), 16) }
    }

    /// 64 connections on which questions are due at random times, at `percent` of the rate that was
    /// answered in a closed loop. A question is asked when it is due, whatever has been answered,
    /// unless 64 are unanswered on its connection. It is then asked as soon as an answer comes.
    pub fn open(percent: u32) -> Self {
        let arrivals = Arrivals { rate: Rate::PercentOfCapacity(percent), spacing: Spacing::Poisson };
        Self { depth: 64, arrivals: Some(arrivals), ..Self::asking(format!("open-{percent}"), 64) }
    }

    /// 16 measured clients that ask without a pause, among 8 clients that send a byte now and then
    /// and 8 that send question after question and never read.
    pub fn slow() -> Self {
        let background = BackgroundConnections { tricklers: 8, non_readers: 8, idle: 0 };
        Self { background, ..Self::asking("slow".into(), 16) }
    }

    /// 8 clients that ask without a pause, among `idle` connections that say nothing.
    pub fn idle(idle: usize) -> Self {
        let name = if idle == IDLE_CONNECTIONS { "idle".into() } else { format!("idle-{idle}") };
        Self {
            background: BackgroundConnections { idle, ..BackgroundConnections::default() },
            ..Self::asking(name, 8)
        }
    }

    /// 16 clients that ask without a pause, of a server that works for 2 ms for each answer.
    pub fn work(kind: WorkKind) -> Self {
        Self { work: Some(Work { time: WORK, kind }), ..Self::asking(format!("work-{kind}"), 16) }
    }

    fn asking(name: String, clients: usize) -> Self {
        Self {
            name,
            clients,
            depth: 1,
            think: Duration::ZERO,
            questions_per_conversation: None,
            arrivals: None,
            background: BackgroundConnections::default(),
            work: None,
        }
    }

    /// The scenarios that a name stands for; `None` when there is none. `saturate` stands for four,
    /// of 1, 16, 64 and 512 connections, `open` for a sweep of five rates, and `work` for both
    /// kinds of work. `saturate-N` and `idle-N` have any number of connections, and `pipeline-CxD`
    /// has `C` connections with `D` questions in flight on each. `open-N` and `uniform-N` ask at
    /// `N` percent of the closed loop's rate, or with `/s` after it at `N` questions a second, at
    /// random or evenly spaced. Each of the other names stands for one scenario.
    pub fn named(name: &str) -> Option<Vec<Self>> {
        Some(match name {
            "book" => vec![Self::book()],
            "think" => vec![Self::think()],
            "saturate" => [1, 16, 64, 512].map(Self::saturate).into(),
            "pipeline" => vec![Self::pipeline(PIPELINE.0, PIPELINE.1)],
            "churn" => vec![Self::churn()],
            "open" => OPEN_PERCENTS.map(Self::open).into(),
            "slow" => vec![Self::slow()],
            "idle" => vec![Self::idle(IDLE_CONNECTIONS)],
            "work" => [WorkKind::Spin, WorkKind::Sleep].map(Self::work).into(),
            "work-spin" => vec![Self::work(WorkKind::Spin)],
            "work-sleep" => vec![Self::work(WorkKind::Sleep)],
            _ => vec![Self::parse_sized(name)?],
        })
    }

    fn parse_sized(name: &str) -> Option<Self> {
        let (kind, size) = name.split_once('-')?;
        if kind == "pipeline" {
            let (clients, depth) = size.split_once('x')?;
            let positive = |number: &str| number.parse().ok().filter(|number: &usize| *number > 0);
            return Some(Self::pipeline(positive(clients)?, positive(depth)?));
        }
        let spacing = match kind {
            "saturate" | "idle" => {
                let size: usize = size.parse().ok().filter(|&size| size > 0)?;
                return Some(if kind == "idle" { Self::idle(size) } else { Self::saturate(size) });
            }
            "open" => Spacing::Poisson,
            "uniform" => Spacing::Uniform,
            _ => return None,
        };
        let positive = |size: &str| size.parse().ok().filter(|&size: &u32| size > 0);
        let rate = match size.strip_suffix("/s") {
            Some(size) => Rate::PerSecond(positive(size)?),
            None => Rate::PercentOfCapacity(positive(size)?),
        };
        Some(Self { name: name.into(), arrivals: Some(Arrivals { rate, spacing }), ..Self::open(1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_for_scenarios() {
        let saturate = Scenario::named("saturate").unwrap();
        assert_eq!(saturate.iter().map(|s| s.clients).collect::<Vec<_>>(), [1, 16, 64, 512]);
        assert_eq!(Scenario::named("saturate-7").unwrap(), [Scenario::saturate(7)]);
        assert_eq!(Scenario::named("open-70").unwrap(), [Scenario::open(70)]);
        assert_eq!(Scenario::named("idle-300").unwrap(), [Scenario::idle(300)]);
        assert_eq!(Scenario::named("pipeline-8x100").unwrap(), [Scenario::pipeline(8, 100)]);
        assert_eq!(Scenario::named("pipeline-16x64").unwrap()[0].name, "pipeline");
        let uniform = Scenario::named("uniform-2000/s").unwrap().remove(0);
        let arrivals = Arrivals { rate: Rate::PerSecond(2000), spacing: Spacing::Uniform };
        assert_eq!((uniform.name.as_str(), uniform.arrivals), ("uniform-2000/s", Some(arrivals)));
        for unknown in [
            "pipeline-0x1",
            "pipeline-1x0",
            "pipeline-8",
            "pipeline-8x",
            "saturate-0",
            "saturate-",
            "saturate-x",
            "idle-0",
            "open-0",
            "open-1.5",
            "book-2",
            "books",
            "",
        ] {
            assert_eq!(Scenario::named(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn every_listed_name_is_known_and_stands_for_itself() {
        for name in Scenario::NAMES {
            let scenarios = Scenario::named(&name.replace('N', "37"));
            let scenarios = scenarios.unwrap_or_else(|| panic!("{name} is listed but unknown"));
            assert!(!scenarios.is_empty());
            for scenario in scenarios {
                assert_eq!(Scenario::named(&scenario.name), Some(vec![scenario]));
            }
        }
    }
}
