//! Dates as publishers write them: RFC 3339, RFC 822, ISO 8601, and any text with a year, a month and a day.
//! The default time zone is UTC.
//!
//! `date_words` reads dates with words; `date_names`, `date_clock` and `date_zones` have the words. `date_signs` reads digits
//! and units of other scripts, `date_order` dates of three numbers, and `date_calendars` other calendars.

use jiff::Timestamp;
use jiff::civil::{Date, ISOWeekDate, Time, Weekday};
use jiff::fmt::rfc2822;
use jiff::tz::Offset;

use super::context::Context;
use super::date_calendars::{common_year, day_of};
use super::date_clock::time;
use super::date_order::Order;
use super::date_words::free;
use super::date_zones::{Zone, zone_of};
use super::namespace::Namespace;
use super::tree::Element;
use crate::text::quoted::in_quotes;

/// A date, and what of its text is uncertain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dated {
    pub(crate) at: Timestamp,
    /// The time zone as written, if it is unknown; the date is then in UTC.
    pub(crate) unknown_zone: Option<String>,
    /// The first part that is not understood.
    pub(crate) unread: Option<String>,
}

impl From<Timestamp> for Dated {
    fn from(at: Timestamp) -> Self {
        Self { at, unknown_zone: None, unread: None }
    }
}

/// What the document shows about its dates.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hints<'a> {
    /// Its language, for names and words that mean several things.
    pub(crate) language: Option<&'a str>,
    /// The order of numbers, for those that are several dates.
    pub(crate) order: Option<Order>,
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
    let language = context.language.as_ref().or(context.feed_language.as_ref());
    let hints = Hints { language: language.map(String::as_str), order: context.date_order };
    let dated = match parse(text, hints) {
        Ok(dated) => dated,
        Err(NoDate::Unknown) => {
            context
                .report("bad_date", || format!("{} is not a date; left out", in_quotes(shown())));
            return None;
        }
        Err(NoDate::Ambiguous) => {
            let message = || format!("{} can be several dates; left out", in_quotes(shown()));
            context.report("ambiguous_date", message);
            return None;
        }
    };
    if let Some(zone) = dated.unknown_zone {
        let message = || {
            format!(
                "unknown time zone {zone} in {}; read as UTC",
                in_quotes(shown()),
                zone = in_quotes(zone)
            )
        };
        context.report("unknown_time_zone", message);
    }
    if let Some(part) = dated.unread {
        let message = || {
            format!(
                "{part} in {} is not understood; read as {}",
                in_quotes(shown()),
                dated.at,
                part = in_quotes(part)
            )
        };
        context.report("date_in_part", message);
    }
    Some(dated.at)
}

/// The primary subtag of a language tag, also of one with `_`; empty if there is none.
pub(crate) fn primary(language: Option<&str>) -> &str {
    language.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default()
}

fn parse(text: &str, hints: Hints<'_>) -> Result<Dated, NoDate> {
    if text.len() > 400 || text.chars().count() > 100 {
        return Err(NoDate::Unknown);
    }
    let named = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let usual = if named { mail(text) } else { iso(text, hints.language) };
    let dated = match usual.map(Dated::from) {
        Some(dated) => dated,
        None => {
            free(text, hints).or_else(|why| number_of_seconds(text).map(Dated::from).ok_or(why))?
        }
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

/// RFC 5322 3.3 as most feeds write it, for which no names have to be looked up.
fn mail(text: &str) -> Option<Timestamp> {
    const PARSER: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new();
    let mut parts = text.split(' ');
    let [weekday, day, month, year, clock, zone] =
        std::array::from_fn(|_| parts.next().unwrap_or_default());
    let is_usual = parts.next().is_none()
        && (weekday.len(), month.len(), year.len(), clock.len()) == (4, 3, 4, 8)
        && !day.is_empty()
        && (zone == "GMT" || zone.len() == 5 && zone.starts_with(['+', '-']));
    is_usual.then(|| PARSER.parse_timestamp(text).ok()).flatten().filter(is_common)
}

/// Whether the year is one of the Common Era, not of another calendar.
fn is_common(at: &Timestamp) -> bool {
    let year = Offset::UTC.to_datetime(*at).year();
    (1500..2300).contains(&year)
}

/// RFC 3339 and variants: without seconds, without zone, with a space instead of `T`.
fn iso(text: &str, language: Option<&str>) -> Option<Timestamp> {
    if let Some(at) = text.parse().ok().filter(is_common) {
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
    zone_of(zone.trim(), language)?.stamp(time(clock)?.on(day)?)
}

/// A time without separators, in UTC: `20241231235959`, `202412312359`.
fn compact(text: &str) -> Option<Timestamp> {
    let fits = matches!(text.len(), 12 | 14) && text.bytes().all(|byte| byte.is_ascii_digit());
    let (day, clock) = text.split_at_checked(8).filter(|_| fits)?;
    Zone::Fixed(Offset::UTC).stamp(time(clock)?.on(iso_day(day)?)?)
}

/// Seconds since 1970, also with a fraction, or milli- or microseconds.
fn number_of_seconds(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let number: i64 = whole.parse().ok()?;
    match whole.len() {
        9 | 10 => {
            let digits = fraction.get(..fraction.len().min(9))?;
            let nanosecond = format!("{digits:0<9}").parse().ok()?;
            Timestamp::new(number, nanosecond).ok()
        }
        13 => Timestamp::from_millisecond(number).ok(),
        16 => Timestamp::from_microsecond(number).ok(),
        _ => None,
    }
}

/// The date formats of ISO 8601 that feeds use. Omitted parts are the first month or day.
pub(crate) fn iso_day(text: &str) -> Option<Date> {
    let text = text.replace('/', "-");
    let parts: Vec<&str> = text.split('-').collect();
    let all_digits = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let number = |part: &str| part.parse::<i16>().ok();
    let made =
        |year: i16, month: &str, day: &str| day_of(year, month.parse().ok()?, day.parse().ok()?);
    let nth = |year: i16, day: &str| {
        let day: i16 = day.parse().ok().filter(|day| (1..=366).contains(day))?;
        day_of(year, 1, 1)?.checked_add(jiff::Span::new().days(day - 1)).ok()
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
    Some(ISOWeekDate::new(common_year(year), week.parse().ok()?, day).ok()?.date())
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

    fn free_read(text: &str) -> Result<String, NoDate> {
        free(text, Hints::default()).map(|dated| dated.at.to_string())
    }

    #[test]
    fn dates_in_other_languages_are_read() {
        for (text, expected) in [
            ("01.02.2024 12:00", "2024-02-01T12:00:00Z"),
            ("31.12.2024 12.30", "2024-12-31T12:30:00Z"),
            ("2024.01.31", "2024-01-31T00:00:00Z"),
            ("2024. január 3., szerda", "2024-01-03T00:00:00Z"),
            ("Mittwoch, 3. Januar 2024, 12:30 Uhr MEZ", "2024-01-03T11:30:00Z"),
            ("1er janvier 2024 à 12h30", "2024-01-01T12:30:00Z"),
            ("martes, 2 de enero de 2024", "2024-01-02T00:00:00Z"),
            ("2 января 2024 г. 15:04", "2024-01-02T15:04:00Z"),
            ("ke 13. marraskuuta 2024 klo 12.30", "2024-11-13T12:30:00Z"),
            ("středa 3. července 2024", "2024-07-03T00:00:00Z"),
            ("3 Ağustos 2024 Cumartesi", "2024-08-03T00:00:00Z"),
            ("1 ม.ค. 2567", "2024-01-01T00:00:00Z"),
            ("١ يناير ٢٠٢٤", "2024-01-01T00:00:00Z"),
            ("Jan 2, 2024 3:20pm", "2024-01-02T15:20:00Z"),
            ("Jan 2, 2024 3:20 p.m. EST", "2024-01-02T20:20:00Z"),
            ("12/31/2024 3:20 PM", "2024-12-31T15:20:00Z"),
            ("31/12/2024", "2024-12-31T00:00:00Z"),
            ("31-12-2024 10:00", "2024-12-31T10:00:00Z"),
            ("20240101T120000", "2024-01-01T12:00:00Z"),
            ("2 Jan 2024 10:00EST", "2024-01-02T15:00:00Z"),
            ("2024-12-24 6 PM", "2024-12-24T18:00:00Z"),
            ("24 Dec 2024 6 a.m.", "2024-12-24T06:00:00Z"),
            ("24. 12. 2024 6:00", "2024-12-24T06:00:00Z"),
            ("2024. 1. 31. 15:20", "2024-01-31T15:20:00Z"),
            ("24 בדצמבר 2024", "2024-12-24T00:00:00Z"),
            ("24 Kas 2024", "2024-11-24T00:00:00Z"),
            ("24 tháng 12, 2024", "2024-12-24T00:00:00Z"),
            ("Thg 12 24, 2024", "2024-12-24T00:00:00Z"),
        ] {
            assert_eq!(free_read(text).as_deref(), Ok(expected), "{text}");
            assert_eq!(free(text, Hints::default()).unwrap().unread, None, "{text}");
        }
    }

    #[test]
    fn what_is_uncertain_is_reported() {
        for text in ["01/02/2024", "01-02-2024 10:00", "3/4/24", "01.02.24", "11/10/26"] {
            assert_eq!(free_read(text), Err(NoDate::Ambiguous), "{text}");
        }
        for (text, expected) in [
            ("99-12-31", "1999-12-31T00:00:00Z"),
            ("03-12-31", "2003-12-31T00:00:00Z"),
            ("26-11-30 08:00", "2026-11-30T08:00:00Z"),
            ("30/10/26", "2026-10-30T00:00:00Z"),
            ("Tuesday, 10-11-26", "2026-11-10T00:00:00Z"),
            ("Tuesday, 11/10/2026", "2026-11-10T00:00:00Z"),
            ("Tue, 10/11/2026 08:00:00 GMT", "2026-11-10T08:00:00Z"),
            ("Dienstag, 10/11/26", "2026-11-10T00:00:00Z"),
        ] {
            assert_eq!(free_read(text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(free_read("3 listopada 2024"), Err(NoDate::Ambiguous));
        for (text, part) in [
            ("2 Jan 2024 quarter past 12:00 noonish", "past"),
            ("2 Jan 2024 10h99x", "10h99x"),
            ("2024-01-02T99:00:00Z", "2024-01-02T99:00:00Z"),
            ("2 Jan 2024 10:00 17", "17"),
        ] {
            assert_eq!(
                free(text, Hints::default()).unwrap().unread.as_deref(),
                Some(part),
                "{text}"
            );
        }
        assert_eq!(free_read("mar 5 xyz 2024"), Err(NoDate::Unknown));
        assert_eq!(free_read("ter, 5 mar 2024").as_deref(), Ok("2024-03-05T00:00:00Z"));
    }

    #[test]
    fn a_weekday_is_not_taken_for_the_month() {
        for (text, expected) in [
            ("Thứ 5, 26 thg 11 2026 10:00:00 +0700", Some("2026-11-26T03:00:00Z")),
            ("Thứ 6, 03 thg 1 2025", Some("2025-01-03T00:00:00Z")),
            ("Th 5, 26 thg 11 2026", None),
            ("dissabte, 10 maig 2025", Some("2025-05-10T00:00:00Z")),
            ("dissabte, 10 xyz 2025", None),
            ("dissabte 10 xyz 2025", None),
            ("e martë, 3 qershor 2025", Some("2025-06-03T00:00:00Z")),
            ("martxy 3, 2025", Some("2025-03-03T00:00:00Z")),
            ("martxy, 3 2025", None),
            ("сенбі, 3 мамыр 2025", Some("2025-05-03T00:00:00Z")),
            ("3 Meitheamh 2025", Some("2025-06-03T00:00:00Z")),
            ("mar, 06 oct 2026", Some("2026-10-06T00:00:00Z")),
            ("mar 13 xy 2025", None),
            ("ara, zan 1, 2025", None),
            ("Nov, 2 2026", Some("2026-11-02T00:00:00Z")),
            ("Nov-02-2026", Some("2026-11-02T00:00:00Z")),
        ] {
            assert_eq!(free_read(text).ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_name_of_two_months_is_resolved_or_no_date() {
        for (text, language, expected) in [
            ("uto, 03 lip 2025", None, Ok("2025-06-03T00:00:00Z")),
            ("czw., 03 lip 2025", None, Ok("2025-07-03T00:00:00Z")),
            ("čet, 03 srp 2025", None, Ok("2025-07-03T00:00:00Z")),
            ("Thu, 15 lis 2026", None, Ok("2026-10-15T00:00:00Z")),
            ("Mon, 02 lis 2026", None, Ok("2026-11-02T00:00:00Z")),
            ("Pon, 02 lis 2026", None, Ok("2026-11-02T00:00:00Z")),
            ("2 listopada 2026", Some("hr-HR"), Ok("2026-10-02T00:00:00Z")),
            ("2 listopada 2026", Some("pl"), Ok("2026-11-02T00:00:00Z")),
            ("2 listopada 2026", Some("en"), Err(NoDate::Ambiguous)),
            ("2 listopada 2026", None, Err(NoDate::Ambiguous)),
            ("31 srp 2026", Some("xx"), Err(NoDate::Ambiguous)),
            ("31 lip 2026", None, Ok("2026-07-31T00:00:00Z")),
        ] {
            let found =
                free(text, Hints { language, order: None }).map(|dated| dated.at.to_string());
            assert_eq!(found.as_deref().map_err(|why| *why), expected, "{text} {language:?}");
        }
    }

    #[test]
    fn unusual_times_zones_and_numbers_are_read() {
        for (text, expected) in [
            ("Mon, 02 Nov 2026T10:00:00Z", "2026-11-02T10:00:00Z"),
            ("Mon, 02 Nov 2026 10.30.00 GMT", "2026-11-02T10:30:00Z"),
            ("31.12.2024 10.11.12", "2024-12-31T10:11:12Z"),
            ("Mon, 02 Nov 2026 1:00 p. m.", "2026-11-02T13:00:00Z"),
            ("Mon, 02 Nov 2026 12:05 a. m.", "2026-11-02T00:05:00Z"),
            ("Mon, 02 Nov 2026 10:00:00 –0500", "2026-11-02T15:00:00Z"),
            ("2026-11-02T10:00:00−01:00", "2026-11-02T11:00:00Z"),
            ("1793613600.5", "2026-11-02T10:00:00.5Z"),
            ("1793613600000000", "2026-11-02T10:00:00Z"),
            ("Mon, 02 Nov 2026 10:00:00 AWST", "2026-11-02T02:00:00Z"),
            ("Mon, 02 Nov 2026 10:00:00 NPT", "2026-11-02T04:15:00Z"),
            ("Mon, 02 Nov 2026 10:00:00 +0200 IST", "2026-11-02T08:00:00Z"),
            ("Mon, 02 Nov 2026 10:00:00 GMT +0100", "2026-11-02T09:00:00Z"),
            ("Mon, 02 Nov 2026 10:00:00 Pacific Standard Time", "2026-11-02T18:00:00Z"),
            ("Mon, 02 Nov 2026 10:00 Eastern", "2026-11-02T15:00:00Z"),
            ("金, 27 11月 2026 10:00:00 +0900", "2026-11-27T01:00:00Z"),
            ("月, 02 11月 2026", "2026-11-02T00:00:00Z"),
            ("星期一, 02 十一月 2026 10:00:00 +0800", "2026-11-02T02:00:00Z"),
            ("월, 02 11월 2026 10:00:00 +0900", "2026-11-02T01:00:00Z"),
            ("Да, 03 11-р сар 2025", "2025-11-03T00:00:00Z"),
            ("30 ноября 2026 18:30 (МСК)", "2026-11-30T15:30:00Z"),
            ("30 Kasım 2026 18:30 TSİ", "2026-11-30T15:30:00Z"),
            ("Mon, 30 Nov 2026 18:30:00 ＋0900", "2026-11-30T09:30:00Z"),
            ("30/Nov/2026:18:30:00 -0300", "2026-11-30T21:30:00Z"),
            ("T2, 30 Th11 2026 18:30:00 +0700", "2026-11-30T11:30:00Z"),
            ("Thứ Hai, 30 Tháng Mười Một 2026 18:30:00 +0700", "2026-11-30T11:30:00Z"),
            ("Пн, 30 лис 2026 18:30:00 +0200", "2026-11-30T16:30:00Z"),
            ("Sam, 15 aoû 2026 10:00:00 +0200", "2026-08-15T08:00:00Z"),
        ] {
            let context = Context::default();
            assert_eq!(date(text, &context).map(|at| at.to_string()).as_deref(), Some(expected));
            assert_eq!(context.parse_warnings(), [], "{text}");
        }
    }

    #[test]
    fn years_of_other_calendars_are_converted() {
        for (text, expected) in [
            ("30/11/2569 18:30", "2026-11-30T18:30:00Z"),
            ("2569-11-30T18:30:00+07:00", "2026-11-30T11:30:00Z"),
            ("2569-11-30", "2026-11-30T00:00:00Z"),
            ("25691130183000", "2026-11-30T18:30:00Z"),
            ("Mon, 30 Nov 2569 18:30:00 +0700", "2026-11-30T11:30:00Z"),
            ("Thu, 29 Feb 2567 18:30:00 +0700", "2024-02-29T11:30:00Z"),
            ("30 Nov 2569", "2026-11-30T00:00:00Z"),
            ("๓๐ พฤศจิกายน ๒๕๖๙", "2026-11-30T00:00:00Z"),
            ("۹ آذر ۱۴۰۵", "2026-11-30T00:00:00Z"),
            ("دوشنبه، ۹ آذر ۱۴۰۵ ساعت ۱۸:۳۰", "2026-11-30T18:30:00Z"),
            ("1405/09/09", "2026-11-30T00:00:00Z"),
            ("۱۴۰۵/۰۶/۳۱ ۱۸:۳۰", "2026-09-22T18:30:00Z"),
            ("1405-09-09T18:30:00+03:30", "2026-11-30T15:00:00Z"),
        ] {
            assert_eq!(read(text).map(|at| at.to_string()).as_deref(), Some(expected), "{text}");
        }
        // A month and a year of two calendars
        for text in ["۹ آذر ۲۰۲۶", "9 Nov 1405"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_language_decides_between_meanings() {
        for (text, language, expected) in [
            ("Pn, 30 lis 2026 18:30:00 +0100", "pl", "2026-11-30T17:30:00Z"),
            ("Pn, 30 lis 2026 18:30:00 +0100", "", "2026-11-30T17:30:00Z"),
            ("Pn, 09/11/2026", "pl", "2026-11-09T00:00:00Z"),
            ("Pn, 09/11/2026", "lt", "2026-09-11T00:00:00Z"),
            ("Mon, 30 Nov 2026 18:30:00 IST", "he-IL", "2026-11-30T16:30:00Z"),
            ("2026-11-30 18:30:00 CST", "zh-CN", "2026-11-30T10:30:00Z"),
            ("Mon, 30 Nov 2026 18:30:00 CST", "en", "2026-12-01T00:30:00Z"),
            ("30.11.26 18:30", "de-DE", "2026-11-30T18:30:00Z"),
            ("26.11.30 18:30", "ko", "2026-11-30T18:30:00Z"),
        ] {
            let hints = Hints { language: Some(language), order: None };
            let found = parse(text, hints).map(|dated| dated.at.to_string());
            assert_eq!(found.as_deref(), Ok(expected), "{text} {language}");
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
