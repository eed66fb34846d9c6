//! The value of a metric in a run and in a summary.

use super::report::Summary;
use super::run::Run;
use crate::scenario::Metric;
use crate::stats::Estimate;

impl Metric {
    /// The median and interval of a contender's runs; `None` when it could not be measured.
    pub fn estimate(self, summary: &Summary) -> Option<Estimate> {
        match self {
            Self::Throughput => summary.throughput,
            Self::P99Latency => summary.p99_ns,
            Self::CpuPerQuestion => summary.cpu_per_question_ns,
            Self::TimesFloor => summary.times_floor,
            Self::MemoryPerConnection => summary.memory_per_connection_bytes,
            Self::ClientsServed => {
                #[allow(clippy::cast_precision_loss, reason = "a number of clients")]
                let served = summary.clients_served as f64;
                Some(Estimate { median: served, low: served, high: served })
            }
        }
    }

    /// The value in a single run. `None` when it could not be measured, or when it takes a run of
    /// the floor as well.
    #[allow(clippy::cast_precision_loss, reason = "a number of clients, and nanoseconds far below 2^52")]
    pub(crate) fn value(self, run: &Run) -> Option<f64> {
        match self {
            Self::Throughput => Some(run.throughput),
            Self::P99Latency => run.latency.map(|latency| latency.p99_ns as f64),
            Self::CpuPerQuestion => run.cpu_per_question_ns,
            Self::TimesFloor => None,
            Self::MemoryPerConnection => run.memory_per_connection_bytes(),
            Self::ClientsServed => Some(run.clients_served as f64),
        }
    }
}
