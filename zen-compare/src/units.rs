//! Numbers as people read them: three digits, a prefix, a unit.

use zen_trace::units::scaled;
pub(crate) use zen_trace::units::{digits, time};

use crate::stats::Estimate;

/// A number with three significant digits and a prefix for its thousands.
pub(crate) fn count(number: f64) -> String {
    scaled(number, &[(1e9, " G"), (1e6, " M"), (1e3, " k"), (1.0, "")])
}

/// The ends of an interval, with their unit only once when it is the same. A single run has no
/// interval.
pub(crate) fn interval(estimate: &Estimate, runs: usize, show: impl Fn(f64) -> String) -> String {
    if runs < 2 {
        return "one run".into();
    }
    let (low, high) = (show(estimate.low), show(estimate.high));
    let unit = |end: &str| end.split_once(' ').map(|(_, unit)| unit.to_owned());
    let low = match low.split_once(' ') {
        Some((number, own)) if unit(&high).as_deref() == Some(own) => number,
        _ => &low,
    };
    format!("{low}–{high}")
}

pub(crate) fn range(from: &str, to: &str) -> String {
    if from == to { from.to_owned() } else { format!("{from} to {to}") }
}

/// A share as a percentage with one decimal below ten, and with a second one only where the first
/// would be zero.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent.abs() {
        p if p < 0.005 => "0 %".to_owned(),
        p if p < 0.095 => format!("{percent:.2} %"),
        p if p < 9.95 => format!("{percent:.1} %"),
        _ => format!("{percent:.0} %"),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// Bytes, in powers of 1024.
pub(crate) fn bytes(bytes: f64) -> String {
    let units = [(1024.0 * 1024.0 * 1024.0, "GiB"), (1024.0 * 1024.0, "MiB"), (1024.0, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= unit * 0.9995) {
        Some((unit, name)) => format!("{} {name}", trimmed(&digits(bytes / unit))),
        None => format!("{bytes:.0} B"),
    }
}

/// The power of 1024 in which amounts of memory up to `most` are written.
pub(crate) fn power_of_1024(most: f64) -> f64 {
    let units = [1024.0 * 1024.0 * 1024.0, 1024.0 * 1024.0, 1024.0];
    units.into_iter().find(|unit| most >= *unit).unwrap_or(1.0)
}

/// A number without the trailing zeros after its point.
pub(crate) fn trimmed(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_a_unit() {
        assert_eq!(
            [0.5, 999.4, 999.6, 12_345.0, 1e7].map(time),
            ["0.50 ns", "999 ns", "1.00 µs", "12.3 µs", "10.0 ms"]
        );
        assert_eq!([0.0, 25.0, 182_345.0, 2.5e6].map(count), ["0.00", "25.0", "182 k", "2.50 M"]);
    }

    #[test]
    fn an_interval_has_its_unit_once() {
        let of = |low, high, runs| interval(&Estimate { median: low, low, high }, runs, time);
        assert_eq!(of(3_310.0, 3_420.0, 3), "3.31–3.42 µs");
        assert_eq!(of(990_000.0, 1_020_000.0, 3), "990 µs–1.02 ms");
        assert_eq!(of(3_310.0, 3_310.0, 1), "one run");
        let rate = Estimate { median: 950.0, low: 940.0, high: 1_200.0 };
        assert_eq!(interval(&rate, 2, count), "940–1.20 k");
    }
}
