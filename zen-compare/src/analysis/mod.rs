//! What the results mean: which runs count, what they say together, who is best, and what to choose.

pub(crate) mod advice;
pub(crate) mod baseline;
pub(crate) mod invalid_runs;
pub(crate) mod judged;
pub(crate) mod point;
pub(crate) mod summary;
pub(crate) mod sweep;
pub(crate) mod validity;
pub(crate) mod verdict;
