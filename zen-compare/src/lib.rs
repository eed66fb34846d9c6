//! The lab: loads every server architecture with the same work and measures what each one costs.
#![forbid(unsafe_code)]
