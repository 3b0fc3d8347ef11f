//! From numbers to places, and where the ticks are.

use crate::data::Axis;

/// An axis on the page.
pub(super) struct Scale {
    /// The numbers that get a tick, in order.
    pub(super) ticks: Vec<f64>,
    log: bool,
    /// The numbers at both ends, and their places.
    from: (f64, f64),
    to: (f64, f64),
}

impl Scale {
    /// A scale for `values`, with about `count` ticks. Places are still to be set, with [`Scale::between`]. If it is
    /// `tight` it ends with the values and not at a tick.
    pub(super) fn new(axis: &Axis, values: impl Iterator<Item = f64>, count: usize, tight: bool) -> Scale {
        let (low, high) =
            values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        let ticks = if axis.log { powers(axis, low, high, count) } else { multiples(axis, low, high, count) };
        let (mut first, mut last) = (ticks[0], ticks[ticks.len() - 1]);
        if tight {
            last = high.max(first + (last - first) * 0.01);
            first = if axis.log { low.min(last / 2.0) } else { first };
        }
        let ticks = ticks.into_iter().filter(|tick| (first..=last).contains(tick)).collect();
        Scale { ticks, log: axis.log, from: (first, 0.0), to: (last, 1.0) }
    }

    /// The same scale from one place to another.
    pub(super) fn between(mut self, from: f64, to: f64) -> Scale {
        self.from.1 = from;
        self.to.1 = to;
        self
    }

    /// The place of a number.
    pub(super) fn at(&self, value: f64) -> f64 {
        let measure = |value: f64| if self.log { value.log2() } else { value };
        let span = measure(self.to.0) - measure(self.from.0);
        let part = (measure(value) - measure(self.from.0)) / span;
        self.from.1 + (self.to.1 - self.from.1) * part.clamp(0.0, 1.0)
    }

    /// True if a number lies within the scale.
    pub(super) fn covers(&self, value: f64) -> bool {
        (self.from.0..=self.to.0).contains(&value)
    }
}

/// Multiples of a round number. They begin at zero, unless all values are far from it.
fn multiples(axis: &Axis, low: f64, high: f64, count: usize) -> Vec<f64> {
    let low = if low >= 0.0 && low <= high * 0.4 { 0.0 } else { low };
    let span = if high > low { high - low } else { high.abs().max(1.0) };
    let raw = span / count as f64;
    let step = if axis.unit.is_binary() {
        2f64.powf(raw.max(1.0).log2().ceil())
    } else {
        let ten = 10f64.powf(raw.log10().floor());
        let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * ten >= raw * 0.999);
        ten * factor.unwrap_or(10.0)
    };
    let (from, to) = ((low / step).floor() as i64, (high / step - 1e-9).ceil() as i64);
    (from..=to.max(from + 1)).map(|place| place as f64 * step).collect()
}

/// Powers of two or ten, at equal distances.
fn powers(axis: &Axis, low: f64, high: f64, count: usize) -> Vec<f64> {
    let base: f64 = if axis.unit.is_binary() { 2.0 } else { 10.0 };
    let power = |value: f64| value.log2() / base.log2();
    let (from, to) = (power(low).floor() as i32, power(high).ceil() as i32);
    let to = to.max(from + 1);
    let stride = ((to - from) as usize).div_ceil(count).max(1);
    let ticks = (to - from) as usize;
    (0..=ticks.div_ceil(stride)).map(|place| base.powi(from + (place * stride) as i32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Unit;

    fn ticks(axis: &Axis, values: &[f64]) -> Vec<f64> {
        Scale::new(axis, values.iter().copied(), 5, false).ticks
    }

    #[test]
    fn ticks_are_round_numbers() {
        let plain = Axis::new("", Unit::Number);
        assert_eq!(ticks(&plain, &[1.0, 10.0]), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(&plain, &[90.0, 100.0]), [90.0, 92.0, 94.0, 96.0, 98.0, 100.0]);
        assert_eq!(ticks(&plain, &[0.0]), [0.0, 0.2]);
        let bytes = Axis::new("", Unit::Bytes);
        assert_eq!(ticks(&bytes, &[0.0, 4096.0]), [0.0, 1024.0, 2048.0, 3072.0, 4096.0]);
        let log = Axis::log("", Unit::Bytes);
        assert_eq!(ticks(&log, &[1024.0, 65536.0]), [1024.0, 4096.0, 16384.0, 65536.0]);
        assert_eq!(ticks(&Axis::log("", Unit::Millis), &[3.0, 400.0]), [1.0, 10.0, 100.0, 1000.0]);
    }

    #[test]
    fn places_follow_the_numbers() {
        let scale =
            Scale::new(&Axis::new("", Unit::Number), [0.0, 8.0].into_iter(), 5, true).between(100.0, 20.0);
        assert_eq!([0.0, 4.0, 8.0].map(|value| scale.at(value)), [100.0, 60.0, 20.0]);
        let scale =
            Scale::new(&Axis::log("", Unit::Bytes), [1.0, 16.0].into_iter(), 5, true).between(0.0, 4.0);
        assert_eq!([1.0, 2.0, 16.0].map(|value| scale.at(value)), [0.0, 1.0, 4.0]);
    }
}
