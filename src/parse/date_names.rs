//! Names in dates: months and weekdays in the languages of feeds.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::date_calendars::{day_of, is_persian};
use super::dates::{NoDate, primary};

/// The names, one language a line.
const NAMES: &str = include_str!("date_names.txt");

/// The language of the months of the Persian calendar.
const PERSIAN: &str = "persian";

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
    /// Primary language subtag, or `PERSIAN`.
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

/// The days of the week, in days since Monday, that the words name in the language of the document. A word that names
/// none in this language counts in all others.
pub(crate) fn weekdays_of(words: &[Word], language: Option<&str>) -> Vec<i8> {
    let primary = primary(language);
    let days = |word: &Word| {
        let all = || meanings(&word.text).iter().filter(|it| it.weekday().is_some());
        let own: Vec<Meaning> =
            all().filter(|it| it.language.eq_ignore_ascii_case(primary)).copied().collect();
        if own.is_empty() { all().copied().collect() } else { own }
    };
    words.iter().flat_map(days).filter_map(Meaning::weekday).collect()
}

/// The word as in the data: without dots, apostrophes, signs of an abbreviation and the hamza of Persian.
fn bare(word: &str) -> Cow<'_, str> {
    const SIGNS: &[char] = &['.', '\'', '’', 'ʼ', '॰', '׳', '\u{654}'];
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

/// The month of a date with these words, from 1. If the words mean several months, those in the language of the document
/// count, then those of one language, then those with the right weekday.
pub(crate) fn month_of(
    words: &[Word],
    (year, day): (i16, i8),
    language: Option<&str>,
) -> Result<i8, NoDate> {
    let mut left = candidates(words);
    left.retain(|one| (one.language == PERSIAN) == is_persian(year));
    let others = |one: &Candidate| {
        let index = one.word;
        words.iter().enumerate().filter(move |(at, _)| *at != index).map(|(_, word)| word)
    };
    let same_language = |one: &Candidate| {
        let known =
            |word: &&Word| meanings(&word.text).iter().any(|it| it.language == one.language);
        others(one).filter(known).count()
    };
    narrow(&mut left, |one| day_of(year, one.month, day).is_some());
    let primary = primary(language);
    narrow(&mut left, |one| one.language.eq_ignore_ascii_case(primary));
    let most = left.iter().map(same_language).max().unwrap_or_default();
    narrow(&mut left, |one| same_language(one) == most);
    narrow(&mut left, |one| {
        let date = day_of(year, one.month, day);
        let weekday = date.map(|date| date.weekday().to_monday_zero_offset());
        let mut named = others(one).flat_map(|word| meanings(&word.text));
        named.any(|meaning| weekday.is_some() && meaning.weekday() == weekday)
    });
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

#[cfg(test)]
mod tests {
    use jiff::civil::Date;

    use super::super::date_words::free;
    use super::super::dates::Hints;
    use super::*;

    /// The languages of the data, one a line, without the Persian calendar.
    fn lines() -> impl Iterator<Item = &'static str> {
        NAMES.lines().filter(|line| !line.starts_with('#') && !line.starts_with(PERSIAN))
    }

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
    #[rustfmt::skip]
    fn short_months_of_wordpress_and_glibc_are_known() {
        for (language, names) in [
            ("uk", "січ лют бер кві тра чер лип сер вер жов лис гру"), ("be", "сту лют сак кра май чэр ліп жні вер кас ліс сне"),
            ("ru", "янв фев мар апр май июн июл авг сен окт ноя дек"), ("bg", "ян февр мар апр май юни юли авг септ окт ноем дек"),
            ("sr", "јануара фебруара марта априла маја јуна јула августа септембра октобра новембра децембра"),
            ("vi", "th1 th2 th3 th4 th5 th6 th7 th8 th9 th10 th11 th12"), ("lt", "sau vas kov bal geg bir lie rgp rgs spa lap grd"),
            ("cs", "led úno bře dub kvě čen čec srp zář říj lis pro"), ("fr", "jan fév mars avr mai juin juil aoû sep oct nov déc"),
            ("sq", "jan shk mar pri maj qer kor gsh sht tet nën dhj"), ("id", "jan feb mar apr mei jun jul agu sep okt nov des"),
            ("si", "ජන පෙබ මාර් අප්රේල් මැයි ජූනි ජූලි අගෝ සැප් ඔක් නොවැ දෙසැ"),
            ("ar", "جانفي فيفري مارس أفريل ماي جوان جويلية أوت سبتمبر أكتوبر نوفمبر ديسمبر"),
        ] {
            for (name, month) in names.split(' ').zip(1..) {
                let mut found = meanings(name).iter().copied().chain(months_by_beginning(name));
                assert!(found.any(|it| it.language == language && it.month() == Some(month)), "{name}");
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
        for line in lines() {
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
        for line in lines() {
            for (date, text) in dates_of(line) {
                match free(&text, Hints::default()) {
                    Ok(dated) => assert_eq!(dated.at.to_string()[..10], date, "{text}"),
                    Err(NoDate::Ambiguous) if !text.contains("00:00") => {}
                    Err(_) => none.push(text),
                }
            }
        }
        assert_eq!(none, [""; 0]);
    }
}
