//! Listed words, which are compared by their meaning, and numbers, which papers write in letters, in digits and with
//! units. Pure.

use std::sync::LazyLock;

use super::words::{Kind, Word, hash_of};

/// What a listed word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// A number word: one paper's nine is another's 9.
    Numeral(u32),
    /// A day or a month.
    Date,
    /// Another spelling of a word, and the hash of the one that is compared.
    Spelling(u32),
    /// A title before a name. Papers choose different ones, so it is not a name.
    Honorific,
    /// A Roman numeral, if it is written in capitals: Magnus VI is Magnus the Sixth.
    Roman(u32),
}

/// Length of the filter, in words of 64 bits.
const FILTER: usize = 512;

/// Number words, days, months, spellings and honorifics.
pub(super) struct Lexicon {
    /// Hashes of the words, ascending, with their entries.
    words: Vec<(u32, Listed)>,
    /// A bit for the low bits of each hash: most words need no search.
    filter: [u64; FILTER],
}

pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut words = Vec::new();
    for line in lines(include_str!("data/numerals.txt")) {
        let (number, names) = line.split_once(' ').unwrap_or((line, ""));
        let number = Listed::Numeral(number.parse().unwrap_or_default());
        words.extend(names.split_whitespace().map(|name| (hash_of(name), number)));
    }
    let dates = lines(include_str!("data/dates.txt")).into_iter().flat_map(str::split_whitespace);
    words.extend(dates.map(|name| (hash_of(name), Listed::Date)));
    for line in lines(include_str!("data/spellings.txt")) {
        let (word, others) = line.split_once(' ').unwrap_or((line, ""));
        if word == "-ize" {
            others.split(' ').for_each(|stem| words.extend(verb_spellings(stem)));
            continue;
        }
        let word = Listed::Spelling(hash_of(word));
        words.extend(others.split_whitespace().map(|other| (hash_of(other), word)));
    }
    let titles = lines(include_str!("data/honorifics.txt"));
    let titles = titles.into_iter().flat_map(str::split_whitespace);
    words.extend(titles.map(|name| (hash_of(name), Listed::Honorific)));
    let romans = [
        "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv",
        "xvi",
    ];
    let romans = romans.iter().chain(&["xvii", "xviii", "xix", "xx", "xxi"]);
    let numbered = romans.zip(2..).filter(|(name, _)| name.len() > 1);
    words.extend(numbered.map(|(name, value)| (hash_of(name), Listed::Roman(value))));
    // A word of both lists is a numeral: the sort is stable and the first of a name stays.
    words.sort_by_key(|(hash, _)| *hash);
    words.dedup_by_key(|(hash, _)| *hash);
    let mut filter = [0; FILTER];
    for (hash, _) in &words {
        filter[*hash as usize >> 6 & (FILTER - 1)] |= 1 << (hash & 63);
    }
    Lexicon { words, filter }
});

/// Endings of verbs that papers write with "z" or with "s".
const VERB_ENDINGS: [&str; 8] = ["e", "es", "ed", "ing", "er", "ers", "ation", "ations"];

/// The spellings with "s" of the forms of a verb on "-ize".
fn verb_spellings(stem: &str) -> impl Iterator<Item = (u32, Listed)> {
    VERB_ENDINGS.into_iter().map(move |ending| {
        let other = hash_of(&format!("{stem}is{ending}"));
        (other, Listed::Spelling(hash_of(&format!("{stem}iz{ending}"))))
    })
}

impl Listed {
    /// The hash that is compared of a word that is written with the hash `written`.
    pub(super) fn hash(self, written: u32) -> u32 {
        match self {
            Self::Spelling(hash) => hash,
            Self::Numeral(value) => hash_of(&value.to_string()),
            Self::Date | Self::Honorific | Self::Roman(_) => written,
        }
    }
}

impl Lexicon {
    pub(super) fn find(&self, hash: u32) -> Option<Listed> {
        if self.filter[hash as usize >> 6 & (FILTER - 1)] & 1 << (hash & 63) == 0 {
            return None;
        }
        let at = self.words.binary_search_by_key(&hash, |(word, _)| *word).ok()?;
        Some(self.words[at].1)
    }
}

/// Whether a word is one of at most two letters that papers choose freely: an article, a preposition.
pub(super) fn is_little(word: &Word) -> bool {
    static LITTLE: LazyLock<Vec<u32>> = LazyLock::new(|| hashes(include_str!("data/little.txt")));
    word.length <= 2 && LITTLE.binary_search(&word.hash).is_ok()
}

/// Whether a text has only words that status pages write of every incident, and fewer numbers and dates.
pub(super) fn is_of_status_pages(words: &[Word]) -> bool {
    static STATUS: LazyLock<Vec<u32>> = LazyLock::new(|| hashes(include_str!("data/status.txt")));
    let is_listed = |word: &&Word| STATUS.binary_search(&word.hash).is_ok();
    let numbers = words.iter().filter(|word| word.kind == Kind::Number).count();
    let listed = words.iter().filter(|word| word.kind != Kind::Number).filter(is_listed).count();
    listed > numbers && listed + numbers == words.len()
}

/// The hashes of the words of a data file, ascending.
fn hashes(data: &'static str) -> Vec<u32> {
    let words = lines(data).into_iter().flat_map(str::split_whitespace);
    let mut hashes: Vec<u32> = words.map(hash_of).collect();
    hashes.sort_unstable();
    hashes
}

/// The lines of a data file without comments.
pub(super) fn lines(data: &'static str) -> Vec<&'static str> {
    data.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// The digits of a word, as far as they are an integer: `1180`, `1,180` and `1.180` are one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digits {
    pub(super) value: u32,
    /// Number of digits since the last separator.
    pub(super) group: u32,
    pub(super) joints: u32,
    /// Whether it is an integer, with groups of three digits behind each joint.
    pub(super) whole: bool,
}

impl Digits {
    pub(super) const NONE: Self = Self { value: 0, group: 0, joints: 0, whole: true };

    pub(super) fn digit(&mut self, digit: u32) {
        let value = self.value.checked_mul(10).and_then(|value| value.checked_add(digit));
        self.whole &= value.is_some();
        self.value = value.unwrap_or_default();
        self.group += 1;
    }

    pub(super) fn joint(&mut self, joint: u8) {
        self.whole &= joint == b'.' && (self.group == 3 || self.joints == 0 && self.group < 3);
        (self.group, self.joints) = (0, self.joints + 1);
    }

    /// The value, if the digits are an integer.
    pub(super) fn integer(&self) -> Option<u32> {
        (self.whole && (self.joints == 0 || self.group == 3)).then_some(self.value)
    }
}

/// A number that the next word may continue: `ninety` and `one`, `120` and `000`.
#[derive(Clone, Copy)]
pub(super) struct NumberBefore {
    pub(super) value: u32,
    /// Place of its first word.
    pub(super) at: usize,
    /// Whether it is written in letters.
    pub(super) spelled: bool,
    /// Whether "and" follows it.
    pub(super) and: bool,
    /// Whether it has groups of digits behind a space.
    pub(super) grouped: bool,
}

/// The number that two neighbours make, if they make one.
pub(super) fn continued(
    first: NumberBefore,
    next: &NumberBefore,
    letters: u32,
) -> Option<NumberBefore> {
    let (a, b) = (first.value, next.value);
    let value = match (first.spelled, next.spelled) {
        (true, true) if b == 100 && (10..100).contains(&a) => a * 100,
        (true, true) if b == 100 && (1..10).contains(&(a % 100)) => a + a % 100 * 99,
        (true, true) if b == 1_000 && (1..1_000).contains(&a) => a * 1_000,
        (true, true) if (1..10).contains(&b) && a % 10 == 0 && a % 100 >= 20 => a + b,
        (true, true) if b < 100 && a > 0 && a % 100 == 0 => a + b,
        // Dix-neuf, soixante-dix, quatre-vingt-onze.
        (true, true) if (7..10).contains(&b) && a == 10 => a + b,
        (true, true) if (10..20).contains(&b) && (a == 60 || a == 80) => a + b,
        (true, true) if b == 20 && a == 4 => 80,
        // Groups of three digits behind a space.
        (false, false) if letters == 3 && (first.grouped || (1..1_000).contains(&a)) => {
            a.checked_mul(1_000)?.checked_add(b)?
        }
        _ => return None,
    };
    Some(NumberBefore { value, and: false, grouped: !first.spelled, ..first })
}

/// What papers write behind a number without a space.
pub(super) struct Glued {
    pub(super) hash: u32,
    /// Whether it only makes an ordinal of the number.
    pub(super) ordinal: bool,
}

pub(super) static GLUED: LazyLock<Vec<Glued>> = LazyLock::new(|| {
    let units = ["km", "kg", "cm", "mm", "ft", "lb", "mi", "bn", "mn", "tn", "mph", "kmh", "kph"];
    let ordinals = ["st", "nd", "rd", "th", "e", "er", "ère", "ème", "de", "ste"];
    let glued = |ordinal| move |text: &&str| Glued { hash: hash_of(text), ordinal };
    units.iter().map(glued(false)).chain(ordinals.iter().map(glued(true))).collect()
});

/// Hash of the word for a share in hundredths.
pub(super) static PERCENT: LazyLock<u32> = LazyLock::new(|| hash_of("percent"));

/// Whether a word ends "12 per cent", of which `words` ends with "12 per".
pub(super) fn is_percent(word: u32, words: &[Word]) -> bool {
    static SECOND: LazyLock<Vec<u32>> =
        LazyLock::new(|| ["cent", "ciento", "cento"].map(hash_of).to_vec());
    static FIRST: LazyLock<Vec<u32>> =
        LazyLock::new(|| ["per", "pour", "por"].map(hash_of).to_vec());
    let [.., number, first] = words else { return false };
    number.kind == Kind::Number && FIRST.contains(&first.hash) && SECOND.contains(&word)
}

/// A number in Chinese characters as far as it was read: 二十三.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kanji {
    total: u32,
    digits: u32,
}

impl Kanji {
    pub(super) const NONE: Self = Self { total: 0, digits: 0 };

    /// A digit, or ten, a hundred or a thousand.
    pub(super) fn digit(c: char) -> Option<u32> {
        Some(match c {
            '〇' => 0,
            '一' => 1,
            '二' => 2,
            '三' => 3,
            '四' => 4,
            '五' => 5,
            '六' => 6,
            '七' => 7,
            '八' => 8,
            '九' => 9,
            '十' => 10,
            '百' => 100,
            '千' => 1_000,
            _ => return None,
        })
    }

    pub(super) fn followed_by(self, digit: u32) -> Self {
        match digit {
            0..=9 => Self { digits: self.digits.saturating_mul(10).saturating_add(digit), ..self },
            _ => Self {
                total: self.total.saturating_add(self.digits.max(1).saturating_mul(digit)),
                digits: 0,
            },
        }
    }

    pub(super) fn value(self) -> u32 {
        self.total.saturating_add(self.digits)
    }
}

/// Whether a word is the one of "sixty-one" behind this number: mostly an article otherwise.
pub(super) fn is_one(word: u32, before: Option<NumberBefore>) -> bool {
    static ONES: LazyLock<Vec<u32>> =
        LazyLock::new(|| ["un", "une", "uno", "una", "um", "uma"].map(hash_of).to_vec());
    static BARE: LazyLock<Vec<u32>> =
        LazyLock::new(|| ["один", "одна", "jeden", "jedna", "en", "ett"].map(hash_of).to_vec());
    let Some(tens) = before.filter(|first| first.spelled) else { return false };
    tens.value % 10 == 0
        && (20..100).contains(&tens.value)
        && (tens.and && ONES.contains(&word) || !tens.and && BARE.contains(&word))
}

/// Words that join the parts of a spelled number.
pub(super) static AND: LazyLock<Vec<u32>> =
    LazyLock::new(|| ["and", "y", "et", "e", "und"].map(hash_of).to_vec());
