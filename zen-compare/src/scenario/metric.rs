//! The metrics by which servers are compared: what each is called, which way is better, and how its
//! values are written.

use std::cmp::Ordering;
use std::fmt;

use crate::units::{bytes, count, power_of_1024, time};

/// A quantity that is measured of a server under a load.
///
/// ```
/// use zen_compare::{Metric, Summary};
///
/// let metric = Metric::CpuPerQuestion;
/// assert_eq!(metric.format(3_820.0), "3.82 µs");
/// assert!(!metric.more_is_better());
/// println!("{} ({}), in a table {}", metric.name(), metric.unit(), metric.heading());
///
/// /// Its median over a contender's runs.
/// fn median(metric: Metric, summary: &Summary) -> Option<f64> {
///     Some(metric.estimate(summary)?.median)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Metric {
    /// Answers per second: more is better. It ranks loads that take all that the server can give.
    Throughput,
    /// 99th percentile of the latency, in nanoseconds: less is better. It ranks loads whose pace a
    /// schedule sets.
    P99Latency,
    /// Server CPU time per answer, in nanoseconds: less is better. It ranks loads whose pace the
    /// clients set, because they think or because they connect. On one machine, connecting costs
    /// the client more than the server.
    CpuPerQuestion,
    /// CPU time per answer as a multiple of the floor's: less is better.
    TimesFloor,
    /// Growth of the server's memory under load for each connection, in bytes: less is better.
    MemoryPerConnection,
    /// Clients with an answer: more is better.
    ClientsServed,
}

impl Metric {
    /// The metric's name in sentences and charts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Throughput => "answers/s",
            Self::P99Latency => "p99 latency",
            Self::CpuPerQuestion => "CPU per question",
            Self::TimesFloor => "× floor",
            Self::MemoryPerConnection => "memory per connection",
            Self::ClientsServed => "clients served",
        }
    }

    /// The metric's name where there is little room, as in the head of a table.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Throughput => "answers/s",
            Self::P99Latency => "p99",
            Self::CpuPerQuestion => "CPU/question",
            Self::TimesFloor => "× floor",
            Self::MemoryPerConnection => "memory/conn.",
            Self::ClientsServed => "clients served",
        }
    }

    /// What its values count.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Throughput => "answers per second",
            Self::P99Latency => "nanoseconds",
            Self::CpuPerQuestion => "nanoseconds of CPU",
            Self::TimesFloor => "times the floor",
            Self::MemoryPerConnection => "bytes",
            Self::ClientsServed => "clients",
        }
    }

    /// Whether the greater of two values is the better one.
    pub fn more_is_better(self) -> bool {
        matches!(self, Self::Throughput | Self::ClientsServed)
    }

    /// A value as people read it.
    pub fn format(self, value: f64) -> String {
        match self {
            Self::Throughput => count(value),
            Self::P99Latency | Self::CpuPerQuestion => time(value),
            Self::TimesFloor => format!("{value:.2}"),
            Self::MemoryPerConnection => bytes(value),
            Self::ClientsServed => format!("{value:.0}"),
        }
    }

    /// A written value, or a range of values, in a phrase that says what it is.
    pub(crate) fn phrase(self, value: &str) -> String {
        match self {
            Self::Throughput => format!("{value} answers/s"),
            Self::P99Latency => format!("99 % answered within {value}"),
            Self::CpuPerQuestion => format!("{value} of CPU per question"),
            Self::TimesFloor => format!("{value} × the floor"),
            Self::MemoryPerConnection => format!("{value} of memory per connection"),
            Self::ClientsServed => format!("{value} clients served"),
        }
    }

    /// The multiple in which an axis up to `most` has round ticks.
    pub(crate) fn axis_unit(self, most: f64) -> f64 {
        if self == Self::MemoryPerConnection { power_of_1024(most) } else { 1.0 }
    }

    /// How many times as good `one` is as `other`: above 1 when it is the better one. `None` when
    /// that cannot be said.
    pub(crate) fn ratio(self, one: f64, other: f64) -> Option<f64> {
        let (more, less) = if self.more_is_better() { (one, other) } else { (other, one) };
        (less > 0.0).then(|| more / less)
    }

    /// The order in which two values rank: the better one comes first.
    pub(crate) fn rank(self, left: f64, right: f64) -> Ordering {
        let rising = left.total_cmp(&right);
        if self.more_is_better() { rising.reverse() } else { rising }
    }
}

/// Its [heading](Metric::heading).
impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.heading())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_value_comes_first() {
        assert_eq!(Metric::Throughput.rank(2.0, 1.0), Ordering::Less);
        assert_eq!(Metric::P99Latency.rank(2.0, 1.0), Ordering::Greater);
        assert_eq!(Metric::Throughput.ratio(3.0, 2.0), Some(1.5));
        assert_eq!(Metric::CpuPerQuestion.ratio(2.0, 3.0), Some(1.5));
        assert_eq!(Metric::Throughput.ratio(3.0, 0.0), None);
    }

    #[test]
    fn values_are_written_in_their_units() {
        assert_eq!(Metric::Throughput.format(182_345.0), "182 k");
        assert_eq!(Metric::CpuPerQuestion.format(12_345.0), "12.3 µs");
        assert_eq!(Metric::TimesFloor.format(1.5), "1.50");
        assert_eq!(Metric::MemoryPerConnection.format(11_700.0), "11.4 KiB");
        assert_eq!(Metric::ClientsServed.format(16.0), "16");
    }
}
