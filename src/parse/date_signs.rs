//! Dates in ASCII digits, and with the signs of ISO 8601 instead of East Asian units.

use super::date_clock::joined_halves;

/// Units of years, months, days, hours, minutes and seconds.
const UNITS: &str = "年년月월日号號일时時点點시分분秒초";

/// The text with ASCII digits, and with the signs of ISO 8601 instead of the units of East Asian dates.
pub(crate) fn with_signs(text: &str) -> String {
    const SIGNS: &[char] = &['年', '년', '月', '월', '시', '時', '时'];
    let mut text: String = text.chars().filter_map(plain_character).collect();
    // `下午6:30`
    for half in joined_halves(2) {
        if text.contains(half) {
            text = text.replace(half, &format!(" {half} "));
        }
    }
    // `夜8:30`. Elsewhere a sign is a part of words.
    for half in joined_halves(1) {
        if let Some((before, after)) = text.split_once(half)
            && after.starts_with(|c: char| c.is_ascii_digit())
        {
            text = format!("{before} {half} {after}");
        }
    }
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
        '＋' => Some('+'),
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
