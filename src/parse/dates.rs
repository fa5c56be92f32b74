//! Dates as publishers write them: RFC 3339, RFC 822, ISO 8601, and any text with a year, a month and a day.
//! The default time zone is UTC.
//!
//! `date_words` reads dates with words, `date_names` has the words.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, ISOWeekDate, Time, Weekday};
use jiff::tz::Offset;

use super::context::Context;
use super::date_names::{Zone, zone_of};
use super::date_words::free;
use super::namespace::Namespace;
use super::tree::Element;

/// A date, and what of its text is uncertain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dated {
    pub(crate) at: Timestamp,
    /// The time zone as written, if it is unknown; the date is then in UTC.
    pub(crate) unknown_zone: Option<String>,
    /// The first part that is not understood.
    pub(crate) unread: Option<String>,
    /// Whether the numbers can be another date too.
    pub(crate) ambiguous: bool,
}

impl From<Timestamp> for Dated {
    fn from(at: Timestamp) -> Self {
        Self { at, unknown_zone: None, unread: None, ambiguous: false }
    }
}

/// Why a text is not read as a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoDate {
    Unknown,
    /// Its numbers are a date in more than one order.
    Ambiguous,
}

/// Parses a date; `None` if the text is not a date. At most 100 characters are accepted. Reports text that is no
/// date, and what is uncertain.
pub(crate) fn date(text: &str, context: &Context) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let shown = || text.chars().take(60).collect::<String>();
    let dated = match parse(text) {
        Ok(dated) => dated,
        Err(NoDate::Unknown) => {
            context.report("bad_date", || format!("{:?} is not a date; left out", shown()));
            return None;
        }
        Err(NoDate::Ambiguous) => {
            let message = || format!("{:?} can be several dates; left out", shown());
            context.report("ambiguous_date", message);
            return None;
        }
    };
    if let Some(zone) = dated.unknown_zone {
        let message = || format!("unknown time zone {zone:?} in {:?}; read as UTC", shown());
        context.report("unknown_time_zone", message);
    }
    if let Some(part) = dated.unread {
        let message =
            || format!("{part:?} in {:?} is not understood; read as {}", shown(), dated.at);
        context.report("date_in_part", message);
    }
    if dated.ambiguous {
        let message = || format!("{:?} can be several dates; read as {}", shown(), dated.at);
        context.report("ambiguous_date", message);
    }
    Some(dated.at)
}

fn parse(text: &str) -> Result<Dated, NoDate> {
    if text.len() > 400 || text.chars().count() > 100 {
        return Err(NoDate::Unknown);
    }
    let named = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let iso = if named { None } else { iso(text).map(Dated::from) };
    let dated = match iso {
        Some(dated) => dated,
        None => free(text).or_else(|why| number_of_seconds(text).map(Dated::from).ok_or(why))?,
    };
    // A date after the year 9000 is an error, and XML dates cannot express it.
    Some(dated).filter(|dated| dated.at.as_second() < 221_845_392_000).ok_or(NoDate::Unknown)
}

/// The first valid date among the elements `names`, in order of precedence.
pub(crate) fn first_date(
    element: &Element<'_>,
    names: &[(Namespace, &str)],
    context: &Context,
) -> Option<jiff::Timestamp> {
    names.iter().find_map(|(namespace, name)| {
        element.all(*namespace, name).find_map(|found| date(&found.text(), context))
    })
}

/// RFC 3339 and variants: without seconds, without zone, with a space instead of `T`.
fn iso(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    if let Some(at) = compact(text) {
        return Some(at);
    }
    let end = text.find(['T', 't', ' ']).unwrap_or(text.len());
    let (day, rest) = text.split_at(end);
    let day = iso_day(day)?;
    let rest = rest.trim_start_matches(['T', 't', ' ']).trim();
    if rest.is_empty() {
        return Zone::Fixed(Offset::UTC).stamp(day.to_datetime(Time::midnight()));
    }
    let end = rest.find(|c: char| !(c.is_ascii_digit() || ":.,".contains(c))).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(end);
    zone_of(zone.trim())?.stamp(time(clock)?.on(day)?)
}

/// A time without separators, in UTC: `20241231235959`, `202412312359`.
fn compact(text: &str) -> Option<Timestamp> {
    let fits = matches!(text.len(), 12 | 14) && text.bytes().all(|byte| byte.is_ascii_digit());
    let (day, clock) = text.split_at_checked(8).filter(|_| fits)?;
    Zone::Fixed(Offset::UTC).stamp(time(clock)?.on(iso_day(day)?)?)
}

/// Seconds or milliseconds since 1970.
fn number_of_seconds(text: &str) -> Option<Timestamp> {
    let number: i64 = text.parse().ok()?;
    match text.len() {
        9 | 10 => Timestamp::from_second(number).ok(),
        13 => Timestamp::from_millisecond(number).ok(),
        _ => None,
    }
}

/// The date formats of ISO 8601 that feeds use. Omitted parts are the first month or day.
pub(crate) fn iso_day(text: &str) -> Option<Date> {
    let text = text.replace('/', "-");
    let parts: Vec<&str> = text.split('-').collect();
    let all_digits = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let number = |part: &str| part.parse::<i16>().ok();
    let made = |year: i16, month: &str, day: &str| {
        Date::new(year, month.parse().ok()?, day.parse().ok()?).ok()
    };
    let nth = |year: i16, day: &str| {
        let day: i16 = day.parse().ok().filter(|day| (1..=366).contains(day))?;
        Date::new(year, 1, 1).ok()?.checked_add(jiff::Span::new().days(day - 1)).ok()
    };
    // `-0312`, `-03-12`: the century is omitted.
    if let ["", short @ ..] = parts.as_slice() {
        let digits = short.concat();
        let month = digits.get(2..4).filter(|_| all_digits(&digits.as_str()) && digits.len() == 4);
        return made(2000 + number(digits.get(..2)?)?, month?, "1");
    }
    if let [year, week, rest @ ..] = parts.as_slice()
        && let Some(week) = week.strip_prefix(['W', 'w'])
    {
        return iso_week(number(year)?, week, rest.first().copied().unwrap_or("1"));
    }
    if !parts.iter().all(all_digits) {
        return None;
    }
    match parts.as_slice() {
        [year, month, day] if year.len() == 4 && month.len() <= 3 && day.len() <= 2 => {
            made(number(year)?, month, day)
        }
        [year, month] if year.len() == 4 && month.len() <= 2 => made(number(year)?, month, "1"),
        [year, day] if year.len() == 4 && day.len() == 3 => nth(number(year)?, day),
        [all] if all.len() == 8 => made(number(&all[..4])?, &all[4..6], &all[6..]),
        [all] if all.len() == 7 => nth(number(&all[..4])?, &all[4..]),
        [year] if year.len() == 4 => made(number(year)?, "1", "1"),
        _ => None,
    }
}

fn iso_week(year: i16, week: &str, day: &str) -> Option<Date> {
    let day = Weekday::from_monday_one_offset(day.parse().ok()?).ok()?;
    Some(ISOWeekDate::new(year, week.parse().ok()?, day).ok()?.date())
}

/// RFC 2822 4.3: years of two digits. Below 70 is this century.
pub(crate) fn century(year: i16) -> i16 {
    if year < 70 { 2000 + year } else { 1900 + year }
}

/// A time of day as written, also `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) time: Time,
    /// Whether the time is on the day after the date.
    pub(crate) next_day: bool,
}

impl Clock {
    /// The time on a day.
    pub(crate) fn on(self, day: Date) -> Option<DateTime> {
        let day = if self.next_day { day.tomorrow().ok()? } else { day };
        Some(day.to_datetime(self.time))
    }
}

impl From<Time> for Clock {
    fn from(time: Time) -> Self {
        Self { time, next_day: false }
    }
}

/// `10:14`, `10:14:55`, `10:14:55.123`, `1014`, `101455`. A leap second becomes second 59.
pub(crate) fn time(text: &str) -> Option<Clock> {
    let whole = text.split(['.', ',']).next().unwrap_or_default();
    let compact = matches!(whole.len(), 4 | 6) && whole.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts: [Option<&str>; 3] = [None; 3];
    if compact {
        parts = [whole.get(..2), whole.get(2..4), whole.get(4..6)];
    } else {
        for (part, found) in parts.iter_mut().zip(whole.split(':')) {
            *part = Some(found);
        }
    }
    let hour: i8 = parts[0]?.parse().ok()?;
    let minute: i8 = parts[1]?.parse().ok()?;
    let second: i8 = parts[2].map_or(Some(0), |part| part.parse().ok())?;
    // ISO 8601: 24:00 is the end of the day, which is 00:00 of the next one.
    let next_day = hour == 24;
    let time = Time::new(if next_day { 0 } else { hour }, minute, second.min(59), 0).ok()?;
    Some(Clock { time, next_day })
}

/// What three numbers are as a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// A date in one way only.
    Date(Date),
    /// Several dates; the one that ISO 8601 would mean, if that is one of them.
    Ambiguous(Option<Date>),
    /// Not a valid date in any order.
    None,
}

/// A date of three numbers in any order: `31/12/2024`, `12/31/2024`, `31.12.2024`, `24-12-31`. With dots, the day is
/// first or the year.
pub(crate) fn numbers(parts: [&str; 3], dotted: bool) -> Numbers {
    let all_digits = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !parts.iter().all(all_digits) {
        return Numbers::None;
    }
    let at = |year: usize, month: usize, day: usize| {
        let short = parts[year].len() == 2;
        let year: i16 = parts[year].parse().ok().filter(|_| short || parts[year].len() == 4)?;
        let year = if short { century(year) } else { year };
        Date::new(year, parts[month].parse().ok()?, parts[day].parse().ok()?).ok()
    };
    let [first, last] = [parts[0].len(), parts[2].len()];
    let year_first = at(0, 1, 2).filter(|_| last <= 2);
    let day_first = at(2, 1, 0).filter(|_| first <= 2);
    let month_first = at(2, 0, 1).filter(|_| first <= 2 && !dotted);
    let mut dates = [year_first, day_first, month_first].into_iter().flatten();
    match dates.next() {
        None => Numbers::None,
        Some(date) if dates.all(|other| other == date) => Numbers::Date(date),
        Some(_) => Numbers::Ambiguous(year_first.filter(|_| !dotted)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<Timestamp> {
        date(text, &Context::default())
    }

    #[test]
    fn zones_of_the_iana_database_are_known() {
        for (text, expected) in [
            ("Tue, 10 Nov 2026 08:00:00 America/Los_Angeles", "2026-11-10T16:00:00Z"),
            ("Fri, 10 Jul 2026 08:00:00 America/Los_Angeles", "2026-07-10T15:00:00Z"),
            ("Tue, 10 Nov 2026 08:00:00 america/los_angeles", "2026-11-10T16:00:00Z"),
            ("2026-11-10 08:00:00 Europe/Berlin", "2026-11-10T07:00:00Z"),
            ("2026-07-10T08:00:00 Europe/Berlin", "2026-07-10T06:00:00Z"),
            ("2026-11-10T08:00:00[Asia/Kolkata]", "2026-11-10T02:30:00Z"),
            ("2026-11-10T08:00:00-05:00[America/New_York]", "2026-11-10T13:00:00Z"),
            ("10 Nov 2026 08:00 Australia/Sydney", "2026-11-09T21:00:00Z"),
            ("10 Nov 2026 08:00 Etc/GMT+8", "2026-11-10T16:00:00Z"),
            ("10 Nov 2026 08:00 Etc/GMT-3", "2026-11-10T05:00:00Z"),
            ("10 Nov 2026 08:00 GMT+8", "2026-11-10T00:00:00Z"),
            ("10 Nov 2026 08:00 Etc/UTC", "2026-11-10T08:00:00Z"),
            ("10 Nov 2026 08:00 UTC", "2026-11-10T08:00:00Z"),
            ("10 Nov 2026 08:00 (Europe/Paris)", "2026-11-10T07:00:00Z"),
        ] {
            let context = Context::default();
            assert_eq!(date(text, &context).map(|at| at.to_string()).as_deref(), Some(expected));
            assert_eq!(context.parse_warnings(), [], "{text}");
        }
    }

    #[test]
    fn unknown_zones_and_texts_that_are_no_dates_are_reported() {
        for (text, code) in [
            ("Tue, 10 Nov 2026 08:00:00 XYZT", "unknown_time_zone"),
            ("Tue, 10 Nov 2026 08:00:00 Mars/Olympus", "unknown_time_zone"),
            ("2026-11-10T08:00:00 Mars/Olympus", "unknown_time_zone"),
            ("2026-11-10T08:00:00+99:99", "unknown_time_zone"),
            ("yesterday", "bad_date"),
            ("2026-13-45", "bad_date"),
        ] {
            let context = Context::default();
            let at = date(text, &context).map(|at| at.to_string());
            let expected = (code == "unknown_time_zone").then_some("2026-11-10T08:00:00Z");
            assert_eq!(at.as_deref(), expected, "{text}");
            assert_eq!(context.parse_warnings()[0].code, code, "{text}");
        }
        for fine in ["Tue, 10 Nov 2026 08:00:00 Uhr", "10 Nov 2026 08:00:00 GMT+0100 (MEZ)", ""] {
            let context = Context::default();
            date(fine, &context);
            assert_eq!(context.parse_warnings(), [], "{fine}");
        }
    }

    #[test]
    fn dates_are_parsed_in_all_common_formats() {
        for (text, expected) in [
            ("2003-12-31T10:14:55Z", "2003-12-31T10:14:55Z"),
            ("2003-12-31T10:14:55.5+01:00", "2003-12-31T09:14:55.5Z"),
            ("2003-12-31T10:14Z", "2003-12-31T10:14:00Z"),
            ("2003-12-31 10:14:55", "2003-12-31T10:14:55Z"),
            ("2006-01-11 16:43:22 -0800", "2006-01-12T00:43:22Z"),
            ("2020/01/10 14:33:00", "2020-01-10T14:33:00Z"),
            ("2003-12-31", "2003-12-31T00:00:00Z"),
            ("Wed, 31 Dec 2003 10:14:55 GMT", "2003-12-31T10:14:55Z"),
            ("Mon, 31 Dec 2003 10:14:55 +0200", "2003-12-31T08:14:55Z"),
            ("31 Dec 03 10:14 EST", "2003-12-31T15:14:00Z"),
            ("Mon, 21 Jan 2008 8:56 am PST", "2008-01-21T16:56:00Z"),
            ("Sat, Dec 16 2023 02:02:33 PM", "2023-12-16T14:02:33Z"),
            ("Sat Oct 06 2018 00:00:00 GMT", "2018-10-06T00:00:00Z"),
            ("Sun Jan  4 16:29:06 2004", "2004-01-04T16:29:06Z"),
            ("Thu, 01 Jan 2004", "2004-01-01T00:00:00Z"),
            ("Mon, 13 Feb, 2012 12:00:00 GMT-01:00", "2012-02-13T13:00:00Z"),
            ("January 2nd, 2010 12:00 UTC", "2010-01-02T12:00:00Z"),
            ("Fri, 2006/09/15 08:19:53 EDT", "2006-09-15T12:19:53Z"),
            ("2004-05-25 오후 11:23:17", "2004-05-25T14:23:17Z"),
            ("2004년 05월 28일  01:31:15", "2004-05-27T16:31:15Z"),
            ("Κυρ, 11 Ιούλ 2004 12:00:00 EST", "2004-07-11T17:00:00Z"),
            ("2004-július-13T9:15-05:00", "2004-07-13T14:15:00Z"),
            ("mar. 26 janv. 2004 16:31:00 AT", "2004-01-26T20:31:00Z"),
            ("13-Jul-2004 10:00", "2004-07-13T10:00:00Z"),
            ("2003-012-31T10:14:55+00:00", "2003-12-31T10:14:55Z"),
            ("2003-12-31T24:00:00Z", "2004-01-01T00:00:00Z"),
            ("2003-12-31T24:00:00+01:00", "2003-12-31T23:00:00Z"),
            ("2003-12-31 24:00", "2004-01-01T00:00:00Z"),
            ("20031231240000", "2004-01-01T00:00:00Z"),
            ("Wed, 31 Dec 2003 24:00:00 GMT", "2004-01-01T00:00:00Z"),
            ("Wed, 31 Dec 2003 24:00 EST", "2004-01-01T05:00:00Z"),
            ("31.12.2003 24.00", "2004-01-01T00:00:00Z"),
            ("2003-12", "2003-12-01T00:00:00Z"),
            ("-0312", "2003-12-01T00:00:00Z"),
            ("2003-335", "2003-12-01T00:00:00Z"),
            ("2003-W52-3", "2003-12-24T00:00:00Z"),
            ("20031231", "2003-12-31T00:00:00Z"),
            ("1072865695", "2003-12-31T10:14:55Z"),
            ("1072865695000", "2003-12-31T10:14:55Z"),
        ] {
            assert_eq!(read(text).map(|at| at.to_string()).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn texts_without_a_date_are_none() {
        for text in [
            "",
            "yesterday",
            "32 Dec 2003",
            "Sun, 31 Dec 99999 23:59:59 +0000",
            "2003-13-01",
            "12:00",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}") {
            let _ = read(&text);
        }

        #[test]
        fn every_stamp_is_read_back(seconds in 0_i64..4_000_000_000) {
            let at = Timestamp::from_second(seconds).unwrap();
            prop_assert_eq!(read(&at.to_string()), Some(at));
            let rfc822 = at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
            prop_assert_eq!(read(&rfc822), Some(at));
        }
    }
}
