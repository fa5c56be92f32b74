//! The months of the calendar in which an output has stories.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A month of the calendar, in the time zone of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(Date);

impl Month {
    /// The month of a time in a zone.
    #[must_use]
    pub fn of(at: Timestamp, zone: &TimeZone) -> Self {
        Self(at.to_zoned_datetime(zone.clone()).date().first_of_month())
    }

    /// First day of the month.
    #[must_use]
    pub fn first_day(self) -> Date {
        self.0
    }

    /// The month before it; itself at the beginning of the calendar.
    #[must_use]
    pub(super) fn before(self) -> Self {
        Self(self.0.yesterday().map_or(self.0, Date::first_of_month))
    }

    /// When it begins in a zone; the earliest time of a zone that cannot represent it.
    #[must_use]
    pub fn start(self, zone: &TimeZone) -> Timestamp {
        zone.to_timestamp(self.0.into()).unwrap_or(Timestamp::MIN)
    }

    /// When the next month begins in a zone; the latest time at the end of the calendar.
    #[must_use]
    pub fn end(self, zone: &TimeZone) -> Timestamp {
        let next = self.0.last_of_month().tomorrow();
        next.and_then(|day| zone.to_timestamp(day.into())).unwrap_or(Timestamp::MAX)
    }
}

impl fmt::Display for Month {
    /// Year and month, ISO 8601: `2023-11`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl FromStr for Month {
    type Err = ();

    /// Parses `2023-11`, the only form.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (year, month) = text.split_once('-').ok_or(())?;
        let number = |digits: &str| digits.parse::<i16>().map_err(drop);
        let month = i8::try_from(number(month)?).map_err(drop)?;
        let parsed = Self(Date::new(number(year)?, month, 1).map_err(drop)?);
        Some(parsed).filter(|parsed| parsed.to_string() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_one_form() {
        assert_eq!("2023-11".parse::<Month>().unwrap().to_string(), "2023-11");
        for text in ["", "2023", "2023-13", "2023-0", "2023-1", "+023-01", "2023-11-01", "-023-01"]
        {
            assert_eq!(text.parse::<Month>(), Err(()), "{text}");
        }
        assert!("2023-12".parse::<Month>() < "2024-01".parse::<Month>());
    }

    #[test]
    fn a_month_begins_at_midnight_of_the_zone() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let march: Month = "2026-03".parse().unwrap();
        // Summer time begins within it.
        assert_eq!(march.start(&berlin), "2026-02-28T23:00:00Z".parse().unwrap());
        assert_eq!(march.end(&berlin), "2026-03-31T22:00:00Z".parse().unwrap());
        let before =
            Timestamp::from_millisecond(march.start(&berlin).as_millisecond() - 1).unwrap();
        assert_eq!(Month::of(before, &berlin).to_string(), "2026-02");
        assert_eq!(Month::of(march.start(&berlin), &berlin), march);
        assert_eq!("9999-12".parse::<Month>().unwrap().end(&TimeZone::UTC), Timestamp::MAX);
    }
}
