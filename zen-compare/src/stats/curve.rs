//! A latency distribution as a curve to draw: the quantiles are denser towards the tail.

use hdrhistogram::Histogram;

use super::median;

/// The quantiles of a curve: steps of 0.05 up to 0.9, then eight steps for each further nine.
fn quantiles() -> impl Iterator<Item = f64> {
    let body = (0..=18).map(|step| f64::from(step) / 20.0);
    // 0.9, 0.99, 0.999… as 1 − 10^−n, with seven between each pair.
    let tail = (9..=48).map(|step| 1.0 - 10_f64.powf(-f64::from(step) / 8.0));
    body.chain(tail)
}

/// Pairs of quantile and nanoseconds, as far into the tail as there are samples, ending with the
/// longest latency; empty when there are no samples.
pub(crate) fn curve(samples: &Histogram<u64>) -> Vec<[f64; 2]> {
    if samples.is_empty() {
        return Vec::new();
    }
    #[allow(clippy::cast_precision_loss, reason = "counts and nanoseconds below 2^52")]
    let (count, longest) = (samples.len() as f64, samples.max() as f64);
    #[allow(clippy::cast_precision_loss, reason = "nanoseconds below 2^52")]
    let latency = |quantile| samples.value_at_quantile(quantile) as f64;
    // A quantile that fewer than one sample lies beyond shows nothing but the longest latency.
    let supported = quantiles().take_while(|quantile| (1.0 - quantile) * count >= 1.0);
    // The histogram rounds within a bucket; no latency is longer than the longest sample.
    let points = supported.map(|quantile| [quantile, latency(quantile).min(longest)]);
    points.chain([[1.0, longest]]).collect()
}

/// Combines the curves of several runs: at each quantile that all of them have, the median.
pub(crate) fn combine(curves: &[&[[f64; 2]]]) -> Vec<[f64; 2]> {
    let Some(first) = curves.first() else { return Vec::new() };
    let at = |curve: &[[f64; 2]], quantile: f64| {
        curve.iter().find(|[own, _]| own.total_cmp(&quantile).is_eq()).map(|[_, latency]| *latency)
    };
    let points = first.iter().filter_map(|&[quantile, _]| {
        let latencies: Option<Vec<f64>> = curves.iter().map(|curve| at(curve, quantile)).collect();
        Some([quantile, median(&latencies?)?])
    });
    points.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: impl IntoIterator<Item = u64>) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).unwrap();
        values.into_iter().for_each(|value| histogram.record(value).unwrap());
        histogram
    }

    #[test]
    fn a_curve_rises_and_ends_at_the_longest() {
        let curve = curve(&histogram(1..=100_000));
        assert!((50..=80).contains(&curve.len()), "{}", curve.len());
        assert!(
            curve.windows(2).all(|pair| pair[0][0] < pair[1][0] && pair[0][1] <= pair[1][1]),
            "{curve:?}"
        );
        assert_eq!(curve.last().unwrap()[0], 1.0);
        let middle = curve.iter().find(|[quantile, _]| *quantile == 0.5).unwrap()[1];
        assert!((middle - 50_000.0).abs() < 100.0, "{middle}");
    }

    #[test]
    fn few_samples_have_no_far_tail() {
        assert!(curve(&histogram([])).is_empty());
        assert_eq!(curve(&histogram([7])), [[0.0, 7.0], [1.0, 7.0]]);
        let curve = curve(&histogram(1..=10));
        assert!(curve.iter().rev().skip(1).all(|[quantile, _]| *quantile <= 0.9), "{curve:?}");
    }

    #[test]
    fn curves_meet_at_the_quantiles_that_all_have() {
        let (long, short) =
            ([[0.0, 1.0], [0.5, 2.0], [0.9, 8.0], [1.0, 9.0]], [[0.0, 3.0], [0.5, 4.0], [1.0, 5.0]]);
        assert_eq!(combine(&[&long, &short]), [[0.0, 2.0], [0.5, 3.0], [1.0, 7.0]]);
        assert!(combine(&[]).is_empty());
        assert!(combine(&[&long, &[]]).is_empty());
    }
}
