//! Maps values to positions: linear, logarithmic and percentile scales with their ticks.

/// How values are laid out along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Equal distances are equal differences. Starts at zero, so that lengths can be compared.
    Linear,
    /// Equal distances are equal ratios.
    Log,
    /// For shares from 0 up to, but not including, 1: each further nine takes the same distance.
    Percentile,
}

/// Maps the values from `low` to `high` to the positions from `from` to `to`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    kind: Kind,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    unit: f64,
}

/// A tick: its position, and its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) value: f64,
}

impl Scale {
    /// A scale that contains all `values` and has round ends. Values that cannot be shown, such as
    /// a zero on a logarithmic scale, are ignored; `None` when none is left.
    pub(super) fn covering(
        kind: Kind,
        values: impl IntoIterator<Item = f64>,
        from: f64,
        to: f64,
    ) -> Option<Self> {
        Self::in_unit(1.0, kind, values, from, to)
    }

    /// The same with ticks that are round numbers of `unit`, such as powers of 1024 for memory.
    pub(super) fn in_unit(
        unit: f64,
        kind: Kind,
        values: impl IntoIterator<Item = f64>,
        from: f64,
        to: f64,
    ) -> Option<Self> {
        let values = values.into_iter().map(|value| value / unit);
        let shown = |value: &f64| value.is_finite() && *value >= 0.0 && (kind != Kind::Log || *value > 0.0);
        let (low, high) = values
            .filter(shown)
            .fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return None;
        }
        let (low, high) = match kind {
            Kind::Linear => {
                let high = if high > 0.0 { high } else { 1.0 };
                (0.0, (high / step(high)).ceil() * step(high))
            }
            Kind::Log => round_out(low, high),
            Kind::Percentile => (low.min(0.5), high.clamp(0.9, 0.999_999_9)),
        };
        Some(Self { kind, low, high, from, to, unit })
    }

    /// A scale whose ends are the least and the greatest of `values`, or lie slightly apart when
    /// these are equal.
    pub(super) fn covering_exactly(
        kind: Kind,
        values: impl IntoIterator<Item = f64>,
        from: f64,
        to: f64,
    ) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().filter(|value| value.is_finite() && *value > 0.0).collect();
        let low = values.iter().copied().min_by(f64::total_cmp)?;
        let high = values.iter().copied().max_by(f64::total_cmp)?;
        let (low, high) = if low < high { (low, high) } else { (low / 2.0, high * 2.0) };
        Some(Self { kind, low, high, from, to, unit: 1.0 })
    }

    /// The position of a value. A value outside the scale is placed at the nearer end.
    pub(super) fn position(&self, value: f64) -> f64 {
        let share = (self.transform(value / self.unit) - self.transform(self.low))
            / (self.transform(self.high) - self.transform(self.low));
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Ticks, at most about `count` of them.
    pub(super) fn ticks(&self, count: usize) -> Vec<Tick> {
        let values = match self.kind {
            Kind::Linear => self.linear_ticks(count),
            Kind::Log => self.log_ticks(count),
            Kind::Percentile => [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999_999]
                .into_iter()
                .filter(|share| (self.low..=self.high).contains(share))
                .collect(),
        };
        values
            .into_iter()
            .map(|value| value * self.unit)
            .map(|value| Tick { at: self.position(value), value })
            .collect()
    }

    pub(super) fn is_log(&self) -> bool {
        self.kind == Kind::Log
    }

    fn transform(&self, value: f64) -> f64 {
        match self.kind {
            Kind::Linear => value,
            Kind::Log => value.max(self.low).ln(),
            Kind::Percentile => -(1.0 - value.clamp(0.0, self.high)).ln(),
        }
    }

    fn linear_ticks(&self, count: usize) -> Vec<f64> {
        let mut step = step(self.high);
        #[allow(clippy::cast_precision_loss, reason = "a handful of ticks")]
        while self.high / step > count.max(1) as f64 {
            step = wider(step);
        }
        let mut values = Vec::new();
        let mut index = 0_u32;
        while f64::from(index) * step <= self.high * 1.000_001 {
            values.push(f64::from(index) * step);
            index += 1;
        }
        values
    }

    fn log_ticks(&self, count: usize) -> Vec<f64> {
        let inside = |value: &f64| *value >= self.low * 0.999_999 && *value <= self.high * 1.000_001;
        #[allow(clippy::cast_possible_truncation, reason = "an exponent of ten")]
        let decades = || (self.low.log10().floor() as i32)..=(self.high.log10().ceil() as i32);
        let of = |digits: &'static [f64]| -> Vec<f64> {
            let all =
                decades().flat_map(|exponent| digits.iter().map(move |digit| digit * 10_f64.powi(exponent)));
            all.filter(inside).collect()
        };
        for digits in [&[1.0, 2.0, 5.0][..], &[1.0, 3.0], &[1.0]] {
            let values = of(digits);
            if values.len() <= count {
                return values;
            }
        }
        let values = of(&[1.0]);
        let every = values.len().div_ceil(count.max(1));
        values.into_iter().step_by(every).collect()
    }
}

/// The round distance between ticks for values up to `high`: a fifth of it or less, and 1, 2 or 5
/// times a power of ten.
fn step(high: f64) -> f64 {
    let rough = high / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    let digit = [5.0, 2.0, 1.0].into_iter().find(|digit| digit * power <= rough * 1.000_001);
    digit.unwrap_or(1.0) * power
}

/// The next wider round distance.
fn wider(step: f64) -> f64 {
    let power = 10_f64.powf((step.log10() + 1e-9).floor());
    match step / power {
        digit if digit < 1.5 => 2.0 * power,
        digit if digit < 3.5 => 5.0 * power,
        _ => 10.0 * power,
    }
}

/// The nearest values of 1, 2 or 5 times a power of ten around an interval, at least a factor of
/// four apart.
fn round_out(low: f64, high: f64) -> (f64, f64) {
    let below = |value: f64| {
        let power = 10_f64.powf((value.log10() + 1e-9).floor());
        let digit = [5.0, 2.0, 1.0].into_iter().find(|digit| digit * power <= value * 1.000_001);
        digit.unwrap_or(1.0) * power
    };
    let above = |value: f64| {
        let power = 10_f64.powf((value.log10() + 1e-9).floor());
        let digit = [1.0, 2.0, 5.0].into_iter().find(|digit| digit * power >= value * 0.999_999);
        digit.unwrap_or(10.0) * power
    };
    let (low, high) = (below(low), above(high));
    if high < low * 4.0 { (below(low / 2.0), above(high * 2.0)) } else { (low, high) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(scale: &Scale, count: usize) -> Vec<f64> {
        scale.ticks(count).into_iter().map(|tick| tick.value).collect()
    }

    fn about(left: &[f64], right: &[f64]) {
        let close = |(l, r): (&f64, &f64)| (l - r).abs() <= 1e-9 * r.abs().max(1.0);
        assert!(left.len() == right.len() && left.iter().zip(right).all(close), "{left:?} is not {right:?}");
    }

    #[test]
    fn linear_scales_start_at_zero() {
        let scale = Scale::covering(Kind::Linear, [40.0, 95.0], 100.0, 300.0).unwrap();
        about(
            &[scale.position(0.0), scale.position(50.0), scale.position(100.0), scale.position(900.0)],
            &[100.0, 200.0, 300.0, 300.0],
        );
        about(&values(&scale, 5), &[0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        about(&values(&scale, 3), &[0.0, 50.0, 100.0]);
    }

    #[test]
    fn equal_ratios_have_equal_distances() {
        let scale = Scale::covering(Kind::Log, [0.0, 12.0, 4_000.0], 0.0, 300.0).unwrap();
        assert!(
            (scale.position(100.0)
                - scale.position(10.0)
                - (scale.position(1_000.0) - scale.position(100.0)))
            .abs()
                < 1e-9
        );
        about(&[scale.position(10.0), scale.position(5_000.0), scale.position(0.0)], &[0.0, 300.0, 0.0]);
        about(&values(&scale, 9), &[10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3]);
        about(&values(&scale, 6), &[10.0, 30.0, 100.0, 300.0, 1e3, 3e3]);
        about(&values(&scale, 3), &[10.0, 100.0, 1e3]);
    }

    #[test]
    fn a_log_scale_has_room_around_a_single_value() {
        let scale = Scale::covering(Kind::Log, [70.0], 0.0, 1.0).unwrap();
        assert!(scale.position(70.0) > 0.1 && scale.position(70.0) < 0.9, "{scale:?}");
        assert!(values(&scale, 5).len() >= 2);
    }

    #[test]
    fn a_sweep_ends_at_its_points() {
        let scale = Scale::covering_exactly(Kind::Log, [1.0, 16.0, 512.0], 10.0, 20.0).unwrap();
        about(&[scale.position(1.0), scale.position(512.0)], &[10.0, 20.0]);
        assert_eq!(Scale::covering_exactly(Kind::Log, [0.0], 0.0, 1.0), None);
        about(&[Scale::covering_exactly(Kind::Log, [8.0], 0.0, 1.0).unwrap().position(8.0)], &[0.5]);
    }

    #[test]
    fn each_further_nine_is_equally_wide() {
        let scale = Scale::covering(Kind::Percentile, [0.0, 0.999], 0.0, 300.0).unwrap();
        about(
            &[scale.position(0.0), scale.position(0.9), scale.position(0.99), scale.position(0.999)],
            &[0.0, 100.0, 200.0, 300.0],
        );
        about(&values(&scale, 9), &[0.0, 0.5, 0.9, 0.99, 0.999]);
    }

    #[test]
    fn memory_ticks_are_round_in_powers_of_1024() {
        let scale = Scale::in_unit(1024.0, Kind::Linear, [10_240.0], 0.0, 100.0).unwrap();
        about(&values(&scale, 6), &[0.0, 2048.0, 4096.0, 6144.0, 8192.0, 10240.0]);
        about(&[scale.position(5120.0)], &[50.0]);
    }

    #[test]
    fn without_values_there_is_no_scale() {
        assert_eq!(Scale::covering(Kind::Linear, [], 0.0, 1.0), None);
        assert_eq!(Scale::covering(Kind::Log, [0.0, f64::NAN], 0.0, 1.0), None);
        assert!(Scale::covering(Kind::Linear, [0.0], 0.0, 1.0).is_some());
    }

    #[test]
    fn ticks_stay_inside_and_are_never_too_many() {
        for exponent in -9..12 {
            for digit in [1.0, 1.7, 3.3, 4.99, 9.999] {
                let high = digit * 10_f64.powi(exponent);
                for kind in [Kind::Linear, Kind::Log] {
                    let scale = Scale::covering(kind, [high / 300.0, high], 0.0, 100.0).unwrap();
                    for count in [2, 4, 7] {
                        let ticks = scale.ticks(count);
                        assert!(ticks.len() <= count + 1 && !ticks.is_empty(), "{kind:?} {high} {ticks:?}");
                        assert!(ticks.windows(2).all(|pair| pair[0].at < pair[1].at));
                        assert!(ticks.iter().all(|tick| (0.0..=100.0).contains(&tick.at)));
                    }
                }
            }
        }
    }
}
