//! A conformance suite of transcripts for question-and-answer servers.
#![forbid(unsafe_code)]
