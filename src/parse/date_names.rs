//! Names in dates: months, weekdays and halves of the day in the languages of feeds, and time zones as offsets, common
//! abbreviations and names of the IANA database.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// Prefixes of month names. The longest one that matches counts, so that `marraskuu` is not March.
#[rustfmt::skip]
const MONTHS: [&[&str]; 12] = [
    &[
        "jan", "jaan", "jän", "ene", "gen", "ian", "xan", "leden", "ledna", "ocak", "tammi", "sty", "sij", "saus",
        "янв", "яну", "січ", "ιαν", "ינו", "يناير", "जन", "ม.ค", "มกรา",
    ],
    &[
        "feb", "fév", "fev", "fäb", "veeb", "únor", "unor", "şub", "helmi", "lut", "velj", "vasar", "фев", "лют", "φεβ",
        "פבר", "فبراير", "फ़र", "फर", "ก.พ", "กุมภา",
    ],
    &[
        "mar", "mär", "mrt", "már", "mrz", "maart", "maal", "břez", "brez", "ožuj", "kovo", "kovas", "мар", "бер",
        "μάρ", "μαρ", "מרץ", "מרס", "مارس", "मार्च", "มี.ค", "มีนา",
    ],
    &[
        "apr", "avr", "abr", "ápr", "kwi", "dub", "nisan", "huhti", "travan", "travn", "baland", "апр", "кві", "απρ",
        "אפר", "أبريل", "ابريل", "إبريل", "अप्रै", "เม.ย", "เมษา",
    ],
    &[
        "may", "mai", "mei", "mag", "maj", "máj", "maí", "mag", "květ", "kvet", "svib", "touko", "geguž", "май", "мая",
        "трав", "μάι", "μαι", "μαϊ", "μαΐ", "מאי", "مايو", "मई", "พ.ค", "พฤษภา",
    ],
    &[
        "jun", "juin", "giu", "jún", "jūn", "juun", "iun", "xuñ", "červen", "červn", "června", "cervn", "haz", "kesä",
        "lipanj", "lipnja", "birž", "cze", "июн", "юни", "черв", "ιούν", "ιουν", "יונ", "يونيو", "يونيه", "जून",
        "มิ.ย", "มิถุนา",
    ],
    &[
        "jul", "juil", "lug", "júl", "jūl", "juul", "iul", "xul", "červenec", "července", "červenc", "cervenec",
        "cervence", "temmuz", "heinä", "lip", "liep", "srpanj", "srpnja", "июл", "юли", "лип", "ιούλ", "ιουλ", "יול",
        "يوليو", "يوليه", "जुला", "ก.ค", "กรกฎา",
    ],
    &[
        "aug", "aoû", "aou", "ago", "avg", "ágú", "ağu", "agu", "ogos", "srpen", "srpn", "elok", "kolov", "rugpj",
        "sie", "авг", "серп", "αύγ", "αυγ", "אוג", "أغسطس", "اغسطس", "अग", "ส.ค", "สิงหา",
    ],
    &[
        "sep", "set", "sze", "zář", "září", "ruj", "eylül", "eylul", "syys", "rugs", "wrz", "сен", "сеп", "вер", "σεπ",
        "ספט", "سبتمبر", "सित", "ก.ย", "กันยา",
    ],
    &[
        "oct", "okt", "out", "ott", "říj", "rijen", "ekim", "loka", "spal", "paź", "pazd", "окт", "жов", "οκτ", "אוק",
        "أكتوبر", "اكتوبر", "अक्", "ต.ค", "ตุลา",
    ],
    &[
        "nov", "kası", "marras", "lapkr", "noi", "stud", "lis", "ноя", "ное", "лист", "νοέ", "νοε", "נוב", "نوفمبر",
        "नव", "พ.ย", "พฤศจิ",
    ],
    &[
        "dec", "dez", "dic", "déc", "des", "dis", "det", "prosin", "aralı", "joulu", "gru", "дек", "гру", "δεκ", "דצמ",
        "ديسمبر", "दिस", "ธ.ค", "ธันวา",
    ],
];

/// Month of the English abbreviations, which most dates have.
const ENGLISH: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Abbreviations that are the beginnings of other words, with their months.
#[rustfmt::skip]
const WHOLE: &[(&str, i8)] = &[
    ("oca", 1), ("led", 1), ("úno", 2), ("mac", 3), ("nis", 4), ("kvě", 5), ("čvn", 6), ("čvc", 7), ("tem", 7),
    ("srp", 8), ("eyl", 9), ("zář", 9), ("eki", 10), ("kas", 11), ("ara", 12), ("pro", 12),
];

/// Weekdays of RFC 822.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Names of weekdays that begin like months.
const OTHER_DAYS: &[&str] = &[
    "martes",
    "mardi",
    "martedì",
    "martedi",
    "marţi",
    "marți",
    "szerda",
    "szerdán",
    "середа",
    "середу",
    "середи",
];

/// Abbreviations of both a weekday and a month: Tuesday or March, Wednesday or September.
const EITHER: &[&str] = &["mar", "sze", "сер"];

/// The month of a word, in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Month {
    /// Number of the month, from 1.
    Known(i8),
    /// From 1, but the word may be a weekday, if another month follows.
    OrDay(i8),
    /// From 1, but it is another month in another language.
    Ambiguous(i8),
}

impl Month {
    /// The month, from 1.
    pub(crate) fn number(self) -> i8 {
        match self {
            Self::Known(number) | Self::OrDay(number) | Self::Ambiguous(number) => number,
        }
    }
}

/// The month whose name the word is; the word is in lower case.
pub(crate) fn month(word: &str) -> Option<Month> {
    let number = |index: usize| i8::try_from(index + 1).ok();
    if word.len() == 3 && word != "mar" {
        if let Some(index) = ENGLISH.iter().position(|name| *name == word) {
            return number(index).map(Month::Known);
        }
        if DAYS.contains(&word) {
            return None;
        }
    }
    if OTHER_DAYS.contains(&word) {
        return None;
    }
    if let Some((_, number)) = WHOLE.iter().find(|(name, _)| *name == word) {
        return Some(Month::Known(*number));
    }
    // "In December" is one word in Hebrew.
    let word = word.strip_prefix('ב').unwrap_or(word);
    let longest = |names: &[&str]| {
        let known = names.iter().filter(|name| word.starts_with(**name));
        known.map(|name| name.len()).max()
    };
    let found =
        MONTHS.iter().enumerate().filter_map(|(index, names)| Some((longest(names)?, index)));
    let month = number(found.max_by_key(|(length, _)| *length)?.1)?;
    Some(if EITHER.contains(&word) {
        Month::OrDay(month)
    } else if word.starts_with("listopad") {
        // November in Polish and Czech, October in Croatian.
        Month::Ambiguous(month)
    } else {
        Month::Known(month)
    })
}

/// Whether the word means the second half of the day; `None` if it is not half of the day. The word is in lower
/// case.
pub(crate) fn afternoon(word: &str) -> Option<bool> {
    let bare: String = word.chars().filter(|c| *c != '.').collect();
    match bare.as_str() {
        "am" | "오전" | "上午" | "午前" | "凌晨" | "πμ" | "ص" => Some(false),
        "pm" | "오후" | "下午" | "午後" | "晚上" | "μμ" | "م" => Some(true),
        _ => None,
    }
}

/// Whether the word beside a time has no meaning for it; the word is in lower case.
pub(crate) fn is_filler(word: &str) -> bool {
    #[rustfmt::skip]
    const FILLERS: &[&str] = &[
        "uhr", "h", "hs", "hrs", "hours", "kl", "klo", "klokken", "o'clock", "om", "at", "à", "às", "ás", "ore", "ora",
        "godz", "um", "von", "vom", "den", "de", "del", "di", "do", "da", "of", "on", "the", "la", "las", "le", "в",
        "о", "ч", "г", "года", "року", "р", "год", "u", "uur", "time", "tháng", "ngày", "น",
    ];
    !word.chars().any(char::is_alphanumeric) || FILLERS.contains(&word)
}

/// Whether the word is a weekday in English.
pub(crate) fn is_weekday(word: &str) -> bool {
    word.get(..3).is_some_and(|start| DAYS.contains(&start)) || OTHER_DAYS.contains(&word)
}

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
    ("mez", 60),
    ("mesz", 120),
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

/// A time zone by offset or by name.
#[derive(Debug, Clone)]
pub(crate) enum Zone {
    Fixed(Offset),
    /// A zone of the IANA database, with daylight saving time.
    Named(TimeZone),
}

impl Zone {
    pub(crate) fn stamp(&self, at: DateTime) -> Option<Timestamp> {
        match self {
            Self::Fixed(offset) => offset.to_timestamp(at).ok(),
            // Of two times with the same name in autumn, the earlier one.
            Self::Named(zone) => zone.to_timestamp(at).ok(),
        }
    }
}

/// `+0100`, `EST`, `Europe/Paris`, `-05:00[America/New_York]`.
pub(crate) fn zone_of(zone: &str) -> Option<Zone> {
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
pub(crate) fn may_be_zone(word: &str) -> bool {
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
    use super::*;

    #[test]
    #[rustfmt::skip]
    fn names_of_months_in_many_languages_are_known() {
        let known = |word: &str| month(word).map(Month::number);
        for (names, number) in [
            (&["january", "janvier", "gennaio", "leden", "styczeń", "января", "січня", "ocak", "tammikuuta"], 1),
            (&["february", "février", "febbraio", "února", "luty", "февраля", "лютого", "şubat", "helmikuuta"], 2),
            (&["march", "märz", "maart", "března", "marzec", "марта", "березня", "mart", "maaliskuuta"], 3),
            (&["april", "avril", "aprile", "dubna", "kwietnia", "апреля", "квітня", "nisan", "huhtikuuta"], 4),
            (&["may", "mai", "maggio", "května", "maja", "мая", "травня", "mayıs", "toukokuuta"], 5),
            (&["june", "juin", "giugno", "června", "czerwca", "июня", "червня", "haziran", "kesäkuuta"], 6),
            (&["july", "juillet", "luglio", "července", "lipca", "июля", "липня", "temmuz", "heinäkuuta"], 7),
            (&["august", "août", "agosto", "srpna", "sierpnia", "августа", "серпня", "ağustos", "elokuuta"], 8),
            (&["september", "setembro", "szept", "září", "września", "сентября", "вересня", "eylül", "syyskuuta"], 9),
            (&["october", "outubro", "ottobre", "října", "październik", "октября", "жовтня", "ekim", "lokakuuta"], 10),
            (&["november", "novembro", "noi", "listopadu", "lis", "ноября", "листопада", "kasım", "marraskuuta"], 11),
            (&["december", "dezember", "décembre", "prosince", "grudnia", "декабря", "грудня", "aralık", "joulukuuta"], 12),
        ] {
            for name in names {
                assert_eq!(known(name), Some(number), "{name}");
            }
        }
    }

    #[test]
    fn weekdays_are_not_months() {
        for word in [
            "mon",
            "tue",
            "sat",
            "martes",
            "mardi",
            "szerda",
            "середа",
            "vasárnap",
            "pazar",
            "понедельник",
        ] {
            assert_eq!(month(word), None, "{word}");
        }
        assert_eq!(month("mar"), Some(Month::OrDay(3)));
        assert_eq!(month("listopada"), Some(Month::Ambiguous(11)));
    }
}
