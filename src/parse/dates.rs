//! Dates as publishers write them: RFC 3339, RFC 822, and any text with a year, a month and a day.
//! The default time zone is UTC.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, ISOWeekDate, Time, Weekday};
use jiff::tz::{Offset, TimeZone};

use super::context::Context;
use super::namespace::Namespace;
use super::tree::Element;

/// Prefixes of month names in the languages of feeds.
const MONTHS: [&[&str]; 12] = [
    &["jan", "ene", "gen", "янв", "ιαν", "sty"],
    &["feb", "fév", "fev", "фев", "φεβ", "lut"],
    &["mar", "mär", "mrt", "már", "mrz", "мар", "μάρ", "μαρ"],
    &["apr", "avr", "abr", "ápr", "апр", "απρ", "kwi"],
    &["may", "mai", "mei", "mag", "maj", "máj", "май", "мая", "μάι", "μαι", "μαϊ"],
    &["jun", "juin", "giu", "jún", "июн", "ιούν", "ιουν", "cze"],
    &["jul", "juil", "lug", "júl", "июл", "ιούλ", "ιουλ", "lip"],
    &["aug", "aoû", "aou", "ago", "авг", "αύγ", "αυγ", "sie"],
    &["sep", "set", "sze", "сен", "σεπ", "wrz"],
    &["oct", "okt", "out", "ott", "окт", "οκτ", "paź"],
    &["nov", "ноя", "νοέ", "νοε", "lis"],
    &["dec", "dez", "dic", "déc", "дек", "δεκ", "gru"],
];

/// Names of time zones with their offset in minutes east of UTC: RFC 822 5.1 and other common ones.
const ZONES: &[(&str, i32)] = &[
    ("z", 0),
    ("ut", 0),
    ("utc", 0),
    ("gmt", 0),
    ("wet", 0),
    ("west", 60),
    ("bst", 60),
    ("ist", 330),
    ("cet", 60),
    ("cest", 120),
    ("met", 60),
    ("mest", 120),
    ("eet", 120),
    ("eest", 180),
    ("msk", 180),
    ("jst", 540),
    ("kst", 540),
    ("hkt", 480),
    ("sgt", 480),
    ("aest", 600),
    ("aedt", 660),
    ("nzst", 720),
    ("nzdt", 780),
    ("est", -300),
    ("edt", -240),
    ("et", -300),
    ("ast", -240),
    ("adt", -180),
    ("at", -240),
    ("cst", -360),
    ("cdt", -300),
    ("ct", -360),
    ("mst", -420),
    ("mdt", -360),
    ("mt", -420),
    ("pst", -480),
    ("pdt", -420),
    ("pt", -480),
    ("akst", -540),
    ("hst", -600),
    ("brt", -180),
];

/// A date with its time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Dated {
    at: Timestamp,
    /// The time zone as written, if it is unknown; the date is then in UTC.
    unknown_zone: Option<String>,
}

impl From<Timestamp> for Dated {
    fn from(at: Timestamp) -> Self {
        Self { at, unknown_zone: None }
    }
}

/// Parses a date; `None` if the text is not a date. At most 100 bytes are accepted. Reports text that is no
/// date, and unknown time zones.
pub(crate) fn date(text: &str, context: &Context) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let shown = || text.chars().take(60).collect::<String>();
    let Some(dated) = parse(text) else {
        context.report("bad_date", || format!("{:?} is not a date; left out", shown()));
        return None;
    };
    if let Some(zone) = dated.unknown_zone {
        let message = || format!("unknown time zone {zone:?} in {:?}; read as UTC", shown());
        context.report("unknown_time_zone", message);
    }
    Some(dated.at)
}

fn parse(text: &str) -> Option<Dated> {
    let text = Some(text).filter(|text| text.len() <= 100)?;
    let named = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let iso = if named { None } else { iso(text).map(Dated::from) };
    let seconds = || number_of_seconds(text).map(Dated::from);
    let read = iso.or_else(|| free(text)).or_else(seconds);
    // A date after the year 9000 is an error, and XML dates cannot express it.
    read.filter(|dated| dated.at.as_second() < 221_845_392_000)
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
    let end = text.find(['T', 't', ' ']).unwrap_or(text.len());
    let (day, rest) = text.split_at(end);
    let day = iso_day(day)?;
    let rest = rest.trim_start_matches(['T', 't', ' ']).trim();
    if rest.is_empty() {
        return Zone::Fixed(Offset::UTC).stamp(day.to_datetime(Time::midnight()));
    }
    let end =
        rest.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.')).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(end);
    zone_of(zone.trim())?.stamp(day.to_datetime(time(clock)?))
}

/// The date formats of ISO 8601 that feeds use. Omitted parts are the first month or day.
fn iso_day(text: &str) -> Option<Date> {
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
        [year, month, day] if [year.len(), month.len(), day.len()] == [2, 2, 2] => {
            made(century(number(year)?), month, day)
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
fn century(year: i16) -> i16 {
    if year < 70 { 2000 + year } else { 1900 + year }
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

/// A date with the name of a month: day, month, year, time and zone in any order.
fn free(text: &str) -> Option<Dated> {
    let mut found = Found::default();
    // Korean dates have units after the numbers and are in Korean time.
    let korean = text.contains(['년', '후', '전']);
    let parted = text.replace(['년', '월'], "-").replace('일', " ");
    let text = if korean { parted.replace("- ", "-") } else { parted };
    found.zone = if korean { Offset::from_seconds(9 * 3600).ok().map(Zone::Fixed) } else { None };
    for word in text.split([' ', ',', '\t', '\n', '(', ')']).filter(|word| !word.is_empty()) {
        found.word(word)?;
    }
    let date = match found.date {
        Some(date) => date,
        None => Date::new(found.year?, found.month?, found.day?).ok()?,
    };
    let clock = half_day(found.clock.unwrap_or_else(Time::midnight), found.afternoon)?;
    let unknown_zone = found.unknown_zone.filter(|_| found.zone.is_none());
    let zone = found.zone.unwrap_or(Zone::Fixed(Offset::UTC));
    Some(Dated { at: zone.stamp(date.to_datetime(clock))?, unknown_zone })
}

/// The parts of a date found so far.
#[derive(Default)]
struct Found {
    date: Option<Date>,
    day: Option<i8>,
    month: Option<i8>,
    year: Option<i16>,
    clock: Option<Time>,
    zone: Option<Zone>,
    /// The first word that may be a zone but is not a known one.
    unknown_zone: Option<String>,
    afternoon: Option<bool>,
}

impl Found {
    /// Adds one word; `None` if the text cannot be a date.
    fn word(&mut self, word: &str) -> Option<()> {
        let lower = word.to_lowercase();
        let digit = word.starts_with(|c: char| c.is_ascii_digit());
        if digit && word.contains(':') && !word.contains(['-', 'T']) || digit && self.clock(word) {
            self.clock_and_zone(word)?;
        } else if digit && word.contains(['-', '/', 'T']) {
            self.joined(word);
        } else if !digit && word.contains('/') {
            // IANA names may begin like months: `America/Mazatlan`, `Australia/Sydney`.
            self.zone(word);
        } else if let Some(number) = number_of(&lower) {
            self.number(number, lower.trim_end_matches(char::is_alphabetic).len());
        } else if matches!(lower.as_str(), "am" | "pm" | "오전" | "오후") {
            self.afternoon = Some(matches!(lower.as_str(), "pm" | "오후"));
        } else if let Some(found) = month_of(&lower) {
            // A weekday may have the prefix of a month. The month then follows and replaces it.
            self.month = Some(found);
        } else if self.clock.is_some() {
            self.zone(word);
        }
        Some(())
    }

    /// Adds a word that may be a zone.
    fn zone(&mut self, word: &str) {
        if let Some(zone) = zone_of(word) {
            self.zone = Some(zone);
        } else if self.unknown_zone.is_none() && may_be_zone(word) {
            self.unknown_zone = Some(word.to_owned());
        }
    }

    /// `9:15-05:00`
    fn clock(&self, word: &str) -> bool {
        word.find(':').is_some_and(|colon| colon <= 2) && !word.contains('T')
    }

    fn clock_and_zone(&mut self, word: &str) -> Option<()> {
        let end = word.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.'));
        let (hours, rest) = word.split_at(end.unwrap_or(word.len()));
        self.clock = Some(time(hours)?);
        if !rest.is_empty() {
            self.zone(rest);
        }
        Some(())
    }

    /// `2006/09/15`, `2004-július-13T9:15-05:00`, `13-Jul-2004`.
    fn joined(&mut self, word: &str) {
        let (day, clock) = word.split_once('T').unwrap_or((word, ""));
        self.date = iso_day(day.trim_end_matches('-')).or(self.date);
        if self.date.is_none() {
            for part in day.split(['-', '/']).filter(|part| !part.is_empty()) {
                let lower = part.to_lowercase();
                match number_of(&lower) {
                    Some(number) => self.number(number, lower.len()),
                    None => self.month = month_of(&lower).or(self.month),
                }
            }
        }
        if !clock.is_empty() {
            let _ = self.clock_and_zone(clock);
        }
    }

    fn number(&mut self, number: i32, digits: usize) {
        match (digits, self.day) {
            (1..=2, None) if (1..=31).contains(&number) => self.day = i8::try_from(number).ok(),
            (2, Some(_)) if self.year.is_none() => {
                self.year = i16::try_from(number).ok().map(century);
            }
            (4, _) if self.year.is_none() => self.year = i16::try_from(number).ok(),
            _ => {}
        }
    }
}

/// `16`, `16th`.
fn number_of(word: &str) -> Option<i32> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = &word[digits.len()..];
    // A number with a sign is a zone: `+0200`.
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    matches!(suffix, "" | "st" | "nd" | "rd" | "th").then(|| digits.parse().ok()).flatten()
}

fn month_of(word: &str) -> Option<i8> {
    let known = MONTHS.iter().position(|names| names.iter().any(|name| word.starts_with(name)))?;
    i8::try_from(known + 1).ok()
}

fn half_day(clock: Time, afternoon: Option<bool>) -> Option<Time> {
    let hour = match (afternoon, clock.hour()) {
        (Some(true), hour @ 1..=11) => hour + 12,
        (Some(false), 12) => 0,
        (_, hour) => hour,
    };
    Time::new(hour, clock.minute(), clock.second(), 0).ok()
}

/// `10:14`, `10:14:55`, `10:14:55.123`. A leap second becomes second 59.
fn time(text: &str) -> Option<Time> {
    let mut parts = text.split(':');
    let mut next = || parts.next().map(|part| part.split('.').next().unwrap_or_default());
    let hour: i8 = next()?.parse().ok()?;
    let minute: i8 = next()?.parse().ok()?;
    let second: i8 = next().map_or(Some(0), |part| part.parse().ok())?;
    // ISO 8601: 24:00 is the end of the day.
    let (hour, minute, second) =
        if hour == 24 { (23, 59, 59) } else { (hour, minute, second.min(59)) };
    Time::new(hour, minute, second, 0).ok()
}

/// A time zone.
#[derive(Debug, Clone)]
enum Zone {
    Fixed(Offset),
    /// A zone of the IANA database, with daylight saving time.
    Named(TimeZone),
}

impl Zone {
    fn stamp(&self, at: DateTime) -> Option<Timestamp> {
        match self {
            Self::Fixed(offset) => offset.to_timestamp(at).ok(),
            // Of two times with the same name in autumn, the earlier one.
            Self::Named(zone) => zone.to_timestamp(at).ok(),
        }
    }
}

/// `+0100`, `EST`, `Europe/Paris`, `-05:00[America/New_York]`.
fn zone_of(zone: &str) -> Option<Zone> {
    let zone = zone.trim();
    // RFC 9557: an offset before the name takes precedence.
    let (fixed, name) = match zone.strip_suffix(']').and_then(|zone| zone.split_once('[')) {
        Some(("", name)) => (None, name),
        Some((fixed, _)) => (Some(fixed), fixed),
        None => (Some(zone), zone),
    };
    let iana = |name: &str| {
        let plausible = name.len() >= 2 && name.len() <= 40 && name.is_ascii();
        TimeZone::get(name).ok().filter(|_| plausible).map(Zone::Named)
    };
    // The sign in `Etc/GMT+8` is inverted; only the database knows.
    if name.contains('/') {
        return iana(name);
    }
    fixed.and_then(offset).map(Zone::Fixed).or_else(|| iana(name))
}

/// Whether an unknown word after the time is the name of a zone: `XYZT`, `Foo/Bar`, `+99:99`.
fn may_be_zone(word: &str) -> bool {
    let letters = word.chars().filter(|c| c.is_ascii_alphabetic()).count();
    let others = word.chars().any(|c| !c.is_ascii_alphanumeric() && !"/_+-:.[]".contains(c));
    let capitals = letters >= 2 && !word.contains(|c: char| c.is_ascii_lowercase());
    let signed = word.starts_with(['+', '-']) && word.len() > 1;
    !others && (word.contains('/') || capitals || signed || word.starts_with('['))
}

/// `Z`, `+0100`, `-01:00`, `GMT+1`, `EST`. An empty zone is UTC.
fn offset(zone: &str) -> Option<Offset> {
    let zone = zone.trim();
    if zone.is_empty() {
        return Some(Offset::UTC);
    }
    let sign = zone.find(['+', '-']);
    let (name, number) = zone.split_at(sign.unwrap_or(zone.len()));
    let named =
        || ZONES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, m)| *m);
    if number.is_empty() {
        return Offset::from_seconds(named()? * 60).ok();
    }
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.parse::<i32>().ok()?, 0),
        3 => (digits[..1].parse().ok()?, digits[1..].parse().ok()?),
        4 => (digits[..2].parse().ok()?, digits[2..].parse().ok()?),
        _ => return None,
    };
    let minutes = hours * 60 + minutes;
    let minutes = if number.starts_with('-') { -minutes } else { minutes };
    Offset::from_seconds(minutes * 60).ok()
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
