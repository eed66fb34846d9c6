//! Blocking and async clients of the question-and-answer protocol.
#![forbid(unsafe_code)]
