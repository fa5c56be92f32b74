//! Durations, counts and sizes for people: the same in the terminal and on the pages.

use jiff::{SignedDuration, Timestamp};

/// The time since `at` in its largest unit: `3h ago`.
#[must_use]
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ago", largest_unit(now.duration_since(at)))
}

/// The time until `at` in its largest unit, `in 3h`; `due` if it has passed, `never` if it is in ten years or later.
#[must_use]
pub fn ahead(at: Timestamp, now: Timestamp) -> String {
    if at <= now {
        "due".to_owned()
    } else if at.duration_since(now) > SignedDuration::from_hours(10 * 365 * 24) {
        "never".to_owned()
    } else {
        format!("in {}", largest_unit(at.duration_since(now)))
    }
}

/// A number of seconds in its largest unit: `59s`, `3h`, `9d`.
#[must_use]
pub fn span(seconds: u64) -> String {
    largest_unit(SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)))
}

fn largest_unit(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let (size, unit) = units.into_iter().find(|(size, _)| seconds >= *size).unwrap_or((1, "s"));
    format!("{}{unit}", seconds / size)
}

/// A number with its noun, whose plural ends in `s`: `1 feed`, `2 feeds`.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

/// A number of bytes in its largest decimal unit: `999 B`, `12.3 MB`.
#[must_use]
pub fn bytes(bytes: f64) -> String {
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    match units.into_iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => format!("{:.1} {unit}", bytes / size),
        None => format!("{bytes:.0} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_in_their_largest_unit() {
        let spans: Vec<_> = [0, 59, 60, 3599, 3600, 86_399, 86_400 * 9].map(span).to_vec();
        assert_eq!(spans, ["0s", "59s", "1m", "59m", "1h", "23h", "9d"]);
        assert_eq!([0, 1, 2].map(|n| count(n, "feed")), ["0 feeds", "1 feed", "2 feeds"]);
        assert_eq!([0.0, 999.0, 1500.0, 2.5e9].map(bytes), ["0 B", "999 B", "1.5 kB", "2.5 GB"]);
    }
}
