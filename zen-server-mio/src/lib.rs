//! Event-loop servers over mio: one loop, or several.
#![forbid(unsafe_code)]
