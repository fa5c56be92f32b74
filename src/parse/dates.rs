//! Dates as publishers write them: RFC 3339 and RFC 822 first, then whatever has a year, a month
//! and a day in it. No zone is UTC; what makes no sense is no date.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

const MONTHS: &[&str] =
    &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Zone names that feeds use, in minutes east of UTC. RFC 822 5.1 and the customs since.
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

/// Reads a date; `None` where there is none to be read.
pub(crate) fn date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > 100 {
        return None;
    }
    // Later than the year 9000 is a typing error, and beyond what XML dates can say.
    iso(text).or_else(|| free(text)).filter(|at| at.as_second() < 221_845_392_000)
}

/// RFC 3339 and its relatives: `2003-12-31T10:14:55Z`, no seconds, no zone, a blank for the T.
fn iso(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let (day, rest) = text.split_at_checked(10)?;
    let day: Date = day.replace('/', "-").parse().ok()?;
    let rest = rest.strip_prefix(['T', 't', ' ']).unwrap_or(rest).trim();
    if rest.is_empty() {
        return stamp(day.to_datetime(Time::midnight()), Offset::UTC);
    }
    let end =
        rest.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.')).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(end);
    stamp(day.to_datetime(time(clock)?), offset(zone.trim())?)
}

/// Anything with a month by name: day, month, year, time and zone in any order that occurs.
fn free(text: &str) -> Option<Timestamp> {
    let (mut day, mut month, mut year, mut clock, mut zone) = (None, None, None, None, Offset::UTC);
    let mut afternoon = None;
    for word in text.split([' ', ',', '\t', '\n', '(', ')']).filter(|word| !word.is_empty()) {
        let lower = word.to_ascii_lowercase();
        if word.contains(':') && word.starts_with(|c: char| c.is_ascii_digit()) {
            let end = word.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.'));
            let (hours, rest) = word.split_at(end.unwrap_or(word.len()));
            clock = Some(time(hours)?);
            if !rest.is_empty() {
                zone = offset(rest).unwrap_or(zone);
            }
        } else if let Some(number) = number_of(&lower) {
            match (lower.trim_end_matches(char::is_alphabetic).len(), day) {
                (1..=2, None) if (1..=31).contains(&number) => day = Some(number),
                // RFC 2822 4.3: two digits are this century or the last one.
                (2, Some(_)) if year.is_none() => {
                    year = Some(if number < 70 { 2000 + number } else { 1900 + number })
                }
                (4, _) if year.is_none() => year = Some(number),
                _ => {}
            }
        } else if matches!(lower.as_str(), "am" | "pm") {
            afternoon = Some(lower == "pm");
        } else if let Some(found) = month_of(&lower).filter(|_| month.is_none()) {
            month = Some(found);
        } else if clock.is_some() {
            zone = offset(word).unwrap_or(zone);
        }
    }
    let date = Date::new(i16::try_from(year?).ok()?, month?, i8::try_from(day?).ok()?).ok()?;
    let clock = half_day(clock.unwrap_or_else(Time::midnight), afternoon)?;
    stamp(date.to_datetime(clock), zone)
}

/// `16`, `16th`.
fn number_of(word: &str) -> Option<i32> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = &word[digits.len()..];
    // A sign makes it a zone: `+0200`.
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    matches!(suffix, "" | "st" | "nd" | "rd" | "th").then(|| digits.parse().ok()).flatten()
}

fn month_of(word: &str) -> Option<i8> {
    let known = MONTHS.iter().position(|month| word.starts_with(month))?;
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

/// `10:14`, `10:14:55`, `10:14:55.123`; a leap second is the second before.
fn time(text: &str) -> Option<Time> {
    let mut parts = text.split(':');
    let mut next = || parts.next().map(|part| part.split('.').next().unwrap_or_default());
    let hour: i8 = next()?.parse().ok()?;
    let minute: i8 = next()?.parse().ok()?;
    let second: i8 = next().map_or(Some(0), |part| part.parse().ok())?;
    // ISO 8601: 24:00 is the end of the day; as the start of the next it would need a date.
    let (hour, minute, second) =
        if hour == 24 { (23, 59, 59) } else { (hour, minute, second.min(59)) };
    Time::new(hour, minute, second, 0).ok()
}

/// `Z`, `+0100`, `-01:00`, `GMT+1`, `EST`; nothing is UTC.
fn offset(zone: &str) -> Option<Offset> {
    let zone = zone.trim().trim_start_matches("Etc/");
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

fn stamp(at: DateTime, offset: Offset) -> Option<Timestamp> {
    offset.to_timestamp(at).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_are_read_as_publishers_write_them() {
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
        ] {
            assert_eq!(date(text).map(|at| at.to_string()).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "yesterday",
            "32 Dec 2003",
            "Sun, 31 Dec 99999 23:59:59 +0000",
            "2003-13-01",
            "12:00",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}") {
            let _ = date(&text);
        }

        #[test]
        fn every_stamp_is_read_back(seconds in 0_i64..4_000_000_000) {
            let at = Timestamp::from_second(seconds).unwrap();
            prop_assert_eq!(date(&at.to_string()), Some(at));
            let rfc822 = at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
            prop_assert_eq!(date(&rfc822), Some(at));
        }
    }
}
