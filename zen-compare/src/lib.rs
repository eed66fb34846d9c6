//! The lab: loads every server architecture with the same work and measures what each one costs.
//!
//! A [`Plan`] says which [`Contender`]s meet which [`Scenario`]s, how often and how long.
//! [`compare`] carries it out: every server is a process of its own on cores of its own. It is
//! loaded by a [generator] on other cores, and measured beside the [floor], the least that any
//! server can cost here. The [`Report`] holds every run and what the runs say together.
//!
//! ```no_run
//! use zen_compare::{Contender, Plan, Scenario, compare};
//!
//! let contenders = vec![
//!     Contender::floor("zen", ["floor", "127.0.0.1:0"]),
//!     Contender::new("mio", "zen", ["serve", "127.0.0.1:0", "--flavor", "mio"]),
//!     Contender::from_command_line("mine", "python3 server.py {port}")?,
//! ];
//! let plan = Plan::new(contenders, vec![Scenario::book(), Scenario::saturate(16)]);
//! let report = compare(&plan, &mut ())?;
//! println!("{}", report.to_table(100, false));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`compare_in`] saves a comparison on disk and resumes it. [`Report::changes_since`] compares it
//! with an earlier one. A [`UserLoad`] is a workload of your own, for which you get [`Advice`].
//! With [`child`], the servers can be part of the program that runs the lab.
//!
//! # A protocol of your own
//!
//! A [`Workload`] is questions and answers as bytes, and a greeting if there is one.
//! [`Contender::own_floor_for`] is the floor for it:
//!
//! ```no_run
//! use std::process::ExitCode;
//! use zen_compare::{Contender, Plan, Scenario, Workload, child, compare};
//!
//! # fn serve(_: &str, _: std::net::TcpListener) -> Result<(), String> { Ok(()) }
//! fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
//!     // The lab starts this program again as each of its servers: `serve` gets the role's name.
//!     if let Some(code) = child::serve_if_asked(serve) {
//!         return Ok(code);
//!     }
//!     let workload = Workload::new([("PING\r\n", "PONG\r\n")])?;
//!     let servers = vec![Contender::own_floor_for(&workload)?, Contender::own("mine")?];
//!     let loads = vec![Scenario::saturate(16), Scenario::pipeline(4, 16)];
//!     let mut plan = Plan::quick(servers, loads);
//!     plan.workload = workload;
//!     print!("{}", compare(&plan, &mut ())?.to_table(100, false));
//!     Ok(ExitCode::SUCCESS)
//! }
//! ```
//!
//! # Systems
//!
//! Linux only: what a process uses is read from `/proc` and from the scheduler's clocks.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::float_cmp, reason = "figures chosen to be exact"))]

/// The README's example, so that it compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod analysis;
pub mod generator;
mod machine;
mod observe;
pub mod output;
mod plan;
mod results;
mod runner;
mod scenario;
pub mod selftest;
mod server;
pub mod stats;
#[cfg(test)]
mod testing;
mod units;

pub use analysis::advice::Advice;
pub use analysis::baseline::{Change, Changes, Finding, GateDecision, Invalidated};
pub use generator::Progress;
pub use machine::environment::Environment;
pub use machine::pin::Cores;
pub use observe::process::{Probe, Threads, ThreadsDelta};
pub use plan::{Length, Plan, PlanError, UserLoad};
pub use results::{
    ContenderSettings, GeneratorUse, Group, Invalid, Latency, ReadError, Report, Run, SCHEMA, ScheduleStats,
    SeriesSample, Settings, Standing, Store, StoreError, Summary, SweepPoint, ThreadCpu,
};
pub use runner::compare::{CompareError, Expected, Observer, Upcoming, compare, compare_in};
pub use scenario::{
    Arrivals, BOOK_THINK, BackgroundConnections, Exchange, Metric, Rate, Scenario, Spacing, Work, WorkKind,
    Workload, WorkloadError,
};
pub use server::{Contender, Running, StartError, StopFlag, Stopped, child, floor};
