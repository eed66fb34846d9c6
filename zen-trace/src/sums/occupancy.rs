//! Occupancy: how much of the wall clock a server computes, and how far that figure can be trusted.

use std::fmt;

use crate::phases::Division;
use crate::recording::Recording;
use crate::units::{float, significant};

/// A share of the wall clock, with the most by which it can be wrong.
///
/// It is written with three significant digits:
///
/// ```
/// use zen_trace::sums::Occupancy;
///
/// let occupancy = Occupancy { share: 0.002_314, bound: 0.000_121 };
/// assert_eq!(occupancy.to_string(), "0.231 % ± 0.012");
/// assert_eq!((occupancy.percent(), occupancy.bound_percent()), ("0.231".into(), "0.012".into()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Occupancy {
    /// CPU seconds per second of wall clock; 1 is one core full.
    pub share: f64,
    /// The error bound. The reading of a clock errs by less than its resolution. What recording the
    /// steps costs is part of the share, and no part of the server. What is read of a server from
    /// outside errs by [`Thread::cpu_error_ns`](crate::recording::Thread::cpu_error_ns) besides.
    pub bound: f64,
}

/// What is written in place of an occupancy that nobody knows: that of a conversation whose server
/// is watched from outside.
const NOT_KNOWN: &str = "not known";

impl Occupancy {
    pub(super) fn new(recording: &Recording, division: &Division, wall_ns: u64) -> Self {
        if wall_ns == 0 {
            return Self { share: 0.0, bound: 0.0 };
        }
        let clock = float(division.stretches) * float(recording.clock_ns);
        let recorder = float(division.steps) * recording.cost_per_step_ns;
        Self {
            share: float(division.computing_ns) / float(wall_ns),
            bound: (clock + recorder + float(division.error_ns)) / float(wall_ns),
        }
    }

    /// The occupancy with its bound, or that it is not known.
    pub(crate) fn written(occupancy: Option<Self>) -> String {
        occupancy.map_or_else(|| NOT_KNOWN.to_owned(), |occupancy| occupancy.to_string())
    }

    /// The share in percent, as a lane has room for it.
    pub(crate) fn short(occupancy: Option<Self>) -> String {
        occupancy.map_or_else(|| NOT_KNOWN.to_owned(), |occupancy| format!("{} %", occupancy.percent()))
    }

    /// The share in percent, with three significant digits.
    pub fn percent(self) -> String {
        significant(self.share * 100.0, 3)
    }

    /// The bound in percent, with two significant digits.
    pub fn bound_percent(self) -> String {
        significant(self.bound * 100.0, 2)
    }
}

impl fmt::Display for Occupancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} % ± {}", self.percent(), self.bound_percent()))
    }
}
