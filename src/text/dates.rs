//! Dates as HTTP, feeds and people write them: in UTC, and on the calendar in the languages of the pages.

use std::time::UNIX_EPOCH;

use jiff::civil::Date;
use jiff::{Timestamp, ZonedDateTime};

/// An HTTP date, RFC 9110 5.6.7: `Tue, 14 Nov 2023 22:13:20 GMT`.
#[must_use]
pub fn http(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Parses an HTTP date in any of the three forms of RFC 9110 5.6.7.
#[must_use]
pub fn parse_http(text: &str) -> Option<Timestamp> {
    let at = httpdate::parse_http_date(text.trim()).ok()?;
    let seconds = at.duration_since(UNIX_EPOCH).ok()?.as_secs();
    // The last days of the year 9999 are behind the range of the type.
    Some(Timestamp::from_second(i64::try_from(seconds).ok()?).unwrap_or(Timestamp::MAX))
}

/// An RFC 3339 date in whole seconds: `2023-11-14T22:13:20Z`.
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// An RFC 822 date with a year of four digits, as RSS requires it: `Tue, 14 Nov 2023 22:13:20 +0000`.
#[must_use]
pub fn rfc822(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// A date for people: `14 November 2023, 22:13 UTC`.
#[must_use]
pub fn long(at: Timestamp) -> String {
    at.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// How one language writes dates.
#[derive(Debug)]
pub struct Calendar {
    /// Primary language subtag: `de`.
    code: &'static str,
    /// Names of the months, January first.
    months: [&'static str; 12],
    /// Days of the week, from Monday.
    weekdays: [&'static str; 7],
    /// Number of the first day of a month.
    first: &'static str,
    /// A month, with `{month}` and `{year}`.
    month: &'static str,
    /// A date, with `{day}`, `{month}` and `{year}`.
    date: &'static str,
    /// A date with its `{weekday}`.
    full_date: &'static str,
    /// A date with `{time}` and zone.
    moment: &'static str,
}

/// Every language; the first is the default.
const LANGUAGES: &[&Calendar] = &[&ENGLISH, &GERMAN, &FRENCH, &SPANISH, &JAPANESE];

const ENGLISH: Calendar = Calendar {
    code: "en",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    weekdays: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    first: "1",
    month: "{month} {year}",
    date: "{day} {month} {year}",
    full_date: "{weekday}, {date}",
    moment: "{date}, {time}",
};

const GERMAN: Calendar = Calendar {
    code: "de",
    months: [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    weekdays: ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"],
    first: "1",
    month: "{month} {year}",
    date: "{day}. {month} {year}",
    full_date: "{weekday}, {date}",
    moment: "{date}, {time}",
};

const FRENCH: Calendar = Calendar {
    code: "fr",
    months: [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    weekdays: ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
    first: "1er",
    month: "{month} {year}",
    date: "{day} {month} {year}",
    full_date: "{weekday} {date}",
    moment: "{date}, {time}",
};

const SPANISH: Calendar = Calendar {
    code: "es",
    months: [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
    weekdays: ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"],
    first: "1",
    month: "{month} de {year}",
    date: "{day} de {month} de {year}",
    full_date: "{weekday}, {date}",
    moment: "{date}, {time}",
};

const JAPANESE: Calendar = Calendar {
    code: "ja",
    months: ["1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"],
    weekdays: ["月", "火", "水", "木", "金", "土", "日"],
    first: "1",
    month: "{year}年{month}",
    date: "{year}年{month}{day}日",
    full_date: "{date}（{weekday}）",
    moment: "{date} {time}",
};

impl Calendar {
    /// The calendar of a language tag, by its first part; English for an unknown language.
    #[must_use]
    pub fn of(language: Option<&str>) -> &'static Self {
        let primary = language.and_then(|tag| tag.split('-').next()).unwrap_or_default();
        let known = LANGUAGES.iter().find(|known| known.code.eq_ignore_ascii_case(primary));
        known.copied().unwrap_or(&ENGLISH)
    }

    /// A date: `14 November 2023`.
    #[must_use]
    pub fn date(&self, day: Date) -> String {
        let number = if day.day() == 1 { self.first.to_owned() } else { day.day().to_string() };
        self.date
            .replace("{day}", &number)
            .replace("{month}", self.month_of(day))
            .replace("{year}", &day.year().to_string())
    }

    /// The name of the month of a day, as a sentence has it: `mars`.
    fn month_of(&self, day: Date) -> &'static str {
        let month = usize::try_from(day.month()).ok().and_then(|n| self.months.get(n - 1));
        month.copied().unwrap_or_default()
    }

    /// The name of the month of a day as a label: `November`, `Mars`.
    #[must_use]
    pub fn month_name(&self, day: Date) -> String {
        capitalised(self.month_of(day))
    }

    /// The month of a day with its year as a heading: `November 2023`.
    #[must_use]
    pub fn month(&self, day: Date) -> String {
        let year = day.year().to_string();
        capitalised(&self.month.replace("{month}", self.month_of(day)).replace("{year}", &year))
    }

    /// A date with its day of the week as a heading: `Tuesday, 14 November 2023`.
    #[must_use]
    pub fn full_date(&self, day: Date) -> String {
        let weekday = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or_default();
        let weekday = self.weekdays.get(weekday).copied().unwrap_or_default();
        let full = self.full_date.replace("{date}", &self.date(day)).replace("{weekday}", weekday);
        capitalised(&full)
    }

    /// A date with time and zone: `14 November 2023, 22:13 UTC`.
    #[must_use]
    pub fn moment(&self, at: &ZonedDateTime) -> String {
        let time = at.strftime("%H:%M %Z").to_string();
        self.moment.replace("{date}", &self.date(at.date())).replace("{time}", &time)
    }
}

/// The text with a capital letter at its beginning.
fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    const AT: Timestamp = Timestamp::constant(1_700_000_000, 900_000_000);

    #[test]
    fn dates_are_written_in_utc_and_whole_seconds() {
        assert_eq!(http(AT), "Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(rfc3339(AT), "2023-11-14T22:13:20Z");
        assert_eq!(rfc822(AT), "Tue, 14 Nov 2023 22:13:20 +0000");
        assert_eq!(long(AT), "14 November 2023, 22:13 UTC");
    }

    #[test]
    fn http_dates_are_read_in_all_three_forms() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            " Sun Nov  6 08:49:37 1994 ",
        ] {
            assert_eq!(parse_http(text), Some(Timestamp::constant(784_111_777, 0)), "{text}");
        }
        for text in ["", "yesterday", "Sun, 06 Nov 1994 08:49:38", "Sun, 06 Nov 1894 08:49:37 GMT"]
        {
            assert_eq!(parse_http(text), None, "{text}");
        }
        assert_eq!(parse_http(&http(AT)).map(|at| at.as_second()), Some(AT.as_second()));
    }

    fn at(zone: &str) -> ZonedDateTime {
        let at: Timestamp = "2026-02-28T23:30:00Z".parse().unwrap();
        at.in_tz(zone).unwrap()
    }

    #[test]
    fn dates_are_written_in_the_language_and_the_zone() {
        for (language, zone, date, moment) in [
            ("en", "UTC", "Saturday, 28 February 2026", "28 February 2026, 23:30 UTC"),
            ("de-AT", "Europe/Vienna", "Sonntag, 1. März 2026", "1. März 2026, 00:30 CET"),
            ("FR", "America/Montreal", "Samedi 28 février 2026", "28 février 2026, 18:30 EST"),
            ("es", "UTC", "Sábado, 28 de febrero de 2026", "28 de febrero de 2026, 23:30 UTC"),
            ("fr", "Europe/Paris", "Dimanche 1er mars 2026", "1er mars 2026, 00:30 CET"),
            ("ja", "Asia/Tokyo", "2026年3月1日（日）", "2026年3月1日 08:30 JST"),
        ] {
            let (calendar, at) = (Calendar::of(Some(language)), at(zone));
            assert_eq!(calendar.full_date(at.date()), date);
            assert_eq!(calendar.moment(&at), moment);
            let month = calendar.month(at.date());
            assert!(month.contains("2026") && month.contains(&calendar.month_name(at.date())));
        }
    }

    #[test]
    fn each_calendar_has_all_placeholders() {
        for calendar in LANGUAGES {
            assert!(["{day}", "{month}", "{year}"].iter().all(|part| calendar.date.contains(part)));
            assert!(["{month}", "{year}"].iter().all(|part| calendar.month.contains(part)));
            let full = calendar.full_date;
            assert!(full.contains("{date}") && full.contains("{weekday}"));
            assert!(["{date}", "{time}"].iter().all(|part| calendar.moment.contains(part)));
        }
    }
}
