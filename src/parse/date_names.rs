//! Names in dates: months, weekdays and halves of the day in the languages of feeds, and time zones as offsets, common
//! abbreviations and names of the IANA database.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

use super::dates::NoDate;

/// The names, one language a line.
const NAMES: &str = include_str!("date_names.txt");

/// What a word names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// Number of the month, from 1.
    Month(i8),
    /// Days since Monday.
    Weekday(i8),
}

/// What a word names in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// Primary language subtag.
    pub(crate) language: &'static str,
    pub(crate) name: Name,
}

impl Meaning {
    /// Number of the month, from 1, if the word is a month.
    pub(crate) fn month(self) -> Option<i8> {
        if let Name::Month(number) = self.name { Some(number) } else { None }
    }

    /// Days since Monday, if the word is a weekday.
    pub(crate) fn weekday(self) -> Option<i8> {
        if let Name::Weekday(number) = self.name { Some(number) } else { None }
    }
}

/// The meanings of all names.
#[derive(Debug, Default)]
struct Names {
    whole: HashMap<String, Vec<Meaning>>,
    /// Without diacritics.
    folded: HashMap<String, Vec<Meaning>>,
}

static KNOWN: LazyLock<Names> = LazyLock::new(|| {
    let mut names = Names::default();
    for line in NAMES.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split(' ');
        let language = fields.next().unwrap_or_default();
        let months = (1..=12).map(Name::Month);
        for (name, field) in months.chain((0..7).map(Name::Weekday)).zip(fields) {
            for form in field.split(',').filter(|form| *form != "-").flat_map(forms) {
                names.folded.entry(folded(&form)).or_default().push(Meaning { language, name });
                names.whole.entry(form).or_default().push(Meaning { language, name });
            }
        }
    }
    names
});

/// `jan|uar|ja` as `jan`, `januar` and `januarja`.
fn forms(field: &'static str) -> impl Iterator<Item = String> {
    let ends = field.match_indices('|').map(|(at, _)| at).chain([field.len()]);
    ends.map(|end| field[..end].replace('|', ""))
}

/// The meanings of a word in lower case.
pub(crate) fn meanings(word: &str) -> &'static [Meaning] {
    let word = bare(word);
    let known = |word: &str| KNOWN.whole.get(word).or_else(|| KNOWN.folded.get(&folded(word)));
    // "In December" is one word in Hebrew.
    let found = known(&word).or_else(|| known(word.strip_prefix('ב')?));
    found.map_or(&[], Vec::as_slice)
}

/// The months of the longest name that the word begins with, for inflections and typing errors: `januárban`. The word
/// is in lower case.
pub(crate) fn months_by_beginning(word: &str) -> Vec<Meaning> {
    let word = folded(&bare(word));
    let ends = word.char_indices().map(|(at, _)| at).skip(MIN_BEGINNING).collect::<Vec<_>>();
    let months = |end: &usize| {
        let known = KNOWN.folded.get(&word[..*end])?.iter().copied();
        let months: Vec<Meaning> = known.filter(|meaning| meaning.month().is_some()).collect();
        (!months.is_empty()).then_some(months)
    };
    ends.iter().rev().find_map(months).unwrap_or_default()
}

/// Minimum number of characters of a name that is the beginning of another word. Shorter ones begin names of other
/// months and of weekdays in too many languages.
const MIN_BEGINNING: usize = 4;

/// The word as in the data: without dots, apostrophes and signs of an abbreviation.
fn bare(word: &str) -> Cow<'_, str> {
    const SIGNS: &[char] = &['.', '\'', '’', 'ʼ', '॰', '׳'];
    if word.contains(SIGNS) { Cow::Owned(word.replace(SIGNS, "")) } else { Cow::Borrowed(word) }
}

/// The word without the diacritics of Latin and Greek.
fn folded(word: &str) -> String {
    #[rustfmt::skip]
    const LETTERS: &[(char, &str)] = &[
        ('a', "áàâäãåāăąǎ"), ('c', "çćčĉċ"), ('d', "ďđ"), ('e', "éèêëēĕėęě"), ('g', "ğĝģ"), ('i', "íìîïīĩįı"),
        ('l', "ĺľł"), ('n', "ñńňņ"), ('o', "óòôöõøōő"), ('r', "ŕř"), ('s', "śšşșŝ"), ('t', "ťţț"),
        ('u', "úùûüũūůűŭų"), ('y', "ýÿ"), ('z', "źžż"),
        ('α', "ά"), ('ε', "έ"), ('η', "ή"), ('ι', "ίϊΐ"), ('ο', "ό"), ('υ', "ύϋΰ"), ('ω', "ώ"),
    ];
    if word.is_ascii() {
        return word.to_owned();
    }
    let plain =
        |c: char| LETTERS.iter().find(|(_, marked)| marked.contains(c)).map_or(c, |it| it.0);
    word.chars().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).map(plain).collect()
}

/// Where a word is, relative to the day and the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before both.
    Before,
    /// Between the two, in any order.
    Between,
    After,
}

/// What follows a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Followed {
    ByComma,
    ByOther,
}

/// A word of a date that may be its month.
#[derive(Debug)]
pub(crate) struct Word {
    /// In lower case.
    pub(crate) text: String,
    pub(crate) place: Place,
    pub(crate) followed: Followed,
}

impl Word {
    fn is_month(&self) -> bool {
        meanings(&self.text).iter().any(|meaning| meaning.month().is_some())
    }

    fn is_weekday(&self) -> bool {
        meanings(&self.text).iter().any(|meaning| meaning.weekday().is_some())
    }

    /// Whether it is a month in English, and no weekday.
    fn is_english(&self) -> bool {
        let mut all = meanings(&self.text).iter();
        !self.is_weekday() && all.any(|it| it.language == "en" && it.month().is_some())
    }

    /// Whether it is in no language of the data, and not too short for a month.
    fn is_unknown(&self) -> bool {
        meanings(&self.text).is_empty() && self.text.chars().count() > 2
    }
}

/// A month that a word may mean.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    /// Index of the word.
    word: usize,
    language: &'static str,
    /// From 1.
    month: i8,
}

/// The month of a date with these words, from 1. If the words mean several months, those of one language count, then
/// those with the right weekday, then those in the language of the document.
pub(crate) fn month_of(
    words: &[Word],
    (year, day): (i16, i8),
    language: Option<&str>,
) -> Result<i8, NoDate> {
    let mut left = candidates(words);
    let others = |one: &Candidate| {
        let index = one.word;
        words.iter().enumerate().filter(move |(at, _)| *at != index).map(|(_, word)| word)
    };
    let same_language = |one: &Candidate| {
        let known =
            |word: &&Word| meanings(&word.text).iter().any(|it| it.language == one.language);
        others(one).filter(known).count()
    };
    narrow(&mut left, |one| Date::new(year, one.month, day).is_ok());
    let most = left.iter().map(same_language).max().unwrap_or_default();
    narrow(&mut left, |one| same_language(one) == most);
    narrow(&mut left, |one| {
        let date = Date::new(year, one.month, day).ok();
        let weekday = date.map(|date| date.weekday().to_monday_zero_offset());
        let mut named = others(one).flat_map(|word| meanings(&word.text));
        named.any(|meaning| weekday.is_some() && meaning.weekday() == weekday)
    });
    let primary = language.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default();
    narrow(&mut left, |one| one.language.eq_ignore_ascii_case(primary));
    match left.first() {
        None => Err(NoDate::Unknown),
        Some(first) if left.iter().all(|other| other.month == first.month) => Ok(first.month),
        Some(_) => Err(NoDate::Ambiguous),
    }
}

/// Leaves those for which `keep` is true, if they are several months and it is true for any.
fn narrow(candidates: &mut Vec<Candidate>, keep: impl Fn(&Candidate) -> bool) {
    let several = candidates.windows(2).any(|two| two[0].month != two[1].month);
    if several && candidates.iter().any(&keep) {
        candidates.retain(keep);
    }
}

/// The months of the words. A wrong date is worse than none, and a weekday in an unknown language may look like a month.
/// So words between day and year take precedence, and others there exclude the months elsewhere. A word counts by its
/// beginning only in the place of the month.
fn candidates(words: &[Word]) -> Vec<Candidate> {
    let at = |place: Place| words.iter().enumerate().filter(move |(_, word)| word.place == place);
    let between: Vec<(usize, &Word)> = at(Place::Between).collect();
    let found = months_of(&between, &between);
    if !found.is_empty() || between.iter().any(|(_, word)| word.text.chars().count() > 2) {
        return found;
    }
    if between.is_empty() {
        // `dissabte, 10 maig`, but also `Nov, 2 2026`
        let may_be_month = |word: &Word| word.followed == Followed::ByOther || word.is_english();
        let before: Vec<(usize, &Word)> =
            at(Place::Before).filter(|(_, word)| may_be_month(word)).collect();
        let beside = &before[before.len().saturating_sub(1)..];
        if beside.iter().any(|(_, word)| word.is_unknown()) {
            return months_of(beside, beside);
        }
        let found = months_of(&before, &[]);
        if !found.is_empty() {
            return found;
        }
    }
    let after: Vec<(usize, &Word)> = at(Place::After).collect();
    months_of(&after, &after[..after.len().min(1)])
}

/// The months of `words` in any language, of those that are no weekdays if possible; or else the month of the only
/// unknown word of `beside`.
fn months_of(words: &[(usize, &Word)], beside: &[(usize, &Word)]) -> Vec<Candidate> {
    let months = words.iter().copied().filter(|(_, word)| word.is_month());
    let (both, only): (Vec<_>, Vec<_>) = months.partition(|(_, word)| word.is_weekday());
    let chosen = if only.is_empty() { both } else { only };
    let candidate = |word: usize, it: &Meaning| {
        Some(Candidate { word, language: it.language, month: it.month()? })
    };
    if !chosen.is_empty() {
        let all = chosen.iter().flat_map(|(index, word)| {
            meanings(&word.text).iter().filter_map(|it| candidate(*index, it))
        });
        return all.collect();
    }
    let unknown: Vec<_> = beside.iter().filter(|(_, word)| word.is_unknown()).collect();
    let [(index, word)] = unknown.as_slice() else { return Vec::new() };
    months_by_beginning(&word.text).iter().filter_map(|it| candidate(*index, it)).collect()
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
        "о", "ч", "г", "года", "року", "р", "год", "u", "uur", "time", "ngày", "น", "gada", "сар", "сарын", "m", "d", "оны", "ж", "թ", "წ",
    ];
    !word.chars().any(char::is_alphanumeric) || FILLERS.contains(&word)
}

/// Abbreviations of time zones with their offset in minutes east of UTC: RFC 822 5.1, and those with one meaning in
/// most texts. Of several meanings: AST and ADT are Atlantic, not Arabia; BST is Britain in summer, not Bangladesh; CST
/// and CDT are North America, not China or Cuba; GST is the Gulf, not South Georgia; IST is India, not Ireland or Israel;
/// MST is the Rocky Mountains, not Malaysia (MYT); NST is Newfoundland; PST is the Pacific, not the Philippines (PHT).
/// Not included because no meaning is more common: AMT, ECT, SST and WST.
#[rustfmt::skip]
const ZONES: &[(&str, i32)] = &[
    ("z", 0), ("ut", 0), ("utc", 0), ("gmt", 0),
    // Europe
    ("wet", 0), ("west", 60), ("bst", 60), ("cet", 60), ("cest", 120), ("met", 60), ("mest", 120), ("mez", 60),
    ("mesz", 120), ("eet", 120), ("eest", 180), ("msk", 180), ("trt", 180),
    // Africa
    ("wat", 60), ("cat", 120), ("sast", 120), ("eat", 180),
    // Asia
    ("idt", 180), ("gst", 240), ("pkt", 300), ("ist", 330), ("npt", 345), ("ict", 420), ("wib", 420), ("wita", 480),
    ("hkt", 480), ("sgt", 480), ("myt", 480), ("pht", 480), ("wit", 540), ("jst", 540), ("kst", 540),
    // Australia and the Pacific
    ("awst", 480), ("acst", 570), ("acdt", 630), ("aest", 600), ("aedt", 660), ("nzst", 720), ("nzdt", 780),
    // America
    ("nst", -210), ("ndt", -150), ("ast", -240), ("adt", -180), ("at", -240), ("est", -300), ("edt", -240), ("et", -300),
    ("cst", -360), ("cdt", -300), ("ct", -360), ("mst", -420), ("mdt", -360), ("mt", -420), ("pst", -480),
    ("pdt", -420), ("pt", -480), ("akst", -540), ("akdt", -480), ("hst", -600), ("brt", -180), ("brst", -120),
    ("art", -180), ("clt", -240), ("clst", -180),
];

/// The names before `standard time`, `daylight time`, `summer time` or `time`, with the offset of the standard time.
#[rustfmt::skip]
const ZONE_NAMES: &[(&str, i32)] = &[
    ("coordinated universal", 0), ("greenwich mean", 0), ("british", 0), ("western european", 0),
    ("central european", 60), ("eastern european", 120), ("moscow", 180), ("turkey", 180), ("west africa", 60),
    ("central africa", 120), ("south africa", 120), ("east africa", 180), ("israel", 120), ("arabian", 180),
    ("gulf", 240), ("pakistan", 300), ("india", 330), ("nepal", 345), ("indochina", 420), ("western indonesia", 420),
    ("central indonesia", 480), ("eastern indonesia", 540), ("china", 480), ("hong kong", 480), ("malaysia", 480),
    ("singapore", 480), ("philippine", 480), ("japan", 540), ("korea", 540), ("korean", 540),
    ("australian western", 480), ("australian central", 570), ("australian eastern", 600), ("new zealand", 720),
    ("newfoundland", -210), ("atlantic", -240), ("eastern", -300), ("central", -360), ("mountain", -420),
    ("pacific", -480), ("alaska", -540), ("alaskan", -540), ("hawaii", -600), ("hawaiian", -600),
    ("hawaii-aleutian", -600), ("brasilia", -180), ("argentina", -180), ("chile", -240),
];

/// The zone that `words` begin with and the number of its words: `Pacific Standard Time`, `Eastern`.
pub(crate) fn long_zone(words: &[&str]) -> Option<(Zone, usize)> {
    let words = || words.iter().take(5).map(|word| word.to_lowercase());
    let last = words().position(|word| word == "time");
    let phrase = words().take(last.unwrap_or(1)).collect::<Vec<_>>().join(" ");
    let (name, more) = match phrase.rsplit_once(' ') {
        Some((name, "standard")) => (name, 0),
        Some((name, "daylight" | "summer")) => (name, 60),
        _ => (phrase.as_str(), 0),
    };
    let minutes = ZONE_NAMES.iter().find(|(known, _)| *known == name)?.1 + more;
    // Without `time`, only the short names of North America are zones.
    let complete = last.is_some() || matches!(name, "eastern" | "central" | "mountain" | "pacific");
    let offset = Offset::from_seconds(minutes * 60).ok().filter(|_| complete)?;
    Some((Zone::Fixed(offset), last.map_or(1, |last| last + 1)))
}

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
    use super::super::date_words::free;
    use super::*;

    /// The months that the word names in some language.
    fn months(word: &str) -> Vec<i8> {
        let mut months: Vec<i8> = meanings(word).iter().filter_map(|it| it.month()).collect();
        let mut seen = Vec::new();
        months.retain(|month| {
            !seen.contains(month) && {
                seen.push(*month);
                true
            }
        });
        months
    }

    #[test]
    #[rustfmt::skip]
    fn names_of_months_in_many_languages_are_known() {
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
                assert!(months(name).contains(&number), "{name}");
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
            "vasárnap",
            "pazar",
            "понедельник",
            "dissabte",
        ] {
            assert!(months(word).is_empty(), "{word}");
            assert!(!meanings(word).is_empty(), "{word}");
        }
        assert!(meanings("mar").iter().any(|meaning| meaning.weekday() == Some(1)));
        assert_eq!(months("mar"), [3]);
        assert_eq!(months("listopada"), [11, 10]);
    }

    #[test]
    fn each_language_has_all_names() {
        for line in NAMES.lines().filter(|line| !line.starts_with('#')) {
            assert_eq!(line.split(' ').count(), 20, "{line}");
            let months = line.split(' ').skip(1).take(12).filter(|field| *field == "-").count();
            assert!(matches!(months, 0 | 12), "{line}");
        }
    }

    #[test]
    fn only_the_known_words_are_several_months() {
        let mut several: Vec<&str> =
            KNOWN.whole.keys().map(String::as_str).filter(|word| months(word).len() > 1).collect();
        several.sort_unstable();
        assert_eq!(several, ["lip", "lis", "listopad", "listopada", "srp"]);
    }

    /// The texts of all dates of a week of each month in a language of the data, with the month.
    fn dates_of(line: &'static str) -> Vec<(String, String)> {
        let fields: Vec<&str> = line.split(' ').skip(1).collect();
        let (months, weekdays) = fields.split_at(12);
        let mut dates = Vec::new();
        for (month, names) in (1..).zip(months).filter(|(_, names)| **names != "-") {
            for day in 1..=7 {
                let date = Date::new(2026, month, day).unwrap();
                let index = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap();
                let weekday = weekdays[index].split(',').flat_map(forms).next().unwrap();
                for (index, name) in names.split(',').flat_map(forms).enumerate() {
                    let text = match (index + usize::try_from(day).unwrap()) % 3 {
                        0 => format!("{weekday}, 0{day} {name} 2026 00:00 GMT"),
                        1 => format!("{weekday} {day} {name} 2026"),
                        _ => format!("{name} {day}, 2026"),
                    };
                    dates.push((date.to_string(), text));
                }
            }
        }
        dates
    }

    #[test]
    fn every_weekday_and_month_is_the_right_date_or_none() {
        let mut none = Vec::new();
        for line in NAMES.lines().filter(|line| !line.starts_with('#')) {
            for (date, text) in dates_of(line) {
                match free(&text, None) {
                    Ok(dated) => assert_eq!(dated.at.to_string()[..10], date, "{text}"),
                    Err(NoDate::Ambiguous) if !text.contains("00:00") => {}
                    Err(_) => none.push(text),
                }
            }
        }
        assert_eq!(none, [""; 0]);
    }

    #[test]
    fn long_names_of_zones_are_known() {
        for (text, hours, words) in [
            ("Pacific Standard Time", -8, 3),
            ("pacific daylight time", -7, 3),
            ("Central European Summer Time", 2, 4),
            ("Eastern Time", -5, 2),
            ("Eastern", -5, 1),
            ("Greenwich Mean Time", 0, 3),
        ] {
            let all: Vec<&str> = text.split(' ').collect();
            let (zone, count) = long_zone(&all).unwrap();
            let offset = Offset::constant(hours);
            assert!(matches!(zone, Zone::Fixed(found) if found == offset), "{text}");
            assert_eq!(count, words, "{text}");
        }
        for text in ["", "time", "British", "some time", "Daylight Time"] {
            assert!(long_zone(&text.split(' ').collect::<Vec<_>>()).is_none(), "{text}");
        }
    }
}
