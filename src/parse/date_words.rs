//! Dates with words, or with their parts in another order than in ISO 8601.

use std::borrow::Cow;

use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use super::date_calendars::{ShortYears, day_of};
use super::date_clock::{Clock, Half, half_of, hours, is_clock, is_filler, time};
use super::date_names::{
    Followed, Meaning, Place, Word, meanings, month_of, months_by_beginning, weekdays_of,
};
use super::date_order::Numbers;
use super::date_signs::with_signs;
use super::date_zones::{Zone, long_zone, may_be_zone, zone_of};
use super::dates::{Dated, Hints, NoDate, iso_day, primary};

/// A date with the name of a month, or with units: day, month, year, time and zone in any order.
pub(crate) fn free(text: &str, hints: Hints<'_>) -> Result<Dated, NoDate> {
    let short_years = ShortYears::of(text, hints.language);
    let mut found = Found { language: hints.language, short_years, ..Found::default() };
    let korean = text.contains(|c| ('\u{ac00}'..='\u{d7a3}').contains(&c));
    // Korean dates are in Korean time.
    found.zone = if korean { Offset::from_seconds(9 * 3600).ok().map(Zone::Fixed) } else { None };
    let plain = if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(with_signs(text)) };
    let plain = without_spaces(&plain);
    let tokens = without_other_words(tokens(&plain), hints.language);
    let mut rest = tokens.as_slice();
    let mut clock_at = None;
    while !rest.is_empty() {
        let count = found.first_of(rest).ok_or(NoDate::Unknown)?;
        if found.clock.is_some() {
            clock_at = clock_at.or(Some(tokens.len() - rest.len()));
        }
        rest = rest.get(count..).unwrap_or_default();
    }
    if let Some(at) = clock_at {
        found.unread_half = found.unread_beside(&tokens, at);
    }
    found.finish(hints)
}

/// A word or number of the text.
#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    followed: Followed,
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let ends =
        |c: char| c.is_whitespace() || ",;()[]\u{60c}".contains(c) && !is_zone_bracket(text, c);
    let mut tokens: Vec<Token<'_>> = Vec::new();
    for part in text.split_inclusive(ends) {
        let comma = part.ends_with([',', ';', '\u{60c}']);
        let followed = if comma { Followed::ByComma } else { Followed::ByOther };
        let word = part.trim_end_matches(ends).trim_end_matches('.');
        if !word.is_empty() {
            tokens.push(Token { text: word, followed });
        } else if let Some(last) = tokens.last_mut().filter(|_| comma) {
            last.followed = followed;
        }
    }
    tokens
}

/// The tokens without words that would be a half of the day elsewhere: German `am 30.11.2026`, Arabic `2026 م`, of the
/// Common Era.
fn without_other_words<'a>(tokens: Vec<Token<'a>>, language: Option<&str>) -> Vec<Token<'a>> {
    let primary = primary(language);
    let has_am = ["", "de", "lb"].iter().any(|of| of.eq_ignore_ascii_case(primary));
    let is_other = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at)).map_or("", |it| it.text);
        let after = tokens.get(at + 1).map_or("", |it| it.text);
        if tokens[at].text == "م" {
            ends_with_year(before) && !tokens[..at].iter().any(|token| is_clock(token.text))
        } else {
            let is_beside = is_clock(after) || before.starts_with(|c: char| c.is_ascii_digit());
            has_am && tokens[at].text.eq_ignore_ascii_case("am") && !is_beside
        }
    };
    (0..tokens.len()).filter(|at| !is_other(*at)).map(|at| tokens[at]).collect()
}

/// Whether a number of four digits is at the end.
fn ends_with_year(word: &str) -> bool {
    word.len() - word.trim_end_matches(|c: char| c.is_ascii_digit()).len() == 4
}

/// `24. 12. 2024` as `24.12.2024`.
fn without_spaces(text: &str) -> Cow<'_, str> {
    let is_digit = |at: Option<usize>| {
        at.is_some_and(|at| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit))
    };
    let between = |(at, _): &(usize, &str)| is_digit(at.checked_sub(1)) && is_digit(Some(at + 2));
    let places: Vec<usize> =
        text.match_indices(". ").filter(between).take(2).map(|(at, _)| at).collect();
    let [first, second] = places.as_slice() else { return Cow::Borrowed(text) };
    let parts = [&text[..*first], &text[first + 2..*second], &text[second + 2..]];
    Cow::Owned(parts.join("."))
}

/// Whether brackets belong to a zone: `10:00[Europe/Paris]`.
fn is_zone_bracket(text: &str, bracket: char) -> bool {
    matches!(bracket, '[' | ']') && text.contains('/')
}

/// The parts of a date found so far.
#[derive(Default)]
struct Found<'a> {
    /// Language of the document.
    language: Option<&'a str>,
    short_years: ShortYears,
    date: Option<Date>,
    day: Option<i8>,
    /// From 1, if it is a number.
    month: Option<i8>,
    year: Option<i16>,
    /// Number of digits of the year.
    year_digits: usize,
    /// The words that may be the month.
    names: Vec<Word>,
    clock: Option<Clock>,
    zone: Option<Zone>,
    /// The zone as a number. It takes precedence over a name: `+0200 IST`.
    offset: Option<Zone>,
    /// The first word that may be a zone but is not a known one.
    unknown_zone: Option<String>,
    half: Option<Half>,
    /// A word beside the time that may be its half of the day.
    unread_half: Option<String>,
    /// The first number that is not understood.
    unread_number: Option<String>,
    /// The first word after the time that is not understood.
    unread_word: Option<String>,
    /// Three numbers that are a date, or several.
    numbers: Option<Numbers>,
    /// Whether other numbers can be several dates.
    ambiguous: bool,
    /// Whether the next number is the month: Vietnamese.
    next_is_month: bool,
}

impl Found<'_> {
    /// The date without its time.
    fn day(&self, hints: Hints<'_>) -> Result<Date, NoDate> {
        if let Some(date) = self.date {
            return Ok(date);
        }
        if let Some(numbers) = &self.numbers {
            let weekdays = weekdays_of(&self.names, hints.language);
            let date = numbers.clone().on(&weekdays).date(hints.order, hints.language);
            return date.ok_or(NoDate::Ambiguous);
        }
        let none = if self.ambiguous { NoDate::Ambiguous } else { NoDate::Unknown };
        let (Some(year), Some(day)) = (self.year, self.day) else { return Err(none) };
        let month = match self.month {
            Some(month) => month,
            None => month_of(&self.names, (year, day), hints.language)?,
        };
        day_of(year, month, day).ok_or(none)
    }

    fn finish(self, hints: Hints<'_>) -> Result<Dated, NoDate> {
        let date = self.day(hints)?;
        // `6 PM`
        let hour =
            self.unread_number.as_ref().filter(|_| self.clock.is_none() && self.half.is_some());
        let hour = hour
            .and_then(|hour| Time::new(hour.parse().ok().filter(|it| *it <= 12)?, 0, 0, 0).ok());
        let unread_number = self.unread_number.filter(|_| hour.is_none());
        let clock = self.clock.or(hour.map(Clock::from));
        let clock = match self.half {
            Some(Half::Noon) if clock.is_none() => Some(Time::constant(12, 0, 0, 0).into()),
            Some(half) => clock.map_or(Some(Time::midnight().into()), |clock| half.time(clock)),
            None => Some(clock.unwrap_or_else(|| Time::midnight().into())),
        };
        let zone = self.offset.or(self.zone);
        let has_zone = zone.is_some();
        let unknown_zone = self.unknown_zone.filter(|_| !has_zone);
        let unread_word = self.unread_word.filter(|_| !has_zone && unknown_zone.is_none());
        let zone = zone.unwrap_or(Zone::Fixed(Offset::UTC));
        let at = clock.and_then(|clock| zone.stamp(clock.on(date)?));
        Ok(Dated {
            at: at.ok_or(NoDate::Unknown)?,
            unknown_zone,
            unread: unread_number.or(self.unread_half).or(unread_word),
        })
    }

    /// The first word beside the time, which is token `at`, that is not understood. It can be the half of the day, if
    /// the text names none and the time is one of twelve hours.
    fn unread_beside(&self, tokens: &[Token<'_>], at: usize) -> Option<String> {
        let clock = self.clock?.time;
        if self.half.is_some() || !(1..=12).contains(&clock.hour()) {
            return None;
        }
        let before: Vec<&str> = tokens[..at].iter().rev().map(|token| token.text).collect();
        let after: Vec<&str> = tokens[at + 1..].iter().map(|token| token.text).collect();
        let unknown = |words: &[&str]| {
            let word = words.iter().find(|word| !is_filler(&word.to_lowercase()))?;
            (!self.is_understood(word)).then(|| (*word).to_owned())
        };
        unknown(&before).or_else(|| unknown(&after).filter(|_| long_zone(&after).is_none()))
    }

    /// Whether a word beside a time is known, or reported otherwise.
    fn is_understood(&self, word: &str) -> bool {
        let lower = word.to_lowercase();
        let is_pair = word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_uppercase());
        let is_own = |of: &str| self.language.is_some_and(|tag| tag.starts_with(of));
        let is_name = |it: &Meaning| !is_pair || is_own(it.language);
        // With a zone, an unknown one is not reported: `10:00 ABCT +0200`. Two letters are not enough for a zone.
        let is_zone = may_be_zone(word) && !is_pair
            || self.unknown_zone.as_deref() == Some(word)
                && self.offset.is_none()
                && self.zone.is_none();
        word.starts_with(|c: char| c.is_ascii_digit())
            || meanings(&lower).iter().any(is_name)
            || !months_by_beginning(&lower).is_empty()
            || matches!(lower.as_str(), "tháng" | "thg")
            || zone_of(word, self.language).is_some()
            || is_zone
            || self.names.iter().any(|name| name.text.ends_with(&lower) && name.text != lower)
    }

    /// Adds the first word of `tokens`, with those that belong to it, and returns their number; `None` if the text
    /// cannot be a date.
    fn first_of(&mut self, tokens: &[Token<'_>]) -> Option<usize> {
        let first = tokens.first()?;
        let lower = first.text.to_lowercase();
        if self.clock.is_some() && (tokens.len() > 1 || lower.len() > 4) {
            let words: Vec<&str> = tokens.iter().take(5).map(|token| token.text).collect();
            if let Some((zone, count)) = long_zone(&words) {
                self.zone = Some(zone);
                return Some(count);
            }
        }
        if let Some(count) = self.words(tokens) {
            return Some(count);
        }
        self.word(first, &lower).map(|()| 1)
    }

    /// Adds the name or the half of the day that is the first three or two of `tokens`, and returns their number:
    /// `e martë`, `Tháng Mười Một`, `p. m.`, `بعد الظهر`.
    fn words(&mut self, tokens: &[Token<'_>]) -> Option<usize> {
        let lower = |token: &Token<'_>| token.text.to_lowercase();
        let first = lower(tokens.first()?);
        // `11-р сар`: Mongolian
        if let Some(number) = first.strip_suffix("-р")
            && tokens.get(1).is_some_and(|next| lower(next).starts_with("сар"))
        {
            self.month = number.parse().ok().filter(|month| (1..=12).contains(month));
            return Some(2);
        }
        if first.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        [3, 2].into_iter().find_map(|count| {
            let parts = tokens.get(..count)?;
            let (last, before) = parts.split_last()?;
            let joined: String = parts.iter().map(lower).collect();
            if before.iter().any(|part| part.followed == Followed::ByComma) {
                return None;
            }
            if let Some(half) = half_of(&joined, self.language) {
                self.half = Some(half);
            } else if meanings(&first).is_empty() && !meanings(&joined).is_empty() {
                self.name(joined, last.followed);
            } else {
                return None;
            }
            Some(count)
        })
    }

    fn word(&mut self, token: &Token<'_>, lower: &str) -> Option<()> {
        let word = token.text;
        if let Some(half) = half_of(lower, self.language) {
            self.half = Some(half);
        } else if !word.starts_with(|c: char| c.is_ascii_digit()) {
            self.named(token, lower);
        } else if let Some(at) = time_mark(word) {
            self.joined(&word[..at]);
            if self.clock_and_zone(&word[at + 1..]).is_none() {
                self.unread(word);
            }
        } else if is_clock(word) {
            self.clock_and_zone(word)?;
        } else if word.contains(['-', '/']) {
            self.joined(word);
        } else if word.contains('.') {
            self.dotted(word);
        } else if let Some(number) = number_of(lower) {
            let digits = lower.bytes().take_while(u8::is_ascii_digit).count();
            self.number(number, digits, word);
        } else if let Some(clock) = hours(lower, self.language) {
            self.clock_and_zone(&clock)?;
        } else {
            self.unread(word);
        }
        Some(())
    }

    /// Adds a word that does not begin with a digit.
    fn named(&mut self, token: &Token<'_>, lower: &str) {
        let word = token.text;
        let is_month = |word: &str| meanings(word).iter().any(|it| it.month().is_some());
        // `Nov-02-2026`
        let has_month = lower.split_once(['-', '/']).is_some_and(|(name, _)| is_month(name));
        if has_month && word.ends_with(|c: char| c.is_ascii_digit()) {
            self.joined(word);
        } else if word.contains('/') {
            // IANA names may begin like months: `America/Mazatlan`, `Australia/Sydney`.
            self.zone(word);
        } else if matches!(lower, "tháng" | "thg") {
            self.next_is_month = true;
        } else if self.clock.is_some() && (!is_month(lower) || self.is_zone(word)) {
            self.zone(word);
            if meanings(lower).is_empty() && !may_be_zone(word) && !is_filler(lower) {
                self.name(lower.to_owned(), token.followed);
            }
        } else if !is_filler(lower) {
            // A time is seen and not read: `zz8:30`, but not `GMT+8:00`.
            let digit = word.find(|c: char| c.is_ascii_digit());
            if digit.is_some_and(|at| !word[..at].ends_with(['+', '-']) && is_clock(&word[at..])) {
                self.unread(word);
            }
            self.name(lower.to_owned(), token.followed);
        }
    }

    /// Adds a word that may be the month.
    fn name(&mut self, text: String, followed: Followed) {
        let place = match (self.day, self.year) {
            (None, None) => Place::Before,
            (Some(_), Some(_)) => Place::After,
            _ => Place::Between,
        };
        self.names.push(Word { text, place, followed });
    }

    /// Adds a word that may be a zone.
    fn zone(&mut self, word: &str) {
        let lower = word.to_lowercase();
        if let Some(zone) = zone_of(word, self.language) {
            let is_number = !word.contains('/') && word.contains(['+', '-']);
            let place = if is_number { &mut self.offset } else { &mut self.zone };
            *place = Some(zone);
        } else if may_be_zone(word) {
            self.unknown_zone.get_or_insert_with(|| word.to_owned());
        } else if !is_filler(&lower) && meanings(&lower).is_empty() {
            self.unread_word.get_or_insert_with(|| word.to_owned());
        }
    }

    /// Whether a word is an abbreviation of a zone: `AWST`, but not Welsh `Awst`.
    fn is_zone(&self, word: &str) -> bool {
        word.bytes().all(|byte| byte.is_ascii_uppercase()) && zone_of(word, self.language).is_some()
    }

    fn unread(&mut self, word: &str) {
        self.unread_number.get_or_insert_with(|| word.to_owned());
    }

    /// A time with a zone or a half of the day: `10:14:55`, `10:14+02:00`, `3:20pm`.
    fn clock_and_zone(&mut self, word: &str) -> Option<()> {
        let end = word.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.'));
        let (hours, rest) = word.split_at(end.unwrap_or(word.len()));
        self.clock = Some(time(hours)?);
        match half_of(&rest.to_lowercase(), self.language) {
            Some(half) => self.half = Some(half),
            None if rest.is_empty() => {}
            None => self.zone(rest),
        }
        Some(())
    }

    /// `2006/09/15`, `2004-július-13`, `13-Jul-2004`, `12/31/2024`, `2024`.
    fn joined(&mut self, word: &str) {
        // A year alone is part of a date: `2 Nov 2026T10:00:00Z`.
        if word.len() > 4
            && let Some(date) = iso_day(word.trim_end_matches('-'))
        {
            self.date = Some(date);
            return;
        }
        let parts: Vec<&str> = word.split(['-', '/']).filter(|part| !part.is_empty()).collect();
        let separator = if word.contains('/') { '/' } else { '-' };
        if let [first, second, third] = parts.as_slice()
            && self.triple([first, second, third], separator)
        {
            return;
        }
        for part in parts {
            let lower = part.to_lowercase();
            match number_of(&lower) {
                Some(number) => self.number(number, lower.len(), part),
                None if is_named_month(&lower) => self.name(lower, Followed::ByOther),
                None => self.unread(part),
            }
        }
    }

    /// A date or a time with dots: `31.12.2024`, `2024.12.31`, `12.30`.
    fn dotted(&mut self, word: &str) {
        let parts: Vec<&str> = word.split('.').collect();
        let has_date = self.date.is_some()
            || self.numbers.is_some()
            || self.day.is_some() && self.year.is_some();
        let may_be_clock = has_date && self.clock.is_none();
        match parts.as_slice() {
            // `10.30.00`
            [hour, _, _] if may_be_clock && hour.len() <= 2 => match time(&parts.join(":")) {
                Some(clock) => self.clock = Some(clock),
                None => self.unread(word),
            },
            [first, second, third] if self.triple([first, second, third], '.') => {}
            [hour, minute] if may_be_clock && minute.len() == 2 => {
                match time(&format!("{hour}:{minute}")) {
                    Some(clock) => self.clock = Some(clock),
                    None => self.unread(word),
                }
            }
            // `1.Jan.2024`
            [day, name, year] if is_named_month(&name.to_lowercase()) => {
                self.joined(&format!("{day}-{name}-{year}"));
            }
            _ => self.unread(word),
        }
    }

    /// Adds a date of three numbers; `false` if they are not a date.
    fn triple(&mut self, parts: [&str; 3], separator: char) -> bool {
        let numbers = Numbers::new(parts, separator, self.short_years);
        let is_date = numbers.is_some();
        self.numbers = numbers.or(self.numbers.take());
        is_date
    }

    fn number(&mut self, number: i32, digits: usize, word: &str) {
        let month = i8::try_from(number).ok().filter(|month| (1..=12).contains(month));
        match (digits, self.day) {
            _ if self.date.is_some() || self.numbers.is_some() => self.unread(word),
            (1..=2, _) if self.next_is_month && month.is_some() => {
                self.month = month;
                self.next_is_month = false;
            }
            (1..=2, None) if (1..=31).contains(&number) => self.day = i8::try_from(number).ok(),
            (2, Some(_)) if self.year.is_none() => {
                self.year = i16::try_from(number).ok().map(|year| self.short_years.year(year));
                self.year_digits = digits;
            }
            (4, _) if self.year.is_none() => {
                self.year = i16::try_from(number).ok();
                self.year_digits = digits;
            }
            // Of three numbers, the first two may be anything: `Th 5, 26 thg 11 2026`.
            (4, Some(_)) if self.year_digits == 2 => {
                self.day = None;
                self.ambiguous = true;
            }
            _ => self.unread(word),
        }
    }
}

/// Whether a word between numbers is the name of a month.
fn is_named_month(lower: &str) -> bool {
    meanings(lower).iter().any(|it| it.month().is_some()) || !months_by_beginning(lower).is_empty()
}

/// Position of the `T` or `:` between day and time: `2026-11-30T10:00`, `30/Nov/2026:10:00`.
fn time_mark(word: &str) -> Option<usize> {
    let is_digit = |at: usize| word.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let mut marks = word.match_indices(['T', 't']).map(|(at, _)| at);
    let mark = marks
        .find(|at| is_digit(at + 1) && *at > 0 && (is_digit(at - 1) || word[..*at].ends_with('-')));
    mark.or_else(|| word.find(':').filter(|at| word[..*at].contains('/') && is_digit(at + 1)))
}

/// `16`, `16th`, `1er`, `1º`, `2026م`.
fn number_of(word: &str) -> Option<i32> {
    const SUFFIXES: &[&str] =
        &["", "st", "nd", "rd", "th", "er", "e", "re", "a", "º", "ª", "°", "ος", "го", "-го", "de"];
    let end = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    let (digits, suffix) = word.split_at(end);
    // A number with a sign is a zone: `+0200`.
    let is_era = suffix == "م" && digits.len() == 4;
    (is_era || SUFFIXES.contains(&suffix)).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, NoDate> {
        free(text, Hints::default()).map(|dated| dated.at.to_string())
    }

    #[test]
    fn east_asian_dates_are_read() {
        for (text, expected) in [
            ("2024年1月1日", "2024-01-01T00:00:00Z"),
            ("2024年1月1日 12:30", "2024-01-01T12:30:00Z"),
            ("2024年01月01日 12时30分", "2024-01-01T12:30:00Z"),
            ("2024年01月01日12時30分45秒", "2024-01-01T12:30:45Z"),
            ("2024 年 1 月 1 日 9 时", "2024-01-01T09:00:00Z"),
            ("2024年1月1日下午3:05", "2024-01-01T15:05:00Z"),
            ("2024年1月1日 午前9時5分", "2024-01-01T09:05:00Z"),
            ("2024年1月1日(月) 12:30", "2024-01-01T12:30:00Z"),
            ("2024年1月7日（日）12:30", "2024-01-07T12:30:00Z"),
            ("2024年1月1日 月曜日", "2024-01-01T00:00:00Z"),
            ("2024年1月7日 星期日 08:00", "2024-01-07T08:00:00Z"),
            ("2024年1月1日 12:30:00 +0800", "2024-01-01T04:30:00Z"),
            ("2024年1月1日 12:30 JST", "2024-01-01T03:30:00Z"),
            ("２０２４年１月１日　１２：３０", "2024-01-01T12:30:00Z"),
            ("令和6年1月1日", "2024-01-01T00:00:00Z"),
            ("令和元年5月1日", "2019-05-01T00:00:00Z"),
            ("民國113年1月1日", "2024-01-01T00:00:00Z"),
            ("2024년 1월 1일", "2023-12-31T15:00:00Z"),
            ("2024년 1월 1일 오후 3시 20분", "2024-01-01T06:20:00Z"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
            assert_eq!(free(text, Hints::default()).unwrap().unread, None, "{text}");
        }
        for text in ["113年01月01日", "二〇二四年一月一日", "2024年13月1日"] {
            assert_eq!(read(text), Err(NoDate::Unknown), "{text}");
        }
    }
}
