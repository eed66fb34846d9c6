//! What was measured, as it is saved: every run, their summaries, and where they come from.

mod foreign;
mod invalid;
mod json;
mod report;
mod run;
mod store;
mod thread_cpu;

pub(crate) use self::foreign::Foreign;
pub use self::invalid::Invalid;
pub use self::report::{ContenderSettings, ReadError, Report, Rung, SCHEMA, Settings, Standing, Summary};
pub(crate) use self::run::ENOUGH_CONNECTIONS;
pub use self::run::{GeneratorUse, Group, Latency, Point, Run, Schedule};
pub use self::store::{Store, StoreError};
pub use self::thread_cpu::ThreadCpu;
