//! The time axis: where its ticks are, and what they are called.

use crate::units::float;

/// Round moments from zero up to a length, in nanoseconds: at most `most` of them, and at least
/// one.
pub(crate) fn ticks(length_ns: u64, most: usize) -> Vec<u64> {
    let mut step = 1_u64;
    let fits = |step: u64| length_ns / step < most.max(1) as u64;
    while !fits(step) {
        // 1, 2, 5, 10, 20, …
        let leading = step.to_string().as_bytes()[0];
        step = match leading {
            b'2' => (step / 2).saturating_mul(5),
            _ => step.saturating_mul(2),
        };
    }
    (0..=length_ns / step).map(|index| index * step).collect()
}

/// A tick's moment, in the unit that suits the whole axis.
pub(crate) fn label(moment_ns: u64, length_ns: u64) -> String {
    let (unit, name) = match length_ns {
        10_000_000_000.. => (1e9, "s"),
        1_000_000.. => (1e6, "ms"),
        1_000.. => (1e3, "µs"),
        _ => (1.0, "ns"),
    };
    format!("{} {name}", float(moment_ns) / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_not_too_many() {
        assert_eq!(ticks(125_000_000, 4), [0, 50_000_000, 100_000_000]);
        assert_eq!(ticks(125_000_000, 8), [0, 20, 40, 60, 80, 100, 120].map(|ms| ms * 1_000_000));
        for length in [1, 7, 999, 123_456_789, u64::MAX / 3] {
            for most in 1..12 {
                let ticks = ticks(length, most);
                assert!((1..=most).contains(&ticks.len()), "{length} {most}: {ticks:?}");
            }
        }
    }

    #[test]
    fn labels_share_a_unit() {
        assert_eq!(label(50_000_000, 125_000_000), "50 ms");
        assert_eq!(label(2_500_000, 9_000_000), "2.5 ms");
        assert_eq!(label(20_000_000_000, 90_000_000_000), "20 s");
    }
}
