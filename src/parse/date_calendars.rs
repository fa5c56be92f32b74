//! Years of calendars other than the Gregorian one. Each is recognised by its year alone, except years of two digits.

use jiff::civil::Date;

use super::dates::primary;

/// Years of the Buddhist calendar, which Thai pages write. No other year of a feed is as large.
const BUDDHIST: std::ops::RangeInclusive<i16> = 2400..=2700;

/// Years of the Persian calendar: 1961 to 2051. Those of the Islamic calendar are larger for any recent date.
const PERSIAN: std::ops::RangeInclusive<i16> = 1340..=1430;

/// Years of the Islamic calendar, which is not read: its months begin when the moon is seen.
const ISLAMIC: std::ops::RangeInclusive<i16> = 1431..=1499;

/// What years of two digits are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ShortYears {
    #[default]
    Common,
    Thai,
}

impl ShortYears {
    /// Those of a text in a document of this language.
    pub(crate) fn of(text: &str, language: Option<&str>) -> Self {
        let primary = primary(language);
        let is_thai = |c: char| ('\u{e01}'..='\u{e5b}').contains(&c);
        if primary.eq_ignore_ascii_case("th") || text.contains(is_thai) {
            Self::Thai
        } else {
            Self::Common
        }
    }

    /// The whole year. RFC 2822 4.3: below 70 is this century. In Thai, from 50 on it is of the Buddhist calendar: 2550 is
    /// 2007.
    pub(crate) fn year(self, short: i16) -> i16 {
        match (self, short) {
            (Self::Thai, 50..) => 2500 + short,
            (_, ..70) => 2000 + short,
            _ => 1900 + short,
        }
    }
}

/// Whether a year is of the Persian calendar, whose months begin on other days.
pub(crate) fn is_persian(year: i16) -> bool {
    PERSIAN.contains(&year)
}

/// A year of the Common Era or of the Buddhist calendar, in the Common Era.
pub(crate) fn common_year(year: i16) -> i16 {
    if BUDDHIST.contains(&year) { year - 543 } else { year }
}

/// The day with this year, month and day of month, each from 1, in the calendar of the year. `None` if there is no
/// such day, or the calendar is not read.
pub(crate) fn day_of(year: i16, month: i8, day: i8) -> Option<Date> {
    if is_persian(year) {
        persian(year, month, day)
    } else if ISLAMIC.contains(&year) {
        None
    } else {
        Date::new(common_year(year), month, day).ok()
    }
}

/// A day of the Persian calendar. Its leap years of these decades are those of the cycle of 33 years.
fn persian(year: i16, month: i8, day: i8) -> Option<Date> {
    let before = |year: i16| 365 * i32::from(year) + (8 * i32::from(year) + 21) / 33;
    let is_leap = before(year + 1) - before(year) == 366;
    let length = match month {
        1..=6 => 31,
        7..=11 => 30,
        12 => 29 + i8::from(is_leap),
        _ => return None,
    };
    let months = i32::from(month) - 1;
    let in_year = 30 * months + months.min(6) + i32::from(day) - 1;
    let days = before(year) - before(1400) + in_year;
    let first = Date::constant(2021, 3, 21);
    first.checked_add(jiff::Span::new().days(days)).ok().filter(|_| (1..=length).contains(&day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persian_days_are_those_of_the_common_era() {
        for (persian, expected) in [
            ((1369, 1, 1), "1990-03-21"),
            ((1375, 12, 30), "1997-03-20"),
            ((1388, 9, 9), "2009-11-30"),
            ((1390, 1, 1), "2011-03-21"),
            ((1391, 12, 30), "2013-03-20"),
            ((1395, 12, 30), "2017-03-20"),
            ((1399, 12, 30), "2021-03-20"),
            ((1400, 1, 1), "2021-03-21"),
            ((1403, 1, 1), "2024-03-20"),
            ((1403, 12, 30), "2025-03-20"),
            ((1404, 1, 1), "2025-03-21"),
            ((1405, 6, 31), "2026-09-22"),
            ((1405, 7, 1), "2026-09-23"),
            ((1405, 9, 9), "2026-11-30"),
            ((1408, 1, 1), "2029-03-20"),
        ] {
            let (year, month, day) = persian;
            assert_eq!(day_of(year, month, day), Some(expected.parse().unwrap()), "{persian:?}");
        }
        for (year, month, day) in
            [(1404, 12, 30), (1405, 7, 31), (1405, 13, 1), (1405, 1, 0), (1448, 6, 9)]
        {
            assert_eq!(day_of(year, month, day), None);
        }
    }

    #[test]
    fn a_leap_day_of_the_buddhist_calendar_is_a_day() {
        assert_eq!(day_of(2567, 2, 29), Some(Date::constant(2024, 2, 29)));
        assert_eq!(day_of(2568, 2, 29), None);
        assert_eq!(day_of(2026, 11, 30), Some(Date::constant(2026, 11, 30)));
    }
}
