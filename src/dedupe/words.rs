//! The words of a text: texts with the same words in the same order are equal, whatever their case and composition.
//!
//! Reads a text once and keeps no letters of it: a word is a hash and a few bits. `paragraphs` decides which words are
//! the item's own, `likeness` and `verdict` compare words.

mod classes;
mod marks;

use std::sync::LazyLock;

use unicode_normalization::{UnicodeNormalization as _, is_nfkc};

use self::classes::{ASCII, Class, class, without_spaces};
use self::marks::{initials, is_gershayim};
use super::clocks::Clock;
use super::lexicon::{
    AND, Digits, GLUED, Kanji, LEXICON, Listed, NumberBefore, PERCENT, continued, is_one,
    is_percent,
};
use super::tuning::{EXACT_WORDS, MAX_WORDS};
use crate::text::chars::ascii_digit;

/// What a word is in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A word that is neither a number nor a name.
    Plain,
    /// A number, a version, a time, a day or a month: it selects one of several.
    Number,
    /// A name: written with a capital inside a sentence.
    Name,
}

/// A word of a title or of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// Hash of its letters in lower case; the same in every build, because it is stored.
    pub hash: u32,
    /// Whether it is a number, a name or another word.
    pub kind: Kind,
    /// Length in characters, at most [`Word::LONGEST`]; a character of a script without spaces is a word.
    pub length: u8,
    /// Amount of information, in tenths of an English word.
    pub load: u8,
}

impl Word {
    /// Maximum of `length`.
    pub const LONGEST: u8 = 7;
    /// Size of a stored word, in bytes.
    pub(super) const BYTES: usize = 5;
    /// The possible values of `load`, by the number that is stored.
    const LOADS: [u8; 4] = [10, 6, 16, 12];

    /// Whether it is a character of a script without spaces.
    pub(super) fn is_character(&self) -> bool {
        self.load == Self::LOADS[1]
    }

    /// As it is stored: four bytes of hash, then kind, length and load in one.
    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let load: u8 = match self.load {
            6 => 1,
            16 => 2,
            12 => 3,
            _ => 0,
        };
        let [a, b, c, d] = self.hash.to_le_bytes();
        [a, b, c, d, self.kind as u8 | load << 2 | self.length << 4]
    }

    /// Reads a word in the form of [`Word::to_bytes`].
    pub(super) fn from_bytes([a, b, c, d, bits]: [u8; Self::BYTES]) -> Self {
        Self {
            hash: u32::from_le_bytes([a, b, c, d]),
            kind: match bits & 3 {
                1 => Kind::Number,
                2 => Kind::Name,
                _ => Kind::Plain,
            },
            length: bits >> 4,
            load: Self::LOADS[usize::from(bits >> 2 & 3)],
        }
    }
}

/// The words of one text, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words(pub Vec<Word>);

impl Words {
    /// The words of plain text.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        let mut words = Vec::new();
        read(text, &mut words);
        words.truncate(MAX_WORDS);
        Self(words)
    }

    /// The length of the text in English words. A language that writes no articles, prepositions or vowels
    /// needs fewer words for the same, and a script whose characters each count as one needs more.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.iter().map(|word| usize::from(word.load)).sum::<usize>() / 10
    }

    /// Hash of all words in their order.
    #[must_use]
    pub fn digest(&self) -> u64 {
        digest_of(&self.0)
    }

    /// As [`Words::digest`]; `None` where there are too few words to recognise a text by.
    #[must_use]
    pub fn exact_digest(&self) -> Option<u64> {
        (self.size() >= EXACT_WORDS).then(|| self.digest())
    }
}

/// Splits a text into words. Addresses are left out: each service shortens them in its own way.
pub(super) fn read(text: &str, words: &mut Vec<Word>) {
    let mut rest = text;
    while let Some((at, length)) = address(rest) {
        plain(&rest[..at], words);
        rest = &rest[at + length..];
    }
    plain(rest, words);
}

fn plain(text: &str, words: &mut Vec<Word>) {
    // UAX 15: one character, one spelling.
    if text.is_ascii() || is_nfkc(text) {
        split(text, words);
    } else {
        split(&normalised(text), words);
    }
}

/// A text in normalisation form KC. Nothing composes with a space, so that most of the text needs no table of Unicode.
fn normalised(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    for piece in text.split_inclusive(' ') {
        if piece.is_ascii() {
            normal.push_str(piece);
        } else {
            normal.extend(piece.nfkc());
        }
    }
    normal
}

/// Place and length of the first address in a text: a piece with a scheme, or a host and a path.
fn address(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let slash = from + text[from..].find('/')?;
        let start = text[..slash]
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
        let end = text[slash..].find(char::is_whitespace).map_or(text.len(), |at| slash + at);
        let piece = &text[start..end];
        let host = piece.split('/').next().unwrap_or_default();
        let hosted = host.contains('.')
            && !host.ends_with('.')
            && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
            && host.ends_with(|c: char| c.is_ascii_alphabetic());
        if piece.contains("://") || hosted {
            return Some((start, end - start));
        }
        from = end;
    }
}

/// A word being read.
struct Open {
    /// FNV-1a of its letters so far.
    hash: u64,
    letters: u32,
    first: char,
    capital: bool,
    digit: bool,
    /// Whether the last letter is an ASCII digit.
    after_digit: bool,
    /// Whether a letter is not a capital.
    small: bool,
    /// Whether it is initials: "V.I." is no numeral.
    initials: bool,
    joint: Option<u8>,
    /// A hashtag is not a word of the text: each service has its own.
    tag: bool,
    number: Digits,
    /// Whether it has a character that is not a digit.
    lettered: bool,
    /// The number before the first letter of a piece such as `10km`.
    before_unit: Option<(u64, u32, Digits)>,
    /// FNV-1a of the letters behind that number.
    unit: u64,
}

impl Open {
    const NONE: Self = Self {
        hash: FNV,
        letters: 0,
        first: ' ',
        capital: false,
        digit: false,
        after_digit: false,
        small: false,
        initials: false,
        joint: None,
        tag: false,
        number: Digits::NONE,
        lettered: false,
        before_unit: None,
        unit: FNV,
    };

    fn byte(&mut self, byte: u8) {
        self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
        if self.before_unit.is_some() {
            self.unit = (self.unit ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
        }
    }

    /// Adds a letter, as it is written.
    fn push(&mut self, c: char) {
        if self.letters == 0 {
            self.capital = c.is_uppercase();
        }
        if let Some(digit) = c.to_digit(10) {
            self.number.digit(digit);
        } else {
            if self.after_digit && !self.lettered {
                self.before_unit = Some((self.hash, self.letters, self.number));
                self.unit = FNV;
            }
            self.number.whole = false;
            self.lettered = true;
        }
        self.after_digit = c.is_ascii_digit();
        self.small |= !c.is_ascii_uppercase();
        if c.is_ascii() {
            return self.lower(c.to_ascii_lowercase());
        }
        c.to_lowercase().for_each(|c| self.lower(c));
    }

    fn lower(&mut self, c: char) {
        let c = folded(c);
        if self.letters == 0 {
            self.first = c;
        }
        self.letters += 1;
        if c.is_ascii() {
            self.byte(c as u8);
        } else {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| self.byte(byte));
        }
    }
}

/// What the words before the open one show about it.
struct Before {
    opens_sentence: bool,
    number: Option<NumberBefore>,
    /// A number that may be a time of day.
    clock: Option<Clock>,
    kanji: Option<Kanji>,
}

fn split(text: &str, words: &mut Vec<Word>) {
    let mut open = Open::NONE;
    let mut before = Before { opens_sentence: true, number: None, clock: None, kanji: None };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if open.letters == 0
            && !open.tag
            && let Some(length) = ascii_word(rest)
        {
            plain_word(&rest[..length], &mut before, words);
            rest = &rest[length..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match class(c) {
            class @ (Class::Letter | Class::Digit | Class::Whole) => {
                let c = if class == Class::Digit { ascii_digit(c).unwrap_or(c) } else { c };
                if let Some(joint) = open.joint.take() {
                    if c.is_ascii_digit() {
                        open.byte(joint);
                        open.number.joint(joint);
                        open.letters += 1;
                    } else {
                        close(&mut open, &mut before, words);
                    }
                }
                if class == Class::Whole {
                    // No article is glued to a character: "A" of "A組" is a name.
                    before.opens_sentence &= open.letters == 0;
                    close(&mut open, &mut before, words);
                    if !kanji(c, &mut before, words) {
                        open.push(c);
                        close(&mut open, &mut before, words);
                    }
                    continue;
                }
                open.digit |= class == Class::Digit;
                open.push(c);
            }
            Class::Silent => {}
            Class::Stop if is_gershayim(c, open.first, rest) => {}
            Class::Joint if open.after_digit && open.letters > 0 => {
                open.joint = Some(if c == ',' { b'.' } else { c as u8 });
            }
            Class::Hash if open.letters == 0 => open.tag = true,
            class => {
                close(&mut open, &mut before, words);
                before.opens_sentence |= class == Class::Stop || matches!(c, '.' | ':');
                before.kanji = None;
                if !c.is_whitespace() && c != '-' {
                    before.number = None;
                }
                if c == '%' && words.last().is_some_and(|word| word.kind == Kind::Number) {
                    words.push(*PERCENT_WORD);
                }
            }
        }
    }
    close(&mut open, &mut before, words);
}

/// Length of the word at the beginning of a text, if it has ASCII letters only, or is initials. Most words do.
fn ascii_word(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let length = bytes.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(bytes.len());
    if let Some(length) = initials(text).filter(|_| length == 1) {
        return Some(length);
    }
    let ends = |byte: &u8| {
        byte.is_ascii() && !matches!(ASCII[usize::from(*byte)], Class::Digit | Class::Silent)
    };
    (length > 0 && bytes.get(length).is_none_or(ends)).then_some(length)
}

/// Adds a word of ASCII letters, or of initials.
fn plain_word(word: &str, before: &mut Before, words: &mut Vec<Word>) {
    let bytes = word.as_bytes();
    let letters = || bytes.iter().filter(|byte| byte.is_ascii_alphabetic());
    let step = |hash: u64, byte: &u8| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(FNV_PRIME)
    };
    let open = Open {
        hash: letters().fold(FNV, step),
        letters: letters().count() as u32,
        first: char::from(bytes[0].to_ascii_lowercase()),
        capital: bytes[0].is_ascii_uppercase(),
        small: bytes.iter().any(u8::is_ascii_lowercase),
        initials: word.contains('.'),
        number: Digits { whole: false, ..Digits::NONE },
        lettered: true,
        ..Open::NONE
    };
    push(&open, before, words);
    before.opens_sentence = word.ends_with('.');
}

/// Reads a digit of a number such as 二十三; whether it is one.
fn kanji(c: char, before: &mut Before, words: &mut Vec<Word>) -> bool {
    let Some(digit) = Kanji::digit(c) else {
        before.kanji = None;
        return false;
    };
    let number = match before.kanji {
        Some(first) => first.followed_by(digit),
        None => {
            words.push(Word { hash: 0, kind: Kind::Number, length: 1, load: 6 });
            Kanji::NONE.followed_by(digit)
        }
    };
    let (at, value) = (words.len() - 1, number.value());
    words[at].hash = hash_of(&value.to_string());
    (before.kanji, before.clock) = (Some(number), Clock::of_integer(at, value, 0));
    true
}

/// Ends a word, if one is open.
fn close(open: &mut Open, before: &mut Before, words: &mut Vec<Word>) {
    let open = std::mem::replace(open, Open::NONE);
    if open.letters == 0 || open.tag && !open.digit {
        return;
    }
    let unit = fold(mix(open.unit));
    let first = open.before_unit.map(|(hash, letters, number)| Open {
        lettered: false,
        before_unit: None,
        hash,
        letters,
        number,
        ..open
    });
    if let Some(first) = &first
        && let Some(mut clock) = clock(first, words.len())
        && clock.is_glued(unit)
    {
        push(first, before, words);
        clock.glued(unit, words);
        (before.number, before.clock) = (None, Some(clock));
    } else if let Some(first) = &first
        && let Some(glued) = GLUED.iter().find(|glued| glued.hash == unit)
    {
        push(first, before, words);
        before.number = None;
        if !glued.ordinal {
            let hash = LEXICON.find(unit).map_or(unit, |listed| listed.hash(unit));
            words.push(Word { hash, kind: Kind::Plain, length: 2, load: 10 });
        }
    } else {
        push(&open, before, words);
    }
    // "1." at the end of a sentence, not inside a number.
    before.opens_sentence = open.joint.is_some();
    if open.joint.is_some() {
        before.number = None;
    }
}

/// The time of day that a number may be.
fn clock(open: &Open, at: usize) -> Option<Clock> {
    let Digits { value, group, joints, whole } = open.number;
    match (open.lettered, joints, group) {
        (true, ..) => None,
        (_, 0, digits) => Clock::of_integer(at, value, digits),
        (_, 1, 2) if whole => Clock::of_dot(at, value),
        (_, 1, 2) => Clock::of_colon(at, value),
        _ => None,
    }
}

/// What a word is in a text, and the number that a Roman numeral writes.
fn kind(open: &Open, listed: Option<Listed>, opens_sentence: bool) -> (Kind, Option<u32>) {
    match listed {
        Some(Listed::Roman(value)) if !open.small && !open.initials => (Kind::Number, Some(value)),
        Some(Listed::Numeral(_) | Listed::Date) => (Kind::Number, None),
        Some(Listed::Honorific) => (Kind::Plain, None),
        _ if open.digit => (Kind::Number, None),
        // "US" is a name also at the beginning of a sentence, "A" and "Us" need not be.
        _ if open.capital && (!opens_sentence || open.letters == 2 && !open.small) => {
            (Kind::Name, None)
        }
        _ => (Kind::Plain, None),
    }
}

/// Reads a word as a part of the time of day before it, if it is one.
fn continues_time(open: &Open, written: u32, before: &mut Before, words: &mut Vec<Word>) -> bool {
    let Some(clock) = &mut before.clock else { return false };
    let digits = if open.lettered { 0 } else { open.letters };
    let part = match open.digit {
        true => clock.minutes(open.number.value, digits, words),
        false => clock.followed_by(written, words),
    };
    if part {
        before.number = None;
    }
    part
}

/// Adds a word, or puts it into the number before it.
fn push(open: &Open, before: &mut Before, words: &mut Vec<Word>) {
    let written = fold(mix(open.hash));
    let listed = LEXICON.find(written);
    let (kind, roman) = kind(open, listed, before.opens_sentence);
    // A syllable of Hangul is two or three letters.
    let letters = if is_hangul(open.first) { 2 * open.letters } else { open.letters };
    let length = letters.min(u32::from(Word::LONGEST)) as u8;
    let mut word = Word { hash: written, kind, length, load: load(open.first) };
    if let Some(Listed::Spelling(hash)) = listed {
        word.hash = hash;
    }
    if let Some(value) = roman {
        word.hash = hash_of(&value.to_string());
    }
    let value = match listed {
        Some(Listed::Numeral(value)) => Some(value),
        _ if open.digit => open.number.integer(),
        _ if is_one(written, before.number) => Some(1),
        _ => None,
    };
    if continues_time(open, written, before, words) {
        return;
    }
    if open.digit {
        before.clock = clock(open, words.len());
        if let Some(full) = before.clock.filter(|clock| clock.is_full()) {
            word.hash = full.hash();
        }
    }
    if is_percent(written, words) {
        words.pop();
        return words.push(*PERCENT_WORD);
    }
    let Some(value) = value else {
        let joins = |first: &NumberBefore| first.spelled && !first.and && AND.contains(&written);
        let first = before.number.filter(joins);
        before.number = first.map(|first| NumberBefore { and: true, ..first });
        return words.push(word);
    };
    add_number(word, value, open, before, words);
}

/// Adds a number, or puts it into the number before it.
fn add_number(mut word: Word, value: u32, open: &Open, before: &mut Before, words: &mut Vec<Word>) {
    let number =
        NumberBefore { value, at: words.len(), spelled: !open.digit, and: false, grouped: false };
    let number =
        before.number.and_then(|first| continued(first, &number, open.letters)).unwrap_or(number);
    if number.spelled || number.at < words.len() || open.number.joints > 0 {
        word.hash = hash_of(&number.value.to_string());
    }
    words.truncate(number.at);
    words.push(word);
    if number.spelled {
        before.clock = Clock::of_integer(number.at, number.value, 0);
    }
    before.number = Some(number);
}

/// What `%` and "per cent" are read as.
static PERCENT_WORD: LazyLock<Word> =
    LazyLock::new(|| Word { hash: *PERCENT, kind: Kind::Plain, length: Word::LONGEST, load: 10 });

/// Information of a word that begins with this character, in tenths of an English word, from translations.
fn load(first: char) -> u8 {
    match first {
        '\0'..='\u{36f}' => 10,
        c if without_spaces(c) => 6,
        // Hebrew, Arabic, Hangul.
        '\u{590}'..='\u{77f}'
        | '\u{ac00}'..='\u{d7af}'
        | '\u{fb1d}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefc}' => 16,
        // Greek, Cyrillic.
        '\u{370}'..='\u{52f}' | '\u{1f00}'..='\u{1fff}' => 12,
        _ => 10,
    }
}

/// The letter that is compared of a letter that many write without its mark.
fn folded(c: char) -> char {
    match c {
        'ё' => 'е',
        // Chandrabindu and anusvara.
        '\u{901}' => '\u{902}',
        c => c,
    }
}

fn is_hangul(c: char) -> bool {
    matches!(c, '\u{ac00}'..='\u{d7af}')
}

/// Width of a text in columns: a character of a script without spaces, or of Hangul, takes two.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|c| if without_spaces(c) || is_hangul(c) { 2 } else { 1 }).sum()
}

const FNV: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// Hash of words in their order.
pub(super) fn digest_of(words: &[Word]) -> u64 {
    words.iter().fold(FNV, |hash, word| mix(hash ^ u64::from(word.hash)))
}

/// Hash of a text: FNV-1a, the same in every build and on every machine, which the standard hasher does
/// not promise.
pub(super) fn hash64(text: &str) -> u64 {
    mix(text.bytes().fold(FNV, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)))
}

/// Hash of a word.
pub(super) fn hash_of(letters: &str) -> u32 {
    fold(hash64(letters))
}

/// The high half of a hash, whose bits are mixed best.
pub(super) fn fold(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Spreads the bits (the finaliser of `SplitMix64`).
pub(super) fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests;
