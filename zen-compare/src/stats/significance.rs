//! How far apart the medians of equal contenders lie by chance.
//!
//! With three repetitions of each, the intervals of two equal contenders are disjoint one time in
//! ten. With seven contenders, nearly always one of them looks worse than the luckiest. So the best
//! needs disjoint intervals and a lead that is larger than chance makes it. How large that is
//! follows from how much the repetitions of all contenders vary. This is Tukey's honestly
//! significant difference (J. W. Tukey, *The Problem of Multiple Comparisons*, 1953) for medians.
//! The bootstrap takes the place of the studentized range, which is valid only for means with
//! normal errors.

use super::{median, middle};

/// How many times the contenders are resampled.
const DRAWS: usize = 2_000;
/// Variations beyond this multiple of the usual variation are cut to it. A contender that varies
/// wildly has a wide interval of its own, and must not hide differences between the others.
const USUAL: f64 = 3.0;

/// The least ratio of two medians (at least 1) that is significant: when all contenders are equal,
/// the ratio of the worst median to the best exceeds it in fewer than one of twenty comparisons.
/// Each sample holds the repetitions of one contender, all above zero. Samples of fewer than two
/// repetitions say nothing about variation and are left out; the result is 1 when none is left.
pub(crate) fn least_significant_ratio(samples: &[Vec<f64>], seed: u64) -> f64 {
    let samples: Vec<&[f64]> = samples.iter().map(Vec::as_slice).filter(|sample| sample.len() > 1).collect();
    let variations = variations(&samples);
    if variations.is_empty() {
        return 1.0;
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let mut draw = Vec::new();
    let mut ranges: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let medians = samples.iter().map(|sample| {
                draw.clear();
                draw.extend(sample.iter().map(|_| variations[random.usize(..variations.len())]));
                draw.sort_by(f64::total_cmp);
                middle(&draw)
            });
            let (low, high) = medians.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), median| {
                (median.min(low), median.max(high))
            });
            high - low
        })
        .collect();
    ranges.sort_by(f64::total_cmp);
    ranges[DRAWS - DRAWS / 20].exp()
}

/// The distance of each repetition from the mean of its contender. Distances are differences of
/// logarithms, because contenders are compared by ratios. Values lie nearer to their own mean than
/// to the true one, so the distances are stretched to correct for that.
fn variations(samples: &[&[f64]]) -> Vec<f64> {
    let mut variations: Vec<f64> = samples
        .iter()
        .flat_map(|sample| {
            #[allow(clippy::cast_precision_loss, reason = "a number of repetitions")]
            let count = sample.len() as f64;
            let mean = sample.iter().map(|value| value.ln()).sum::<f64>() / count;
            let stretch = (count / (count - 1.0)).sqrt();
            sample.iter().map(move |value| (value.ln() - mean) * stretch)
        })
        .filter(|variation| variation.is_finite())
        .collect();
    let sizes: Vec<f64> = variations.iter().map(|variation| variation.abs()).collect();
    // 1.4826 times the median absolute deviation is the standard deviation of a normal
    // distribution.
    let most = median(&sizes).map_or(0.0, |usual| USUAL * 1.4826 * usual);
    for variation in &mut variations {
        *variation = variation.clamp(-most, most);
    }
    variations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Estimate;

    /// Normal variation of `percent` about 100, by the polar method.
    fn sample(random: &mut fastrand::Rng, center: f64, percent: f64, count: usize) -> Vec<f64> {
        (0..count)
            .map(|_| {
                let size = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
                let normal = size * (std::f64::consts::TAU * random.f64()).cos();
                center * (normal * percent / 100.0).exp()
            })
            .collect()
    }

    /// In how many of 400 comparisons the last of seven contenders (with `any`, any of them) is
    /// significantly worse than the best, if the last one's costs are `behind` times the others'.
    fn count_distinguished(behind: f64, any: bool) -> usize {
        let mut random = fastrand::Rng::with_seed(11);
        let compare = |seed| {
            let mut samples: Vec<Vec<f64>> = (0..6).map(|_| sample(&mut random, 100.0, 2.0, 3)).collect();
            samples.push(sample(&mut random, 100.0 * behind, 2.0, 3));
            let chance = least_significant_ratio(&samples, seed);
            let estimates: Vec<Estimate> =
                samples.iter().map(|s| Estimate::from_values(s, seed).unwrap()).collect();
            let best = estimates.iter().min_by(|a, b| a.median.total_cmp(&b.median)).unwrap();
            let mut behind =
                estimates.iter().map(|other| !best.overlaps(other) && other.median > best.median * chance);
            if any { behind.any(|behind| behind) } else { behind.next_back().unwrap() }
        };
        (1..=400).map(compare).filter(|&apart| apart).count()
    }

    #[test]
    fn equal_contenders_rarely_differ_significantly_and_unequal_ones_do() {
        // It should be one in twenty; for few repetitions it is a little more.
        let equal = count_distinguished(1.0, true);
        assert!(equal < 400 / 10, "{equal} of 400");
        // Three repetitions are enough to detect a difference of six standard deviations.
        let other = count_distinguished(1.12, false);
        assert!(other > 400 * 8 / 10, "{other} of 400");
    }

    #[test]
    fn one_wild_contender_does_not_hide_the_others() {
        let calm = |center: f64| vec![center, 1.01 * center, 0.99 * center];
        let mut samples: Vec<Vec<f64>> = (0..6).map(|_| calm(100.0)).collect();
        let without = least_significant_ratio(&samples, 1);
        samples.push(vec![100.0, 300.0, 20.0]);
        let with = least_significant_ratio(&samples, 1);
        assert!(1.0 < without && without < 1.05, "{without}");
        assert!(with < 1.1, "{with}");
    }

    #[test]
    fn nothing_is_known_from_single_runs() {
        assert!((least_significant_ratio(&[vec![1.0], vec![9.0]], 1) - 1.0).abs() < 1e-12);
        assert!((least_significant_ratio(&[], 1) - 1.0).abs() < 1e-12);
        assert!((least_significant_ratio(&[vec![2.0, 2.0], vec![3.0, 3.0]], 1) - 1.0).abs() < 1e-12);
    }
}
