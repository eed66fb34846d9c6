//! How far apart equal contenders lie by chance.
//!
//! With three repetitions of each, the intervals of two equal contenders are disjoint one time in ten, and with seven
//! contenders there is nearly always one that looks worse than the luckiest. So besides its own interval, the best
//! needs a lead that chance does not give. How large that is follows from how much the repetitions of all contenders
//! vary: this is Tukey's honestly significant difference (J. W. Tukey, *The Problem of Multiple Comparisons*, 1953) for
//! medians, with the bootstrap in the place of the studentized range, which holds for means of normal errors only.

use super::{median, middle};

/// How many times the contenders are drawn anew.
const DRAWS: usize = 2_000;
/// Variations beyond so many times the usual one are taken for that. A contender that varies wildly has a wide
/// interval of its own, and is no reason to trust the others less.
const USUAL: f64 = 3.0;

/// The least ratio of two medians (above one) that equal contenders reach less than once in twenty comparisons,
/// when the best of all of them is held against the worst. Each sample holds the repetitions of one contender, all above
/// zero; those of fewer than two repetitions say nothing about variation, and one when there are no others.
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

/// How far each repetition is from the mean of its contender, in logarithms, as differences are told in percent. A mean
/// is nearer to the values that it is made of than the truth is, for which they are stretched.
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
    // 1.4826 times the median absolute deviation is the standard deviation of a normal distribution.
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

    /// How many of 400 comparisons tell the last of seven contenders, or with `any` any of them, from the best, if the
    /// last is `behind` times as dear.
    fn told_apart(behind: f64, any: bool) -> usize {
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
    fn equal_contenders_are_rarely_told_apart_and_others_are() {
        // One in twenty, and for few repetitions a little more.
        let equal = told_apart(1.0, true);
        assert!(equal < 400 / 10, "{equal} of 400");
        // Six standard deviations are what three repetitions can see.
        let other = told_apart(1.12, false);
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
