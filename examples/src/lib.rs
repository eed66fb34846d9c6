//! Programs a user would start from.
#![forbid(unsafe_code)]
