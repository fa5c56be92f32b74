//! What two papers write differently and mean alike: a weekday and a date, kilometres and miles. Pure.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::civil::Weekday;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};

use super::words::{Kind, Word, hash_of, lines};

/// How two pieces with different numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// They mean the same day.
    Same,
    /// They measure in different units, or name a day in ways that cannot be compared.
    Unknown,
    /// They mean something else.
    Other,
}

/// What a listed word measures or names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// A weekday, Monday is 0.
    Day(i8),
    /// A month, January is 1.
    Month(i8),
    /// A unit: the letter of what it measures, and the number of its line.
    Unit(u8, usize),
}

static WORDS: LazyLock<HashMap<u32, Meaning>> = LazyLock::new(|| {
    let mut words = HashMap::new();
    for (at, line) in lines(include_str!("data/measures.txt")).into_iter().enumerate() {
        let (kind, names) = line.split_once(' ').unwrap_or((line, ""));
        let number = || kind[1..].parse().unwrap_or_default();
        let meaning = match kind.as_bytes().first() {
            Some(b'd') => Meaning::Day(number()),
            Some(b'm') => Meaning::Month(number()),
            other => Meaning::Unit(other.copied().unwrap_or_default(), at),
        };
        words.extend(names.split_whitespace().map(|name| (hash_of(name), meaning)));
    }
    words
});

/// Compares two pieces of which each has numbers that the other has not.
pub(super) fn compare(a: &[Word], b: &[Word], published: Option<Timestamp>) -> Found {
    let meanings = |words: &[Word]| -> Vec<Meaning> {
        words.iter().filter_map(|word| WORDS.get(&word.hash).copied()).collect()
    };
    let (left, right) = (meanings(a), meanings(b));
    let day = |list: &[Meaning]| {
        list.iter().find_map(|m| if let Meaning::Day(d) = m { Some(*d) } else { None })
    };
    let month = |list: &[Meaning]| {
        list.iter().find_map(|m| if let Meaning::Month(d) = m { Some(*d) } else { None })
    };
    match ((day(&left), month(&left)), (day(&right), month(&right))) {
        ((Some(weekday), None), (None, Some(month))) => same_day(weekday, month, b, published),
        ((None, Some(month)), (Some(weekday), None)) => same_day(weekday, month, a, published),
        _ => {
            let unit = |list: &[Meaning]| {
                list.iter().find_map(|m| {
                    if let Meaning::Unit(of, at) = m { Some((*of, *at)) } else { None }
                })
            };
            match (unit(&left), unit(&right)) {
                (Some((of, unit)), Some((same, other))) if of == same && unit != other => {
                    Found::Unknown
                }
                _ => Found::Other,
            }
        }
    }
}

/// Whether a date within a week of the publication has this weekday.
fn same_day(weekday: i8, month: i8, date: &[Word], published: Option<Timestamp>) -> Found {
    let Some(published) = published else { return Found::Unknown };
    let published = Offset::UTC.to_datetime(published).date();
    let Ok(weekday) = Weekday::from_monday_zero_offset(weekday) else { return Found::Other };
    let named = |day: i8| {
        let day = hash_of(&day.to_string());
        date.iter().any(|word| word.kind == Kind::Number && word.hash == day)
    };
    let near = (-7..=7).filter_map(|days: i32| published.checked_add(days.days()).ok());
    let mut fits = near.filter(|date| date.weekday() == weekday);
    if fits.any(|date| date.month() == month && named(date.day())) {
        Found::Same
    } else {
        Found::Other
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::Words;
    use super::*;

    fn found(a: &str, b: &str) -> Found {
        let published = "2026-11-24T08:00:00Z".parse().ok();
        compare(&Words::of_text(a).0, &Words::of_text(b).0, published)
    }

    #[test]
    fn a_weekday_is_the_date_of_that_day() {
        assert_eq!(found("Monday", "Nov. 23"), Found::Same);
        assert_eq!(found("24 November", "Dienstag"), Found::Same);
        assert_eq!(found("Monday", "Nov. 25"), Found::Other);
        assert_eq!(found("Monday", "Tuesday"), Found::Other);
        assert_eq!(
            compare(&Words::of_text("Monday").0, &Words::of_text("May 3").0, None),
            Found::Unknown
        );
    }

    #[test]
    fn other_units_of_one_quantity_cannot_be_compared() {
        assert_eq!(found("1,180 kilometres", "733 miles"), Found::Unknown);
        assert_eq!(found("12 kilometres", "17 kilometres"), Found::Other);
        assert_eq!(found("12 kilometres", "17 pounds"), Found::Other);
    }
}
