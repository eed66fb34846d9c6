//! The question-and-answer protocol with no I/O in it: framing, conversations, limits, admission.
#![forbid(unsafe_code)]
