//! How the threads of a server share its work.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// CPU time of each thread of a server, from shortly before the window (100 ms at most), when there
/// is time to sample thousands of threads, to the window's end.
///
/// The kernel counts a thread's time in nanoseconds for as long as the thread lives. A thread that
/// was started meanwhile has all of its time here. The time of a thread that ended is lost with it,
/// and is in the rest.
///
/// ```
/// use zen_compare::ThreadCpu;
///
/// /// The share of the busiest thread.
/// fn busiest(threads: &ThreadCpu) -> f64 {
///     let (shares, _ended) = threads.shares();
///     shares.first().copied().unwrap_or(0.0)
/// }
///
/// assert_eq!(busiest(&ThreadCpu::default()), 0.0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ThreadCpu {
    /// CPU time in nanoseconds of each thread that was alive when the window closed and had used
    /// any, the busiest first. The time of a thread that was running then may lag by a tick of the
    /// kernel.
    pub threads_ns: Vec<u64>,
    /// The rest of the server's CPU time in the same span, in nanoseconds: that of threads that had
    /// ended.
    pub ended_ns: u64,
}

/// Up to this many threads are listed one by one.
const TOLD: usize = 4;
/// A rest up to this share belongs to no thread: it comes from sampling one thing after the other.
const SLACK: f64 = 0.01;

impl ThreadCpu {
    /// From the times of living threads, the busiest first, and that of the whole server. `None`
    /// when nothing was used.
    pub(crate) fn from_times(threads: &[Duration], all: Duration) -> Option<Self> {
        let whole = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let ended = all.saturating_sub(threads.iter().sum());
        let own = Self { threads_ns: threads.iter().copied().map(whole).collect(), ended_ns: whole(ended) };
        (own.sum() > 0.0).then_some(own)
    }

    fn sum(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "nanoseconds far below 2^52")]
        let sum = self.threads_ns.iter().chain([&self.ended_ns]).map(|time| *time as f64).sum();
        sum
    }

    /// Each living thread's share of all that was used, the busiest first, and the share of ended
    /// threads.
    pub fn shares(&self) -> (Vec<f64>, f64) {
        let sum = self.sum().max(1.0);
        #[allow(clippy::cast_precision_loss, reason = "nanoseconds far below 2^52")]
        let share = |time: &u64| *time as f64 / sum;
        (self.threads_ns.iter().map(share).collect(), share(&self.ended_ns))
    }

    /// The shares in a few words: `51 % + 49 %`, or `64 busy, at most 3 %` for many threads, and
    /// then the share of ended threads.
    pub(crate) fn brief(&self) -> String {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let (shares, ended) = self.shares();
        // A share that rounds to nothing is not listed.
        let seen: Vec<f64> = shares.iter().copied().filter(|share| *share >= 0.005).collect();
        let busiest = shares.first().map(|share| percent(*share));
        let mut parts = Vec::new();
        if !seen.is_empty() && seen.len() <= TOLD {
            parts.push(seen.iter().map(|share| percent(*share)).collect::<Vec<_>>().join(" + "));
        } else if let Some(busiest) = busiest {
            parts.push(format!("{} busy, at most {busiest}", shares.len()));
        }
        if ended > SLACK {
            parts.push(format!("{} in ended ones", percent(ended)));
        }
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brief(threads: &[u64], all: u64) -> Option<String> {
        let threads: Vec<Duration> = threads.iter().copied().map(Duration::from_millis).collect();
        ThreadCpu::from_times(&threads, Duration::from_millis(all)).map(|own| own.brief())
    }

    #[test]
    fn shares_are_listed_one_by_one_while_there_are_few() {
        assert_eq!(brief(&[510, 490], 1_000).unwrap(), "51 % + 49 %");
        assert_eq!(brief(&[998, 1, 1], 1_000).unwrap(), "100 %");
        assert_eq!(brief(&[30; 32], 960).unwrap(), "32 busy, at most 3 %");
        assert_eq!(brief(&[1; 1_000], 1_000).unwrap(), "1000 busy, at most 0 %");
    }

    #[test]
    fn the_rest_belongs_to_ended_threads() {
        assert_eq!(brief(&[100], 1_000).unwrap(), "10 %, 90 % in ended ones");
        assert_eq!(brief(&[], 1_000).unwrap(), "100 % in ended ones");
        // Sampled a moment later, the threads have a little more than the whole had.
        assert_eq!(brief(&[1_001], 1_000).unwrap(), "100 %");
        assert_eq!(brief(&[], 0), None);
    }
}
