//! Numbers as people read them: three digits, a prefix, a unit.

/// Nanoseconds with three significant digits in the unit that suits them.
///
/// ```
/// assert_eq!(zen_trace::units::time(40_081_234.0), "40.1 ms");
/// ```
pub fn time(nanoseconds: f64) -> String {
    scaled(nanoseconds, &[(1e9, " s"), (1e6, " ms"), (1e3, " µs"), (1.0, " ns")])
}

/// A number with three significant digits in the largest of these units that it reaches. The units
/// are the largest first; what would round up to a thousand of one is written in the next.
///
/// ```
/// use zen_trace::units::scaled;
///
/// let bytes = [(1e6, " MB"), (1e3, " kB"), (1.0, " B")];
/// assert_eq!(scaled(12_345.0, &bytes), "12.3 kB");
/// assert_eq!(scaled(999_900.0, &bytes), "1.00 MB");
/// ```
pub fn scaled(number: f64, units: &[(f64, &str)]) -> String {
    let fits = |(unit, _): &&(f64, &str)| number >= unit * 0.9995;
    let (unit, name) = units.iter().find(fits).or(units.last()).copied().unwrap_or((1.0, ""));
    format!("{}{name}", digits(number / unit))
}

/// A number below a thousand or so with three digits.
///
/// ```
/// assert_eq!([1.234, 12.34, 123.4].map(zen_trace::units::digits), ["1.23", "12.3", "123"]);
/// ```
pub fn digits(value: f64) -> String {
    let decimals = match value {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

/// A number with this many significant digits, whatever its size.
pub(crate) fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    // Rounding may carry into a further digit, which the exponent of the rounded number shows.
    #[allow(clippy::cast_possible_truncation, reason = "an exponent of ten")]
    let exponent = |value: f64| value.abs().log10().floor() as i32;
    let unit = 10_f64.powi(exponent(value) - digits + 1);
    let rounded = (value / unit).round() * unit;
    let decimals = usize::try_from(digits - 1 - exponent(rounded * (1.0 + 1e-12))).unwrap_or(0);
    format!("{rounded:.decimals$}")
}

/// A difference as a share, or as a multiple if it is large.
pub(crate) fn difference(off: f64) -> String {
    if off < 9.995 { format!("{:+.0} %", off * 100.0) } else { format!("×{:.0}", off + 1.0) }
}

/// A share in percent, with about three digits.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let digits = match percent {
        percent if percent >= 100.0 => 0,
        percent if percent >= 10.0 => 1,
        _ => 2,
    };
    format!("{percent:.digits$} %")
}

/// So many per second.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second >= 1000.0 { format!("{per_second:.0}") } else { format!("{per_second:.1}") }
}

/// Nanoseconds as a number that can be counted with; a trace is far shorter than the 104 days from
/// which digits are lost.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn float(nanoseconds: u64) -> f64 {
    nanoseconds as f64
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
    }

    #[test]
    fn differences_are_shares_or_multiples() {
        assert_eq!([0.123, -0.4, 2.0, 11.6].map(difference), ["+12 %", "-40 %", "+200 %", "×13"]);
        assert_eq!([0.001_234, 0.123, 1.5].map(percent), ["0.12 %", "12.3 %", "150 %"]);
    }

    #[test]
    fn significant_digits_are_counted_from_the_first() {
        let of = [0.176_44, 0.099_96, 12.345, 103.4, 0.0, 7.0, 99.95, 0.000_012_3];
        let expected = ["0.176", "0.100", "12.3", "103", "0", "7.00", "100", "0.0000123"];
        assert_eq!(of.map(|value| significant(value, 3)), expected);
        assert_eq!(significant(0.012_34, 2), "0.012");
    }
}
