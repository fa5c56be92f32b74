//! Durations and sizes: parsing, and what a wrong spelling probably means. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use toml::de::DeValue;

use super::suggest::nearest;
use super::value::{Invalid, Value};

/// The unit that a number without unit probably has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Seconds; a number above 600 probably means milliseconds.
    Seconds,
    /// Minutes; a number above 240 probably means seconds.
    Minutes,
    /// Hours; a number above 336 probably means seconds.
    Hours,
    /// Days; a number above 3650 probably means seconds.
    Days,
}

const DURATION_HELP: &str =
    "write a number and a unit: \"45s\", \"30m\", \"1h 30m\", \"2d\", \"1w\"";
const SIZE_HELP: &str = "write a number and a unit: \"512 KiB\", \"10 MiB\", \"1 GB\"";
/// Names of units, for suggestions.
const TIME_UNITS: &[&str] = &[
    "second", "seconds", "sec", "minute", "minutes", "min", "hour", "hours", "day", "days", "week",
    "weeks",
];
const SIZE_UNITS: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
];

/// Parses `30m`, `1h 30m`, `2d`. Months and years have no fixed length.
pub(super) fn duration(text: &str, unit: Unit) -> Result<Duration, Invalid> {
    let invalid = |message: String, help: &str| {
        Invalid::new("bad_duration", message, help).meant(meant_duration(text, unit))
    };
    let Ok(span) = text.trim().parse::<Span>() else {
        return Err(invalid(format!("{text:?} is not a duration"), DURATION_HELP));
    };
    if span.get_years() != 0 || span.get_months() != 0 {
        let help = "months and years differ in length; write days";
        return Err(invalid(format!("{text:?} has no fixed length"), help));
    }
    let days = SpanRelativeTo::days_are_24_hours();
    let duration = span.to_duration(days).ok();
    duration
        .and_then(|duration: SignedDuration| Duration::try_from(duration).ok())
        .ok_or_else(|| invalid(format!("{text:?} is negative"), DURATION_HELP))
}

/// A duration that is not zero.
pub(super) fn positive(text: &str, unit: Unit) -> Result<Duration, Invalid> {
    let duration = duration(text, unit)?;
    match duration.is_zero() {
        true => Err(Invalid::new("bad_duration", format!("{text:?} is zero"), DURATION_HELP)),
        false => Ok(duration),
    }
}

/// An interval: a duration, or `"auto"`.
pub(super) fn interval(text: &str) -> Result<Value, Invalid> {
    let word = text.trim().to_lowercase();
    if text.trim() == "auto" {
        return Ok(Value::of(Auto));
    }
    positive(text, Unit::Minutes).map(Value::of).map_err(|invalid| {
        let help = format!("{}, or \"auto\"", invalid.help);
        let invalid = Invalid { help, ..invalid };
        let auto = nearest(&word, ["auto", "automatic", "learned"].into_iter());
        let auto = auto.filter(|_| invalid.suggestion.is_none()).map(|_| "auto");
        invalid.meant(auto)
    })
}

/// The value `"auto"` of `interval`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Auto;

/// A duration as the config has it, without quotes.
pub(super) fn spelled(duration: Duration) -> String {
    format!("{:#}", SignedDuration::try_from(duration).unwrap_or_default())
}

/// A number at the beginning of a text, and what follows; a comma is a decimal point.
fn number(text: &str) -> Option<(f64, String)> {
    let text = text.trim().to_lowercase().replace(',', ".").replace('_', "");
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number =
        text[..end].parse::<f64>().ok().filter(|number| *number > 0.0 && *number < 1e15)?;
    Some((number, text[end..].trim().to_owned()))
}

/// The duration that a wrong text probably means.
fn meant_duration(text: &str, unit: Unit) -> Option<String> {
    let lower = text.trim().to_lowercase();
    match lower.trim_start_matches("every ") {
        "hourly" | "hour" => return Some("1h".to_owned()),
        "daily" | "day" => return Some("1d".to_owned()),
        "weekly" | "week" => return Some("1w".to_owned()),
        "monthly" | "month" => return Some("30d".to_owned()),
        _ => {}
    }
    let (number, rest) = number(&lower)?;
    match rest.as_str() {
        "" => return unitless_duration(number, unit),
        "mo" | "mon" | "month" | "months" => return Some(format!("{}d", number * 30.0)),
        "y" | "yr" | "yrs" | "year" | "years" => return Some(format!("{}d", number * 365.0)),
        _ => {}
    }
    // "1h30": the unit of the last number is missing.
    let next = rest.chars().rev().find(char::is_ascii_alphabetic).and_then(|last| match last {
        'd' => Some("h"),
        'h' => Some("m"),
        'm' => Some("s"),
        _ => None,
    });
    if let Some(next) = next.filter(|_| rest.ends_with(|c: char| c.is_ascii_digit())) {
        let meant = format!("{}{next}", lower.replace(',', "."));
        return duration(&meant, unit).is_ok().then_some(meant);
    }
    let near = nearest(&rest, TIME_UNITS.iter().copied()).filter(|_| rest.len() > 1);
    near.map(|unit| format!("{number} {unit}")).or_else(|| {
        let single = matches!(rest.as_str(), "s" | "m" | "h" | "d" | "w" | "ms");
        single.then(|| format!("{number}{rest}"))
    })
}

/// The number of a value that is one.
pub(super) fn number_of(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(number) => number.as_str().replace('_', "").parse().ok(),
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    }
}

/// The duration that a number without quotes and unit probably means.
pub(super) fn bare_duration(value: &DeValue<'_>, unit: Unit) -> Option<String> {
    unitless_duration(number_of(value)?, unit)
}

/// The size that a number without quotes and unit probably means.
pub(super) fn bare_size(value: &DeValue<'_>) -> Option<String> {
    number_of(value).filter(|number| *number > 0.0).and_then(unitless_size)
}

/// The duration that a number without unit probably means; `None`: no number above zero.
fn unitless_duration(number: f64, unit: Unit) -> Option<String> {
    let (limit, small, large) = match unit {
        Unit::Seconds => (600.0, "s", "ms"),
        Unit::Minutes => (240.0, "m", "s"),
        Unit::Hours => (336.0, "h", "s"),
        Unit::Days => (3650.0, "d", "s"),
    };
    let unit = if number <= limit { small } else { large };
    (number > 0.0).then(|| format!("{number}{unit}"))
}

/// Parses `10 MiB`, `500 kB`; returns bytes, at least 1.
pub(super) fn size(text: &str) -> Result<u64, Invalid> {
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(end);
    let unit = SIZE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()));
    let bytes =
        number.parse::<u64>().ok().zip(unit).and_then(|(n, (_, unit))| n.checked_mul(*unit));
    bytes.filter(|bytes| *bytes > 0).ok_or_else(|| {
        let message = format!("{text:?} is not a size");
        Invalid::new("bad_size", message, SIZE_HELP).meant(meant_size(text))
    })
}

/// Parses `5 MB/day`. Returns the bytes per day.
pub(super) fn rate(text: &str) -> Result<u64, Invalid> {
    const HELP: &str = "write a size and a day: \"500 kB/day\", \"5 MB/day\"";
    let invalid = || Invalid::new("bad_size", format!("{text:?} is not a size per day"), HELP);
    match text.split_once('/') {
        Some((amount, per)) if matches!(per.trim(), "day" | "d") => {
            let meant = |error: Invalid| error.suggestion.map(|size| format!("{size}/day"));
            size(amount).map_err(|error| invalid().meant(meant(error)))
        }
        None if size(text).is_ok() => Err(invalid().meant(Some(format!("{}/day", text.trim())))),
        _ => Err(invalid()),
    }
}

/// The size that a wrong text probably means: "10M" is "10 MiB".
fn meant_size(text: &str) -> Option<String> {
    let (number, rest) = number(text)?;
    let unit = rest.trim_end_matches("/s").replace([' ', '.'], "");
    if unit.is_empty() {
        return unitless_size(number);
    }
    let unit = if unit.len() > 2 { unit.trim_end_matches('s') } else { &unit };
    if ["byte", "octet", "o"].contains(&unit) {
        return Some(format!("{number} B"));
    }
    for (letter, decimal, binary) in
        [("k", "kilo", "kibi"), ("m", "mega", "mebi"), ("g", "giga", "gibi"), ("t", "tera", "tebi")]
    {
        let is = |prefix: &str, ends: &[&str]| {
            unit.strip_prefix(prefix).is_some_and(|end| ends.contains(&end))
        };
        let index = ["", "k", "m", "g", "t"].iter().position(|known| *known == letter)?;
        if is(letter, &["", "i", "ib", "ibyte"]) || is(binary, &["", "b", "byte"]) {
            return scaled(number, index, 1024.0, &["B", "KiB", "MiB", "GiB"]);
        }
        if is(letter, &["b", "o", "byte", "eg"]) || is(decimal, &["", "b", "byte", "octet"]) {
            return scaled(number, index, 1000.0, &["B", "kB", "MB", "GB"]);
        }
    }
    let names: Vec<String> = SIZE_UNITS.iter().map(|(name, _)| name.to_lowercase()).collect();
    let near = nearest(unit, names.iter().map(String::as_str)).filter(|_| unit.len() > 1)?;
    let (name, _) = SIZE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(near))?;
    Some(format!("{number} {name}"))
}

/// The number in a unit in which it is whole: 1.5 MiB is 1536 KiB, 1 TiB is 1024 GiB.
fn scaled(mut number: f64, mut index: usize, base: f64, units: &[&str; 4]) -> Option<String> {
    while index > 0 && (index >= units.len() || number.fract() != 0.0) {
        number *= base;
        index -= 1;
    }
    let number = number.round();
    (1.0..1e15).contains(&number).then(|| format!("{number} {}", units[index]))
}

/// The size that a number without unit probably means: up to 1023 MiB, and above bytes.
fn unitless_size(number: f64) -> Option<String> {
    if number < 1024.0 {
        return scaled(number, 2, 1024.0, &["B", "KiB", "MiB", "GiB"]);
    }
    let bytes = number as u64;
    let whole = |(_, unit): &&(&str, u64)| bytes.is_multiple_of(*unit);
    let (name, unit) = SIZE_UNITS[..5].iter().rev().find(whole)?;
    Some(format!("{} {name}", bytes / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_size_per_day() {
        assert_eq!(rate("5 MB/day").unwrap(), 5_000_000);
        assert_eq!(rate("1KiB / d").unwrap(), 1024);
        assert_eq!(rate("5 MB").unwrap_err().suggestion.as_deref(), Some("5 MB/day"));
        assert_eq!(rate("5M/day").unwrap_err().suggestion.as_deref(), Some("5 MiB/day"));
        for text in ["", "5 MB/hour", "/day", "0 MB/day"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
