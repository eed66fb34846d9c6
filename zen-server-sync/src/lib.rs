//! Servers that block: one conversation at a time, a thread each, or a pool of workers.
#![forbid(unsafe_code)]
