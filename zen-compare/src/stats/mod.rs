//! Statistics: median, bootstrap interval, fairness.

pub(crate) mod curve;
pub(crate) mod significance;

use serde::{Deserialize, Serialize};

/// How many times the bootstrap resamples. A thousand times determine the ends of a 95 % interval
/// within a fraction of a percent.
const RESAMPLES: usize = 1_000;

/// A median with its 95 % confidence interval.
///
/// ```
/// use zen_compare::stats::Estimate;
///
/// let one = Estimate::from_values(&[3.0, 3.1, 3.2], 1).expect("three values");
/// let other = Estimate::from_values(&[4.0, 4.1, 4.2], 1).expect("three values");
/// assert_eq!((one.low, one.median, one.high), (3.0, 3.1, 3.2));
/// assert!(!one.overlaps(&other), "so the other is larger");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The median of the repetitions.
    pub median: f64,
    /// Lower end of the 95 % bootstrap interval.
    pub low: f64,
    /// Upper end of the 95 % bootstrap interval.
    pub high: f64,
}

impl Estimate {
    /// The median of `values` and its 95 % percentile-bootstrap interval, resampled by a random
    /// generator with this `seed`. `None` when there are no values. One value is its own interval.
    /// The interval of two or three values is their whole range, so resampling never makes too few
    /// repetitions look precise.
    pub fn from_values(values: &[f64], seed: u64) -> Option<Self> {
        let median = median(values)?;
        let mut random = fastrand::Rng::with_seed(seed);
        let mut draw = vec![0.0; values.len()];
        let mut medians = Vec::with_capacity(RESAMPLES);
        for _ in 0..RESAMPLES {
            for slot in &mut draw {
                *slot = values[random.usize(..values.len())];
            }
            draw.sort_by(f64::total_cmp);
            medians.push(middle(&draw));
        }
        medians.sort_by(f64::total_cmp);
        Some(Self { median, low: medians[RESAMPLES / 40], high: medians[RESAMPLES - 1 - RESAMPLES / 40] })
    }

    /// Whether the two intervals share a value. If they do, the difference between the medians may
    /// be chance.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

/// The middle value, or the mean of the two middle values. `None` for no values.
///
/// ```
/// use zen_compare::stats::median;
///
/// assert_eq!(median(&[9.0, 1.0, 5.0]), Some(5.0));
/// assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
/// ```
pub fn median(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(middle(&sorted))
}

/// The median of sorted values, of which there must be at least one.
pub(crate) fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) }
}

/// Jain's fairness index: 1 when all shares are equal, 1/n when one of n takes everything. `None`
/// when there are no shares, or all of them are zero.
///
/// # Source
/// R. Jain, D. Chiu and W. Hawe, "A Quantitative Measure of Fairness and Discrimination for
/// Resource Allocation in Shared Computer Systems", DEC-TR-301 (1984).
///
/// ```
/// use zen_compare::stats::jain;
///
/// assert_eq!(jain(&[5, 5, 5, 5]), Some(1.0));
/// assert_eq!(jain(&[8, 0, 0, 0]), Some(0.25));
/// ```
pub fn jain(shares: &[u64]) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let (sum, squares) = shares.iter().fold((0.0, 0.0), |(sum, squares), &share| {
        let share = share as f64;
        (sum + share, squares + share * share)
    });
    #[allow(clippy::cast_precision_loss, reason = "a number of clients")]
    let count = shares.len() as f64;
    (squares > 0.0).then(|| sum * sum / (count * squares))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-12, "{left} is not {right}");
    }

    #[test]
    fn medians_by_hand() {
        assert_eq!(median(&[]), None);
        close(median(&[7.0]).unwrap(), 7.0);
        close(median(&[9.0, 1.0, 5.0]).unwrap(), 5.0);
        close(median(&[4.0, 1.0, 3.0, 2.0]).unwrap(), 2.5);
    }

    #[test]
    fn fairness_by_hand() {
        assert_eq!(jain(&[]), None);
        assert_eq!(jain(&[0, 0]), None);
        close(jain(&[5, 5, 5, 5]).unwrap(), 1.0);
        close(jain(&[8, 0, 0, 0]).unwrap(), 0.25);
        // (1 + 2 + 3)² / (3 × (1 + 4 + 9)) = 36 / 42
        close(jain(&[1, 2, 3]).unwrap(), 36.0 / 42.0);
    }

    #[test]
    fn few_repetitions_have_wide_intervals() {
        let one = Estimate::from_values(&[3.0], 1).unwrap();
        assert_eq!((one.low, one.median, one.high), (3.0, 3.0, 3.0));
        // The median of a resample is the lowest value in 7 of 27 cases, and as often the highest:
        // far more than 2.5 %.
        let three = Estimate::from_values(&[1.0, 9.0, 2.0], 1).unwrap();
        assert_eq!((three.low, three.median, three.high), (1.0, 2.0, 9.0));
        assert_eq!(Estimate::from_values(&[], 1), None);
    }

    #[test]
    fn the_interval_agrees_with_the_binomial_distribution() {
        // The median of 25 draws out of 25 distinct values is at most the k-th of them with the
        // probability P(Binomial(25, k/25) ≥ 13): 1.2 % for k = 7, 4.9 % for k = 8; by symmetry the
        // upper end mirrors it.
        let values: Vec<f64> = (1..=25).map(f64::from).collect();
        for seed in 0..20 {
            let estimate = Estimate::from_values(&values, seed).unwrap();
            close(estimate.median, 13.0);
            assert!((7.0..=9.0).contains(&estimate.low), "{estimate:?}");
            assert!((17.0..=19.0).contains(&estimate.high), "{estimate:?}");
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_interval() {
        let values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0];
        assert_eq!(Estimate::from_values(&values, 42), Estimate::from_values(&values, 42));
    }

    #[test]
    fn intervals_that_touch_overlap() {
        let at = |low, high| Estimate { median: f64::midpoint(low, high), low, high };
        assert!(at(1.0, 2.0).overlaps(&at(2.0, 3.0)));
        assert!(at(1.0, 9.0).overlaps(&at(2.0, 3.0)));
        assert!(!at(1.0, 2.0).overlaps(&at(2.1, 3.0)));
    }
}
