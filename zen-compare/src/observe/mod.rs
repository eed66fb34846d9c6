//! What a server uses while it is loaded, read from the kernel by the lab.

pub(crate) mod interference;
pub(crate) mod monitor;
pub(crate) mod process;
pub(crate) mod process_tree;
pub(crate) mod system_calls;
pub(crate) mod window_samples;
