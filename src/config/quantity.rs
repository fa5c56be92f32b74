//! Durations and sizes: parsing, and what a wrong spelling probably means. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};

use super::suggest::nearest;
use super::value::{Invalid, Value};
use crate::text::quoted::in_quotes;

/// The unit that a number without unit probably has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Seconds; a number above 600 probably means milliseconds.
    Seconds,
    /// Minutes; a number above 240 probably means seconds, and one below 5 hours.
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
        let why = if is_too_long(text) { "too long" } else { "not a duration" };
        return Err(invalid(format!("{text} is {why}", text = in_quotes(text)), DURATION_HELP));
    };
    if span.get_years() != 0 || span.get_months() != 0 {
        let help = "months and years differ in length; write days";
        return Err(invalid(format!("{text} has no fixed length", text = in_quotes(text)), help));
    }
    fixed(span).ok_or_else(|| {
        invalid(format!("{text} is negative", text = in_quotes(text)), DURATION_HELP)
    })
}

/// The length of a span without months and years; `None`: it is negative.
fn fixed(span: Span) -> Option<Duration> {
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok();
    duration.and_then(|duration: SignedDuration| Duration::try_from(duration).ok())
}

/// Whether the text would be a duration with a smaller number.
fn is_too_long(text: &str) -> bool {
    let digits = text.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let unit = &text.trim()[digits.len()..];
    let is_number = digits.len() > 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number && format!("1{unit}").parse::<Span>().is_ok()
}

/// A duration that is not zero.
pub(super) fn positive(text: &str, unit: Unit) -> Result<Duration, Invalid> {
    let duration = duration(text, unit)?;
    match duration.is_zero() {
        true => Err(Invalid::new(
            "bad_duration",
            format!("{text} is zero", text = in_quotes(text)),
            DURATION_HELP,
        )),
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

/// A number at the beginning of a text, and what follows. A comma before three digits separates thousands; another one
/// is a decimal point.
fn number(text: &str) -> Option<(f64, String)> {
    let text = text.trim().trim_start_matches('+').replace('_', "");
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',');
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    let mut groups = digits.split(',');
    let first = groups.next().unwrap_or_default();
    let are_thousands = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    let digits = digits.replace(',', if are_thousands { "" } else { "." });
    let number = digits.parse::<f64>().ok().filter(|number| *number > 0.0 && *number < 1e15)?;
    Some((number, rest.trim().to_owned()))
}

/// The duration that a wrong text probably means.
fn meant_duration(text: &str, unit: Unit) -> Option<String> {
    let is_duration = |text: &String| text.parse::<Span>().ok().and_then(fixed).is_some();
    similar_duration(text, unit).filter(is_duration)
}

fn similar_duration(text: &str, unit: Unit) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("every ").or(text.strip_prefix("Every ")).unwrap_or(text);
    let lower = text.to_lowercase();
    match lower.as_str() {
        "hourly" | "hour" => return Some("1h".to_owned()),
        "daily" | "day" => return Some("1d".to_owned()),
        "weekly" | "week" => return Some("1w".to_owned()),
        "monthly" | "month" => return Some("30d".to_owned()),
        _ => {}
    }
    let joined = lower.replace(" and ", " ").replace(" & ", " ");
    if joined != lower && joined.parse::<Span>().is_ok() {
        return Some(joined);
    }
    let (number, rest) = number(text)?;
    let lower_rest = rest.to_lowercase();
    match lower_rest.as_str() {
        "" => return unitless_duration(number, unit),
        // Elsewhere "m" means minutes and "M" months.
        "m" if rest == "M" && matches!(unit, Unit::Days) => return in_unit(number * 30.0, "d"),
        "mo" | "mon" | "month" | "months" => return in_unit(number * 30.0, "d"),
        "y" | "yr" | "yrs" | "year" | "years" => return in_unit(number * 365.0, "d"),
        _ => {}
    }
    // "1h30": the unit of the last number is missing.
    let last = lower_rest.chars().rev().find(char::is_ascii_alphabetic);
    let next = last.and_then(|last| match last {
        'd' => Some("h"),
        'h' => Some("m"),
        'm' => Some("s"),
        _ => None,
    });
    if let Some(next) = next.filter(|_| rest.ends_with(|c: char| c.is_ascii_digit())) {
        let meant = format!("{}{next}", lower.replace(',', "."));
        return meant.parse::<Span>().is_ok().then_some(meant);
    }
    if rest.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let near = nearest(&lower_rest, TIME_UNITS.iter().copied()).filter(|_| rest.len() > 1);
    let single = matches!(lower_rest.as_str(), "s" | "m" | "h" | "d" | "w" | "ms");
    in_unit(number, near.or(single.then_some(&lower_rest))?)
}

/// A number with its unit; in smaller units where a fraction of this one is no duration.
fn in_unit(number: f64, unit: &str) -> Option<String> {
    let space = if unit.len() > 2 { " " } else { "" };
    let written = format!("{number}{space}{unit}");
    if number.fract() == 0.0 || written.parse::<Span>().is_ok() {
        return Some(written);
    }
    let one = fixed(format!("1{unit}").parse().ok()?)?;
    let millis = number * one.as_secs_f64() * 1000.0;
    Some(spelled(Duration::from_millis(millis.round() as u64)))
}

/// The duration that a number without unit probably means; `None`: no number above zero.
fn unitless_duration(number: f64, unit: Unit) -> Option<String> {
    let (limit, small, large) = match unit {
        Unit::Seconds => (600.0, "s", "ms"),
        // No interval is shorter than five minutes.
        Unit::Minutes if number < 5.0 => (240.0, "h", "s"),
        Unit::Minutes => (240.0, "m", "s"),
        Unit::Hours => (336.0, "h", "s"),
        Unit::Days => (3650.0, "d", "s"),
    };
    (number > 0.0).then(|| in_unit(number, if number <= limit { small } else { large }))?
}

/// Parses `10 MiB`, `500 kB`; returns bytes, at least 1.
pub(super) fn size(text: &str) -> Result<u64, Invalid> {
    bytes(text).ok_or_else(|| {
        let (number, unit) = parts(text);
        let is_large = unit.is_some() && number.trim_start_matches('0').len() > 6;
        let why = if is_large { "too large" } else { "not a size" };
        let message = format!("{text} is {why}", text = in_quotes(text));
        let meant = meant_size(text).filter(|meant| bytes(meant).is_some());
        Invalid::new("bad_size", message, SIZE_HELP).meant(meant)
    })
}

/// The digits of a size, and the number of bytes of its unit if it is one.
fn parts(text: &str) -> (&str, Option<u64>) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let known = SIZE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()));
    (digits, known.map(|(_, bytes)| *bytes))
}

/// The number of bytes of a size; `None`: the text is not a size, or the size is zero or too large.
fn bytes(text: &str) -> Option<u64> {
    let (digits, unit) = parts(text);
    let bytes = digits.parse::<u64>().ok()?.checked_mul(unit?)?;
    (bytes > 0).then_some(bytes)
}

/// Parses `5 MB/day`. Returns the bytes per day.
pub(super) fn rate(text: &str) -> Result<u64, Invalid> {
    const HELP: &str = "write a size and a day: \"500 kB/day\", \"5 MB/day\"";
    let invalid = || {
        Invalid::new(
            "bad_size",
            format!("{text} is not a size per day", text = in_quotes(text)),
            HELP,
        )
    };
    match text.split_once('/') {
        Some((amount, per)) if matches!(per.trim(), "day" | "d") => {
            let meant = |error: Invalid| error.suggestion.map(|size| format!("{size}/day"));
            size(amount).map_err(|error| invalid().meant(meant(error)))
        }
        Some(_) => Err(invalid()),
        None => {
            let meant = size(text).map_or_else(|error| error.suggestion, |_| Some(text.to_owned()));
            Err(invalid().meant(meant.map(|size| format!("{}/day", size.trim()))))
        }
    }
}

/// The size that a wrong text probably means: "10M" is "10 MiB".
fn meant_size(text: &str) -> Option<String> {
    let (number, rest) = number(text)?;
    let unit = rest.to_lowercase().trim_end_matches("/s").replace([' ', '.'], "");
    if unit.is_empty() {
        return unitless_size(number);
    }
    // Petabytes are not meant here, and a number of bits is not a size.
    let is_huge = unit.starts_with(['p', 'e', 'z', 'y']);
    if is_huge || unit.contains(|c: char| c.is_ascii_digit()) || unit.contains("bit") {
        return None;
    }
    let unit = if unit.len() > 2 { unit.trim_end_matches('s') } else { &unit };
    if ["byte", "octet", "o"].contains(&unit) {
        return scaled(number, 0, 1.0, &["B", "B", "B", "B"]);
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
    let near = nearest(unit, names.iter().map(String::as_str)).filter(|_| unit.len() > 2)?;
    let (name, _) = SIZE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(near))?;
    (number.fract() == 0.0).then(|| format!("{number} {name}"))
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

    fn meant(text: &str, unit: Unit) -> Option<String> {
        positive(text, unit).expect_err(text).suggestion
    }

    #[test]
    fn a_suggested_duration_means_the_same_and_is_one() {
        for (text, unit, suggestion) in [
            ("3M", Unit::Days, "90d"),
            ("3M", Unit::Minutes, "3m"),
            ("1.5d", Unit::Hours, "36h"),
            ("2.5 weeks", Unit::Days, "420h"),
            ("0.5 days", Unit::Days, "12h"),
            ("1,5d", Unit::Days, "36h"),
            ("3,600", Unit::Minutes, "3600s"),
            ("1 hour and 30 minutes", Unit::Minutes, "1 hour 30 minutes"),
            ("2 dyas", Unit::Days, "2 days"),
            ("1", Unit::Minutes, "1h"),
            ("30", Unit::Minutes, "30m"),
            ("1.5", Unit::Days, "36h"),
        ] {
            assert_eq!(meant(text, unit).as_deref(), Some(suggestion), "{text}");
            assert!(positive(suggestion, unit).is_ok(), "{suggestion}");
        }
        for text in ["1000000000000d", "ten minutes", "1d 12", "5m5", "", "-5m", "1d 2x 3h"] {
            if let Some(suggestion) = meant(text, Unit::Days) {
                assert!(positive(&suggestion, Unit::Days).is_ok(), "{text}: {suggestion}");
            }
        }
        let long = positive("1000000000000d", Unit::Days).unwrap_err();
        assert_eq!(long.message, "\"1000000000000d\" is too long");
    }

    #[test]
    fn a_suggested_size_means_the_same_and_is_one() {
        for (text, suggestion) in [
            ("10M", "10 MiB"),
            ("1,000 kB", "1000 kB"),
            ("1.5 MiB", "1536 KiB"),
            ("1 TB", "1000 GB"),
            ("10 megabytes", "10 MB"),
        ] {
            let invalid = size(text).expect_err(text);
            assert_eq!(invalid.suggestion.as_deref(), Some(suggestion), "{text}");
            assert!(size(suggestion).is_ok(), "{suggestion}");
        }
        for text in ["10 PB", "10PiB", "1 EiB", "1MiB 512KiB", "10 Mbit", "1.5 xy"] {
            assert_eq!(size(text).expect_err(text).suggestion, None, "{text}");
        }
        let large = size("100000000000 GB").unwrap_err();
        assert_eq!(large.message, "\"100000000000 GB\" is too large");
        assert_eq!(large.suggestion, None);
    }

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
