//! Expressions that publishers write differently with the same meaning: a weekday and a date, kilometres and miles.
//! Spellings and number words are in `words`. Pure.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::civil::Weekday;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};

use super::clocks;
use super::lexicon::lines;
use super::words::{Kind, Word, hash_of};

/// How two pieces with different numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// They mean the same day or the same quantity.
    Same,
    /// They name a day or a quantity in ways that cannot be compared.
    Unknown,
    /// They mean different days or quantities.
    Other,
}

/// What a listed word measures or names.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Meaning {
    /// A weekday, Monday is 0.
    Day(i8),
    /// A month, January is 1.
    Month(i8),
    Unit(Unit),
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Unit {
    /// The quantity that it measures, as a letter.
    of: u8,
    size: Size,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Size {
    /// Size in the common unit of the quantity; 0 or less: it cannot be converted.
    Times(f64),
    Celsius,
    Fahrenheit,
}

static WORDS: LazyLock<HashMap<u32, Meaning>> = LazyLock::new(|| {
    let mut words = HashMap::new();
    for line in lines(include_str!("data/measures.txt")) {
        let mut fields = line.split_whitespace();
        let (kind, value) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let meaning = match kind {
            "d" => Meaning::Day(value.parse().unwrap_or_default()),
            "m" => Meaning::Month(value.parse().unwrap_or_default()),
            _ => Meaning::Unit(Unit {
                of: kind.bytes().next().unwrap_or_default(),
                size: match value {
                    "c" => Size::Celsius,
                    "f" => Size::Fahrenheit,
                    _ => Size::Times(value.parse().unwrap_or_default()),
                },
            }),
        };
        words.extend(fields.map(|name| (hash_of(name), meaning)));
    }
    words
});

/// Integers up to this are recognised by their hash,
const INTEGERS: u32 = 9_999;
/// and tenths up to this many of them.
const TENTHS: u32 = 999;
/// Papers round: quantities that differ by no more than this part are the same.
const ROUNDED: f64 = 0.06;

/// The values of numbers by the hash of their digits, sorted.
static VALUES: LazyLock<Vec<(u32, f32)>> = LazyLock::new(|| {
    let tenths = (1..=TENTHS).filter(|n| n % 10 != 0);
    let tenths = tenths.map(|n| (hash_of(&format!("{}.{}", n / 10, n % 10)), n as f32 / 10.0));
    let integers = (0..=INTEGERS).map(|n| (hash_of(&n.to_string()), n as f32));
    let mut values: Vec<(u32, f32)> = integers.chain(tenths).collect();
    values.sort_unstable_by_key(|(hash, _)| *hash);
    values
});

/// Whether one of two numbers is the other in fewer digits: 40 of 41, 6 of 6.3, 1,200 of 1,180.
pub(super) fn is_rounded(a: u32, b: u32) -> bool {
    let value = |hash: u32| {
        let at = VALUES.binary_search_by_key(&hash, |(hash, _)| *hash).ok()?;
        Some(f64::from(VALUES[at].1))
    };
    let rounds = |exact: f64, round: f64| {
        [1.0, 10.0, 100.0, 1_000.0].iter().filter(|unit| exact >= **unit).any(|unit| {
            let parts = exact / unit;
            [parts.round(), parts.floor()].iter().any(|part| (part * unit - round).abs() < 0.01)
        })
    };
    value(a).zip(value(b)).is_some_and(|(a, b)| rounds(a, b) || rounds(b, a))
}

/// Whether a word is a unit, a weekday or a month.
pub(super) fn is_measure(word: &Word) -> bool {
    WORDS.contains_key(&word.hash)
}

/// A place where two texts differ: the replaced words, and the words that follow them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) words: &'a [Word],
    pub(super) next: &'a [Word],
}

impl Piece<'_> {
    fn find<T>(&self, wanted: impl Fn(Meaning) -> Option<T>) -> Option<T> {
        self.words.iter().find_map(|word| WORDS.get(&word.hash).copied().and_then(&wanted))
    }

    fn day(&self) -> Option<i8> {
        self.find(|meaning| if let Meaning::Day(day) = meaning { Some(day) } else { None })
    }

    fn month(&self) -> Option<i8> {
        self.find(|meaning| if let Meaning::Month(month) = meaning { Some(month) } else { None })
    }

    /// The unit of the piece, which may be in the words that follow.
    fn unit(&self) -> Option<Unit> {
        let unit = |meaning| if let Meaning::Unit(unit) = meaning { Some(unit) } else { None };
        self.find(unit).or_else(|| Piece { words: self.next, next: &[] }.find(unit))
    }

    /// The quantity in the common unit, if its only number is known.
    fn quantity(&self, unit: Unit) -> Option<f64> {
        let mut numbers =
            self.words.iter().filter(|word| word.kind == Kind::Number && !is_measure(word));
        let (Some(number), None) = (numbers.next(), numbers.next()) else { return None };
        let at = VALUES.binary_search_by_key(&number.hash, |(hash, _)| *hash).ok()?;
        let value = f64::from(VALUES[at].1);
        match unit.size {
            Size::Times(size) => (size > 0.0).then_some(value * size),
            Size::Celsius => Some(value),
            Size::Fahrenheit => Some((value - 32.0) / 1.8),
        }
    }
}

/// Compares two pieces of which each has numbers that the other has not.
pub(super) fn compare(a: Piece<'_>, b: Piece<'_>, published: Option<Timestamp>) -> Found {
    match ((a.day(), a.month()), (b.day(), b.month())) {
        ((Some(weekday), None), (None, Some(month))) => {
            return same_day(weekday, month, b.words, published);
        }
        ((None, Some(month)), (Some(weekday), None)) => {
            return same_day(weekday, month, a.words, published);
        }
        _ => {}
    }
    if clocks::same_time(a.words, b.words) {
        return Found::Same;
    }
    match (a.unit(), b.unit()) {
        (Some(one), Some(other)) if one.of == other.of && one.size != other.size => {
            match (a.quantity(one), b.quantity(other)) {
                (Some(x), Some(y)) if (x - y).abs() <= ROUNDED * x.abs().max(y.abs()) => {
                    Found::Same
                }
                (Some(_), Some(_)) => Found::Other,
                _ => Found::Unknown,
            }
        }
        _ => Found::Other,
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
        compared(a, b, "2026-11-24T08:00:00Z".parse().ok())
    }

    fn compared(a: &str, b: &str, published: Option<Timestamp>) -> Found {
        let (a, b) = (Words::of_text(a).0, Words::of_text(b).0);
        compare(Piece { words: &a, next: &[] }, Piece { words: &b, next: &[] }, published)
    }

    #[test]
    fn a_weekday_is_the_date_of_that_day() {
        assert_eq!(found("Monday", "Nov. 23"), Found::Same);
        assert_eq!(found("24 November", "Dienstag"), Found::Same);
        assert_eq!(found("Monday", "Nov. 25"), Found::Other);
        assert_eq!(found("Monday", "Tuesday"), Found::Other);
        assert_eq!(compared("Monday", "May 3", None), Found::Unknown);
    }

    #[test]
    fn a_weekday_is_a_date_in_other_languages_too() {
        for (a, b) in [
            ("в понедельник", "23 ноября"),
            ("we wtorek", "24 listopada"),
            ("måndags", "den 23 november"),
            ("v úterý", "24. listopadu"),
            ("na quinta-feira", "26 de novembro"),
        ] {
            assert_eq!(found(a, b), Found::Same, "{a} / {b}");
        }
        assert_eq!(found("в понедельник", "24 ноября"), Found::Other);
    }

    #[test]
    fn a_time_of_day_may_be_written_with_a_dot_or_as_an_hour() {
        for (a, b) in [("18.20", "18:20"), ("4 de la tarde", "16.00"), ("6 утра", "6:00")] {
            assert_eq!(found(a, b), Found::Same, "{a} / {b}");
        }
        for (a, b) in [("18.20", "18:40"), ("5 de la tarde", "16.00"), ("9 p.m.", "9 a.m.")] {
            assert_eq!(found(a, b), Found::Other, "{a} / {b}");
        }
    }

    #[test]
    fn quantities_in_other_units_are_converted() {
        for (a, b) in [
            ("1,180 kilometres", "733 miles"),
            ("nine metres", "30 feet"),
            ("8 degrees Celsius", "46 degrees Fahrenheit"),
            ("8.7 miles", "14 km"),
            ("48 hours", "two days"),
            ("60 mph", "97 km/h"),
            ("60 miles per hour", "97 kph"),
            ("12 °C", "54 °F"),
            ("двенадцати километров", "7.5 miles"),
        ] {
            assert_eq!(found(a, b), Found::Same, "{a} / {b}");
        }
        for (a, b) in [
            ("12 kilometres", "17 kilometres"),
            ("12 kilometres", "17 pounds"),
            ("12 kilometres", "17 miles"),
            ("8 degrees Celsius", "59 degrees Fahrenheit"),
        ] {
            assert_eq!(found(a, b), Found::Other, "{a} / {b}");
        }
        assert_eq!(found("12 dollars", "11 euros"), Found::Unknown);
    }

    #[test]
    fn a_unit_may_follow_the_words_that_differ() {
        let (a, b) =
            (Words::of_text("37 million litres").0, Words::of_text("9.8 million gallons").0);
        let (a, b) =
            (Piece { words: &a[..1], next: &a[1..] }, Piece { words: &b[..1], next: &b[1..] });
        assert_eq!(compare(a, b, None), Found::Same);
    }
}
