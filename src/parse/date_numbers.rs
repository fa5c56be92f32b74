//! Dates and times of numbers: ISO 8601, and other orders of day, month and year.

use jiff::civil::{Date, ISOWeekDate, Time, Weekday};

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

/// `10:14`, `10:14:55`, `10:14:55.123`, `1014`, `101455`. A leap second becomes second 59.
pub(crate) fn time(text: &str) -> Option<Time> {
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
    // ISO 8601: 24:00 is the end of the day.
    let (hour, minute, second) =
        if hour == 24 { (23, 59, 59) } else { (hour, minute, second.min(59)) };
    Time::new(hour, minute, second, 0).ok()
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
