//! What was measured, as it is saved: every run, their summaries, and where they come from.

mod interference;
mod invalid;
mod json;
mod metric;
mod report;
mod run;
mod store;
mod thread_cpu;

pub(crate) use self::interference::Interference;
pub use self::invalid::Invalid;
pub use self::report::{
    ContenderSettings, ReadError, Report, SCHEMA, Settings, Standing, Summary, SweepPoint,
};
pub(crate) use self::run::ENOUGH_CONNECTIONS;
pub use self::run::{GeneratorUse, Group, Latency, Run, ScheduleStats, SeriesSample};
pub use self::store::{Store, StoreError};
pub use self::thread_cpu::ThreadCpu;
