//! How single values are read. The texts are the ones that Redis puts behind the name of the directive.

use core_types::LogLevel;

/// The texts of Redis's `config.c`.
pub(super) const WRONG_NUMBER: &str = "wrong number of arguments";
const NOT_YES_OR_NO: &str = "argument must be 'yes' or 'no'";
const NOT_AN_INTEGER: &str = "argument couldn't be parsed into an integer";
const NOT_A_MEMORY_VALUE: &str = "argument must be a memory value";
const NOT_A_LEVEL: &str = "argument(s) must be one of the following: debug, verbose, notice, warning";

pub(super) fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        _ if text.eq_ignore_ascii_case("yes") => Ok(true),
        _ if text.eq_ignore_ascii_case("no") => Ok(false),
        _ => Err(NOT_YES_OR_NO.into()),
    }
}

pub(super) fn show_yes_or_no(value: bool) -> String {
    if value { "yes" } else { "no" }.into()
}

/// Only the shortest way to write a number counts as one: no `+1`, no `01`, no blanks.
pub(super) fn integer(text: &str) -> Result<i64, String> {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => Ok(number),
        _ => Err(NOT_AN_INTEGER.into()),
    }
}

/// A number of bytes with an optional unit: `k` is 1000, `kb` is 1024, and so on up to `gb`. What does
/// not fit into 64 bits becomes the largest number that does, and then fails the check of its range.
pub(super) fn memory(text: &str) -> Result<i64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return Err(NOT_A_MEMORY_VALUE.into()),
    };
    if number.is_empty() {
        return Err(NOT_A_MEMORY_VALUE.into());
    }
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    // -1 is in no directive's range.
    Ok(bytes.and_then(|bytes| i64::try_from(bytes).ok()).unwrap_or(-1))
}

pub(super) fn in_range(number: i64, min: i64, max: i64) -> Result<i64, String> {
    if (min..=max).contains(&number) {
        Ok(number)
    } else {
        Err(format!("argument must be between {min} and {max} inclusive"))
    }
}

/// One of `words`, in any mixture of upper and lower case.
pub(super) fn one_of(text: &str, words: &'static [&'static str]) -> Result<&'static str, String> {
    let found = words.iter().find(|word| text.eq_ignore_ascii_case(word));
    found.copied().ok_or_else(|| format!("argument(s) must be one of the following: {}", words.join(", ")))
}

pub(super) fn level(text: &str) -> Result<LogLevel, String> {
    const LEVELS: [LogLevel; 4] = [LogLevel::Debug, LogLevel::Verbose, LogLevel::Notice, LogLevel::Warning];
    let found = LEVELS.into_iter().find(|level| text.eq_ignore_ascii_case(show_level(*level)));
    found.ok_or_else(|| NOT_A_LEVEL.into())
}

pub(super) fn show_level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Verbose => "verbose",
        LogLevel::Notice => "notice",
        LogLevel::Warning => "warning",
    }
}

/// `900 1 300 10`: pairs of seconds and changes; a single empty word clears them.
pub(super) fn save_points(words: &[&str]) -> Result<Vec<(u64, u64)>, String> {
    const INVALID: &str = "Invalid save parameters";
    if words == [""] {
        return Ok(Vec::new());
    }
    if words.is_empty() || !words.len().is_multiple_of(2) {
        return Err(INVALID.into());
    }
    let number = |text: &str, min: u64| text.parse::<u64>().ok().filter(|number| *number >= min);
    words
        .chunks(2)
        .map(|pair| number(pair[0], 1).zip(number(pair[1], 0)).ok_or_else(|| INVALID.to_owned()))
        .collect()
}
