//! Servers over tokio: one thread, or several.
#![forbid(unsafe_code)]
