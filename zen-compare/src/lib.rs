//! The lab: loads every server architecture with the same work and measures what each one costs.
//!
//! A [`Plan`] says which [`Contender`]s meet which [`Scenario`]s, how often and how long. [`compare`] carries it out:
//! every server is a process of its own on cores of its own, loaded by a [generator] on other cores,
//! and measured beside the [floor], the least that any server can cost here. The [`Report`] holds
//! every run and what the runs say together.
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
//! [`compare_in`] keeps a comparison on disk and goes on with it, [`Report::changes_since`] holds it against an
//! earlier one, and a [`Wish`] is a workload of your own that comes back as [`Advice`]. With [`child`] the servers can come out of
//! the program that runs the lab.
//!
//! Linux only: what a process costs is read from `/proc` and from the scheduler's clocks.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::float_cmp, reason = "figures chosen to be exact"))]

/// The README's example, so that it compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod again;
mod baseline;
mod batch;
mod capacity;
mod chance;
pub mod child;
mod columns;
mod compare;
mod contender;
mod curve;
mod effort;
mod environment;
mod excuses;
mod family;
pub mod floor;
pub mod generator;
mod invalid;
mod ladder;
mod measure;
mod neighbours;
pub mod output;
mod pin;
mod plan;
mod progress;
mod report;
mod run;
mod rung;
mod running;
mod sample;
mod scenario;
pub mod selftest;
pub mod stats;
mod store;
mod summary;
mod system_calls;
mod table;
mod thread_cpu;
mod units;
mod validity;
mod verdict;
mod watch;
mod wish;
mod witness;
mod workload;

pub use baseline::{Broken, Change, Changes, Figure, Finding, Outcome};
pub use compare::{CompareError, Expected, Observer, Upcoming, compare, compare_in};
pub use contender::{Contender, StartError};
pub use environment::Environment;
pub use pin::Cores;
pub use plan::{Length, Plan, PlanError, Stop};
pub use progress::Progress;
pub use report::{
    ContenderSettings, GeneratorUse, Group, Latency, Point, ReadError, Report, Run, Rung, SCHEMA, Schedule,
    Settings, Standing, Summary, ThreadCpu,
};
pub use running::{Running, Stopped};
pub use sample::{Probe, Threads, ThreadsDelta};
pub use scenario::{Arrivals, BOOK_THINK, Company, RankedBy, Rate, Scenario, Spacing, Work, WorkKind};
pub use store::{Store, StoreError};
pub use validity::Invalid;
pub use wish::{Advice, Wish};
pub use workload::{Exchange, Workload, WorkloadError};
