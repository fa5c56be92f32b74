//! Dates with words, or with their parts in another order than in ISO 8601.

use std::borrow::Cow;

use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use super::date_names::{
    Followed, Place, Word, Zone, afternoon, is_filler, long_zone, may_be_zone, meanings, month_of,
    months_by_beginning, zone_of,
};
use super::dates::{
    Clock, Dated, NoDate, Numbers, century, half_day, hours, is_clock, iso_day, numbers, time,
};

/// A date with the name of a month, or with units: day, month, year, time and zone in any order. `language` is that of
/// the document, for names that are two months.
pub(crate) fn free(text: &str, language: Option<&str>) -> Result<Dated, NoDate> {
    let mut found = Found::default();
    let korean = text.contains(['년', '시', '후', '전']);
    // Korean dates are in Korean time.
    found.zone = if korean { Offset::from_seconds(9 * 3600).ok().map(Zone::Fixed) } else { None };
    let plain = if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(with_signs(text)) };
    let plain = without_spaces(&plain);
    let tokens = tokens(&plain);
    let mut rest = tokens.as_slice();
    while !rest.is_empty() {
        let count = found.first_of(rest).ok_or(NoDate::Unknown)?;
        rest = rest.get(count..).unwrap_or_default();
    }
    found.buddhist = plain.chars().any(|c| ('\u{e00}'..='\u{e7f}').contains(&c));
    found.finish(language)
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

/// Units of years, months, days, hours, minutes and seconds.
const UNITS: &str = "年년月월日号號일时時点點시分분秒초";

/// The text with ASCII digits, and with the signs of ISO 8601 instead of the units of East Asian dates.
fn with_signs(text: &str) -> String {
    const SIGNS: &[char] = &['年', '년', '月', '월', '시', '時', '时'];
    let text: String = text.chars().filter_map(plain_character).collect();
    if !text.contains(SIGNS) {
        return text;
    }
    let text = with_months(without_weekday(&with_era(&text)));
    if !text.contains(SIGNS) {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if UNITS.contains(letter) {
            plain.truncate(plain.trim_end().len());
        }
        match letter {
            '年' | '년' | '月' | '월' => plain.push('-'),
            '日' | '号' | '號' | '일' | '秒' | '초' => plain.push(' '),
            '时' | '時' | '点' | '點' | '시' | '分' | '분' => plain.push(':'),
            _ => {
                plain.push(letter);
                continue;
            }
        }
        while letters.peek().is_some_and(|next| next.is_whitespace()) {
            let _ = letters.next();
        }
        let more = letters.peek().is_some_and(char::is_ascii_digit);
        match letter {
            '时' | '時' | '点' | '點' | '시' if !more => plain.push_str("00 "),
            '分' | '분' if !more => {
                let _ = plain.pop();
                plain.push(' ');
            }
            _ => {}
        }
    }
    for half in ["上午", "下午", "午前", "午後", "오전", "오후", "凌晨", "晚上"] {
        plain = plain.replace(half, &format!(" {half} "));
    }
    plain
}

/// The text with `tháng 11` instead of `11月`, `十一月` and `11월`, if it has no unit of years: what Chinese, Japanese
/// and Korean pages write in a format of other languages.
fn with_months(text: String) -> String {
    const NUMBERS: [&str; 12] =
        ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"];
    if text.contains(['年', '년']) || !text.contains(['月', '월']) {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        let is_number = |c: char| c.is_ascii_digit() || "一二三四五六七八九十".contains(c);
        let before = plain.trim_end_matches(is_number);
        let written = &plain[before.len()..];
        let index = NUMBERS.iter().position(|number| *number == written);
        let number = index.map_or_else(|| written.parse().ok(), |index| Some(index + 1));
        match number {
            Some(number) if matches!(letter, '月' | '월') => {
                plain.truncate(before.len());
                plain.push_str(&format!(" tháng {number} "));
            }
            // Monday
            _ if matches!(letter, '月' | '월') => plain.push(' '),
            _ => plain.push(letter),
        }
    }
    plain
}

/// A character as it is in ASCII; `None` if it has no width.
fn plain_character(c: char) -> Option<char> {
    const ZEROS: [char; 17] =
        ['０', '٠', '۰', '०', '০', '੦', '૦', '୦', '௦', '౦', '೦', '൦', '๐', '໐', '၀', '០', '෦'];
    let digit = ZEROS.iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(u32::from(*zero)).filter(|value| *value < 10)?;
        char::from_digit(value, 10)
    });
    match c {
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        '：' => Some(':'),
        '．' => Some('.'),
        '／' => Some('/'),
        '，' | '、' => Some(','),
        '（' | '）' => Some(' '),
        // Hyphens, dashes and minus signs that programs for typography write
        '\u{2010}'..='\u{2013}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}' => Some('-'),
        _ => Some(digit.unwrap_or(c)),
    }
}

/// The text with the year of the Common Era instead of that of a Japanese era or of the Republic of China.
fn with_era(text: &str) -> String {
    for (era, before) in
        [("令和", 2018), ("平成", 1988), ("昭和", 1925), ("民國", 1911), ("民国", 1911)]
    {
        let Some((start, rest)) = text.split_once(era) else { continue };
        let rest = rest.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, rest) = rest.split_at(end);
        let (number, rest) = match rest.strip_prefix('元') {
            Some(rest) if number.is_empty() => (Some(1), rest),
            _ => (number.parse::<i32>().ok().filter(|year| *year < 200), rest),
        };
        if let Some(year) = number {
            return format!("{start}{}{rest}", before + year);
        }
    }
    text.to_owned()
}

/// The text without Chinese, Japanese and Korean weekdays, some of which are the signs of month and day.
fn without_weekday(text: &str) -> String {
    let mut text = text.to_owned();
    for day in ['月', '火', '水', '木', '金', '土', '日'] {
        for form in [format!("{day}曜日"), format!("{day}曜"), format!("({day})")] {
            text = text.replace(&form, " ");
        }
    }
    for day in ['월', '화', '수', '목', '금', '토', '일'] {
        for form in [format!("{day}요일"), format!("({day})")] {
            text = text.replace(&form, " ");
        }
    }
    for start in ["星期", "礼拜", "禮拜", "周", "週"] {
        for day in ['一', '二', '三', '四', '五', '六', '日', '天'] {
            text = text.replace(&format!("{start}{day}"), " ");
        }
    }
    text
}

/// The parts of a date found so far.
#[derive(Default)]
struct Found {
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
    afternoon: Option<bool>,
    /// The first number that is not understood.
    unread_number: Option<String>,
    /// The first word after the time that is not understood.
    unread_word: Option<String>,
    /// Whether the numbers can be several dates.
    ambiguous: bool,
    /// Whether the next number is the month: Vietnamese.
    next_is_month: bool,
    /// Whether years are those of the Thai calendar.
    buddhist: bool,
}

impl Found {
    /// The date without its time.
    fn day(&self, language: Option<&str>) -> Result<Date, NoDate> {
        if let Some(date) = self.date {
            return Ok(date);
        }
        let none = if self.ambiguous { NoDate::Ambiguous } else { NoDate::Unknown };
        let (Some(year), Some(day)) = (self.year, self.day) else { return Err(none) };
        let year = if self.buddhist && year > 2400 { year - 543 } else { year };
        let month = match self.month {
            Some(month) => month,
            None => month_of(&self.names, (year, day), language)?,
        };
        Date::new(year, month, day).map_err(|_| none)
    }

    fn finish(self, language: Option<&str>) -> Result<Dated, NoDate> {
        let date = self.day(language)?;
        // `6 PM`
        let hour = self
            .unread_number
            .as_ref()
            .filter(|_| self.clock.is_none() && self.afternoon.is_some());
        let hour = hour
            .and_then(|hour| Time::new(hour.parse().ok().filter(|it| *it <= 12)?, 0, 0, 0).ok());
        let unread_number = self.unread_number.filter(|_| hour.is_none());
        let clock = self.clock.or(hour.map(Clock::from));
        let clock = clock.unwrap_or_else(|| Time::midnight().into());
        let clock = half_day(clock, self.afternoon);
        let zone = self.offset.or(self.zone);
        let has_zone = zone.is_some();
        let unknown_zone = self.unknown_zone.filter(|_| !has_zone);
        let unread_word = self.unread_word.filter(|_| !has_zone && unknown_zone.is_none());
        let zone = zone.unwrap_or(Zone::Fixed(Offset::UTC));
        let at = clock.and_then(|clock| zone.stamp(clock.on(date)?));
        Ok(Dated {
            at: at.ok_or(NoDate::Unknown)?,
            unknown_zone,
            unread: unread_number.or(unread_word),
            ambiguous: self.ambiguous,
        })
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
        if let Some(second) = tokens.get(1).filter(|_| first.followed == Followed::ByOther) {
            let next = second.text.to_lowercase();
            // `p. m.`
            if matches!((lower.as_str(), next.as_str()), ("a" | "p", "m")) {
                self.afternoon = Some(lower == "p");
                return Some(2);
            }
            // `11-р сар`: Mongolian
            if let Some(number) = lower.strip_suffix("-р").filter(|_| next.starts_with("сар")) {
                self.month = number.parse().ok().filter(|month| (1..=12).contains(month));
                return Some(2);
            }
            // Names of two words: `e martë`
            if !lower.starts_with(|c: char| c.is_ascii_digit()) && meanings(&lower).is_empty() {
                let both = format!("{lower}{next}");
                if !meanings(&both).is_empty() {
                    self.name(both, second.followed);
                    return Some(2);
                }
            }
        }
        self.word(first, &lower).map(|()| 1)
    }

    fn word(&mut self, token: &Token<'_>, lower: &str) -> Option<()> {
        let word = token.text;
        if let Some(half) = afternoon(lower) {
            self.afternoon = Some(half);
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
        } else if let Some(clock) = hours(lower) {
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
        } else if self.clock.is_some() && (!is_month(lower) || is_zone(word)) {
            self.zone(word);
            if meanings(lower).is_empty() && !may_be_zone(word) && !is_filler(lower) {
                self.name(lower.to_owned(), token.followed);
            }
        } else if !is_filler(lower) {
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
        if let Some(zone) = zone_of(word) {
            let is_number = !word.contains('/') && word.contains(['+', '-']);
            let place = if is_number { &mut self.offset } else { &mut self.zone };
            *place = Some(zone);
        } else if may_be_zone(word) {
            self.unknown_zone.get_or_insert_with(|| word.to_owned());
        } else if !is_filler(&lower) && meanings(&lower).is_empty() {
            self.unread_word.get_or_insert_with(|| word.to_owned());
        }
    }

    fn unread(&mut self, word: &str) {
        self.unread_number.get_or_insert_with(|| word.to_owned());
    }

    /// A time with a zone or a half of the day: `10:14:55`, `10:14+02:00`, `3:20pm`.
    fn clock_and_zone(&mut self, word: &str) -> Option<()> {
        let end = word.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.'));
        let (hours, rest) = word.split_at(end.unwrap_or(word.len()));
        self.clock = Some(time(hours)?);
        match afternoon(&rest.to_lowercase()) {
            Some(half) => self.afternoon = Some(half),
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
        if let [year, month, day] = parts.as_slice()
            && self.triple([year, month, day], false)
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
        let has_date = self.date.is_some() || self.day.is_some() && self.year.is_some();
        let may_be_clock = has_date && self.clock.is_none();
        match parts.as_slice() {
            // `10.30.00`
            [hour, _, _] if may_be_clock && hour.len() <= 2 => match time(&parts.join(":")) {
                Some(clock) => self.clock = Some(clock),
                None => self.unread(word),
            },
            [first, second, third] if self.triple([first, second, third], true) => {}
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
    fn triple(&mut self, parts: [&str; 3], dotted: bool) -> bool {
        match numbers(parts, dotted) {
            Numbers::Date(date) => self.date = Some(date),
            Numbers::Ambiguous(date) => {
                self.date = date;
                self.ambiguous = true;
            }
            Numbers::None => return false,
        }
        true
    }

    fn number(&mut self, number: i32, digits: usize, word: &str) {
        let month = i8::try_from(number).ok().filter(|month| (1..=12).contains(month));
        match (digits, self.day) {
            _ if self.date.is_some() => self.unread(word),
            (1..=2, _) if self.next_is_month && month.is_some() => {
                self.month = month;
                self.next_is_month = false;
            }
            (1..=2, None) if (1..=31).contains(&number) => self.day = i8::try_from(number).ok(),
            (2, Some(_)) if self.year.is_none() => {
                self.year = i16::try_from(number).ok().map(century);
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

/// Whether a word is an abbreviation of a zone: `AWST`, but not Welsh `Awst`.
fn is_zone(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_uppercase()) && zone_of(word).is_some()
}

/// Whether a word between numbers is the name of a month.
fn is_named_month(lower: &str) -> bool {
    meanings(lower).iter().any(|it| it.month().is_some()) || !months_by_beginning(lower).is_empty()
}

/// Position of the `T` between day and time.
fn time_mark(word: &str) -> Option<usize> {
    let is_digit = |at: usize| word.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let mut marks = word.match_indices(['T', 't']).map(|(at, _)| at);
    marks.find(|at| is_digit(at + 1) && *at > 0 && (is_digit(at - 1) || word[..*at].ends_with('-')))
}

/// `16`, `16th`, `1er`, `1º`.
fn number_of(word: &str) -> Option<i32> {
    const SUFFIXES: &[&str] =
        &["", "st", "nd", "rd", "th", "er", "e", "re", "a", "º", "ª", "°", "ος", "го", "-го", "de"];
    let end = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    let (digits, suffix) = word.split_at(end);
    // A number with a sign is a zone: `+0200`.
    SUFFIXES.contains(&suffix).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, NoDate> {
        free(text, None).map(|dated| dated.at.to_string())
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
            assert_eq!(free(text, None).unwrap().unread, None, "{text}");
        }
        for text in ["113年01月01日", "二〇二四年一月一日", "2024年13月1日"] {
            assert_eq!(read(text), Err(NoDate::Unknown), "{text}");
        }
    }
}
