//! This machine: its cores, its limits, and what the calling thread has used of it.

pub(crate) mod environment;
pub(crate) mod open_files;
pub(crate) mod pin;
pub(crate) mod thread_usage;
