//! Dates with words, or with their parts in another order than in ISO 8601.

use std::borrow::Cow;

use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use super::date_names::{
    Month, Zone, afternoon, is_filler, is_weekday, may_be_zone, month, zone_of,
};
use super::dates::{Clock, Dated, NoDate, Numbers, century, iso_day, numbers, time};

/// A date with the name of a month, or with units: day, month, year, time and zone in any order.
pub(crate) fn free(text: &str) -> Result<Dated, NoDate> {
    let mut found = Found::default();
    let korean = text.contains(['년', '시', '후', '전']);
    // Korean dates are in Korean time.
    found.zone = if korean { Offset::from_seconds(9 * 3600).ok().map(Zone::Fixed) } else { None };
    let plain = if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(with_signs(text)) };
    let ends =
        |c: char| c.is_whitespace() || ",;()[]\u{60c}".contains(c) && !is_zone_bracket(&plain, c);
    let plain = without_spaces(&plain);
    for word in plain.split(ends) {
        let bare = word.trim_end_matches('.');
        if !bare.is_empty() {
            found.word(bare).ok_or(NoDate::Unknown)?;
        }
    }
    let buddhist = plain.chars().any(|c| ('\u{e00}'..='\u{e7f}').contains(&c));
    found.finish(buddhist)
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
    let text: String = text.chars().filter_map(plain_character).collect();
    if !text.contains(['年', '년', '月', '시', '時', '时']) {
        return text;
    }
    let text = without_weekday(&with_era(&text));
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

/// A character as it is in ASCII; `None` if it has no width.
fn plain_character(c: char) -> Option<char> {
    const ZEROS: [char; 5] = ['０', '٠', '۰', '०', '๐'];
    let digit = ZEROS.iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(u32::from(*zero)).filter(|value| *value < 10)?;
        char::from_digit(value, 10)
    });
    match c {
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        '：' => Some(':'),
        '．' => Some('.'),
        '／' => Some('/'),
        '，' | '、' | '（' | '）' => Some(' '),
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

/// The text without Chinese and Japanese weekdays, some of which are the signs of month and day.
fn without_weekday(text: &str) -> String {
    let mut text = text.to_owned();
    for day in ['月', '火', '水', '木', '金', '土', '日'] {
        for form in [format!("{day}曜日"), format!("{day}曜"), format!("({day})")] {
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
    month: Option<Month>,
    year: Option<i16>,
    clock: Option<Clock>,
    zone: Option<Zone>,
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
    /// Whether an unknown name follows a word that is a month or a weekday.
    unknown_month: bool,
}

impl Found {
    fn finish(self, buddhist: bool) -> Result<Dated, NoDate> {
        let none = if self.ambiguous { NoDate::Ambiguous } else { NoDate::Unknown };
        let named = || {
            let year =
                self.year.map(|year| if buddhist && year > 2400 { year - 543 } else { year });
            let month = self.month.filter(|_| !self.unknown_month)?;
            Date::new(year?, month.number(), self.day?).ok()
        };
        let date = self.date.or_else(named).ok_or(none)?;
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
        let has_zone = self.zone.is_some();
        let unknown_zone = self.unknown_zone.filter(|_| !has_zone);
        let unread_word = self.unread_word.filter(|_| !has_zone && unknown_zone.is_none());
        let zone = self.zone.unwrap_or(Zone::Fixed(Offset::UTC));
        let at = clock.and_then(|clock| zone.stamp(clock.on(date)?));
        Ok(Dated {
            at: at.ok_or(NoDate::Unknown)?,
            unknown_zone,
            unread: unread_number.or(unread_word),
            ambiguous: self.ambiguous
                || self.date.is_none() && matches!(self.month, Some(Month::Ambiguous(_))),
        })
    }

    /// Adds one word; `None` if the text cannot be a date.
    fn word(&mut self, word: &str) -> Option<()> {
        let lower = word.to_lowercase();
        if let Some(half) = afternoon(&lower) {
            self.afternoon = Some(half);
        } else if !word.starts_with(|c: char| c.is_ascii_digit()) {
            self.named(word, &lower);
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
        } else if let Some(number) = number_of(&lower) {
            let digits = lower.bytes().take_while(u8::is_ascii_digit).count();
            self.number(number, digits, word);
        } else if let Some(clock) = hours(&lower) {
            self.clock_and_zone(&clock)?;
        } else {
            self.unread(word);
        }
        Some(())
    }

    /// Adds a word that does not begin with a digit.
    fn named(&mut self, word: &str, lower: &str) {
        if word.contains('/') {
            // IANA names may begin like months: `America/Mazatlan`, `Australia/Sydney`.
            self.zone(word);
            return;
        }
        if matches!(lower, "tháng" | "thg") {
            self.next_is_month = true;
            return;
        }
        match (month(lower), self.month) {
            (Some(found), None | Some(Month::OrDay(_))) => {
                let repeated = matches!(found, Month::OrDay(_)) && self.month.is_some();
                self.month = if repeated { self.month } else { Some(found) };
                self.unknown_month = false;
            }
            (Some(Month::OrDay(_)), _) => {}
            _ if self.clock.is_some() => self.zone(word),
            (None, Some(Month::OrDay(_))) if !is_filler(lower) && !is_weekday(lower) => {
                self.unknown_month = true;
            }
            _ => {}
        }
    }

    /// Adds a word that may be a zone.
    fn zone(&mut self, word: &str) {
        let lower = word.to_lowercase();
        if let Some(zone) = zone_of(word) {
            self.zone = Some(zone);
        } else if may_be_zone(word) {
            self.unknown_zone.get_or_insert_with(|| word.to_owned());
        } else if !is_filler(&lower) && !is_weekday(&lower) {
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

    /// `2006/09/15`, `2004-július-13`, `13-Jul-2004`, `12/31/2024`.
    fn joined(&mut self, word: &str) {
        if let Some(date) = iso_day(word.trim_end_matches('-')) {
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
            match (number_of(&lower), month(&lower)) {
                (Some(number), _) => self.number(number, lower.len(), part),
                (None, Some(found)) => self.month = Some(found),
                (None, None) => self.unread(part),
            }
        }
    }

    /// A date or a time with dots: `31.12.2024`, `2024.12.31`, `12.30`.
    fn dotted(&mut self, word: &str) {
        let parts: Vec<&str> = word.split('.').collect();
        let has_date = self.date.is_some() || self.day.is_some() && self.year.is_some();
        match parts.as_slice() {
            [first, second, third] if self.triple([first, second, third], true) => {}
            [hour, minute] if has_date && minute.len() == 2 && self.clock.is_none() => {
                match time(&format!("{hour}:{minute}")) {
                    Some(clock) => self.clock = Some(clock),
                    None => self.unread(word),
                }
            }
            // `1.Jan.2024`
            [day, name, year] if month(&name.to_lowercase()).is_some() => {
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
                self.month = month.map(Month::Known);
                self.next_is_month = false;
            }
            (1..=2, None) if (1..=31).contains(&number) => self.day = i8::try_from(number).ok(),
            (2, Some(_)) if self.year.is_none() => {
                self.year = i16::try_from(number).ok().map(century);
            }
            (4, _) if self.year.is_none() => self.year = i16::try_from(number).ok(),
            _ => self.unread(word),
        }
    }
}

/// Position of the `T` between day and time.
fn time_mark(word: &str) -> Option<usize> {
    let is_digit = |at: usize| word.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let mut marks = word.match_indices(['T', 't']).map(|(at, _)| at);
    marks.find(|at| is_digit(at + 1) && *at > 0 && (is_digit(at - 1) || word[..*at].ends_with('-')))
}

/// Whether a word is a time of day: `10:14`, `9:15-05:00`, `10:14CET`.
fn is_clock(word: &str) -> bool {
    word.find(':').is_some_and(|colon| colon <= 2)
}

/// `12h30`, `12h`, `3pm` as `12:30`, `12:00`, `3:00pm`.
fn hours(lower: &str) -> Option<String> {
    let end = lower.find(|c: char| !c.is_ascii_digit()).filter(|end| *end <= 2)?;
    let (hour, rest) = lower.split_at(end);
    if afternoon(rest).is_some() {
        return Some(format!("{hour}:00{rest}"));
    }
    let minute = rest.strip_prefix(['h', 'u'])?;
    let minute = minute.strip_suffix("min").or(minute.strip_suffix('m')).unwrap_or(minute);
    let minute = if minute.is_empty() { "00" } else { minute };
    (minute.len() == 2 && minute.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| format!("{hour}:{minute}"))
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

fn half_day(clock: Clock, afternoon: Option<bool>) -> Option<Clock> {
    let hour = match (afternoon, clock.time.hour()) {
        (Some(true), hour @ 1..=11) => hour + 12,
        (Some(false), 12) => 0,
        (_, hour) => hour,
    };
    let time = Time::new(hour, clock.time.minute(), clock.time.second(), 0).ok()?;
    Some(Clock { time, ..clock })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, NoDate> {
        free(text).map(|dated| dated.at.to_string())
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
            assert_eq!(free(text).unwrap().unread, None, "{text}");
        }
        for text in ["113年01月01日", "二〇二四年一月一日", "2024年13月1日"] {
            assert_eq!(read(text), Err(NoDate::Unknown), "{text}");
        }
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
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
            let Dated { unread, ambiguous, .. } = free(text).unwrap();
            assert_eq!((unread, ambiguous), (None, false), "{text}");
        }
    }

    #[test]
    fn what_is_uncertain_is_reported() {
        for text in ["01/02/2024", "01-02-2024 10:00", "3/4/24", "01.02.24"] {
            assert_eq!(read(text), Err(NoDate::Ambiguous), "{text}");
        }
        let two_digits = free("03-12-31").unwrap();
        assert_eq!(
            (two_digits.at.to_string().as_str(), two_digits.ambiguous),
            ("2003-12-31T00:00:00Z", true)
        );
        assert!(free("3 listopada 2024").unwrap().ambiguous);
        for (text, part) in [
            ("2 Jan 2024 quarter past 12:00 noonish", "noonish"),
            ("2 Jan 2024 10h99x", "10h99x"),
            ("2024-01-02T99:00:00Z", "2024-01-02T99:00:00Z"),
            ("2 Jan 2024 10:00 17", "17"),
        ] {
            assert_eq!(free(text).unwrap().unread.as_deref(), Some(part), "{text}");
        }
        assert_eq!(read("mar 5 xyz 2024"), Err(NoDate::Unknown));
        assert_eq!(read("ter, 5 mar 2024").as_deref(), Ok("2024-03-05T00:00:00Z"));
    }
}
