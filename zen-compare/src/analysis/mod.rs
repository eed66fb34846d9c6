//! What the results mean: which runs count, what they show together, which contender is best, and
//! which one to choose.

pub(crate) mod advice;
pub(crate) mod baseline;
pub(crate) mod invalid_runs;
pub(crate) mod judged;
pub(crate) mod point;
pub(crate) mod rivals;
pub(crate) mod summary;
pub(crate) mod sweep;
pub(crate) mod validity;
pub(crate) mod verdict;
