//! Numbers as people read them: three digits, a prefix, a unit.

use crate::results::Summary;
use crate::scenario::Metric;
use crate::stats::Estimate;
pub(super) use crate::units::percent;
use crate::units::{self, trimmed};
pub(super) use crate::units::{bytes, count, time};

/// A share as a percentage, with enough digits to distinguish small shares.
pub(super) fn share(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        p if p <= 0.0 => "0 %".to_owned(),
        p if p < 0.0995 => format!("{p:.3} %"),
        p if p < 0.995 => format!("{p:.2} %"),
        p if p < 9.95 => format!("{p:.1} %"),
        p => format!("{p:.0} %"),
    }
}

/// A number below about a thousand with three digits, without trailing zeros.
pub(super) fn digits(value: f64) -> String {
    trimmed(&units::digits(value)).to_owned()
}

/// The label of a tick, without digits that carry no information.
pub(super) fn tick(label: &str) -> String {
    match label.split_once(' ') {
        Some((number, unit)) => format!("{} {unit}", trimmed(number)),
        None => trimmed(label).to_owned(),
    }
}

/// A quantile as its percentile: `p50`, `p99.9`.
pub(super) fn percentile(quantile: f64) -> String {
    let text = format!("{:.6}", quantile * 100.0);
    format!("p{}", trimmed(&text))
}

/// All digits of a number, for tables that programs read and people check.
pub(super) fn exact(value: f64) -> String {
    if value.abs() >= 1000.0 { format!("{value:.0}") } else { trimmed(&format!("{value:.6}")).to_owned() }
}

/// A median with its interval.
pub(super) fn interval(estimate: &Estimate, show: impl Fn(f64) -> String) -> String {
    let (low, median, high) = (show(estimate.low), show(estimate.median), show(estimate.high));
    if low == high { median } else { format!("{median} ({low} to {high})") }
}

/// The ends of the interval of a summary's metric; a dash where there is none.
pub(super) fn ends(metric: Metric, summary: &Summary) -> String {
    let ends = |estimate| units::interval(&estimate, summary.counted(), |value| metric.format(value));
    metric.estimate(summary).map_or_else(|| "–".to_owned(), ends)
}

/// Seconds since 1970 as a date and a time of day in UTC.
pub(super) fn date(unix: u64) -> String {
    let (days, second) = (unix / 86_400, unix % 86_400);
    // The years counted here begin in March, so that the leap day is their last day.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", second / 3600, second / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_shown_in_a_suitable_unit() {
        assert_eq!(
            [0.0, 512.0, 1024.0, 11_700.0, 5e9].map(bytes),
            ["0 B", "512 B", "1 KiB", "11.4 KiB", "4.66 GiB"]
        );
    }

    #[test]
    fn small_shares_stay_distinct() {
        assert_eq!(
            [0.0, 0.00031, 0.0042, 0.073, 0.9996].map(share),
            ["0 %", "0.031 %", "0.42 %", "7.3 %", "100 %"]
        );
    }

    #[test]
    fn ticks_have_no_superfluous_digits() {
        assert_eq!(
            ["1.00 ms", "20.0 k", "0.00", "150 k", "2.50 µs"].map(tick),
            ["1 ms", "20 k", "0", "150 k", "2.5 µs"]
        );
        assert_eq!(
            [0.0, 0.5, 0.99, 0.999, 0.99999].map(percentile),
            ["p0", "p50", "p99", "p99.9", "p99.999"]
        );
    }

    #[test]
    fn an_interval_whose_ends_look_alike_is_shown_as_one_number() {
        let estimate = Estimate { median: 1500.0, low: 1400.0, high: 1600.0 };
        assert_eq!(interval(&estimate, time), "1.50 µs (1.40 µs to 1.60 µs)");
        assert_eq!(interval(&Estimate { low: 1500.0, high: 1500.1, ..estimate }, time), "1.50 µs");
    }

    #[test]
    fn dates_agree_with_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_782_400 + 86_399), "2000-02-29 23:59 UTC");
        assert_eq!(date(1_735_689_600 - 60), "2024-12-31 23:59 UTC");
    }
}
