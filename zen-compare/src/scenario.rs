//! One kind of load: how many clients, how deep, how long they think, when they hang up.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The think time of the page that started it all.
pub const BOOK_THINK: Duration = Duration::from_millis(40);

/// A closed-loop load: every client has at most `depth` questions in flight and asks again when answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    /// What the scenario is called on the command line and in reports.
    pub name: String,
    /// How many clients ask at the same time, each over a connection of its own. At least 1.
    pub clients: usize,
    /// How many questions a client keeps in flight. At least 1.
    pub depth: usize,
    /// How long a client pauses before each question, in nanoseconds in the report. Zero: not at all.
    #[serde(rename = "think_ns", with = "crate::report::nanoseconds")]
    pub think: Duration,
    /// After how many answers a client hangs up and connects anew; `None`: never.
    pub questions_per_conversation: Option<u32>,
}

/// The measure that decides who comes first in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RankedBy {
    /// Answers per second: more is better. For loads that take all the server can give.
    Throughput,
    /// Server CPU time per question: less is better. For loads whose pace the clients set: because they think, or
    /// because they connect, which on one machine costs the client more than the server.
    CpuPerQuestion,
}

impl Scenario {
    /// One client that holds conversations of three questions with 40 ms of thought before each: the page.
    pub fn book() -> Self {
        Self {
            name: "book".into(),
            clients: 1,
            depth: 1,
            think: BOOK_THINK,
            questions_per_conversation: Some(3),
        }
    }

    /// Fifty of [`Scenario::book`]'s clients.
    pub fn think() -> Self {
        Self { name: "think".into(), clients: 50, ..Self::book() }
    }

    /// `clients` connections that stay open and ask again as soon as they are answered.
    pub fn saturate(clients: usize) -> Self {
        Self {
            name: format!("saturate-{clients}"),
            clients,
            depth: 1,
            think: Duration::ZERO,
            questions_per_conversation: None,
        }
    }

    /// 16 connections with 64 questions in flight on each.
    pub fn pipeline() -> Self {
        Self { name: "pipeline".into(), depth: 64, ..Self::saturate(16) }
    }

    /// 16 clients that connect, ask three questions, and hang up, without a pause.
    pub fn churn() -> Self {
        Self { name: "churn".into(), questions_per_conversation: Some(3), ..Self::saturate(16) }
    }

    /// The scenarios a name stands for: `saturate` is the four of 1, 16, 64 and 512 connections, `saturate-N`
    /// is one of any size, the others are themselves. `None` when there is no such scenario.
    pub fn named(name: &str) -> Option<Vec<Self>> {
        Some(match name {
            "book" => vec![Self::book()],
            "think" => vec![Self::think()],
            "saturate" => [1, 16, 64, 512].map(Self::saturate).into(),
            "pipeline" => vec![Self::pipeline()],
            "churn" => vec![Self::churn()],
            _ => {
                let clients: usize = name.strip_prefix("saturate-")?.parse().ok()?;
                if clients == 0 {
                    return None;
                }
                vec![Self::saturate(clients)]
            }
        })
    }

    /// Every name that [`Scenario::named`] knows, for help and for error messages.
    pub const NAMES: &'static [&'static str] =
        &["book", "think", "saturate", "saturate-N", "pipeline", "churn"];

    /// The measure that decides who comes first here.
    pub fn ranked_by(&self) -> RankedBy {
        let without_pause = self.think.is_zero() && self.questions_per_conversation.is_none();
        if without_pause { RankedBy::Throughput } else { RankedBy::CpuPerQuestion }
    }

    /// What the load does, in one line.
    pub fn describe(&self) -> String {
        let clients =
            if self.clients == 1 { "1 client".to_owned() } else { format!("{} clients", self.clients) };
        let depth = if self.depth == 1 {
            String::new()
        } else {
            format!(", {} questions in flight each", self.depth)
        };
        let think = if self.think.is_zero() {
            String::new()
        } else {
            format!(", {} ms of thought before each question", self.think.as_millis())
        };
        let end = match self.questions_per_conversation {
            Some(1) => ", hanging up after each answer".to_owned(),
            Some(n) => format!(", hanging up after {n} answers"),
            None => String::new(),
        };
        format!("{clients}{depth}{think}{end}")
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
        for unknown in ["saturate-0", "saturate-", "saturate-x", "books", ""] {
            assert_eq!(Scenario::named(unknown), None, "{unknown:?}");
        }
        for name in Scenario::NAMES.iter().filter(|name| !name.ends_with('N')) {
            assert!(Scenario::named(name).is_some(), "{name} is announced and unknown");
        }
    }

    #[test]
    fn a_load_says_what_it_does() {
        assert_eq!(
            Scenario::book().describe(),
            "1 client, 40 ms of thought before each question, hanging up after 3 answers"
        );
        assert_eq!(Scenario::pipeline().describe(), "16 clients, 64 questions in flight each");
    }

    #[test]
    fn clients_that_set_the_pace_are_ranked_by_cost() {
        assert_eq!(Scenario::think().ranked_by(), RankedBy::CpuPerQuestion);
        assert_eq!(Scenario::churn().ranked_by(), RankedBy::CpuPerQuestion);
        assert_eq!(Scenario::pipeline().ranked_by(), RankedBy::Throughput);
    }
}
