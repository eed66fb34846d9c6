//! Durations and sizes as people write them: `2ms`, `1m30s`, `64k`, `1KiB`.

use std::time::Duration;

/// The units of time, in nanoseconds.
const TIME: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("min", 60 * 1_000_000_000),
    ("h", 3600 * 1_000_000_000),
];

/// The units of size, in bytes. `k` is 1024, as usual for memory.
const SIZE: [(&str, u64); 10] = [
    ("b", 1),
    ("B", 1),
    ("k", 1 << 10),
    ("K", 1 << 10),
    ("KiB", 1 << 10),
    ("m", 1 << 20),
    ("M", 1 << 20),
    ("MiB", 1 << 20),
    ("G", 1 << 30),
    ("GiB", 1 << 30),
];

/// A length of time: one or several numbers, each with its unit.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let advice = "write a number and its unit, as in 250us, 2ms, 10s, 1m30s or 1h";
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(format!("a length of time is missing; {advice}"));
    }
    let mut nanos: u64 = 0;
    while !rest.is_empty() {
        let (number, unit, behind) = part(rest);
        if number.is_empty() {
            return Err(format!("not a length of time; {advice}"));
        }
        if unit.is_empty() {
            return Err(format!("the unit is missing; write {number}ms, {number}s or {number}m"));
        }
        let scale = scale(&TIME, unit).ok_or_else(|| format!("no such unit of time; {advice}"))?;
        let more = scaled(number, scale).ok_or_else(|| format!("not a length of time; {advice}"))?;
        nanos = nanos.checked_add(more).ok_or("too long; the longest is about 584 years")?;
        rest = behind;
    }
    Ok(Duration::from_nanos(nanos))
}

/// A deadline: a length of time, or `none`.
pub(crate) fn deadline(text: &str) -> Result<Duration, String> {
    if text.trim().eq_ignore_ascii_case("none") { Ok(Duration::MAX) } else { duration(text) }
}

/// A number of bytes.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let advice = "write a number of bytes, as in 1024, 64k, 64KiB or 1MiB";
    let (number, unit, behind) = part(text.trim());
    if number.is_empty() || !behind.is_empty() {
        return Err(format!("not a size; {advice}"));
    }
    let unit = if unit.is_empty() { "B" } else { unit };
    let scale = scale(&SIZE, unit).ok_or_else(|| format!("no such unit of size; {advice}"))?;
    let bytes = scaled(number, scale).ok_or_else(|| format!("not a size; {advice}"))?;
    usize::try_from(bytes).map_err(|_| "larger than this machine's memory can be".to_owned())
}

/// A whole number, for example of connections or threads.
pub(crate) fn count(text: &str) -> Result<usize, String> {
    text.trim().parse().map_err(|_| "write a whole number, such as 16".to_owned())
}

/// A percentage, as a share: `10%` is 0.1.
pub(crate) fn percent(text: &str) -> Result<f64, String> {
    let advice = || "write a percentage, such as 10% or 2.5%".to_owned();
    let text = text.trim();
    let number = text.strip_suffix('%').unwrap_or(text).trim_end();
    // Only digits are allowed: a float could also be `inf` or `1e9`.
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(advice());
    }
    number.parse().map(|percent: f64| percent / 100.0).map_err(|_| advice())
}

/// Yes or no. An empty variable means no.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" | "" => Ok(false),
        _ => Err("write true or false".to_owned()),
    }
}

/// A length of time as it is written on the command line, in the largest unit that gives a whole
/// number.
pub(crate) fn written(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let (unit, scale) = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)]
        .into_iter()
        .find(|(_, scale)| nanos.is_multiple_of(*scale))
        .unwrap_or(("ns", 1));
    format!("{}{unit}", nanos / scale)
}

/// A rounded duration for people who wait: `45 s`, `2 min 20 s`.
pub(crate) fn about(duration: Duration) -> String {
    let seconds = duration.as_millis().div_ceil(1000).max(1);
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        // From ten minutes on, seconds do not matter.
        (minutes, seconds) if minutes >= 10 => format!("{} min", minutes + u128::from(seconds >= 30)),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

/// The number at the front, its unit, and the rest.
fn part(text: &str) -> (&str, &str, &str) {
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let (number, rest) = text.split_at(text.find(|c| !is_number(c)).unwrap_or(text.len()));
    let (unit, behind) = rest.split_at(rest.find(is_number).unwrap_or(rest.len()));
    (number, unit.trim(), behind)
}

fn scale(units: &[(&str, u64)], unit: &str) -> Option<u64> {
    units.iter().find(|(name, _)| *name == unit).map(|(_, scale)| *scale)
}

/// A decimal number times `scale`, rounded down, calculated in integers: a float would turn 2.3 s
/// into 2.299999999 s.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<u64>().ok() };
    let places = u32::try_from(fraction.len()).ok().filter(|places| *places <= 19)?;
    let below_one = u128::from(digits(fraction)?) * u128::from(scale) / 10_u128.pow(places);
    digits(whole)?.checked_mul(scale)?.checked_add(u64::try_from(below_one).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_every_unit() {
        for (text, nanos) in [
            ("0s", 0),
            ("7ns", 7),
            ("250us", 250_000),
            ("250µs", 250_000),
            ("2ms", 2_000_000),
            ("2 ms", 2_000_000),
            ("2.3s", 2_300_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("0.1234567891s", 123_456_789),
            ("10s", 10_000_000_000),
            ("1m", 60_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1h", 3_600_000_000_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn a_bad_duration_comes_with_advice() {
        for (text, says) in [
            ("2", "write 2ms, 2s or 2m"),
            ("1m30", "write 30ms"),
            ("", "missing"),
            ("ms", "not a length of time"),
            ("-2ms", "not a length of time"),
            ("2 days", "no such unit of time"),
            ("1.2.3s", "not a length of time"),
            (".s", "not a length of time"),
            ("99999999999999h", "not a length of time"),
            ("18446744073s18446744073s", "too long"),
            ("none", "not a length of time"),
        ] {
            let error = duration(text).expect_err(text);
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn a_deadline_may_be_none() {
        assert_eq!(deadline("none"), Ok(Duration::MAX));
        assert_eq!(deadline("10s"), Ok(Duration::from_secs(10)));
    }

    #[test]
    fn sizes_are_read_in_every_unit() {
        for (text, bytes) in [
            ("1024", 1024),
            ("17B", 17),
            ("64k", 65_536),
            ("64K", 65_536),
            ("1KiB", 1024),
            ("1.5k", 1536),
            ("2M", 2 << 20),
            ("1GiB", 1 << 30),
            ("0", 0),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "k", "-1", "64kB", "1 2", "1k2", "99999999999999G", "."] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn counts_are_whole_numbers() {
        assert_eq!(count("16"), Ok(16));
        for text in ["", "-1", "1.5", "16 threads", "99999999999999999999"] {
            assert!(count(text).is_err(), "{text}");
        }
    }

    #[test]
    fn percentages_are_shares() {
        for (text, share) in [("10%", 0.1), ("10", 0.1), (" 2.5 % ", 0.025), ("0%", 0.0), ("250%", 2.5)] {
            assert!((percent(text).unwrap() - share).abs() < 1e-12, "{text}");
        }
        for text in ["", "%", "-1%", "ten", "1e3", "inf", "NaN", "1.2.3", "."] {
            assert!(percent(text).expect_err(text).contains("such as 10%"), "{text}");
        }
    }

    #[test]
    fn a_wait_is_rounded_for_people() {
        for (millis, told) in [
            (0, "1 s"),
            (44_100, "45 s"),
            (60_000, "1 min"),
            (140_000, "2 min 20 s"),
            (599_500, "10 min"),
            (1_829_000, "30 min"),
            (1_830_000, "31 min"),
        ] {
            assert_eq!(about(Duration::from_millis(millis)), told);
        }
    }

    #[test]
    fn a_switch_is_on_or_off() {
        for (text, on) in [("true", true), ("1", true), ("Yes", true), ("off", false), ("", false)] {
            assert_eq!(switch(text), Ok(on), "{text}");
        }
        assert!(switch("2").is_err());
    }

    #[test]
    fn a_written_duration_can_be_read_back() {
        for text in ["2ms", "10s", "1500us", "7ns", "90s"] {
            assert_eq!(written(duration(text).unwrap()), text);
        }
    }
}
