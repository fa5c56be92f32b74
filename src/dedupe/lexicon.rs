//! Listed words, which are compared by their meaning, and numbers, which papers write in letters, in digits and with
//! units. Pure.

use std::sync::LazyLock;

use super::words::hash_of;

/// What a listed word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// A number word: one paper's nine is another's 9.
    Numeral(u32),
    /// A day or a month.
    Date,
    /// Another spelling of a word, and the hash of the one that is compared.
    Spelling(u32),
    /// A title before a name. Papers choose different ones, so it is no name.
    Honorific,
}

/// Number words, days, months, spellings and honorifics.
pub(super) struct Lexicon {
    /// By hash, ascending.
    words: Vec<(u32, Listed)>,
    /// A bit for the low bits of each hash: most words need no search.
    filter: [u64; 256],
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
        let word = Listed::Spelling(hash_of(word));
        words.extend(others.split_whitespace().map(|other| (hash_of(other), word)));
    }
    let titles = lines(include_str!("data/honorifics.txt"));
    let titles = titles.into_iter().flat_map(str::split_whitespace);
    words.extend(titles.map(|name| (hash_of(name), Listed::Honorific)));
    // A word of both lists is a numeral: the sort is stable and the first of a name stays.
    words.sort_by_key(|(hash, _)| *hash);
    words.dedup_by_key(|(hash, _)| *hash);
    let mut filter = [0; 256];
    for (hash, _) in &words {
        filter[(hash >> 6 & 255) as usize] |= 1 << (hash & 63);
    }
    Lexicon { words, filter }
});

impl Listed {
    /// The hash that is compared of a word that is written with the hash `written`.
    pub(super) fn hash(self, written: u32) -> u32 {
        match self {
            Self::Spelling(hash) => hash,
            Self::Numeral(value) => hash_of(&value.to_string()),
            Self::Date | Self::Honorific => written,
        }
    }
}

impl Lexicon {
    pub(super) fn find(&self, hash: u32) -> Option<Listed> {
        if self.filter[(hash >> 6 & 255) as usize] & 1 << (hash & 63) == 0 {
            return None;
        }
        let at = self.words.binary_search_by_key(&hash, |(word, _)| *word).ok()?;
        Some(self.words[at].1)
    }
}

/// The lines of a data file without comments.
pub(super) fn lines(data: &'static str) -> Vec<&'static str> {
    data.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// The digits of a word, as far as they are an integer: `1180`, `1,180` and `1.180` are one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digits {
    pub(super) value: u32,
    /// Digits since the last joint.
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
    let ordinals = ["st", "nd", "rd", "th"];
    let glued = |ordinal| move |text: &&str| Glued { hash: hash_of(text), ordinal };
    units.iter().map(glued(false)).chain(ordinals.iter().map(glued(true))).collect()
});

/// Words that join the parts of a spelled number.
pub(super) static AND: LazyLock<Vec<u32>> =
    LazyLock::new(|| ["and", "y", "et", "e", "und"].map(hash_of).to_vec());
