//! How numbers are written.

use super::Unit;

const KIB: f64 = 1024.0;

impl Unit {
    /// `value` as a person writes it, with its unit: three digits say enough.
    pub fn show(self, value: f64) -> String {
        match self {
            Unit::Number => number(value),
            Unit::Percent => format!("{} %", number(value)),
            Unit::Bytes => bytes(value),
            Unit::BytesPerSecond => format!("{}/s", bytes(value)),
            Unit::BitsPerSecond => bits(value),
            Unit::Millis => time(value / 1000.0),
            Unit::Micros => time(value / 1_000_000.0),
        }
    }

    /// True if its numbers grow by factors of two rather than ten.
    pub fn is_binary(self) -> bool {
        matches!(self, Unit::Bytes | Unit::BytesPerSecond)
    }
}

fn bytes(value: f64) -> String {
    let (mut value, mut names) = (value, ["B", "KiB", "MiB", "GiB", "TiB"].iter());
    let mut name = names.next().expect("a first name");
    for larger in names {
        // Rounded, it would be written as 1024 of the smaller unit.
        if value.abs() < KIB - 0.5 {
            break;
        }
        value /= KIB;
        name = larger;
    }
    format!("{} {name}", digits(value))
}

fn bits(value: f64) -> String {
    let (value, name) = match value.abs() {
        small if small < 999.5 => (value, "b/s"),
        some if some < 999_500.0 => (value / 1e3, "kb/s"),
        more if more < 999_500_000.0 => (value / 1e6, "Mb/s"),
        _ => (value / 1e9, "Gb/s"),
    };
    format!("{} {name}", digits(value))
}

fn time(seconds: f64) -> String {
    match seconds.abs() {
        0.0 => "0".into(),
        small if small < 0.000_999_5 => format!("{} µs", digits(seconds * 1_000_000.0)),
        less if less < 0.999_5 => format!("{} ms", digits(seconds * 1000.0)),
        some if some < 600.0 => format!("{} s", digits(seconds)),
        _ => format!("{} min", digits(seconds / 60.0)),
    }
}

fn number(value: f64) -> String {
    if value.abs() < 1000.0 {
        return digits(value);
    }
    let whole = format!("{:.0}", value.abs());
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three digits, without zeroes that say nothing.
fn digits(value: f64) -> String {
    let places = match value.abs() {
        large if large >= 99.95 => 0,
        middle if middle >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{value:.places$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_a_person_would() {
        let shown: Vec<String> = [
            (Unit::Bytes, 0.0),
            (Unit::Bytes, 1023.0),
            (Unit::Bytes, 1024.0),
            (Unit::Bytes, 1_048_576.0),
            (Unit::Bytes, 1_048_000.0),
            (Unit::Bytes, 5_400_000.0),
            (Unit::BytesPerSecond, 1536.0),
            (Unit::BitsPerSecond, 640.0),
            (Unit::BitsPerSecond, 18_240_000.0),
            (Unit::BitsPerSecond, 999_600_000.0),
            (Unit::Millis, 0.0),
            (Unit::Millis, 0.25),
            (Unit::Millis, 250.0),
            (Unit::Millis, 2500.0),
            (Unit::Millis, 60_000.0),
            (Unit::Millis, 900_000.0),
            (Unit::Number, 12.0),
            (Unit::Number, 0.333_33),
            (Unit::Number, 1_234_567.0),
            (Unit::Percent, 12.5),
        ]
        .map(|(unit, value)| unit.show(value))
        .to_vec();
        let wanted = [
            "0 B",
            "1023 B",
            "1 KiB",
            "1 MiB",
            "1023 KiB",
            "5.15 MiB",
            "1.5 KiB/s",
            "640 b/s",
            "18.2 Mb/s",
            "1 Gb/s",
            "0",
            "250 µs",
            "250 ms",
            "2.5 s",
            "60 s",
            "15 min",
            "12",
            "0.33",
            "1,234,567",
            "12.5 %",
        ];
        assert_eq!(shown, wanted);
    }
}
