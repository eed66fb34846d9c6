//! How many questions a non-reader sends at a time, and how often.

use std::time::Duration;

use crate::scenario::Workload;

/// How many questions a non-reader sends at a time, and how many bytes of large ones.
const QUESTIONS: usize = 64;
const BYTES: usize = 1024 * 1024;

/// How often a non-reader sends more questions: with [`QUESTIONS`] each time, some 3 000 a second.
pub(super) const INTERVAL: Duration = Duration::from_millis(20);

/// How many questions of this workload a non-reader sends at a time.
pub(super) fn count(workload: &Workload) -> usize {
    workload.count_that_fits(BYTES).min(QUESTIONS)
}
